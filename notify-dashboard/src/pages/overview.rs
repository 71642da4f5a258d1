//! How things stand, in words first.

use std::time::Duration;

use askama::Template;
use axum::response::Response;
use notify_core::delivery::State;
use notify_core::engine::Health;
use notify_core::store::{DeliveryQuery, EndpointQuery, EventQuery, PageRequest, Stats};
use notify_core::{Endpoint, Timestamp};

use crate::access::Capability;
use crate::failure::Failure;
use crate::frame::{Frame, Section};
use crate::visit::Visit;
use crate::words::{self, count, grouped, span, state_mark};

use super::charts::{Charts, DAY, Range, Sums, Waiting};
use super::render;
use super::rows::{self, DeliveryRow, EventRow};
use super::standing::Standings;

/// How many webhooks are looked at for what needs attention.
const LOOKED_AT: u32 = 100;
const RECENT: u32 = 8;
/// Due work that waits longer than this is late.
const LATE: Duration = Duration::from_secs(60);

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    health: String,
    healthy: bool,
    attention: Vec<Attention>,
    counts: Vec<Count>,
    bars: Vec<Bar>,
    charts: Charts,
    standings: Standings,
    failures: Vec<DeliveryRow>,
    recent: Vec<EventRow>,
    logs: String,
    gave_up: String,
    new_webhook: Option<String>,
    webhooks: usize,
}

/// One thing that somebody should look at.
#[derive(Debug)]
struct Attention {
    class: &'static str,
    text: String,
    href: Option<String>,
    label: &'static str,
}

/// How many deliveries are in one state.
#[derive(Debug)]
struct Count {
    mark: words::Mark,
    number: String,
    href: String,
}

/// One part of the bar that shows the same.
#[derive(Debug)]
struct Bar {
    class: &'static str,
    x: u64,
    width: u64,
}

/// `GET /`
pub(super) async fn show(visit: Visit) -> Result<Response, Failure> {
    let engine = visit.engine();
    let history = engine.history();
    let stats = history.stats(Some(&visit.tenant)).await?;
    let health = engine.health().await?;
    let page = PageRequest { after: None, limit: LOOKED_AT };
    let endpoints = engine.endpoints().list(&EndpointQuery { tenant: visit.tenant.clone(), page }).await?.items;

    let mut failed = DeliveryQuery::default();
    failed.tenant = visit.tenant.clone();
    failed.state = Some(State::Failed);
    failed.page = PageRequest { after: None, limit: RECENT };
    let failures = rows::deliveries(&visit, &history.deliveries(&failed).await?.items).await?;
    let mut newest = EventQuery::default();
    newest.tenant = visit.tenant.clone();
    newest.page = failed.page;
    let recent = rows::events(&visit, &history.events(&newest).await?.items).await?;

    let range = Range::of(&visit)?;
    let day = DAY.read(&visit, None).await?;
    let asked = if range.is(DAY) { None } else { Some(range.read(&visit, None).await?) };
    let shown = asked.as_ref().unwrap_or(&day);
    let ids: Vec<_> = endpoints.iter().map(|endpoint| endpoint.id.clone()).collect();
    let failing = history.failing_since(&ids).await?;

    let endpoints: Vec<&Endpoint> = endpoints.iter().map(AsRef::as_ref).collect();
    let attention = attention(&visit, &stats, health, &endpoints, &failing);
    render(&Overview {
        frame: Frame::new(&visit, Some(Section::Overview), "Overview"),
        health: in_words(&stats, &Sums::of(&day), endpoints.len(), attention.len(), visit.now),
        healthy: attention.is_empty(),
        counts: counts(&visit, &stats),
        bars: bars(&stats),
        charts: Charts::new(&visit, "/", range, shown, waiting(&stats, visit.now)),
        standings: Standings::of(&visit, range, shown).await?,
        logs: visit.links.to("/logs"),
        gave_up: visit.links.with("/logs", &[("by", "delivery"), ("status", "failed"), ("range", "all")]),
        new_webhook: visit.can(Capability::Manage).then(|| visit.links.to("/webhooks/new")),
        webhooks: endpoints.len(),
        attention,
        failures,
        recent,
    })
}

