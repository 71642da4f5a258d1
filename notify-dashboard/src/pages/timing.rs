//! Where an attempt's time went: in words, and as a bar.

use std::time::Duration;

use notify_core::delivery::{ConnectionUse, Part, Timing};

use crate::words::millis;

/// The bar's length, in its own units.
const BAR: u32 = 1000;

/// One attempt's timing.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct TimingView {
    /// In their order; what did not happen is left out.
    pub(super) parts: Vec<PartView>,
    pub(super) bar: u32,
    /// `None` if it never had one.
    pub(super) connection: Option<&'static str>,
    pub(super) tls: Option<&'static str>,
}

/// One part, and its place in the bar.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct PartView {
    pub(super) class: &'static str,
    pub(super) label: String,
    pub(super) x: u32,
    pub(super) width: u32,
}

impl TimingView {
    /// Of an attempt that took so long.
    pub(super) fn of(timing: &Timing, took: Duration) -> Self {
        let known: Duration = timing.parts().map(|(_, length)| length).sum();
        let rest = took.saturating_sub(known);
        // A transport may have measured more than the engine did: the bar has room for both.
        let whole = took.max(known);
        let mut x = 0;
        let mut place = |class, name, length: Duration| {
            let width = share(length, whole);
            let label = format!("{name} {}", shown(length));
            x += width;
            PartView { class, label, x: x - width, width }
        };
        let parts = timing.parts().map(|(part, length)| {
            let (class, name) = words(part);
            place(class, name, length)
        });
        let mut parts: Vec<PartView> = parts.collect();
        if rest >= Duration::from_millis(1) {
            parts.push(place("rest", "other", rest));
        }
        Self {
            parts,
            bar: BAR,
            connection: match timing.connection() {
                ConnectionUse::New => timing.of(Part::Connect).map(|_| "new connection"),
                ConnectionUse::Reused => Some("reused connection"),
            },
            tls: timing.tls().map(|version| version.as_str()),
        }
    }
}

const fn words(part: Part) -> (&'static str, &'static str) {
    match part {
        Part::Lookup => ("lookup", "DNS"),
        Part::Connect => ("connect", "connect"),
        Part::Handshake => ("handshake", "TLS"),
        Part::FirstByte => ("first-byte", "first byte"),
    }
}

fn shown(length: Duration) -> String {
    if length < Duration::from_millis(1) { "under 1 ms".into() } else { millis(length) }
}

/// What `length` has of the bar.
fn share(length: Duration, whole: Duration) -> u32 {
    let units = (length.as_micros() * u128::from(BAR)).checked_div(whole.as_micros());
    units.and_then(|units| u32::try_from(units).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(timing: &Timing, took: u64) -> Vec<(String, u32, u32)> {
        let view = TimingView::of(timing, Duration::from_millis(took));
        view.parts.into_iter().map(|part| (part.label, part.x, part.width)).collect()
    }

    fn labels(timing: &Timing, took: u64) -> Vec<String> {
        told(timing, took).into_iter().map(|(label, ..)| label).collect()
    }

    #[test]
    fn each_part_that_happened_is_told_and_drawn_and_the_rest_is_other() {
        let new = Timing::new(ConnectionUse::New);
        let timing = Part::ALL
            .into_iter()
            .zip([20, 30, 50, 100])
            .fold(new, |timing, (part, millis)| timing.with(part, Duration::from_millis(millis)));
        let expected = [
            ("DNS 20 ms", 0, 80),
            ("connect 30 ms", 80, 120),
            ("TLS 50 ms", 200, 200),
            ("first byte 100 ms", 400, 400),
            ("other 50 ms", 800, 200),
        ];
        assert_eq!(told(&timing, 250), expected.map(|(label, x, width)| (label.to_owned(), x, width)));
        assert_eq!(labels(&timing, 200).len(), 4, "nothing is left");
    }

    #[test]
    fn an_attempt_that_found_nobody_went_over_no_connection() {
        let connection = |timing| TimingView::of(&timing, Duration::ZERO).connection;
        let looked_up = Timing::new(ConnectionUse::New).with(Part::Lookup, Duration::ZERO);
        assert_eq!(connection(looked_up), None);
        assert_eq!(connection(looked_up.with(Part::Connect, Duration::ZERO)), Some("new connection"));
        assert_eq!(connection(Timing::new(ConnectionUse::Reused)), Some("reused connection"));
    }

    #[test]
    fn odd_lengths_make_no_odd_bar() {
        let reused = Timing::new(ConnectionUse::Reused);
        assert_eq!(labels(&reused, 0), [""; 0]);
        assert_eq!(
            told(&reused.with(Part::FirstByte, Duration::ZERO), 0),
            [("first byte under 1 ms".to_owned(), 0, 0)]
        );
        // More than the engine measured, and more than any attempt takes.
        let long = reused.with(Part::Connect, Duration::MAX).with(Part::FirstByte, Duration::MAX);
        let drawn = told(&long, 5).into_iter().map(|(_, x, width)| (x, width)).collect::<Vec<_>>();
        assert_eq!(drawn, [(0, 500), (500, 500)]);
    }
}
