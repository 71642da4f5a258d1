//! The test event: the form that sends one, and what became of it.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use notify_core::delivery::State;
use notify_core::engine::{ControlError, PING, PingRequest, PublishError};
use notify_core::event::EventKey;
use notify_core::{DeliveryId, Endpoint, EventId};

use crate::access::Capability;
use crate::audit::{Verb, audited};
use crate::failure::{Failure, sentence};
use crate::fields::Fields;
use crate::visit::Visit;
use crate::words::{self, Mark, delivery_mark};

use super::webhook::{self, find};
use super::{event, render};

/// The form, for who may send one to an enabled webhook.
#[derive(Debug)]
pub(super) struct PingForm {
    pub(super) action: String,
    pub(super) types: Vec<String>,
    pub(super) typed: String,
    pub(super) error: String,
}

/// What became of the test event that the address names.
#[derive(Debug)]
pub(super) struct Pinged {
    pub(super) mark: Mark,
    pub(super) event_type: String,
    pub(super) words: String,
    /// The start of the answer, for who may see it.
    pub(super) response: String,
    pub(super) delivery: String,
    /// The same page, while there is more to come.
    pub(super) again: Option<String>,
}

impl PingForm {
    pub(super) fn of(visit: &Visit, endpoint: &Endpoint) -> Option<Self> {
        let catalogue = visit.engine().catalogue();
        let types =
            std::iter::once(PING.to_owned()).chain(catalogue.entries().map(|entry| entry.event_type.to_string()));
        (visit.can(Capability::Manage) && endpoint.is_enabled()).then(|| Self {
            action: visit.links.to(&format!("/webhooks/{}/ping", endpoint.id)),
            types: types.collect(),
            typed: PING.into(),
            error: String::new(),
        })
    }
}

impl Pinged {
    /// `None` where the address names no delivery of this webhook, or one that is past its retention.
    pub(super) async fn of(visit: &Visit, endpoint: &Endpoint) -> Result<Option<Self>, Failure> {
        let Ok(id) = visit.query.get("ping").parse::<DeliveryId>() else { return Ok(None) };
        let delivery = match visit.engine().deliveries().get(&visit.tenant, &id).await {
            Ok(delivery) if *delivery.endpoint() == endpoint.id => delivery,
            Ok(_) | Err(ControlError::NoSuchDelivery) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let record = event::find(visit, delivery.event().id.as_str()).await?;
        let attempts = visit.engine().history().attempts(&id).await?;
        let last = attempts.last();
        let words = match (last, delivery.state()) {
            (_, State::InFlight) => "An attempt is under way.".to_owned(),
            (None, State::Held) => "It is held while the webhook is disabled.".to_owned(),
            (None, State::Cancelled) => "It was cancelled.".to_owned(),
            (None, _) => "It waits to be sent.".to_owned(),
            (Some(attempt), _) => sentence(&words::outcome_words(attempt)),
        };
        let answer = last.and_then(|attempt| attempt.response.as_ref());
        let to_come = last.is_none() && matches!(delivery.state(), State::Scheduled | State::InFlight);
        Ok(Some(Self {
            mark: delivery_mark(&delivery),
            event_type: record.event.event_type.to_string(),
            words,
            response: answer
                .filter(|_| visit.can(Capability::ViewPayloads))
                .map(words::response_text)
                .unwrap_or_default(),
            delivery: visit.links.to(&format!("/logs/deliveries/{id}")),
            again: to_come.then(|| result(visit, endpoint, &id)),
        }))
    }
}

/// `POST /webhooks/{id}/ping`, with `type`: back to the webhook, where the result is shown.
pub(super) async fn send(visit: Visit, Path(id): Path<String>, form: Fields) -> Result<Response, Failure> {
    visit.needs(Capability::Manage)?;
    let endpoint = find(&visit, &id).await?;
    let typed = form.get("type");
    let request = match typed {
        "" => PingRequest::default(),
        text => match text.parse() {
            Ok(event_type) => PingRequest::of(event_type),
            Err(error) => return refused(&visit, &endpoint, typed, sentence(&error.to_string())).await,
        },
    };
    let done = visit.engine().endpoints().ping_with(&visit.tenant, &endpoint.id, &request).await;
    match audited(&visit, Verb::PingWebhook, endpoint.id.as_str(), done) {
        Ok(receipt) => Ok(Redirect::to(&address(&visit, &endpoint, receipt.event_id).await?).into_response()),
        Err(ControlError::Publish(error @ PublishError::UnknownType { .. })) => {
            let help = error.help().map(|help| sentence(&help)).unwrap_or_default();
            refused(&visit, &endpoint, typed, format!("{} {help}", sentence(&error.to_string()))).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The webhook's page again, with what was typed and why it is no use.
async fn refused(visit: &Visit, endpoint: &Endpoint, typed: &str, error: String) -> Result<Response, Failure> {
    let mut page = webhook::page(visit, endpoint).await?;
    page.frame.title = format!("Error: {}", page.frame.title);
    if let Some(form) = &mut page.ping {
        form.typed = typed.to_owned();
        form.error = error;
    }
    let mut response = render(&page)?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// Where the result of this test event is shown.
async fn address(visit: &Visit, endpoint: &Endpoint, id: EventId) -> Result<String, Failure> {
    let key = EventKey { tenant: visit.tenant.clone(), id };
    let record = visit.engine().history().event(&key).await?;
    let delivery = record.as_ref().and_then(|record| record.deliveries.first());
    Ok(match delivery {
        Some(delivery) => result(visit, endpoint, &delivery.id()),
        None => visit.links.to(&format!("/webhooks/{}", endpoint.id)),
    })
}

fn result(visit: &Visit, endpoint: &Endpoint, delivery: &DeliveryId) -> String {
    visit.links.with(&format!("/webhooks/{}", endpoint.id), &[("ping", &delivery.to_string())])
}
