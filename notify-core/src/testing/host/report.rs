//! What a failed assertion says: what was expected, what is there instead, and what to try.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::delivery::{Attempt, Outcome, Reason, State};
use crate::event::Event;
use crate::time::Timestamp;

use super::log::{Found, Published, Scene, Time};

/// More than anybody reads in a test's output.
const MAX_ROWS: usize = 10;
const MAX_DATA: usize = 300;

/// The parts of a body that reports show.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    pub(super) event: &'a str,
    #[serde(borrow)]
    pub(super) data: &'a RawValue,
}

/// Whether deliveries are shown with what they send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Data {
    Shown,
    Hidden,
}

impl Scene {
    /// The event type of all its deliveries, if there is only one.
    pub(super) fn only_type(&self) -> Option<&str> {
        let mut types = self.found.iter().map(|found| found.event.event_type.as_str());
        let first = types.next()?;
        types.all(|other| other == first).then_some(first)
    }

    /// What is there instead of what was expected.
    pub(super) fn tell(&self, expected: &str, shown: Data) -> String {
        let (mut text, clock) = (format!("{expected}\n"), self.time.clock());
        match &self.found[..] {
            [] => {
                let _ = writeln!(text, "  found no delivery to it (test clock {clock})");
                if !self.published.is_empty() {
                    let _ = writeln!(text, "  published: {}", names(&self.published));
                }
            }
            [found] => {
                let _ = writeln!(text, "  found 1 delivery: {} (test clock {clock})", self.status(found));
                push_delivery(&mut text, found, "    ", shown);
            }
            several => {
                let _ = writeln!(text, "  found {} deliveries (test clock {clock})", several.len());
                for found in several.iter().take(MAX_ROWS) {
                    let _ = writeln!(text, "    {}: {}", found.event.event_type, self.status(found));
                    push_delivery(&mut text, found, "      ", shown);
                }
                push_more(&mut text, several.len());
            }
        }
        if let Some(hint) = self.hint() {
            let _ = writeln!(text, "  hint: {hint}");
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// `retrying, 2 of 6 attempts, next in 30 min`
    fn status(&self, found: &Found) -> String {
        let row = found.delivery.as_stored();
        let made = format!("{} of {} attempts", row.attempts, self.attempts);
        let wait = row.ready_at.map_or(Duration::ZERO, |at| at.since(self.time.now));
        match row.state {
            State::Scheduled => {
                let word = if row.attempts == 0 { "scheduled" } else { "retrying" };
                let due = if wait.is_zero() { "due now".to_owned() } else { format!("next in {}", spoken(wait)) };
                format!("{word}, {made}, {due}")
            }
            State::InFlight => format!("sending, {made}, leased for another {}", spoken(wait)),
            State::Held => format!("held, {made}, its webhook is disabled"),
            State::Delivered | State::Failed | State::Cancelled => {
                let at = row.settled_at.map_or(Duration::ZERO, |at| at.since(self.time.began));
                format!("{}, {made}, at {}", row.state.as_str(), clock(at))
            }
        }
    }

    /// What to try, by where the newest delivery stands.
    fn hint(&self) -> Option<String> {
        let Some(newest) = self.found.last() else {
            return Some(if self.published.is_empty() {
                "nothing was published: the code under test must publish through t.notify()".into()
            } else {
                "look at the webhook's event types, and at whether it was registered before the publish".into()
            });
        };
        let row = newest.delivery.as_stored();
        let wait = row.ready_at.map_or(Duration::ZERO, |at| at.since(self.time.now));
        let call = if wait.is_zero() { "t.run_due()".to_owned() } else { format!("t.advance({})", spoken(wait)) };
        match row.state {
            State::Scheduled if row.attempts == 0 => Some(format!("call {call}")),
            State::Scheduled => Some(format!("call {call}, or script a success with t.respond(..)")),
            State::InFlight => Some(format!("a run was dropped in the middle; its lease must end: call {call}")),
            State::Failed => Some("script a success with t.respond(..)".into()),
            State::Held => Some("enable the webhook with t.notify().endpoints().enable(..)".into()),
            State::Cancelled => Some("the webhook was deleted, or its backlog cancelled".into()),
            State::Delivered => None,
        }
    }
}

impl Time {
    /// `00:05:30` since the test began.
    pub(super) fn clock(self) -> String {
        clock(self.now.since(self.began))
    }
}

/// The events that are there instead of what was expected. `note` may say more about one.
pub(super) fn tell_published(
    expected: &str,
    published: &[Published],
    began: Timestamp,
    note: impl Fn(&Event) -> Option<String>,
) -> String {
    let mut text = format!("{expected}\n");
    if published.is_empty() {
        text.push_str("  found no event\n  hint: the code under test must publish through t.notify()");
        return text;
    }
    let noun = if published.len() == 1 { "event" } else { "events" };
    let _ = writeln!(text, "  found {} {noun}", published.len());
    let rows: Vec<(&Published, String)> = published
        .iter()
        .take(MAX_ROWS)
        .map(|published| (published, format!("+{}", spoken(published.at.since(began)))))
        .collect();
    let type_width = rows.iter().map(|(row, _)| row.event.event_type.as_str().len()).max().unwrap_or(0);
    let time_width = rows.iter().map(|(_, offset)| offset.len()).max().unwrap_or(0);
    for (row, offset) in &rows {
        let (name, data) = (row.event.event_type.as_str(), short(data_of(&row.event)));
        let note = note(&row.event).map(|note| format!("   {note}")).unwrap_or_default();
        let _ = writeln!(text, "    {name:<type_width$}  {offset:<time_width$}   {data}{note}");
    }
    push_more(&mut text, published.len());
    text.truncate(text.trim_end().len());
    text
}

/// The `data` of an event, as the host spelt it.
pub(super) fn data_of(event: &Event) -> &str {
    serde_json::from_slice::<Envelope<'_>>(&event.body).map_or("null", |envelope| envelope.data.get())
}

/// A text for one line of a report.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(MAX_DATA) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// `1 h 30 min`, `0 s`
pub(super) fn spoken(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [(3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")];
    let (mut left, mut parts) = (millis, Vec::new());
    for (size, unit) in units {
        if left >= size {
            parts.push(format!("{} {unit}", left / size));
            left %= size;
        }
    }
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

fn push_delivery(text: &mut String, found: &Found, indent: &str, shown: Data) {
    let first = found.attempts.first().map_or(Timestamp::EPOCH, |attempt| attempt.started_at);
    let offset = |attempt: &Attempt| format!("+{}", spoken(attempt.started_at.since(first)));
    let width = found.attempts.iter().map(|attempt| offset(attempt).len()).max().unwrap_or(0);
    for attempt in &found.attempts {
        let (number, offset) = (attempt.number.get(), offset(attempt));
        let _ = writeln!(text, "{indent}attempt {number}  {offset:<width$}   {}", ending(attempt));
    }
    if shown == Data::Shown {
        let _ = writeln!(text, "{indent}data {}", short(data_of(&found.event)));
    }
}

fn push_more(text: &mut String, rows: usize) {
    if rows > MAX_ROWS {
        let _ = writeln!(text, "    and {} more", rows - MAX_ROWS);
    }
}

fn ending(attempt: &Attempt) -> String {
    match (attempt.outcome, attempt.status_code) {
        // The one that surprises: elsewhere any 2xx is a success.
        (Outcome::Failure(Reason::Status2xxNot200), Some(code)) => format!("{code}, but this webhook requires 200"),
        (_, Some(code)) => code.to_string(),
        (Outcome::Failure(Reason::ResponseTimeout), None) => format!("timeout after {}", spoken(attempt.duration)),
        (Outcome::Failure(reason), None) => reason.sentence().to_owned(),
        (Outcome::Success, None) => "success".to_owned(),
    }
}

/// Each event type once, in order.
fn names(published: &[Published]) -> String {
    let mut names: Vec<&str> = published.iter().map(|published| published.event.event_type.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

/// `hh:mm:ss`, with milliseconds where there are some.
fn clock(elapsed: Duration) -> String {
    let (secs, millis) = (elapsed.as_secs(), elapsed.subsec_millis());
    let whole = format!("{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60);
    if millis == 0 { whole } else { format!("{whole}.{millis:03}") }
}
