//! What answers look like.

use std::sync::Arc;

use notify_core::delivery::{Attempt, Delivery, Part, Reason, ResponseHead, Timing};
use notify_core::endpoint::{CustomHeader, EndpointStatus};
use notify_core::engine::{CreatedEndpoint, Outlook};
use notify_core::store::{EventRecord, Page};
use notify_core::{Endpoint, Receipt, Secret, SuccessRule, Timestamp};
use serde::Serialize;

/// An endpoint without what must not be shown: its secret, and its headers' values, which may be credentials.
#[derive(Debug, Serialize)]
pub(super) struct EndpointView {
    id: String,
    tenant: String,
    name: String,
    url: String,
    description: String,
    /// `null` = every event.
    events: Option<Vec<String>>,
    headers: Vec<String>,
    /// `null` = the engine's.
    success: Option<&'static str>,
    /// `null` = the engine's.
    schedule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<DisabledView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct DisabledView {
    reason: &'static str,
    at: Timestamp,
    by: String,
}

/// A new endpoint, with its secret: the one time that it is shown.
#[derive(Serialize)]
pub(super) struct CreatedView {
    #[serde(flatten)]
    endpoint: EndpointView,
    secret: String,
}

/// A new secret: the one time that it is shown.
#[derive(Serialize)]
pub(super) struct SecretView {
    secret: String,
}

impl SecretView {
    pub(super) fn of(secret: &Secret) -> Self {
        Self { secret: secret.expose().to_owned() }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct EndpointList {
    endpoints: Vec<EndpointView>,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct ReceiptView {
    event_id: String,
    deliveries: usize,
    duplicate: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct EventView {
    event_id: String,
    event: String,
    timestamp: Timestamp,
    status: &'static str,
    purpose: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
    created_at: Timestamp,
    deliveries: Vec<DeliveryView>,
}

#[derive(Debug, Serialize)]
pub(super) struct EventDetail {
    #[serde(flatten)]
    event: EventView,
    /// The bytes that every attempt sends.
    body: String,
}

#[derive(Debug, Serialize)]
pub(super) struct EventList {
    pub(super) events: Vec<EventView>,
    pub(super) next_cursor: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct DeliveryView {
    id: String,
    event_id: String,
    endpoint_id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    attempt_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<Vec<AttemptView>>,
    next_attempt_at: Option<Timestamp>,
    gives_up_at: Option<Timestamp>,
    created_at: Timestamp,
    settled_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
pub(super) struct DeliveryList {
    pub(super) deliveries: Vec<DeliveryView>,
    pub(super) next_cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct AttemptView {
    number: u32,
    started_at: Timestamp,
    duration_ms: u128,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_head: Option<String>,
    response_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    timing: Option<TimingView>,
}

/// Where an attempt's time went. A part that did not happen is left out.
#[derive(Debug, Serialize)]
struct TimingView {
    /// `new` or `reused`.
    connection: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lookup_ms: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect_ms: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handshake_ms: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_byte_ms: Option<u128>,
}

impl EndpointView {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        let disabled = match &endpoint.status {
            EndpointStatus::Enabled => None,
            EndpointStatus::Disabled(disabled) => {
                Some(DisabledView { reason: disabled.reason.as_str(), at: disabled.at, by: disabled.by.clone() })
            }
        };
        Self {
            id: endpoint.id.to_string(),
            tenant: endpoint.tenant.to_string(),
            name: endpoint.name.to_string(),
            url: endpoint.url.to_string(),
            description: endpoint.description.clone(),
            events: endpoint.filter.patterns(),
            headers: endpoint.headers.iter().map(CustomHeader::name).map(str::to_owned).collect(),
            success: endpoint.policy.success.map(SuccessRule::as_str),
            schedule: endpoint.policy.schedule.as_ref().map(ToString::to_string),
            disabled,
            failing_since: None,
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }

    pub(super) fn failing_since(self, failing_since: Option<Timestamp>) -> Self {
        Self { failing_since, ..self }
    }
}

impl CreatedView {
    pub(super) fn of(created: &CreatedEndpoint) -> Self {
        Self { endpoint: EndpointView::of(&created.endpoint), secret: created.secret.expose().to_owned() }
    }
}

impl EndpointList {
    pub(super) fn of(page: &Page<Arc<Endpoint>>, failing_since: &[Option<Timestamp>]) -> Self {
        let views = page.items.iter().map(|endpoint| EndpointView::of(endpoint));
        let endpoints = views.zip(failing_since).map(|(view, since)| view.failing_since(*since)).collect();
        Self { endpoints, next_cursor: page.next.map(|cursor| cursor.to_string()) }
    }
}

impl ReceiptView {
    pub(super) fn of(receipt: &Receipt) -> Self {
        let Receipt { event_id, deliveries, duplicate, .. } = receipt;
        Self { event_id: event_id.to_string(), deliveries: *deliveries, duplicate: *duplicate }
    }
}

impl EventView {
    pub(super) fn of(record: &EventRecord, outlooks: &[Outlook]) -> Self {
        let deliveries = record.deliveries.iter().zip(outlooks);
        Self::with(record, deliveries.map(|(delivery, outlook)| DeliveryView::of(delivery, outlook)).collect())
    }

    fn with(record: &EventRecord, deliveries: Vec<DeliveryView>) -> Self {
        Self {
            event_id: record.event.key.id.to_string(),
            event: record.event.event_type.to_string(),
            timestamp: record.event.timestamp,
            status: record.status().as_str(),
            purpose: record.purpose.as_str(),
            idempotency_key: record.idempotency_key.as_ref().map(ToString::to_string),
            created_at: record.created_at,
            deliveries,
        }
    }
}

impl EventDetail {
    pub(super) fn of(record: &EventRecord, deliveries: Vec<DeliveryView>) -> Self {
        let body = String::from_utf8_lossy(&record.event.body).into_owned();
        Self { event: EventView::with(record, deliveries), body }
    }
}

impl DeliveryView {
    pub(super) fn of(delivery: &Delivery, outlook: &Outlook) -> Self {
        let stored = delivery.as_stored();
        Self {
            id: stored.id.to_string(),
            event_id: stored.event.id.to_string(),
            endpoint_id: stored.endpoint.to_string(),
            status: stored.state.as_str(),
            reason: stored.reason.map(Reason::as_str),
            attempt_count: stored.attempts,
            attempts: None,
            next_attempt_at: outlook.next_attempt_at,
            gives_up_at: outlook.gives_up_at,
            created_at: stored.created_at,
            settled_at: stored.settled_at,
        }
    }

    pub(super) fn with_attempts(mut self, attempts: &[Attempt]) -> Self {
        self.attempts = Some(attempts.iter().map(AttemptView::of).collect());
        self
    }
}

impl AttemptView {
    fn of(attempt: &Attempt) -> Self {
        let head = attempt.response.as_ref();
        Self {
            number: attempt.number.get(),
            started_at: attempt.started_at,
            duration_ms: attempt.duration.as_millis(),
            outcome: attempt.outcome.as_str(),
            status_code: attempt.status_code,
            // `detail` is for operators: it may name addresses of the sender's network.
            error: attempt.error.clone(),
            response_head: head.map(ResponseHead::to_text),
            response_truncated: head.is_some_and(|head| head.truncated),
            timing: attempt.timing.as_ref().map(TimingView::of),
        }
    }
}

impl TimingView {
    fn of(timing: &Timing) -> Self {
        let millis = |part| timing.of(part).map(|length| length.as_millis());
        Self {
            connection: timing.connection().as_str(),
            tls: timing.tls().map(|version| version.as_str()),
            lookup_ms: millis(Part::Lookup),
            connect_ms: millis(Part::Connect),
            handshake_ms: millis(Part::Handshake),
            first_byte_ms: millis(Part::FirstByte),
        }
    }
}
