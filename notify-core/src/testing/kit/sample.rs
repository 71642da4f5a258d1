//! Events, endpoints, requests and changes in one line each, for tests of stores. Times are milliseconds after a fixed
//! moment. A row is shown as `event/endpoint`.
//!
//! # Panics
//! All of these panic for a text that is no id, no type, no URL.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::delivery::{Delivery, NewDelivery, Reason, Response, SendFailure, Start};
use crate::endpoint::{DisableReason, Disabled, Endpoint, EndpointStatus, PolicyOverrides};
use crate::event::{EventKey, NewEvent, Purpose};
use crate::fanout::delivery_id;
use crate::id::{ChangeId, ClaimToken, DeliveryId, EndpointId, EventFilter, TenantId, Version};
use crate::machine::{Change, Gate, Input, Step, classify, step};
use crate::retry::{Policy, SuccessRule};
use crate::sign::{Secret, SecretSet};
use crate::store::{ClaimBatch, ClaimRequest, Free, PublishBatch, PublishedEvent, SweepAction, SweepRequest};
use crate::time::Timestamp;

/// For how long [`claim`] leases, in milliseconds.
pub const LEASE: i64 = 1_000;

/// The year 2100: ahead of every clock, so that a store that looks at one shows it in the cases of S10 alone.
const START: i64 = 4_102_444_800_000;

/// The moment `millis` after the samples' start.
#[must_use]
pub const fn t(millis: i64) -> Timestamp {
    Timestamp::from_millis(START + millis)
}

/// The token of claim `n`.
#[must_use]
pub const fn token(n: u128) -> ClaimToken {
    ClaimToken::new(n)
}

/// Any id, name or type that is read from text.
#[must_use]
pub fn named<T: FromStr<Err: Display>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{text:?} is {error}"))
}

/// The key of the default tenant's event `id`.
#[must_use]
pub fn key(id: &str) -> EventKey {
    EventKey { tenant: TenantId::default(), id: named(id) }
}

/// The id of the delivery of the default tenant's `event` to `endpoint`.
#[must_use]
pub fn delivery(event: &str, endpoint: &str) -> DeliveryId {
    delivery_id(&key(event), &named(endpoint))
}

/// A delivery of the event `key` to `endpoint`.
#[must_use]
pub fn new_delivery(key: &EventKey, endpoint: &str, start: Start) -> NewDelivery {
    let endpoint: EndpointId = named(endpoint);
    NewDelivery { id: delivery_id(key, &endpoint), endpoint, start }
}

/// An event of type `a.b` for the default tenant, with a delivery that is due at `due` to each of these endpoints.
/// Events with equal `content` have equal fingerprints.
#[must_use]
pub fn event(id: &str, content: u32, endpoints: &[&str], due: i64) -> PublishedEvent {
    published(new_event(content), id, endpoints, due)
}

/// The same for `tenant`.
#[must_use]
pub fn event_of(tenant: &str, id: &str, content: u32, endpoints: &[&str], due: i64) -> PublishedEvent {
    published(new_event(content).for_tenant(named(tenant)), id, endpoints, due)
}

/// The same with any type and any JSON data.
#[must_use]
pub fn event_with(event_type: &str, data: &str, id: &str, endpoints: &[&str]) -> PublishedEvent {
    published(NewEvent::new(event_type, data).unwrap_or_else(|error| panic!("{error}")), id, endpoints, 0)
}

