//! One delivery: what happened, what is ahead, and why.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use notify_core::Timestamp;
use notify_core::delivery::{Attempt, Delivery, Outcome, State};
use notify_core::engine::{ControlError, Outlook};
use notify_core::retry::Policy;
use notify_core::sign::NOTIFY_SIGNATURE;

use crate::access::Capability;
use crate::builder::is_web;
use crate::failure::{Failure, sentence};
use crate::frame::{Frame, Section};
use crate::visit::Visit;
use crate::words::{self, Mark, When, delivery_mark, in_time, span};

use super::by_hand::delivery_id;
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

/// One line of the timeline.
#[derive(Debug)]
struct Step {
    at: Option<When>,
    class: &'static str,
    text: String,
    planned: bool,
}

/// One attempt with its request and response.
#[derive(Debug)]
struct AttemptView {
    number: u32,
    round: u32,
    started: When,
    took: String,
    words: String,
    class: &'static str,
    open: bool,
    url: Option<String>,
    href: Option<String>,
    peer: String,
    status_code: Option<u16>,
    detail: String,
    response: Option<String>,
    truncated: bool,
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
        summary: summary(&webhook, &delivery, outlook, &policy, visit.now),
        id: id.to_string(),
        event_id: stored.event.id.to_string(),
        event_href: links.to(&format!("/logs/events/{}", stored.event.id)),
        event_type: record.event.event_type.to_string(),
        webhook_href: endpoint.as_ref().map(|endpoint| links.to(&format!("/webhooks/{}", endpoint.id))),
        webhook,
        round: stored.round.get(),
        gives_up: outlook.gives_up_at.map(Into::into),
        next: outlook.next_attempt_at.map(Into::into),
        steps: timeline(&delivery, &attempts, outlook, &policy),
        curl: endpoint.as_ref().and_then(|endpoint| Curl::of(&visit, &delivery, endpoint.url.as_str())),
        reason: stored.reason.map(|reason| (sentence(reason.sentence()), words::advice(reason))),
        attempts: attempts.iter().rev().map(|attempt| AttemptView::of(&visit, attempt, last)).collect(),
        sees_payloads: visit.can(Capability::ViewPayloads),
        // What is held goes out when the webhook is enabled: sending it again would hold it again.
        resend: (by_hand && endpoint.is_some() && stored.state != State::Held)
            .then(|| links.to(&format!("/logs/deliveries/{id}/resend"))),
        cancel: (by_hand && stored.state.is_open()).then(|| links.to(&format!("/logs/deliveries/{id}/cancel"))),
    })
}

/// "crm: retrying. 2 of 6 attempts used. Next at 12:35:10 UTC (in 29 min). Gives up at … if it keeps failing."
fn summary(webhook: &str, delivery: &Delivery, outlook: Outlook, policy: &Policy, now: Timestamp) -> String {
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
        text.push_str(&format!(" Next at {} UTC ({}).", When::from(next).text, in_time(next, now)));
    }
    if let Some(end) = outlook.gives_up_at {
        text.push_str(&format!(" Gives up at {} UTC if it keeps failing.", When::from(end).text));
    }
    text
}

fn attempts(count: u32) -> String {
    if count == 1 { "1 attempt".into() } else { format!("{count} attempts") }
}

