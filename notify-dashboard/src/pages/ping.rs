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
use crate::pretty::pretty;
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
    /// The data, as JSON text.
    pub(super) data: String,
    pub(super) data_error: String,
    /// The type whose example the data was, before anybody changed it.
    pub(super) filled: String,
    /// The same page with the example of each type.
    pub(super) examples: Vec<(String, String)>,
    pub(super) open: bool,
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
        if !visit.can(Capability::Manage) || !endpoint.is_enabled() {
            return None;
        }
        let catalogue = visit.engine().catalogue();
        let types = std::iter::once(PING.to_owned());
        let types: Vec<String> = types.chain(catalogue.entries().map(|entry| entry.event_type.to_string())).collect();
        let at = format!("/webhooks/{}", endpoint.id);
        let asked = visit.query.get("type");
        let chosen = types.iter().find(|known| *known == asked);
        let filled = chosen.map_or(PING, String::as_str).to_owned();
        Some(Self {
            action: visit.links.to(&format!("{at}/ping")),
            data: example(visit, endpoint, &filled),
            data_error: String::new(),
            examples: types.iter().map(|name| (name.clone(), visit.links.with(&at, &[("type", name)]))).collect(),
            open: chosen.is_some(),
            typed: filled.clone(),
            error: String::new(),
            filled,
            types,
        })
    }
}

/// What the engine sends as the data of a test event of this type, unless it is given another, made readable.
fn example(visit: &Visit, endpoint: &Endpoint, event_type: &str) -> String {
    let entry = visit.engine().catalogue().entries().find(|entry| entry.event_type.as_str() == event_type);
    let of_endpoint = || format!("{{\"endpoint_id\":\"{}\"}}", endpoint.id);
    pretty(&entry.map_or_else(of_endpoint, |entry| entry.example.clone()))
}

/// The data that was typed; `None` where it is as it was filled in, so that it is the example of the type that was typed.
fn typed_data(visit: &Visit, endpoint: &Endpoint, form: &Fields) -> Option<String> {
    // A browser sends each line break as two characters.
    let typed = form.raw("data").replace("\r\n", "\n");
    let typed = typed.trim();
    let unchanged = typed.is_empty() || typed == example(visit, endpoint, form.get("filled"));
    (!unchanged).then(|| typed.to_owned())
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

/// `POST /webhooks/{id}/ping`, with `type`, `data`, and `filled` as the page had it: back to the webhook, where the result
/// is shown.
pub(super) async fn send(visit: Visit, Path(id): Path<String>, form: Fields) -> Result<Response, Failure> {
    visit.needs(Capability::Manage)?;
    let endpoint = find(&visit, &id).await?;
    let mut request = match form.get("type") {
        "" => PingRequest::default(),
        text => match text.parse() {
            Ok(event_type) => PingRequest::of(event_type),
            Err(error) => return refused(&visit, &endpoint, &form, Field::Type, sentence(&error.to_string())).await,
        },
    };
    if let Some(data) = typed_data(&visit, &endpoint, &form) {
        request = request.with_data(data);
    }
    let done = visit.engine().endpoints().ping_with(&visit.tenant, &endpoint.id, &request).await;
    let error = match audited(&visit, Verb::PingWebhook, endpoint.id.as_str(), done) {
        Ok(receipt) => return Ok(Redirect::to(&address(&visit, &endpoint, receipt.event_id).await?).into_response()),
        Err(error) => error,
    };
    match &error {
        ControlError::Publish(unknown @ PublishError::UnknownType { .. }) => {
            let help = unknown.help().map(|help| sentence(&help)).unwrap_or_default();
            let text = format!("{} {help}", sentence(&error.to_string()));
            refused(&visit, &endpoint, &form, Field::Type, text).await
        }
        ControlError::Invalid(invalid) if invalid.field() == "data" => {
            refused(&visit, &endpoint, &form, Field::Data, sentence(&error.to_string())).await
        }
        ControlError::Publish(PublishError::TooLarge { .. }) => {
            refused(&visit, &endpoint, &form, Field::Data, sentence(&error.to_string())).await
        }
        _ => Err(error.into()),
    }
}

/// A field of the form.
#[derive(Clone, Copy)]
enum Field {
    Type,
    Data,
}

/// The webhook's page again, with what was typed and why it is no use.
async fn refused(
    visit: &Visit,
    endpoint: &Endpoint,
    typed: &Fields,
    field: Field,
    error: String,
) -> Result<Response, Failure> {
    let mut page = webhook::page(visit, endpoint).await?;
    page.frame.title = format!("Error: {}", page.frame.title);
    if let Some(form) = &mut page.ping {
        form.typed = typed.get("type").to_owned();
        if let Some(data) = typed_data(visit, endpoint, typed) {
            form.data = data;
            form.open = true;
        }
        match field {
            Field::Type => form.error = error,
            Field::Data => form.data_error = error,
        }
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
