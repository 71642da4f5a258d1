//! Statuses, reasons, times and bytes in words.

use std::time::Duration;

use notify_core::Timestamp;
use notify_core::delivery::{Attempt, Delivery, EventStatus, Reason, ResponseHead, State};

use crate::zone::Zone;

/// A status: a sign, a word and a class, so that it is never told by colour alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Mark {
    pub(crate) sign: &'static str,
    pub(crate) word: &'static str,
    pub(crate) class: &'static str,
}

pub(crate) const fn mark(sign: &'static str, word: &'static str, class: &'static str) -> Mark {
    Mark { sign, word, class }
}

pub(crate) fn delivery_mark(delivery: &Delivery) -> Mark {
    match delivery.state() {
        State::Scheduled if delivery.as_stored().failures > 0 => mark("\u{21bb}", "Retrying", "warn"),
        state => state_mark(state),
    }
}

pub(crate) const fn state_mark(state: State) -> Mark {
    match state {
        State::Scheduled => mark("\u{25e6}", "Scheduled", "wait"),
        State::InFlight => mark("\u{2026}", "Sending", "wait"),
        State::Delivered => mark("\u{2713}", "Delivered", "good"),
        State::Failed => mark("\u{2717}", "Failed", "bad"),
        State::Cancelled => mark("\u{2298}", "Cancelled", "idle"),
        State::Held => mark("\u{2016}", "Held", "idle"),
    }
}

/// An event's roll-up: its sign, and a word that counts where the deliveries differ.
pub(crate) fn event_mark(deliveries: &[Delivery]) -> (Mark, String) {
    let status = EventStatus::of(deliveries.iter().map(Delivery::state));
    let delivered = deliveries.iter().filter(|delivery| delivery.state() == State::Delivered).count();
    let retrying = deliveries.iter().any(|delivery| delivery_mark(delivery).word == "Retrying");
    let held = deliveries.iter().all(|delivery| !delivery.state().is_open() || delivery.state() == State::Held);
    let mark = match status {
        EventStatus::Pending if retrying => mark("\u{21bb}", "Retrying", "warn"),
        EventStatus::Pending if held => state_mark(State::Held),
        EventStatus::Pending => mark("\u{25e6}", "Waiting", "wait"),
        EventStatus::Delivered => mark("\u{2713}", "All delivered", "good"),
        EventStatus::Partial => mark("\u{2717}", "Partly delivered", "bad"),
        EventStatus::Failed => mark("\u{2717}", "Failed", "bad"),
        EventStatus::Cancelled => state_mark(State::Cancelled),
        EventStatus::NoEndpoint => mark("\u{2205}", "No webhook matched", "idle"),
    };
    let word = match status {
        EventStatus::Partial => format!("{delivered} of {} delivered", deliveries.len()),
        EventStatus::Delivered if deliveries.len() == 1 => "Delivered".into(),
        _ => mark.word.into(),
    };
    (mark, word)
}

/// The filter's word for each event status.
pub(crate) const fn event_status_label(status: EventStatus) -> &'static str {
    match status {
        EventStatus::Pending => "Waiting or retrying",
        EventStatus::Delivered => "All delivered",
        EventStatus::Partial => "Partly delivered",
        EventStatus::Failed => "Failed",
        EventStatus::Cancelled => "Cancelled",
        EventStatus::NoEndpoint => "No webhook matched",
    }
}

/// How an attempt went, in words for the operator.
pub(crate) fn outcome_words(attempt: &Attempt) -> String {
    let took = millis(attempt.duration);
    match (&attempt.error, attempt.status_code) {
        (None, Some(code)) => format!("answered {code} in {took}"),
        (Some(error), _) => format!("{} ({took})", visible(error)),
        (None, None) => format!("{} ({took})", attempt.outcome.as_str()),
    }
}

/// What to do about a failure.
pub(crate) const fn advice(reason: Reason) -> &'static str {
    match reason {
        Reason::Dns => "Check the host name in the webhook's URL, and that its DNS record is public.",
        Reason::ConnectRefused => {
            "Nothing listens at that address and port. Check the URL, and that the receiver runs."
        }
        Reason::ConnectTimeout => {
            "A firewall may drop the connection. Allow this service's addresses to reach the receiver."
        }
        Reason::Tls => {
            "Check the receiver's certificate: its name, its dates, and that it sends the intermediate ones."
        }
        Reason::ResponseTimeout => "Let the receiver answer 200 at once and do the work afterwards.",
        Reason::Reset => "The receiver, or something before it, closed the connection. Look at its log at this time.",
        Reason::Protocol => "What answers there does not speak HTTP. Check the port, and http against https.",
        Reason::Status2xxNot200 => "Let the receiver answer 200, or set the webhook's success rule to any 2xx.",
        Reason::RedirectRefused => {
            "Signature and address check apply to the URL that was entered, so redirects are not followed. Change the \
             webhook's URL to the final address."
        }
        Reason::Status4xx => {
            "Its answer usually says why. Check the path, the credentials, and how the receiver checks the signature."
        }
        Reason::Status5xx => "Look at the receiver's log at this time.",
        Reason::StatusOther => "Check what answers at this URL: the status means neither success nor failure.",
        Reason::AddressRefused => {
            "The URL leads to a private or special address. Use a public one; the host can open a range on purpose."
        }
        Reason::TransportPanic => "That is a fault on our side. Please report it with this delivery's id.",
        Reason::Local => "That is on our side: the resolver, or a limit of this machine. Look at the service's log.",
        Reason::WorkerLost => {
            "The receiver may have got it. Nothing is to be done: it is tried again, and no retry is used up."
        }
        Reason::Interrupted => {
            "The receiver may have got it. It is tried again after the restart, and no retry is used up."
        }
    }
}

