//! What the log is filtered by: all of it stands in the address.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use notify_core::delivery::{EventStatus, Reason, ResponseClass, State};
use notify_core::event::Purpose;
use notify_core::store::{Cursor, DeliveryQuery, EventQuery, PageRequest};
use notify_core::{EndpointId, EventType, Timestamp};

use crate::failure::{Failure, sentence};
use crate::visit::Visit;
use crate::words::{event_status_label, state_mark};

/// How many rows a page has.
pub(super) const ROWS: u32 = 50;

const HOUR: u64 = 3_600;
const RANGES: [(&str, &str, Option<u64>); 6] = [
    ("1h", "Last hour", Some(HOUR)),
    ("24h", "Last 24 hours", Some(24 * HOUR)),
    ("7d", "Last 7 days", Some(7 * 24 * HOUR)),
    ("30d", "Last 30 days", Some(30 * 24 * HOUR)),
    ("all", "All time", None),
    (BETWEEN, "Between these times", None),
];
const USUAL_RANGE: &str = "24h";
const BETWEEN: &str = "between";

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
    /// What was typed or chosen, by the field's name in the address: shown again, also where it is refused.
    asked: BTreeMap<&'static str, String>,
    /// What could not be read, by the field's name: then nothing is listed.
    problems: BTreeMap<&'static str, String>,
    status: Option<EventStatus>,
    state: Option<State>,
    reason: Option<Reason>,
    class: Option<ResponseClass>,
    event_type: Option<EventType>,
    endpoint: Option<EndpointId>,
    purpose: Option<Purpose>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    after: Option<Cursor>,
}

/// One choice of a list.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) selected: bool,
}

/// The fields of the filter, in the order in which links have them.
const FIELDS: [&str; 9] = ["status", "reason", "class", "type", "webhook", "purpose", "range", "from", "to"];
/// Those of them that say when.
const TIMES: [&str; 3] = ["range", "from", "to"];

impl Filter {
    /// Reads the query. What cannot be read is told beside its field: a misspelt filter must not show everything.
    ///
    /// # Errors
    /// The cursor is no cursor: it has no field.
    pub(super) fn of(visit: &Visit) -> Result<Self, Failure> {
        let query = &visit.query;
        // Only deliveries have attempts to tell apart.
        let by_attempt = !query.get("reason").is_empty() || !query.get("class").is_empty();
        let view = if query.get("by") == "delivery" || by_attempt { View::Deliveries } else { View::Events };
        let mut asked: BTreeMap<_, _> =
            FIELDS.into_iter().map(|name| (name, query.get(name).trim().to_owned())).collect();
        // Typed times say more than the list's choice, which the form always sends.
        let typed = !asked["from"].is_empty() || !asked["to"].is_empty();
        if typed {
            asked.insert("range", BETWEEN.into());
        } else if asked["range"].is_empty() {
            asked.insert("range", USUAL_RANGE.into());
        }
        let mut form = Form { asked: &asked, problems: BTreeMap::new() };
        let range = |word: &str| RANGES.into_iter().find(|(known, ..)| *known == word);
        let seconds = form.read("range", range).and_then(|(.., seconds)| seconds);
        let since = seconds.map(|seconds| visit.now.saturating_sub(Duration::from_secs(seconds)));
        let mut filter = Self {
            view,
            status: if view == View::Events { form.read("status", EventStatus::parse) } else { None },
            state: if view == View::Deliveries { form.read("status", State::parse) } else { None },
            reason: form.read("reason", Reason::parse),
            class: form.read("class", ResponseClass::parse),
            event_type: form.read("type", |text| text.parse().ok()),
            endpoint: form.read("webhook", |text| text.parse().ok()),
            purpose: form.read("purpose", Purpose::parse),
            since: form.read("from", time).or(since),
            until: form.read("to", time),
            after: read(query.get("cursor"), "cursor")?,
            problems: form.problems,
            asked,
        };
        filter.check(visit);
        Ok(filter)
    }

