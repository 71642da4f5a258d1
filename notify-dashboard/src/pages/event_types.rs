//! The registered event types.

use askama::Template;
use axum::response::Response;
use notify_core::store::{EndpointQuery, PageRequest};

use crate::failure::Failure;
use crate::frame::{Frame, Section};
use crate::pretty::pretty;
use crate::visit::Visit;
use crate::words::visible;

use super::render;

const LOOKED_AT: u32 = 100;

#[derive(Template)]
#[template(path = "event_types.html")]
struct EventTypes {
    frame: Frame,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    event_type: String,
    example: String,
    listening: Vec<(String, String)>,
    logs: String,
}

/// `GET /event-types`
pub(super) async fn show(visit: Visit) -> Result<Response, Failure> {
    let page = PageRequest { after: None, limit: LOOKED_AT };
    let endpoints = visit.engine().endpoints().list(&EndpointQuery { tenant: visit.tenant.clone(), page }).await?.items;
    let entries = visit.engine().catalogue().entries().map(|entry| {
        let listening = endpoints.iter().filter(|endpoint| endpoint.filter.matches(&entry.event_type));
        let link = |id| visit.links.to(&format!("/webhooks/{id}"));
        Entry {
            event_type: entry.event_type.to_string(),
            example: pretty(&visible(&entry.example)),
            listening: listening.map(|endpoint| (visible(endpoint.name.as_str()), link(&endpoint.id))).collect(),
            logs: visit.links.with("/logs", &[("type", entry.event_type.as_str())]),
        }
    });
    let entries = entries.collect();
    render(&EventTypes { frame: Frame::new(&visit, Some(Section::EventTypes), "Event types"), entries })
}
