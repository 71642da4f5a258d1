//! One delivery: what happened, what is ahead, and why.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use notify_core::delivery::{Delivery, State};
use notify_core::engine::{ControlError, Outlook};
use notify_core::retry::Policy;
use notify_core::sign::NOTIFY_SIGNATURE;

use crate::access::Capability;
use crate::failure::{Failure, sentence};
use crate::frame::{Frame, Section};
use crate::visit::Visit;
use crate::words::{self, Mark, When, delivery_mark, in_time};

use super::attempt::AttemptView;
use super::by_hand::delivery_id;
use super::timeline::{self, Step};
use super::{event, render};

#[derive(Template)]
#[template(path = "delivery.html")]
struct DeliveryPage {
    frame: Frame,
    mark: Mark,
    summary: String,
    id: String,
    event_id: String,
    event_href: String,
    event_type: String,
    webhook: String,
    webhook_href: Option<String>,
    round: u32,
    gives_up: Option<When>,
    next: Option<When>,
    steps: Vec<Step>,
    reason: Option<(String, &'static str)>,
    attempts: Vec<AttemptView>,
    sees_payloads: bool,
    /// The very bytes of the body, for who may have them.
    body: Option<String>,
    resend: Option<String>,
    cancel: Option<String>,
    curl: Option<Curl>,
}

/// The request as a command to paste.
#[derive(Debug)]
struct Curl {
    command: String,
    body: String,
}

/// `GET /logs/deliveries/{id}`
pub(super) async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = delivery_id(&id)?;
    let engine = visit.engine();
    let delivery = engine.deliveries().get(&visit.tenant, &id).await?;
    let stored = delivery.as_stored();
    let record = event::find(&visit, stored.event.id.as_str()).await?;
    let attempts = engine.history().attempts(&id).await?;
    let outlook = engine.history().outlook(std::slice::from_ref(&delivery)).await?.pop().unwrap_or_default();
    let endpoint = match engine.endpoints().get(&visit.tenant, &stored.endpoint).await {
        Ok(endpoint) => Some(endpoint),
        Err(ControlError::NotFound) => None,
        Err(error) => return Err(error.into()),
    };
    let webhook = endpoint.as_ref().map(|endpoint| words::visible(endpoint.name.as_str()));
    let webhook = webhook.unwrap_or_else(|| format!("{} (deleted)", stored.endpoint));
    let policy =
        endpoint.as_ref().map_or_else(|| engine.policy().clone(), |endpoint| endpoint.policy.over(engine.policy()));
    let by_hand = visit.can(Capability::Resend) && stored.state != State::InFlight;
    let links = &visit.links;
    let last = attempts.len();
    render(&DeliveryPage {
        frame: Frame::new(&visit, Some(Section::Logs), format!("{} to {webhook}", record.event.event_type)),
        mark: delivery_mark(&delivery),
        summary: summary(&visit, &webhook, &delivery, outlook, &policy),
        id: id.to_string(),
        event_id: stored.event.id.to_string(),
        event_href: links.to(&format!("/logs/events/{}", stored.event.id)),
        event_type: record.event.event_type.to_string(),
        webhook_href: endpoint.as_ref().map(|endpoint| links.to(&format!("/webhooks/{}", endpoint.id))),
        webhook,
        round: stored.round.get(),
        gives_up: outlook.gives_up_at.map(|at| visit.when(at)),
        next: outlook.next_attempt_at.map(|at| visit.when(at)),
        steps: timeline::of(&visit, &delivery, &attempts, outlook, &policy),
        curl: endpoint.as_ref().and_then(|endpoint| Curl::of(&visit, &delivery, endpoint.url.as_str())),
        reason: stored.reason.map(|reason| (sentence(reason.sentence()), words::advice(reason))),
        attempts: attempts
            .iter()
            .rev()
            .map(|attempt| AttemptView::of(&visit, attempt, &record.event, endpoint.as_deref(), last))
            .collect(),
        sees_payloads: visit.can(Capability::ViewPayloads),
        body: event::download(&visit, &stored.event.id),
        // What is held goes out when the webhook is enabled: sending it again would hold it again.
        resend: (by_hand && endpoint.is_some() && stored.state != State::Held)
            .then(|| links.to(&format!("/logs/deliveries/{id}/resend"))),
        cancel: (by_hand && stored.state.is_open()).then(|| links.to(&format!("/logs/deliveries/{id}/cancel"))),
    })
}

/// "crm: retrying. 2 of 6 attempts used. Next at 12:35:10 UTC (in 29 min). Gives up at … if it keeps failing."
fn summary(visit: &Visit, webhook: &str, delivery: &Delivery, outlook: Outlook, policy: &Policy) -> String {
    let zone = visit.zone;
    let stored = delivery.as_stored();
    let mut text = format!("{webhook}: {}.", delivery_mark(delivery).word.to_lowercase());
    match stored.state {
        State::Scheduled | State::InFlight => {
            text.push_str(&format!(" {} of {} attempts used.", stored.failures, policy.schedule.attempts()));
        }
        State::Failed => text.push_str(&format!(" Gave up after {}.", attempts(stored.attempts))),
        State::Delivered => text.push_str(&format!(" It took {}.", attempts(stored.attempts))),
        State::Held => text.push_str(" The webhook is disabled; it is sent when the webhook is enabled again."),
        State::Cancelled => {}
    }
    if let Some(next) = outlook.next_attempt_at {
        text.push_str(&format!(" Next at {} {zone} ({}).", visit.when(next).text, in_time(next, visit.now)));
    }
    if let Some(end) = outlook.gives_up_at {
        text.push_str(&format!(" Gives up at {} {zone} if it keeps failing.", visit.when(end).text));
    }
    text
}

fn attempts(count: u32) -> String {
    if count == 1 { "1 attempt".into() } else { format!("{count} attempts") }
}

impl Curl {
    /// For whoever may have the body, and a URL that a shell takes as one word.
    fn of(visit: &Visit, delivery: &Delivery, url: &str) -> Option<Self> {
        let event = &delivery.event().id;
        let body = event::download(visit, event).filter(|_| !url.contains('\''))?;
        let command = format!(
            "curl --request POST --header 'content-type: application/json' \\\n  --header '{NOTIFY_SIGNATURE}: SIGNATURE' \\\n  \
             --data-binary @{event}.json -- '{}'",
            words::visible(url)
        );
        Some(Self { command, body })
    }
}