/// What happened in its order, and then what is planned.
fn timeline(delivery: &Delivery, attempts: &[Attempt], outlook: Outlook, policy: &Policy) -> Vec<Step> {
    let stored = delivery.as_stored();
    let mut steps = vec![Step::past(stored.created_at, "idle", "Published and queued")];
    let mut round = 1;
    for attempt in attempts {
        if attempt.round.get() != round {
            round = attempt.round.get();
            steps.push(Step {
                at: None,
                ..Step::past(attempt.started_at, "idle", &format!("Sent again by hand: round {round}"))
            });
        }
        let text = format!("Attempt {}: {}", attempt.number, words::outcome_words(attempt));
        steps.push(Step::past(attempt.started_at, outcome_class(attempt), &text));
    }
    if stored.round.get() != round {
        steps.push(Step {
            at: None,
            class: "idle",
            text: format!("Sent again by hand: round {}", stored.round),
            planned: false,
        });
    }
    if stored.state == State::InFlight {
        steps.push(Step { at: None, class: "wait", text: "An attempt is under way".into(), planned: false });
    }
    match (stored.settled_at, stored.state) {
        (Some(at), State::Failed) => steps.push(Step::past(at, "bad", "Gave up")),
        (Some(at), State::Cancelled) => steps.push(Step::past(at, "idle", "Cancelled")),
        (Some(at), _) => steps.push(Step::past(at, "good", "Delivered")),
        (None, State::Held) => {
            let text = "Held until the webhook is enabled".into();
            steps.push(Step { at: None, class: "idle", text, planned: true });
        }
        (None, _) => {}
    }
    if let Some(next) = outlook.next_attempt_at {
        steps.extend(planned(stored.attempts, stored.failures, next, policy));
    }
    steps
}

/// The attempts ahead, if all fail and take no time. The last one's time is `gives_up_at`.
fn planned(made: u32, failures: u32, next: Timestamp, policy: &Policy) -> Vec<Step> {
    let used = usize::try_from(failures).unwrap_or(usize::MAX);
    let mut at = next;
    let mut steps = vec![Step::ahead(at, format!("Attempt {}", made.saturating_add(1)))];
    for (delay, number) in policy.schedule.delays().iter().skip(used).zip(made.saturating_add(2)..) {
        at = at.saturating_add(*delay);
        steps.push(Step::ahead(at, format!("Attempt {number}, {} later", span(*delay))));
    }
    if let Some(last) = steps.last_mut() {
        last.text.push_str("; gives up if it fails");
    }
    steps
}

const fn outcome_class(attempt: &Attempt) -> &'static str {
    match attempt.outcome {
        Outcome::Success => "good",
        Outcome::Failure(reason) if reason.counts() => "bad",
        Outcome::Failure(_) => "warn",
    }
}

impl Curl {
    /// For whoever may have the body, and a URL that a shell takes as one word.
    fn of(visit: &Visit, delivery: &Delivery, url: &str) -> Option<Self> {
        if !visit.can(Capability::ViewPayloads) || visit.shared.format_payload.is_some() || url.contains('\'') {
            return None;
        }
        let event = &delivery.event().id;
        let command = format!(
            "curl --request POST --header 'content-type: application/json' \\\n  --header '{NOTIFY_SIGNATURE}: SIGNATURE' \\\n  \
             --data-binary @{event}.json -- '{}'",
            words::visible(url)
        );
        Some(Self { command, body: visit.links.to(&format!("/logs/events/{event}/body")) })
    }
}

impl Step {
    fn past(at: Timestamp, class: &'static str, text: &str) -> Self {
        Self { at: Some(at.into()), class, text: text.into(), planned: false }
    }

    fn ahead(at: Timestamp, text: String) -> Self {
        Self { at: Some(at.into()), class: "wait", text, planned: true }
    }
}

impl AttemptView {
    fn of(visit: &Visit, attempt: &Attempt, last: usize) -> Self {
        let response = attempt.response.as_ref();
        let url = attempt.url.as_deref();
        Self {
            number: attempt.number.get(),
            round: attempt.round.get(),
            started: attempt.started_at.into(),
            took: span(attempt.duration),
            words: words::outcome_words(attempt),
            class: outcome_class(attempt),
            open: usize::try_from(attempt.number.get()).is_ok_and(|number| number == last),
            href: url.filter(|url| is_web(url)).map(str::to_owned),
            url: url.map(words::visible),
            peer: attempt.peer.map(|peer| peer.to_string()).unwrap_or_default(),
            status_code: attempt.status_code,
            detail: attempt.detail.as_deref().map(words::visible).unwrap_or_default(),
            response: response.filter(|_| visit.can(Capability::ViewPayloads)).map(words::response_text),
            truncated: response.is_some_and(|head| head.truncated),
        }
    }
}
