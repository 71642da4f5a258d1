//! One delivery as a line of text.

use std::fmt::Write as _;

use notify_core::Timestamp;
use notify_core::delivery::State;

/// What is shown of one delivery.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) webhook: String,
    pub(super) event: String,
    pub(super) state: State,
    pub(super) tried: u32,
    pub(super) tries: u32,
    pub(super) code: Option<u16>,
    pub(super) next: Option<Timestamp>,
    pub(super) signature: &'static str,
}

impl Row {
    pub(super) const HEAD: &'static str = "WEBHOOK  EVENT               STATUS       TRY  CODE  NEXT     SIGNATURE";

    /// The line, as of `now`.
    pub(super) fn line(&self, now: Timestamp) -> String {
        let code = self.code.map_or_else(|| "\u{2013}".into(), |code| code.to_string());
        let next = self.next.map_or_else(|| "\u{2013}".into(), |next| in_seconds(next, now));
        let mut line = format!(
            "{:<8} {:<19} {:<12} {:<4} {:<5} {:<8} {:<9}",
            self.webhook,
            self.event,
            self.status(),
            format!("{}/{}", self.tried, self.tries),
            code,
            next,
            self.signature,
        );
        if self.state == State::Failed {
            let _ = write!(line, " gave up after {} attempts", self.tried);
        }
        line.truncate(line.trim_end().len());
        line
    }

    /// Icon and word: never by colour alone.
    const fn status(&self) -> &'static str {
        match self.state {
            State::Scheduled if self.tried > 0 => "\u{21bb} retrying",
            State::Scheduled => "\u{25e6} scheduled",
            State::InFlight => "\u{2026} sending",
            State::Delivered => "\u{2713} delivered",
            State::Failed => "\u{2717} failed",
            State::Held => "\u{2016} held",
            State::Cancelled => "\u{2298} cancelled",
        }
    }
}

fn in_seconds(next: Timestamp, now: Timestamp) -> String {
    match (next.since(now).as_millis() + 500) / 1000 {
        0 => "now".into(),
        seconds => format!("in {seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_under_the_head() {
        let now = Timestamp::EPOCH;
        let row = |state, tried, code, next, signature| Row {
            webhook: "flaky".into(),
            event: "connection.created".into(),
            state,
            tried,
            tries: 6,
            code,
            next,
            signature,
        };
        let lines = [
            row(State::Delivered, 1, Some(200), None, "verified"),
            row(State::Scheduled, 2, Some(503), Some(Timestamp::from_millis(3001)), "\u{2013}"),
            row(State::Failed, 6, Some(500), None, "\u{2013}"),
        ]
        .map(|row| row.line(now));
        assert_eq!(
            [Row::HEAD.to_owned()].into_iter().chain(lines).collect::<Vec<_>>(),
            [
                "WEBHOOK  EVENT               STATUS       TRY  CODE  NEXT     SIGNATURE",
                "flaky    connection.created  ✓ delivered  1/6  200   –        verified",
                "flaky    connection.created  ↻ retrying   2/6  503   in 3 s   –",
                "flaky    connection.created  ✗ failed     6/6  500   –        –         gave up after 6 attempts",
            ]
        );
    }
}
