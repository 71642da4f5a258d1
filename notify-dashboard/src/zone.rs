//! The clock by which pages tell times: an offset from UTC, remembered in a cookie.
//!
//! A server cannot know where its reader sits. Who wants another clock than UTC chooses its offset once; a script only
//! says which of them is the browser's own.

use std::fmt;
use std::time::Duration;

use axum::http::HeaderMap;
use notify_core::Timestamp;

use crate::cookie;

const COOKIE_NAME: &str = "notify_zone";

/// Minutes east of UTC.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Zone(i16);

impl Zone {
    /// Every offset that is in use somewhere on Earth.
    pub(crate) const ALL: [Self; 40] = [
        Self(-720),
        Self(-660),
        Self(-600),
        Self(-570),
        Self(-540),
        Self(-480),
        Self(-420),
        Self(-360),
        Self(-300),
        Self(-240),
        Self(-210),
        Self(-180),
        Self(-150),
        Self(-120),
        Self(-60),
        Self(0),
        Self(60),
        Self(120),
        Self(180),
        Self(210),
        Self(240),
        Self(270),
        Self(300),
        Self(330),
        Self(345),
        Self(360),
        Self(390),
        Self(420),
        Self(480),
        Self(525),
        Self(540),
        Self(570),
        Self(600),
        Self(630),
        Self(660),
        Self(720),
        Self(765),
        Self(780),
        Self(825),
        Self(840),
    ];
    #[cfg(test)]
    pub(crate) const UTC: Self = Self(0);

    /// UTC for what is no offset.
    pub(crate) fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|zone| zone.minutes() == text).unwrap_or_default()
    }

    /// The minutes, as [`parse`](Self::parse) reads them.
    pub(crate) fn minutes(self) -> String {
        self.0.to_string()
    }

    pub(crate) fn of_cookies(headers: &HeaderMap) -> Self {
        cookie::read(headers, COOKIE_NAME).map(Self::parse).unwrap_or_default()
    }

    pub(crate) fn cookie(self, root: &str) -> String {
        cookie::remembering(COOKIE_NAME, &self.minutes(), root)
    }

    /// The time whose UTC text is what clocks show here at `at`.
    pub(crate) fn shown(self, at: Timestamp) -> Timestamp {
        let offset = Duration::from_secs(60 * u64::from(self.0.unsigned_abs()));
        if self.0 < 0 { at.saturating_sub(offset) } else { at.saturating_add(offset) }
    }
}

impl fmt::Display for Zone {
    /// `UTC`, or `UTC+05:30`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, minutes) = (if self.0 < 0 { '-' } else { '+' }, self.0.unsigned_abs());
        if minutes == 0 { f.write_str("UTC") } else { write!(f, "UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_reads_back_and_nothing_else_is_one() {
        assert!(Zone::ALL.is_sorted_by_key(|zone| zone.0));
        for zone in Zone::ALL {
            assert_eq!(Zone::parse(&zone.minutes()), zone);
        }
        for odd in ["", "1", "+60", "060", "9999999", "UTC", "-0", " 60"] {
            assert_eq!(Zone::parse(odd), Zone::UTC, "{odd:?}");
        }
        assert_eq!([-210, 0, 330].map(|minutes| Zone(minutes).to_string()), ["UTC-03:30", "UTC", "UTC+05:30"]);
    }

    #[test]
    fn a_time_is_told_as_clocks_there_show_it() {
        let at: Timestamp = "2026-01-01T00:10:00Z".parse().unwrap();
        assert_eq!(Zone(-210).shown(at).to_string(), "2025-12-31T20:40:00.000Z");
        assert_eq!(Zone(330).shown(at).to_string(), "2026-01-01T05:40:00.000Z");
    }
}
