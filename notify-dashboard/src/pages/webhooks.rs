//! The list of webhooks.

use askama::Template;
use axum::response::Response;
use notify_core::Endpoint;
use notify_core::store::{Cursor, DeliveryQuery, EndpointQuery, PageRequest};

use crate::access::Capability;
use crate::failure::Failure;
use crate::frame::{Frame, Section};
use crate::visit::Visit;
use crate::words::{self, Mark, When, delivery_mark};

use super::render;

const ROWS: u32 = 25;

#[derive(Template)]
#[template(path = "webhooks.html")]
struct Webhooks {
    frame: Frame,
    rows: Vec<Row>,
    new: Option<String>,
    first: Option<String>,
    older: Option<String>,
}

#[derive(Debug)]
struct Row {
    href: String,
    name: String,
    url: String,
    enabled: bool,
    events: String,
    last: Option<(Mark, When, String)>,
    next: Option<When>,
}

/// `GET /webhooks`
pub(super) async fn show(visit: Visit) -> Result<Response, Failure> {
    let cursor = visit.query.get("cursor");
    let bad_cursor =
        |_| Failure::new(axum::http::StatusCode::BAD_REQUEST, "Page not readable", "There is no such page.");
    let after: Option<Cursor> = (!cursor.is_empty()).then(|| cursor.parse().map_err(bad_cursor)).transpose()?;
    let page = PageRequest { after, limit: ROWS };
    let page = visit.engine().endpoints().list(&EndpointQuery { tenant: visit.tenant.clone(), page }).await?;
    let mut rows = Vec::with_capacity(page.items.len());
    for endpoint in &page.items {
        rows.push(row(&visit, endpoint).await?);
    }
    render(&Webhooks {
        frame: Frame::new(&visit, Some(Section::Webhooks), "Webhooks"),
        rows,
        new: visit.can(Capability::Manage).then(|| visit.links.to("/webhooks/new")),
        first: after.map(|_| visit.links.to("/webhooks")),
        older: page.next.map(|next| visit.links.with("/webhooks", &[("cursor", &next.to_string())])),
    })
}

async fn row(visit: &Visit, endpoint: &Endpoint) -> Result<Row, Failure> {
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
        last: deliveries
            .first()
            .map(|delivery| (delivery_mark(delivery), delivery.as_stored().created_at.into(), href(delivery.id()))),
        next: outlook.first().and_then(|outlook| outlook.next_attempt_at).map(Into::into),
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
