//! One event: its facts, its bytes, its deliveries.

use askama::Template;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use notify_core::EventId;
use notify_core::event::EventKey;
use notify_core::store::EventRecord;
use sha2::{Digest, Sha256};

use crate::access::Capability;
use crate::failure::Failure;
use crate::frame::{Frame, Section};
use crate::pretty::pretty;
use crate::visit::Visit;
use crate::words::{self, Mark, When, event_mark};

use super::many::Many;
use super::render;
use super::rows::{self, DeliveryRow};

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    frame: Frame,
    mark: Mark,
    word: String,
    id: String,
    event_type: String,
    tenant: String,
    happened: When,
    published: When,
    size: String,
    sha256: String,
    payload: Option<Payload>,
    deliveries: Vec<DeliveryRow>,
    many: Option<Many>,
    resend_all: Option<String>,
}

/// A body as it is shown.
#[derive(Debug)]
struct Payload {
    text: String,
    is_pretty: bool,
    exact: String,
    pretty: String,
    download: Option<String>,
    /// Why the text is not the body's own, if it is not.
    note: &'static str,
}

/// `GET /logs/events/{id}`
pub(super) async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let record = find(&visit, &id).await?;
    let (mark, word) = event_mark(&record.deliveries);
    let event = &record.event;
    let again = visit.can(Capability::Resend) && !record.deliveries.is_empty();
    render(&EventPage {
        frame: Frame::new(&visit, Some(Section::Logs), event.event_type.to_string()),
        mark,
        word,
        id: event.key.id.to_string(),
        event_type: event.event_type.to_string(),
        tenant: words::visible(event.key.tenant.as_str()),
        happened: visit.when(event.timestamp),
        published: visit.when(record.created_at),
        size: words::bytes(event.body.len()),
        sha256: hex::encode(Sha256::digest(&event.body)),
        payload: visit.can(Capability::ViewPayloads).then(|| Payload::of(&visit, &record)),
        deliveries: rows::deliveries(&visit, &record.deliveries).await?,
        many: Many::of(&visit, record.deliveries.len()),
        resend_all: again.then(|| visit.links.to(&format!("/logs/events/{}/resend", event.key.id))),
    })
}

/// `GET /logs/events/{id}/body`: the very bytes, as a file that no browser runs.
pub(super) async fn body(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    visit.needs(Capability::ViewPayloads)?;
    let record = find(&visit, &id).await?;
    if download(&visit, &record.event.key.id).is_none() {
        return Err(Failure::no_page());
    }
    let name = format!("attachment; filename=\"{}.json\"", record.event.key.id);
    let headers =
        [(CONTENT_TYPE, "application/octet-stream"), (CONTENT_DISPOSITION, name.as_str()), (CACHE_CONTROL, "no-store")];
    Ok((headers, record.event.body.clone()).into_response())
}

/// Where the very bytes are, for who may have them. Where the host hides fields, the file would show them.
pub(super) fn download(visit: &Visit, id: &EventId) -> Option<String> {
    let shown = visit.can(Capability::ViewPayloads) && visit.shared.format_payload.is_none();
    shown.then(|| visit.links.to(&format!("/logs/events/{id}/body")))
}

/// This tenant's event.
pub(super) async fn find(visit: &Visit, id: &str) -> Result<EventRecord, Failure> {
    let id = id.parse().map_err(|_| Failure::missing("event"))?;
    let key = EventKey { tenant: visit.tenant.clone(), id };
    visit.engine().history().event(&key).await?.ok_or_else(|| Failure::missing("event"))
}

impl Payload {
    fn of(visit: &Visit, record: &EventRecord) -> Self {
        let event = &record.event;
        let formatted = visit.shared.format_payload.as_ref().and_then(|format| format(event, &visit.grant));
        let is_formatted = formatted.is_some();
        let own = formatted.unwrap_or_else(|| String::from_utf8_lossy(&event.body).into_owned());
        let is_pretty = visit.query.get("view") == "pretty";
        let path = format!("/logs/events/{}", event.key.id);
        let text = words::visible(&own);
        let note = match (is_formatted, text == own) {
            (true, _) => "Shown as this service formats it; size and SHA-256 are those of the body itself.",
            (false, false) => "Characters that cannot be seen are spelt out here; the download has the very bytes.",
            (false, true) => "",
        };
        Self {
            text: if is_pretty { pretty(&text) } else { text },
            is_pretty,
            exact: visit.links.to(&path),
            pretty: visit.links.with(&path, &[("view", "pretty")]),
            download: download(visit, &event.key.id),
            note,
        }
    }
}
