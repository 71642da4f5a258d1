//! One point in time, and its one spelling.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, between the years 0000 and 9999.
///
/// Shown as RFC 3339 in UTC with exactly three fraction digits and `Z`: `2023-09-24T03:11:32.456Z`.
/// Arithmetic saturates at [`Timestamp::MIN`] and [`Timestamp::MAX`]; nothing here panics.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

impl Timestamp {
    /// 0000-01-01T00:00:00.000Z: RFC 3339 has no earlier year.
    pub const MIN: Self = Self(-62_167_219_200_000);
    /// 1970-01-01T00:00:00.000Z.
    pub const EPOCH: Self = Self(0);
    /// The last millisecond that has a calendar form: 9999-12-30T22:00:00.999Z.
    pub const MAX: Self = Self(253_402_207_200_999);

    /// The point `millis` milliseconds after the epoch (before it, if negative), held to
    /// [`MIN`](Self::MIN)..=[`MAX`](Self::MAX).
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        if millis < Self::MIN.0 {
            Self::MIN
        } else if millis > Self::MAX.0 {
            Self::MAX
        } else {
            Self(millis)
        }
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// `self + by`, or [`MAX`](Self::MAX) beyond the calendar. Fractions of a millisecond are rounded up, so
    /// that a delay is never shortened.
    #[must_use]
    pub fn saturating_add(self, by: Duration) -> Self {
        let millis = by.as_secs().saturating_mul(1000).saturating_add(u64::from(by.subsec_nanos().div_ceil(1_000_000)));
        let millis = i64::try_from(millis).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// `self - by`, or [`MIN`](Self::MIN) beyond the calendar.
    #[must_use]
    pub fn saturating_sub(self, by: Duration) -> Self {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_sub(millis))
    }

    /// How long after `earlier` this is; zero if it is not after.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        let millis = self.0 - earlier.0;
        if millis <= 0 { Duration::ZERO } else { Duration::from_millis(millis.unsigned_abs()) }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => write!(f, "{timestamp:.3}"),
            // Unreachable: the constructor holds the range. Still no panic.
            Err(_) => f.write_str("9999-12-30T22:00:00.999Z"),
        }
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    /// Reads RFC 3339 strictly: `T` and `Z` in upper case, seconds 00 to 59, one to three fraction digits or
    /// none, `Z` or a numeric offset. More fraction digits are refused, since they could not be kept.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !has_rfc3339_shape(text.as_bytes()) {
            return Err(InvalidTimestamp);
        }
        let parsed: jiff::Timestamp = text.parse().map_err(|_| InvalidTimestamp)?;
        let millis = parsed.as_millisecond();
        if !(Self::MIN.0..=Self::MAX.0).contains(&millis) {
            return Err(InvalidTimestamp);
        }
        Ok(Self(millis))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = InvalidTimestamp;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.to_string()
    }
}

impl From<SystemTime> for Timestamp {
    /// Rounds down to the millisecond; saturates.
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self::from_millis(i64::try_from(after.as_millis()).unwrap_or(i64::MAX)),
            Err(before) => {
                let millis = before.duration().as_nanos().div_ceil(1_000_000);
                Self::from_millis(i64::try_from(millis).map_or(i64::MIN, i64::wrapping_neg))
            }
        }
    }
}

/// The text is no RFC 3339 time, or lies outside the years 0000 to 9999.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not an RFC 3339 time with at most three fraction digits, like 2023-09-24T03:11:32.456Z")]
pub struct InvalidTimestamp;

/// jiff reads leniently (lower-case `t`, blanks, `:60`), so the shape is checked first.
fn has_rfc3339_shape(text: &[u8]) -> bool {
    let digits =
        |range: std::ops::Range<usize>| text.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    let at = |index: usize, byte: u8| text.get(index) == Some(&byte);
    let date = digits(0..4) && at(4, b'-') && digits(5..7) && at(7, b'-') && digits(8..10);
    let time = at(10, b'T') && digits(11..13) && at(13, b':') && digits(14..16) && at(16, b':') && digits(17..19);
    // A leap second has no place on a millisecond line; jiff would quietly make it :59.
    if !(date && time) || text[17] > b'5' {
        return false;
    }
    let mut rest = &text[19..];
    if let [b'.', fraction @ ..] = rest {
        let count = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=3).contains(&count) {
            return false;
        }
        rest = &fraction[count..];
    }
    match rest {
        b"Z" => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => {
            [h1, h2, m1, m2].iter().all(|byte| byte.is_ascii_digit()) && (*h1, *h2) <= (b'2', b'3') && *m1 <= b'5'
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_second_still_has_three_fraction_digits() {
        assert_eq!(Timestamp::from_millis(1_767_225_600_000).to_string(), "2026-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(1_767_225_600_007).to_string(), "2026-01-01T00:00:00.007Z");
    }

    #[test]
    fn the_ends_of_the_range_print_and_parse() {
        for end in [Timestamp::MIN, Timestamp::EPOCH, Timestamp::MAX] {
            assert_eq!(end.to_string().parse(), Ok(end), "{end}");
        }
        assert_eq!(Timestamp::from_millis(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::from_millis(i64::MIN), Timestamp::MIN);
        assert_eq!(Timestamp::MAX.saturating_add(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.saturating_sub(Duration::MAX), Timestamp::MIN);
    }

    #[test]
    fn an_offset_is_read_and_shown_in_utc() {
        let read: Timestamp = "2026-01-01T05:45:00+05:45".parse().unwrap();
        assert_eq!(read.to_string(), "2026-01-01T00:00:00.000Z");
    }

    #[test]
    fn loose_spellings_are_refused() {
        for text in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01 00:00:00Z",
            "2026-01-01t00:00:00z",
            "2026-01-01T00:00:60Z",
            "2026-01-01T24:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00.1234Z",
            "2026-01-01T00:00:00+2400",
            "2026-01-01T00:00:00+24:00",
            "+002026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z ",
            "2026-01-01T00:00:00Z[UTC]",
            "1767225600000",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(InvalidTimestamp), "{text:?}");
        }
    }

    #[test]
    fn a_delay_is_never_rounded_down() {
        assert_eq!(Timestamp::EPOCH.saturating_add(Duration::from_nanos(1)), Timestamp::from_millis(1));
    }
}