/// A time, for a `<time>` element.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct When {
    /// In UTC, to the millisecond.
    pub(crate) iso: String,
    /// By the reader's clock.
    pub(crate) text: String,
}

impl When {
    pub(crate) fn new(at: Timestamp, zone: Zone) -> Self {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let shown = zone.shown(at).to_string();
        let part = |range| shown.get(range).unwrap_or_default();
        let month = part(5..7).parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?)).unwrap_or(&"");
        let text = format!("{} {month} {} {}", part(8..10).trim_start_matches('0'), part(0..4), part(11..19));
        Self { iso: at.to_string(), text }
    }

    /// `5 Jan 09:08`: where year and seconds say nothing.
    pub(crate) fn short(&self) -> String {
        let mut words = self.text.split(' ');
        let (day, month) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let clock = words.nth(1).unwrap_or_default();
        format!("{day} {month} {}", clock.get(..5).unwrap_or_default())
    }
}

/// `in 29 min 3 s`, or `now` where it is due.
pub(crate) fn in_time(at: Timestamp, now: Timestamp) -> String {
    let left = at.since(now);
    if left.is_zero() { "now".into() } else { format!("in {}", span(left)) }
}

/// A span in its two largest units: `4 min 10 s`, `2 d 3 h`. Below a second: `210 ms`.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    if seconds == 0 {
        return millis(span);
    }
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let first = units.iter().position(|(size, _)| seconds >= *size).unwrap_or(units.len() - 1);
    let (size, unit) = units[first];
    let (count, rest) = (seconds / size, seconds % size);
    match units.get(first + 1).map(|(size, unit)| (rest / size, unit)) {
        Some((more, next)) if more > 0 => format!("{count} {unit} {more} {next}"),
        _ => format!("{count} {unit}"),
    }
}

/// A span in milliseconds, or from ten seconds on in seconds.
pub(crate) fn millis(span: Duration) -> String {
    match span.as_millis() {
        millis @ 0..=9_999 => format!("{millis} ms"),
        millis => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
    }
}

/// `1,234,567`, and `10,000+` from there on: what is beyond is not counted for a page.
pub(crate) fn count(number: u64) -> String {
    if number > 10_000 { "10,000+".into() } else { grouped(number) }
}

/// `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let mut text = String::new();
    let digits = number.to_string();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1,234 bytes`.
pub(crate) fn bytes(length: usize) -> String {
    let text = grouped(length as u64);
    if length == 1 { text + " byte" } else { text + " bytes" }
}

/// `text` with what cannot be seen, or turns the reading direction around, spelt out: a receiver or a name must not
/// make a page look other than it is. Line feeds and tabs stay.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// An answer's first bytes as text that can be shown.
pub(crate) fn response_text(head: &ResponseHead) -> String {
    visible(&head.to_text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_two_units() {
        for (millis, text) in [
            (0, "0 ms"),
            (210, "210 ms"),
            (1_000, "1 s"),
            (250_000, "4 min 10 s"),
            (300_000, "5 min"),
            (3_600_000, "1 h"),
            (3_601_000, "1 h"),
            (183_600_000, "2 d 3 h"),
        ] {
            assert_eq!(span(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn counts_end_at_ten_thousand() {
        assert_eq!([0, 999, 1_000, 10_000, 10_001].map(count), ["0", "999", "1,000", "10,000", "10,000+"]);
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 1, 1_234, 1_234_567].map(bytes), ["0 bytes", "1 byte", "1,234 bytes", "1,234,567 bytes"]);
    }

    #[test]
    fn times_are_told_by_the_reader_s_clock_and_marked_up_in_utc() {
        let at = "2026-01-05T09:08:07.006Z".parse::<Timestamp>().unwrap();
        let when = When::new(at, Zone::UTC);
        assert_eq!((when.text.as_str(), when.iso.as_str()), ("5 Jan 2026 09:08:07", "2026-01-05T09:08:07.006Z"));
        assert_eq!(when.short(), "5 Jan 09:08");
        let there = When::new(at, Zone::parse("-720"));
        assert_eq!((there.text.as_str(), &there.iso), ("4 Jan 2026 21:08:07", &when.iso));
        assert_eq!(there.short(), "4 Jan 21:08");
    }

    /// Fault 45: terminal escapes and turned text.
    #[test]
    fn what_cannot_be_seen_is_spelt_out_and_everything_else_stays() {
        assert_eq!(visible("a\u{1b}[31m\0\u{202e}b\u{feff}\r\n\tc"), "a\\u001b[31m\\u0000\\u202eb\\ufeff\\u000d\n\tc");
        for plain in ["", "caf\u{e9} \u{1f600}", "שלום", "<b>&\"'"] {
            assert_eq!(visible(plain), plain);
        }
    }
}