fn in_words(stats: &Stats, day: &Sums, webhooks: usize, attention: usize, now: Timestamp) -> String {
    let mut text = match (webhooks, attention) {
        (0, 0) => "No webhooks yet.".to_owned(),
        (1, 0) => "The webhook is healthy.".to_owned(),
        (all, 0) => format!("All {all} webhooks are healthy."),
        (_, 1) => "One thing needs attention.".to_owned(),
        (_, things) => format!("{things} things need attention."),
    };
    let (delivered, gave_up) = (grouped(day.delivered), grouped(day.gave_up));
    let open = count(open(stats));
    text.push_str(&format!(" {delivered} delivered and {gave_up} given up in 24 h; {open} waiting"));
    match oldest(stats, now) {
        Some(age) => text.push_str(&format!(", the oldest due one for {}.", span(age))),
        None => text.push('.'),
    }
    text
}

/// Deliveries that have not ended and are not held.
fn open(stats: &Stats) -> u64 {
    [State::Scheduled, State::InFlight].iter().filter_map(|state| stats.by_state.get(state)).sum()
}

/// How long the oldest due delivery waits.
fn oldest(stats: &Stats, now: Timestamp) -> Option<Duration> {
    stats.oldest_due.map(|due| now.since(due)).filter(|age| !age.is_zero())
}

fn waiting(stats: &Stats, now: Timestamp) -> Waiting {
    let number = open(stats);
    let noun = if number == 1 { "delivery waits" } else { "deliveries wait" };
    let words = match oldest(stats, now) {
        Some(age) => format!("{noun}; the oldest due one for {}.", span(age)),
        None => format!("{noun}; none is overdue."),
    };
    Waiting { number: count(number), words }
}

fn attention(
    visit: &Visit,
    stats: &Stats,
    health: Health,
    endpoints: &[&Endpoint],
    failing: &[Option<Timestamp>],
) -> Vec<Attention> {
    let mut list = Vec::new();
    let late = oldest(stats, visit.now).filter(|age| *age > LATE);
    if let Some(age) = late {
        let text = format!("Nothing was sent for {} though deliveries are due: is engine.run() polled?", span(age));
        list.push(Attention { class: "bad", text, href: None, label: "" });
    } else if !health.running {
        let text = "This process does not send: its engine.run() is not polled. Another one may.".into();
        list.push(Attention { class: "warn", text, href: None, label: "" });
    }
    for (endpoint, failing) in endpoints.iter().zip(failing) {
        let name = words::visible(endpoint.name.as_str());
        let href = Some(visit.links.to(&format!("/webhooks/{}", endpoint.id)));
        if !endpoint.is_enabled() {
            let text = format!("{name} is disabled: what is published for it is held.");
            list.push(Attention { class: "idle", text, href: href.clone(), label: "Look at it" });
        } else if let Some(since) = failing {
            let age = visit.now.since(*since);
            let text = format!("{name} fails since {} {} ({}).", visit.when(*since).text, visit.zone, span(age));
            let href = Some(visit.links.to(&format!("/webhooks/{}/health", endpoint.id)));
            list.push(Attention { class: "bad", text, href, label: "Look at its health" });
        }
        if endpoint.secrets.staged().is_some() {
            let text = format!("{name} has a staged secret that is not switched to yet.");
            let href = Some(visit.links.to(&format!("/webhooks/{}/secret", endpoint.id)));
            list.push(Attention { class: "warn", text, href, label: "Go on with the rotation" });
        }
    }
    list
}

fn counts(visit: &Visit, stats: &Stats) -> Vec<Count> {
    let of = |state: State| Count {
        mark: state_mark(state),
        number: count(stats.by_state.get(&state).copied().unwrap_or(0)),
        href: visit.links.with("/logs", &[("by", "delivery"), ("status", state.as_str()), ("range", "all")]),
    };
    State::ALL.into_iter().map(of).collect()
}

/// The states as parts of 1,000; what exists is at least 4 wide, so that one failure in a million is seen.
fn bars(stats: &Stats) -> Vec<Bar> {
    const WHOLE: u64 = 1000;
    const LEAST: u64 = 4;
    let there: Vec<(State, u64)> =
        stats.by_state.iter().map(|(state, n)| (*state, *n)).filter(|(_, n)| *n > 0).collect();
    let total: u64 = there.iter().map(|(_, number)| number).sum();
    let mut bars = Vec::new();
    let mut x = 0;
    let Some(shared) = WHOLE.checked_sub(LEAST * there.len() as u64).filter(|_| total > 0) else { return bars };
    for (state, number) in there {
        let part = u128::from(number) * u128::from(shared) / u128::from(total);
        let width = LEAST + u64::try_from(part).unwrap_or(0);
        bars.push(Bar { class: state_mark(state).class, x, width });
        x += width;
    }
    bars
}
