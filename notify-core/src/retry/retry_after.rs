//! What a receiver asks for with `Retry-After`, and how far it is heeded.

use std::time::Duration;

use jiff::fmt::strtime;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// The three spellings of a date (RFC 9110, section 5.6.7); a sender uses the first, and all must be understood.
const DATES: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// Longer values are no date and no number that anybody means.
const MAX_BYTES: usize = 64;

/// What one `Retry-After` says (RFC 9110, section 10.2.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RetryAfter {
    /// So long after the answer.
    Delay(Duration),
    /// At this time.
    At(Timestamp),
}

impl RetryAfter {
    /// Reads the header's value: a number of seconds or a date. `None` for anything else, which is then as if it had
    /// not been sent; a number too large to count saturates. Never panics.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim_matches([' ', '\t']);
        if value.is_empty() || value.len() > MAX_BYTES {
            return None;
        }
        if value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Self::Delay(Duration::from_secs(value.parse().unwrap_or(u64::MAX))));
        }
        DATES.iter().find_map(|form| {
            let time = strtime::parse(form, value).ok()?.to_datetime().ok()?;
            // The calendar of a date ends a day after that of a timestamp.
            let at = Offset::UTC.to_timestamp(time).map_or(i64::MAX, |time| time.as_millisecond());
            Some(Self::At(Timestamp::from_millis(at)))
        })
    }

    /// The time it asks for, after an answer at `answered_at`.
    #[must_use]
    pub fn due(self, answered_at: Timestamp) -> Timestamp {
        match self {
            Self::Delay(delay) => answered_at.saturating_add(delay),
            Self::At(time) => time,
        }
    }
}

/// Whether `Retry-After` of a 429 or a 503 is heeded. It can only make a delivery wait longer than the schedule does.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfterRule {
    /// It is not: the contract.
    #[default]
    Ignore,
    /// It is, up to this long after the answer.
    UpTo(Duration),
}

impl RetryAfterRule {
    /// When to try again after an answer at `answered_at`, where the schedule says `due`.
    #[must_use]
    pub fn lengthen(self, due: Timestamp, asked: Option<RetryAfter>, answered_at: Timestamp) -> Timestamp {
        match (self, asked) {
            (Self::UpTo(most), Some(asked)) => due.max(asked.due(answered_at).min(answered_at.saturating_add(most))),
            (Self::UpTo(_), None) | (Self::Ignore, _) => due,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(count: u64) -> Option<RetryAfter> {
        Some(RetryAfter::Delay(Duration::from_secs(count)))
    }

    /// C65
    #[test]
    fn seconds_and_all_three_spellings_of_a_date_are_read() {
        assert_eq!(RetryAfter::parse("120"), seconds(120));
        assert_eq!(RetryAfter::parse(" 0\t"), seconds(0));
        let date: Timestamp = "2027-12-31T23:59:59Z".parse().unwrap();
        for spelling in ["Fri, 31 Dec 2027 23:59:59 GMT", "Friday, 31-Dec-27 23:59:59 GMT", "Fri Dec 31 23:59:59 2027"]
        {
            assert_eq!(RetryAfter::parse(spelling), Some(RetryAfter::At(date)), "{spelling}");
        }
        let last = RetryAfter::parse("Fri, 31 Dec 9999 23:59:59 GMT");
        assert!(matches!(last, Some(RetryAfter::At(at)) if at > date), "{last:?}");
        assert_eq!(
            RetryAfter::parse("Sun Nov  6 08:49:37 1994"),
            Some(RetryAfter::At("1994-11-06T08:49:37Z".parse().unwrap()))
        );
    }

    /// C65: odd values overflowed, went negative or panicked elsewhere.
    #[test]
    fn anything_else_is_as_if_it_had_not_been_sent() {
        for odd in [
            "",
            " ",
            "-5",
            "+5",
            "1.5",
            "soon",
            "0x10",
            "1e3",
            "12 s",
            "120, 240",
            "Fri, 32 Dec 2027 23:59:59 GMT",
            "Fri, 31 Dec 2027 23:59:59 PST",
            "Fri, 31 Dec 2027 25:00:00 GMT",
            "2027-12-31T23:59:59Z",
            "\u{661}",
            &"9".repeat(65),
        ] {
            assert_eq!(RetryAfter::parse(odd), None, "{odd:?}");
        }
        assert_eq!(RetryAfter::parse("99999999999999999999"), seconds(u64::MAX));
    }

    #[test]
    fn it_only_lengthens_and_only_up_to_the_cap() {
        let at = Timestamp::from_millis;
        let rule = RetryAfterRule::UpTo(Duration::from_secs(60));
        for (asked, expected) in [
            (None, 10_000),
            (seconds(5), 10_000),
            (seconds(30), 30_000),
            (seconds(61), 60_000),
            (seconds(u64::MAX), 60_000),
            (Some(RetryAfter::At(at(-1))), 10_000),
            (Some(RetryAfter::At(at(40_000))), 40_000),
            (Some(RetryAfter::At(Timestamp::MAX)), 60_000),
        ] {
            assert_eq!(rule.lengthen(at(10_000), asked, at(0)), at(expected), "{asked:?}");
            assert_eq!(RetryAfterRule::Ignore.lengthen(at(10_000), asked, at(0)), at(10_000));
        }
        assert_eq!(rule.lengthen(at(90_000), seconds(30), at(0)), at(90_000), "the schedule is longer than the cap");
    }
}