fn new_event(content: u32) -> NewEvent {
    NewEvent::new("a.b", &content.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

#[expect(clippy::needless_pass_by_value, reason = "callers make it for this")]
fn published(event: NewEvent, id: &str, endpoints: &[&str], due: i64) -> PublishedEvent {
    let key = EventKey { tenant: event.tenant().clone(), id: named(id) };
    let deliveries = endpoints.iter().map(|endpoint| new_delivery(&key, endpoint, Start::Due(t(due)))).collect();
    PublishedEvent {
        event: Arc::new(event.build(key.id, t(0))),
        fingerprint: event.fingerprint(),
        idempotency_key: None,
        purpose: Purpose::Live,
        deliveries,
    }
}

/// The same event with an idempotency key.
#[must_use]
pub fn with_key(event: PublishedEvent, idempotency_key: &str) -> PublishedEvent {
    PublishedEvent { idempotency_key: Some(named(idempotency_key)), ..event }
}

/// The same event as a test.
#[must_use]
pub fn as_test(event: PublishedEvent) -> PublishedEvent {
    PublishedEvent { purpose: Purpose::Test, ..event }
}

/// These events, published at `now`.
#[must_use]
pub const fn batch(now: i64, events: Vec<PublishedEvent>) -> PublishBatch {
    PublishBatch { now: t(now), events }
}

/// A claim of up to 100 rows at `now` for one [`LEASE`], without bounds for an endpoint.
#[must_use]
pub fn claim(now: i64, n: u128) -> ClaimRequest {
    let free = Free { default: 100, busy: Vec::new() };
    ClaimRequest { now: t(now), lease_until: t(now + LEASE), token: token(n), limit: 100, free }
}

/// Free numbers: `default`, and those of `busy`, sorted by name.
#[must_use]
pub fn free(default: u32, busy: &[(&str, u32)]) -> Free {
    Free { default, busy: busy.iter().map(|(endpoint, free)| (named(endpoint), *free)).collect() }
}

/// A sweep of up to `limit` rows of `endpoint` at `now`.
#[must_use]
pub fn sweep(endpoint: &str, action: SweepAction, now: i64, limit: u32) -> SweepRequest {
    SweepRequest { endpoint: named(endpoint), action, now: t(now), limit }
}

/// The rows of a claim, sorted.
#[must_use]
pub fn rows(batch: &ClaimBatch) -> Vec<String> {
    let mut rows: Vec<String> = batch.claimed.iter().map(|row| name(&row.delivery)).collect();
    rows.sort_unstable();
    rows
}

/// A row as `event/endpoint`.
#[must_use]
pub fn name(delivery: &Delivery) -> String {
    format!("{}/{}", delivery.event().id, delivery.endpoint())
}

/// The change that the answer 200 makes of a leased row that was sent at `now`. `id` names the change.
#[must_use]
pub fn delivered(row: &Delivery, id: u128, now: i64) -> Change {
    answered(row, id, now, Response::new(200))
}

/// The change that the answer 500 makes: the row is due again later.
#[must_use]
pub fn failed(row: &Delivery, id: u128, now: i64) -> Change {
    answered(row, id, now, Response::new(500))
}

/// The change that this answer makes.
#[must_use]
pub fn answered(row: &Delivery, id: u128, now: i64, response: Response) -> Change {
    finished(row, id, now, Ok(response))
}

/// The change that a refused connection makes.
#[must_use]
pub fn refused(row: &Delivery, id: u128, now: i64) -> Change {
    let failure = SendFailure::new(Reason::ConnectRefused, "192.0.2.1:443 refused").at("192.0.2.1".parse().ok());
    unanswered(row, id, now, failure)
}

/// The change that this failure of a transport makes.
#[must_use]
pub fn unanswered(row: &Delivery, id: u128, now: i64, failure: SendFailure) -> Change {
    finished(row, id, now, Err(failure))
}

/// The change that hands a leased row back unsent: due at once, no attempt logged.
#[must_use]
pub fn handed_back(row: &Delivery, id: u128, now: i64) -> Change {
    change(row, id, now, Input::HandBack)
}

/// The change that the endpoint's state makes of a leased row before it is sent: held or cancelled.
#[must_use]
pub fn stopped(row: &Delivery, id: u128, now: i64, gate: Gate) -> Change {
    change(row, id, now, Input::Start(gate))
}

/// What the machine makes of a leased row; see [`crate::machine::step`].
#[must_use]
pub fn change(row: &Delivery, id: u128, now: i64, input: Input) -> Change {
    match step(row, input, &Policy::default(), t(now), ChangeId::new(id)) {
        Ok(Step::Write(change)) => change,
        Ok(Step::Send(number)) => panic!("attempt {number} of {} starts instead of a write", name(row)),
        Err(error) => panic!("{}: {error}", name(row)),
    }
}

fn finished(row: &Delivery, id: u128, now: i64, reply: Result<Response, SendFailure>) -> Change {
    let input = Input::Finished {
        gate: Gate::Open,
        started_at: t(now),
        duration: Duration::ZERO,
        url: "https://example.com/hook".into(),
        verdict: Box::new(classify(reply, SuccessRule::Exactly200)),
    };
    change(row, id, now, input)
}

/// An enabled endpoint of the default tenant that wants every event, named like its id.
#[must_use]
pub fn endpoint(id: &str) -> Endpoint {
    Endpoint {
        id: named(id),
        tenant: TenantId::default(),
        name: named(id),
        url: named("https://example.com/hook"),
        description: String::new(),
        filter: EventFilter::all(),
        headers: Vec::new(),
        status: EndpointStatus::Enabled,
        secrets: SecretSet::new(Secret::generate(&[7; 32]), t(0)),
        policy: PolicyOverrides::default(),
        version: Version::FIRST,
        created_at: t(0),
        updated_at: t(0),
    }
}

/// By an operator, at `now`.
#[must_use]
pub fn disabled(now: i64) -> Disabled {
    Disabled { reason: DisableReason::Operator, at: t(now), by: "an operator".to_owned() }
}