    /// What the engine would refuse, by the name of the form's field.
    fn check(&mut self, visit: &Visit) {
        let checked = match self.view {
            View::Events => self.events(visit).validate(),
            View::Deliveries => self.deliveries(visit).validate(),
        };
        if let Err(refused) = checked {
            let (field, text) = match refused.field() {
                "until" => ("to", "This is not after the beginning."),
                "class" => ("class", "No delivery of this status has such an answer."),
                field => (field, "No delivery with this status and answer has such a reason."),
            };
            self.problems.entry(field).or_insert_with(|| text.to_owned());
        }
    }

    pub(super) fn events(&self, visit: &Visit) -> EventQuery {
        let mut query = EventQuery::default();
        query.tenant = visit.tenant.clone();
        query.status = self.status;
        query.event_type.clone_from(&self.event_type);
        query.endpoint.clone_from(&self.endpoint);
        query.purpose = self.purpose;
        query.since = self.since;
        query.until = self.until;
        query.page = self.page();
        query
    }

    pub(super) fn deliveries(&self, visit: &Visit) -> DeliveryQuery {
        let mut query = DeliveryQuery::default();
        query.tenant = visit.tenant.clone();
        query.state = self.state;
        query.reason = self.reason;
        query.class = self.class;
        query.event_type.clone_from(&self.event_type);
        query.endpoint.clone_from(&self.endpoint);
        query.purpose = self.purpose;
        query.since = self.since;
        query.until = self.until;
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
    pub(super) fn narrows(&self) -> bool {
        self.asked.iter().any(|(name, value)| !TIMES.contains(name) && !value.is_empty())
    }

    /// Whether the range has a beginning or an end.
    pub(super) const fn is_bounded(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// What is wrong with the fields, by their names.
    pub(super) const fn problems(&self) -> &BTreeMap<&'static str, String> {
        &self.problems
    }

    /// The link to the same filter on another page.
    pub(super) fn link(&self, visit: &Visit, cursor: Option<Cursor>) -> String {
        let cursor = cursor.map(|cursor| cursor.to_string()).unwrap_or_default();
        self.link_to(visit, "/logs", &[("cursor", &cursor)])
    }

    /// The link to another page for the same filter.
    pub(super) fn link_to(&self, visit: &Visit, path: &str, more: &[(&str, &str)]) -> String {
        let mut parameters = vec![("by", self.by())];
        parameters.extend(FIELDS.into_iter().map(|name| (name, self.asked(name))));
        parameters.retain(|parameter| *parameter != ("range", USUAL_RANGE));
        parameters.extend(more);
        visit.links.with(path, &parameters)
    }

    /// What was asked for, as text for a log.
    pub(super) fn as_text(&self) -> String {
        let asked = self.asked.iter().filter(|(_, value)| !value.is_empty());
        let asked: Vec<String> = asked.map(|(name, value)| format!("{name}={value}")).collect();
        asked.join(" ")
    }

    /// The parameters of the same filter, whose range is now between two times: what comes later is not in it.
    pub(super) fn until(&self, end: Timestamp) -> Vec<(&'static str, String)> {
        let times = [
            ("from", self.since.map(|since| since.to_string()).unwrap_or_default()),
            ("to", self.until.map_or(end, |until| until.min(end)).to_string()),
        ];
        let mut parameters = vec![("by", self.by().to_owned())];
        let others = FIELDS.into_iter().filter(|name| !TIMES.contains(name));
        parameters.extend(others.map(|name| (name, self.asked(name).to_owned())).chain(times));
        parameters.retain(|(_, value)| !value.is_empty());
        parameters
    }

    /// The state that was chosen, of deliveries.
    pub(super) const fn state(&self) -> Option<State> {
        self.state
    }

    /// What was chosen, field by field, but the webhook, which has a name, and the times.
    pub(super) fn in_words(&self) -> Vec<(&'static str, String)> {
        let chosen = |choices: Vec<Choice>| {
            choices.into_iter().find(|choice| choice.selected && !choice.value.is_empty()).map(|choice| choice.label)
        };
        let words = [
            ("Status", chosen(self.statuses())),
            ("Last attempt failed", chosen(self.reasons())),
            ("Last answer", chosen(self.classes())),
            ("Event type", self.event_type.as_ref().map(ToString::to_string)),
            ("Purpose", chosen(self.purposes())),
        ];
        words.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// When what is listed was published: from, and before.
    pub(super) const fn between(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.since, self.until)
    }

    /// The link to the same filter over all time.
    pub(super) fn link_to_all_time(&self, visit: &Visit) -> String {
        let mut parameters = vec![("by", self.by())];
        parameters.extend(FIELDS.into_iter().filter(|name| !TIMES.contains(name)).map(|name| (name, self.asked(name))));
        parameters.push(("range", "all"));
        visit.links.with("/logs", &parameters)
    }

    /// The word of the view in the address.
    pub(super) const fn by(&self) -> &'static str {
        match self.view {
            View::Events => "",
            View::Deliveries => "delivery",
        }
    }

