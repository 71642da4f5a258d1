//! What the log is filtered by: all of it stands in the address.

use std::str::FromStr;
use std::time::Duration;

use notify_core::delivery::{EventStatus, State};
use notify_core::store::{Cursor, DeliveryQuery, EventQuery, PageRequest};
use notify_core::{EndpointId, EventType, Timestamp};

use crate::failure::Failure;
use crate::visit::Visit;
use crate::words::{event_status_label, state_mark};

/// How many rows a page has.
pub(super) const ROWS: u32 = 50;

const HOUR: u64 = 3_600;
const RANGES: [(&str, &str, Option<u64>); 5] = [
    ("1h", "Last hour", Some(HOUR)),
    ("24h", "Last 24 hours", Some(24 * HOUR)),
    ("7d", "Last 7 days", Some(7 * 24 * HOUR)),
    ("30d", "Last 30 days", Some(30 * 24 * HOUR)),
    ("all", "All time", None),
];
const USUAL_RANGE: &str = "24h";

/// What the rows are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum View {
    Events,
    Deliveries,
}

/// The filter as it was asked for, checked.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) view: View,
    status: String,
    event_type: Option<EventType>,
    endpoint: Option<EndpointId>,
    range: &'static str,
    since: Option<Timestamp>,
    after: Option<Cursor>,
}

/// One choice of a list.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) selected: bool,
}

impl Filter {
    /// Reads the query. What cannot be read is refused by name: a misspelt filter must not show everything.
    pub(super) fn of(visit: &Visit) -> Result<Self, Failure> {
        let query = &visit.query;
        let view = if query.get("by") == "delivery" { View::Deliveries } else { View::Events };
        let asked = if query.get("range").is_empty() { USUAL_RANGE } else { query.get("range") };
        let (range, _, seconds) =
            RANGES.into_iter().find(|(word, ..)| *word == asked).ok_or_else(|| unreadable("time range"))?;
        let filter = Self {
            view,
            status: query.get("status").to_owned(),
            event_type: read(query.get("type"), "event type")?,
            endpoint: read(query.get("webhook"), "webhook")?,
            range,
            since: seconds.map(|seconds| visit.now.saturating_sub(Duration::from_secs(seconds))),
            after: read(query.get("cursor"), "cursor")?,
        };
        let known = match view {
            View::Events => EventStatus::parse(&filter.status).is_some(),
            View::Deliveries => State::parse(&filter.status).is_some(),
        };
        if known || filter.status.is_empty() { Ok(filter) } else { Err(unreadable("status")) }
    }

    pub(super) fn events(&self, visit: &Visit) -> EventQuery {
        let mut query = EventQuery::default();
        query.tenant = visit.tenant.clone();
        query.status = EventStatus::parse(&self.status);
        query.event_type.clone_from(&self.event_type);
        query.endpoint.clone_from(&self.endpoint);
        query.since = self.since;
        query.page = self.page();
        query
    }

    pub(super) fn deliveries(&self, visit: &Visit) -> DeliveryQuery {
        let mut query = DeliveryQuery::default();
        query.tenant = visit.tenant.clone();
        query.state = State::parse(&self.status);
        query.event_type.clone_from(&self.event_type);
        query.endpoint.clone_from(&self.endpoint);
        query.since = self.since;
        query.page = self.page();
        query
    }

    const fn page(&self) -> PageRequest {
        PageRequest { after: self.after, limit: ROWS }
    }

    /// Whether this is the first page.
    pub(super) const fn is_first(&self) -> bool {
        self.after.is_none()
    }

    /// Whether anything but the time range is chosen.
    pub(super) const fn narrows(&self) -> bool {
        !self.status.is_empty() || self.event_type.is_some() || self.endpoint.is_some()
    }

    /// Whether the range has a beginning.
    pub(super) const fn is_bounded(&self) -> bool {
        self.since.is_some()
    }

    /// The link to the same filter on another page.
    pub(super) fn link(&self, visit: &Visit, cursor: Option<Cursor>) -> String {
        let cursor = cursor.map(|cursor| cursor.to_string()).unwrap_or_default();
        self.linked(visit, self.range, &cursor)
    }

    /// The link to the same filter over all time.
    pub(super) fn link_to_all_time(&self, visit: &Visit) -> String {
        self.linked(visit, "all", "")
    }

    fn linked(&self, visit: &Visit, range: &str, cursor: &str) -> String {
        let event_type = self.event_type.as_ref().map_or("", EventType::as_str);
        let webhook = self.endpoint.as_ref().map_or("", EndpointId::as_str);
        let range = if range == USUAL_RANGE { "" } else { range };
        let parameters = [
            ("by", self.by()),
            ("status", &self.status),
            ("type", event_type),
            ("webhook", webhook),
            ("range", range),
            ("cursor", cursor),
        ];
        visit.links.with("/logs", &parameters)
    }

    /// The word of the view in the address.
    pub(super) const fn by(&self) -> &'static str {
        match self.view {
            View::Events => "",
            View::Deliveries => "delivery",
        }
    }

    pub(super) fn event_type(&self) -> &str {
        self.event_type.as_ref().map_or("", EventType::as_str)
    }

    pub(super) const fn endpoint(&self) -> Option<&EndpointId> {
        self.endpoint.as_ref()
    }

    pub(super) fn statuses(&self) -> Vec<Choice> {
        let words: Vec<(&str, &str)> = match self.view {
            View::Events => EventStatus::ALL.map(|status| (status.as_str(), event_status_label(status))).to_vec(),
            View::Deliveries => State::ALL.map(|state| (state.as_str(), state_mark(state).word)).to_vec(),
        };
        let any = std::iter::once(("", "Any status"));
        any.chain(words).map(|(value, label)| Choice::new(value, label, &self.status)).collect()
    }

    pub(super) fn ranges(&self) -> Vec<Choice> {
        RANGES.into_iter().map(|(value, label, _)| Choice::new(value, label, self.range)).collect()
    }
}

impl Choice {
    /// A choice that is selected if its value is `chosen`.
    pub(super) fn new(value: &str, label: &str, chosen: &str) -> Self {
        Self { value: value.into(), label: label.into(), selected: value == chosen }
    }
}

fn read<T: FromStr>(text: &str, what: &str) -> Result<Option<T>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| unreadable(what))
}

/// The address asks for something that there is not.
pub(super) fn unreadable(what: &str) -> Failure {
    let text = format!("The address asks for a {what} that does not exist.");
    Failure::new(axum::http::StatusCode::BAD_REQUEST, "Filter not readable", text)
}
