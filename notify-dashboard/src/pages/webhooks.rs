//! The list of webhooks.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use notify_core::store::activity::Activity;
use notify_core::store::{Cursor, DeliveryQuery, EndpointQuery, PageRequest};
use notify_core::{Endpoint, Timestamp};

use crate::access::Capability;
use crate::failure::Failure;
use crate::frame::{Frame, Section};
use crate::visit::Visit;
use crate::words::{self, Mark, When, delivery_mark};

use super::charts::{self, DAY, Drawing, Sums};
use super::filter::{Choice, unreadable};
use super::render;

const ROWS: u32 = 25;
/// A filter that matches next to nothing looks at this many pages before it offers to go on.
const MOST_PAGES: u32 = 40;

#[derive(Template)]
#[template(path = "webhooks.html")]
struct Webhooks {
    frame: Frame,
    rows: Vec<Row>,
    new: Option<String>,
    first: Option<String>,
    older: Option<String>,
    filter: Filter,
    action: String,
    tenant: String,
    clear: Option<String>,
}

/// What the list is narrowed to: text in the name or the URL, and whether it is enabled.
#[derive(Debug)]
struct Filter {
    text: String,
    statuses: Vec<Choice>,
    status: String,
}

#[derive(Debug)]
struct Row {
    href: String,
    name: String,
    url: String,
    enabled: bool,
    events: String,
    failing: Option<When>,
    day: Option<Day>,
    last: Option<(Mark, When, String)>,
    next: Option<When>,
}

/// What the last 24 hours brought.
#[derive(Debug)]
struct Day {
    delivered: String,
    failed: String,
    spark: Option<Drawing>,
}

/// `GET /webhooks`
pub(super) async fn show(visit: Visit) -> Result<Response, Failure> {
    let cursor = visit.query.get("cursor");
    let after: Option<Cursor> =
        (!cursor.is_empty()).then(|| cursor.parse().map_err(|_| unreadable("cursor"))).transpose()?;
    let filter = Filter::of(&visit)?;
    let mut found: Vec<Arc<Endpoint>> = Vec::new();
    let mut next = after;
    for _ in 0..MOST_PAGES {
        let page = PageRequest { after: next, limit: ROWS };
        let page = visit.engine().endpoints().list(&EndpointQuery { tenant: visit.tenant.clone(), page }).await?;
        next = page.next;
        found.extend(page.items.into_iter().filter(|endpoint| filter.matches(endpoint)));
        if next.is_none() || found.len() >= ROWS as usize {
            break;
        }
    }
    let ids: Vec<_> = found.iter().map(|endpoint| endpoint.id.clone()).collect();
    let failing = visit.engine().history().failing_since(&ids).await?;
    // One read for all rows.
    let activity = if found.is_empty() { Vec::new() } else { DAY.read(&visit, None).await? };
    let mut rows = Vec::with_capacity(found.len());
    for (endpoint, since) in found.iter().zip(failing) {
        rows.push(row(&visit, endpoint, since, &activity).await?);
    }
    let links = &visit.links;
    let cursor = next.map(|next| next.to_string());
    render(&Webhooks {
        frame: Frame::new(&visit, Some(Section::Webhooks), "Webhooks"),
        rows,
        new: visit.can(Capability::Manage).then(|| links.to("/webhooks/new")),
        first: after.map(|_| filter.link(&visit, "")),
        older: cursor.map(|cursor| filter.link(&visit, &cursor)),
        action: links.asset("/webhooks"),
        tenant: links.tenant().to_owned(),
        clear: filter.narrows().then(|| links.to("/webhooks")),
        filter,
    })
}

impl Filter {
    fn of(visit: &Visit) -> Result<Self, Failure> {
        let status = visit.query.get("status");
        let words = [("", "Any status"), ("enabled", "Enabled"), ("disabled", "Disabled")];
        if !words.iter().any(|(word, _)| *word == status) {
            return Err(unreadable("status"));
        }
        let statuses = words.iter().map(|(value, label)| Choice::new(value, label, status)).collect();
        Ok(Self { text: visit.query.get("q").to_owned(), statuses, status: status.to_owned() })
    }

    const fn narrows(&self) -> bool {
        !self.text.is_empty() || !self.status.is_empty()
    }

    fn matches(&self, endpoint: &Endpoint) -> bool {
        let sought = self.text.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&sought);
        let as_asked = match self.status.as_str() {
            "enabled" => endpoint.is_enabled(),
            "disabled" => !endpoint.is_enabled(),
            _ => true,
        };
        as_asked && (has(endpoint.name.as_str()) || has(endpoint.url.as_str()))
    }

    fn link(&self, visit: &Visit, cursor: &str) -> String {
        visit.links.with("/webhooks", &[("q", &self.text), ("status", &self.status), ("cursor", cursor)])
    }
}

async fn row(
    visit: &Visit,
    endpoint: &Endpoint,
    failing: Option<Timestamp>,
    activity: &[Activity],
) -> Result<Row, Failure> {
    let mut newest = DeliveryQuery::default();
    newest.tenant = visit.tenant.clone();
    newest.endpoint = Some(endpoint.id.clone());
    newest.page = PageRequest { after: None, limit: 1 };
    let history = visit.engine().history();
    let deliveries = history.deliveries(&newest).await?.items;
    let outlook = history.outlook(&deliveries).await?;
    let href = |id| visit.links.to(&format!("/logs/deliveries/{id}"));
    Ok(Row {
        href: visit.links.to(&format!("/webhooks/{}", endpoint.id)),
        name: words::visible(endpoint.name.as_str()),
        url: words::visible(endpoint.url.as_str()),
        enabled: endpoint.is_enabled(),
        events: events_in_words(endpoint),
        failing: failing.map(|since| visit.when(since)),
        day: day(visit, activity.iter().filter(|one| one.endpoint == endpoint.id)),
        last: deliveries.first().map(|delivery| {
            (delivery_mark(delivery), visit.when(delivery.as_stored().created_at), href(delivery.id()))
        }),
        next: outlook.first().and_then(|outlook| outlook.next_attempt_at).map(|next| visit.when(next)),
    })
}

/// `None` where nothing was sent.
fn day<'a>(visit: &Visit, activity: impl Iterator<Item = &'a Activity> + Clone) -> Option<Day> {
    let sums = Sums::of(activity.clone());
    (sums.delivered + sums.failed() > 0).then(|| Day {
        delivered: words::grouped(sums.delivered),
        failed: words::grouped(sums.failed()),
        spark: charts::spark(&DAY.columns(visit.now, activity)),
    })
}

/// "All events", or the patterns.
pub(super) fn events_in_words(endpoint: &Endpoint) -> String {
    match endpoint.filter.patterns() {
        None => "All events".into(),
        Some(patterns) if patterns.len() <= 3 => patterns.join(", "),
        Some(patterns) => format!("{} and {} more", patterns[..2].join(", "), patterns.len() - 2),
    }
}
