//! The log: events or deliveries, newest first.

use std::collections::BTreeMap;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use notify_core::engine::ControlError;
use notify_core::event::EventKey;
use notify_core::store::{Cursor, EndpointQuery, EventQuery, EventRecord, PageRequest};
use notify_core::{DeliveryId, EndpointId};

use crate::failure::Failure;
use crate::frame::{Frame, Section};
use crate::visit::Visit;
use crate::words;

use super::filter::{Choice, Filter, View};
use super::many::Many;
use super::matching::Matching;
use super::render;
use super::rows::{self, DeliveryRow, EventRow};

/// A list of choices longer than this is no list any more.
const MAX_CHOICES: u32 = 100;
/// The fields that few need.
const MORE: [&str; 5] = ["reason", "class", "purpose", "from", "to"];

#[derive(Template)]
#[template(path = "logs.html")]
struct Logs {
    frame: Frame,
    view: View,
    by: &'static str,
    tenant: String,
    action: String,
    events: Vec<EventRow>,
    deliveries: Vec<DeliveryRow>,
    many: Option<Many>,
    matching: Option<Matching>,
    selects: Vec<Select>,
    /// Fields that few need, behind a word that opens them; open where one of them is set.
    more: Vec<Select>,
    more_open: bool,
    types: Vec<String>,
    event_type: String,
    from: String,
    to: String,
    problems: BTreeMap<&'static str, String>,
    sought: String,
    not_found: bool,
    quick: [(&'static str, String); 4],
    by_event: String,
    by_delivery: String,
    first: Option<String>,
    older: Option<String>,
    all_time: Option<String>,
    clear: Option<String>,
    never: bool,
    kept: String,
}

/// One field with a list of choices.
#[derive(Debug)]
struct Select {
    name: &'static str,
    label: &'static str,
    choices: Vec<Choice>,
}

impl Select {
    const fn new(name: &'static str, label: &'static str, choices: Vec<Choice>) -> Self {
        Self { name, label, choices }
    }
}

impl Logs {
    fn problem(&self, field: &str) -> Option<&str> {
        self.problems.get(field).map(String::as_str)
    }
}

/// `GET /logs`
pub(super) async fn show(visit: Visit) -> Result<Response, Failure> {
    let filter = Filter::of(&visit)?;
    let sought = visit.query.get("q").to_owned();
    if let Some(found) = seek(&visit, &sought).await? {
        return Ok(Redirect::to(&found).into_response());
    }
    let history = visit.engine().history();
    let readable = filter.problems().is_empty();
    let (mut events, mut deliveries) = (Vec::new(), Vec::new());
    let next: Option<Cursor> = match filter.view {
        _ if !readable => None,
        View::Events => {
            let page = history.events(&filter.events(&visit)).await?;
            events = rows::events(&visit, &page.items).await?;
            page.next
        }
        View::Deliveries => {
            let page = history.deliveries(&filter.deliveries(&visit)).await?;
            deliveries = rows::deliveries(&visit, &page.items).await?;
            page.next
        }
    };
    let is_empty = events.is_empty() && deliveries.is_empty();
    let links = &visit.links;
    let quick = |by, status| links.with("/logs", &[("by", by), ("status", status), ("range", "30d")]);
    let page = Logs {
        frame: Frame::new(&visit, Some(Section::Logs), "Logs"),
        view: filter.view,
        by: filter.by(),
        tenant: links.tenant().to_owned(),
        action: links.asset("/logs"),
        selects: selects(&visit, &filter).await?,
        more: more(&filter),
        more_open: MORE.iter().any(|field| !filter.asked(field).is_empty()),
        types: visit.engine().catalogue().entries().map(|entry| entry.event_type.to_string()).collect(),
        event_type: words::visible(filter.asked("type")),
        from: words::visible(filter.asked("from")),
        to: words::visible(filter.asked("to")),
        problems: filter.problems().clone(),
        not_found: !sought.is_empty(),
        sought: words::visible(&sought),
        quick: [
            ("Waiting", quick("", "pending")),
            ("Gave up", quick("delivery", "failed")),
            ("Held", quick("delivery", "held")),
            ("No webhook matched", quick("", "no_endpoint")),
        ],
        by_event: links.to("/logs"),
        by_delivery: links.with("/logs", &[("by", "delivery")]),
        first: (!filter.is_first()).then(|| filter.link(&visit, None)),
        older: next.map(|next| filter.link(&visit, Some(next))),
        all_time: (is_empty && filter.is_bounded()).then(|| filter.link_to_all_time(&visit)),
        clear: (is_empty && filter.narrows()).then(|| links.with("/logs", &[("by", filter.by())])),
        never: is_empty && readable && is_untouched(&visit).await?,
        many: Many::of(&visit, deliveries.len()),
        matching: Matching::of(&visit, &filter, deliveries.len()),
        kept: visit.shared.retention.map(|kept| format!("Kept {}.", words::span(kept))).unwrap_or_default(),
        events,
        deliveries,
    };
    let mut response = render(&page)?;
    if !readable {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(response)
}

async fn selects(visit: &Visit, filter: &Filter) -> Result<Vec<Select>, Failure> {
    Ok(vec![
        Select::new("status", "Status", filter.statuses()),
        Select::new("webhook", "Webhook", webhooks(visit, filter).await?),
        Select::new("range", "Published", filter.ranges()),
    ])
}

fn more(filter: &Filter) -> Vec<Select> {
    let mut selects = Vec::new();
    if filter.view == View::Deliveries {
        selects.push(Select::new("reason", "Last attempt failed", filter.reasons()));
        selects.push(Select::new("class", "Last answer", filter.classes()));
    }
    selects.push(Select::new("purpose", "Purpose", filter.purposes()));
    selects
}

/// The page of exactly this id or idempotency key, if there is one.
async fn seek(visit: &Visit, sought: &str) -> Result<Option<String>, Failure> {
    if let Ok(id) = sought.parse::<DeliveryId>() {
        return match visit.engine().deliveries().get(&visit.tenant, &id).await {
            Ok(_) => Ok(Some(visit.links.to(&format!("/logs/deliveries/{id}")))),
            Err(ControlError::NoSuchDelivery) => Ok(None),
            Err(error) => Err(error.into()),
        };
    }
    let history = visit.engine().history();
    let page_of = |record: &EventRecord| visit.links.to(&format!("/logs/events/{}", record.event.key.id));
    if let Ok(id) = sought.parse() {
        let key = EventKey { tenant: visit.tenant.clone(), id };
        if let Some(record) = history.event(&key).await? {
            return Ok(Some(page_of(&record)));
        }
    }
    let Ok(key) = sought.parse() else { return Ok(None) };
    let mut query = EventQuery::default();
    query.tenant = visit.tenant.clone();
    query.key = Some(key);
    Ok(history.events(&query).await?.items.first().map(page_of))
}

/// Whether this tenant has published nothing yet.
async fn is_untouched(visit: &Visit) -> Result<bool, Failure> {
    let mut query = EventQuery::default();
    query.tenant = visit.tenant.clone();
    query.page = PageRequest { after: None, limit: 1 };
    let page = visit.engine().history().events(&query).await?;
    Ok(page.items.is_empty() && page.next.is_none())
}

async fn webhooks(visit: &Visit, filter: &Filter) -> Result<Vec<Choice>, Failure> {
    let page = PageRequest { after: None, limit: MAX_CHOICES };
    let query = EndpointQuery { tenant: visit.tenant.clone(), page };
    let page = visit.engine().endpoints().list(&query).await?;
    let chosen = filter.endpoint().map_or("", EndpointId::as_str);
    let mut choices = vec![Choice::new("", "Any webhook", chosen)];
    let named = page.items.iter().map(|endpoint| (endpoint.id.as_str(), words::visible(endpoint.name.as_str())));
    choices.extend(named.map(|(id, name)| Choice::new(id, &name, chosen)));
    // One that is deleted, or beyond the list, stays chosen.
    if !choices.iter().any(|choice| choice.selected) {
        choices.push(Choice::new(chosen, chosen, chosen));
    }
    Ok(choices)
}