    /// What was asked for in this field.
    pub(super) fn asked(&self, field: &'static str) -> &str {
        self.asked.get(field).map_or("", String::as_str)
    }

    pub(super) const fn endpoint(&self) -> Option<&EndpointId> {
        self.endpoint.as_ref()
    }

    pub(super) fn statuses(&self) -> Vec<Choice> {
        let words: Vec<(&str, &str)> = match self.view {
            View::Events => EventStatus::ALL.map(|status| (status.as_str(), event_status_label(status))).to_vec(),
            View::Deliveries => State::ALL.map(|state| (state.as_str(), state_mark(state).word)).to_vec(),
        };
        self.choices("status", "Any status", words)
    }

    pub(super) fn reasons(&self) -> Vec<Choice> {
        let sentences = Reason::ALL.map(|reason| (reason.as_str(), sentence(reason.sentence())));
        let words = sentences.iter().map(|(word, text)| (*word, text.trim_end_matches('.')));
        self.choices("reason", "Any, or none", words)
    }

    pub(super) fn classes(&self) -> Vec<Choice> {
        let label = |class: ResponseClass| match class {
            ResponseClass::StatusOther => "Another status",
            ResponseClass::NoAnswer => "No answer",
            class => class.as_str(),
        };
        self.choices("class", "Any", ResponseClass::ALL.map(|class| (class.as_str(), label(class))))
    }

    pub(super) fn purposes(&self) -> Vec<Choice> {
        self.choices("purpose", "Live and test", [("live", "Live only"), ("test", "Test only")])
    }

    pub(super) fn ranges(&self) -> Vec<Choice> {
        let chosen = self.asked("range");
        RANGES.into_iter().map(|(value, label, _)| Choice::new(value, label, chosen)).collect()
    }

    fn choices<'a>(
        &self,
        field: &'static str,
        any: &'a str,
        words: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Vec<Choice> {
        let all = std::iter::once(("", any)).chain(words);
        all.map(|(value, label)| Choice::new(value, label, self.asked(field))).collect()
    }
}

/// The fields, while they are read.
struct Form<'a> {
    asked: &'a BTreeMap<&'static str, String>,
    problems: BTreeMap<&'static str, String>,
}

impl Form<'_> {
    fn read<T>(&mut self, field: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.asked.get(field).filter(|text| !text.is_empty())?;
        let value = parse(text);
        if value.is_none() {
            let text = match field {
                "from" | "to" => "This is no time. Write it like 2026-01-31 18:30, in UTC.",
                "type" => "This is no event type. One is like connection.created.",
                _ => "There is no such choice.",
            };
            self.problems.insert(field, text.to_owned());
        }
        value
    }
}

/// A time in UTC: a day, a minute, a second, or all of RFC 3339.
fn time(text: &str) -> Option<Timestamp> {
    let text = text.replacen(' ', "T", 1);
    let text = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        19 => format!("{text}Z"),
        _ => text,
    };
    text.parse().ok()
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
