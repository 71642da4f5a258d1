//! The retry schedule: one delay for each retry.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

const MAX_RETRIES: usize = 100;
pub(super) const MAX_DELAY: Duration = Duration::from_secs(366 * 24 * 3600);

/// The delays between the attempts of one delivery, each counted from the **end** of the attempt before.
///
/// # Default
/// 5 min, 30 min, 2 h, 5 h, 10 h: six attempts in all.
///
/// ```
/// use notify_core::RetrySchedule;
/// let times = RetrySchedule::default().plan("2026-01-01T00:00:00Z".parse()?);
/// let clock: Vec<_> = times.iter().map(|at| at.to_string()[11..16].to_owned()).collect();
/// assert_eq!(clock, ["00:00", "00:05", "00:35", "02:35", "07:35", "17:35"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RetrySchedule(Vec<Duration>);

impl RetrySchedule {
    /// A schedule of these delays, each rounded up to the millisecond; an empty list means one attempt and no retry.
    ///
    /// # Errors
    /// More than 100 delays, or one above 366 days.
    pub fn new(delays: impl IntoIterator<Item = Duration>) -> Result<Self, InvalidSchedule> {
        let delays: Vec<Duration> = delays.into_iter().take(MAX_RETRIES + 1).collect();
        if delays.len() > MAX_RETRIES {
            return Err(InvalidSchedule::TooMany);
        }
        if delays.iter().any(|delay| *delay > MAX_DELAY) {
            return Err(InvalidSchedule::TooLong);
        }
        // Rounded as they are written down: a schedule read back from a store is equal to this one.
        Ok(Self(delays.into_iter().map(|delay| Duration::from_millis(millis_up(delay))).collect()))
    }

    /// One attempt, no retry.
    #[must_use]
    pub const fn never() -> Self {
        Self(Vec::new())
    }

    /// How many attempts a round has: the first and one for each delay.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        u32::try_from(self.0.len()).map_or(u32::MAX, |retries| retries.saturating_add(1))
    }

    /// The delays.
    #[must_use]
    pub fn delays(&self) -> &[Duration] {
        &self.0
    }

    /// When the retry after `failures` failed attempts of this round is due, or `None` when there is none left
    /// (the delivery then ends `failed`).
    ///
    /// `ended_at` is the **end** of the last of them. Never panics: a sum beyond the calendar saturates at
    /// [`Timestamp::MAX`]; 0 failures, or more than there are delays, have no retry.
    #[must_use]
    pub fn due_after(&self, failures: u32, ended_at: Timestamp) -> Option<Timestamp> {
        let index = usize::try_from(failures.checked_sub(1)?).ok()?;
        let jittered = |delay: Duration| if planted!(JitterDown) { delay - delay / 10 } else { delay };
        self.0.get(index).map(|delay| ended_at.saturating_add(jittered(*delay)))
    }

    /// The times of all attempts if each of them took no time: the first at `first_attempt_at`.
    #[must_use]
    pub fn plan(&self, first_attempt_at: Timestamp) -> Vec<Timestamp> {
        let mut at = first_attempt_at;
        let retries = self.0.iter().map(|delay| {
            at = at.saturating_add(*delay);
            at
        });
        std::iter::once(first_attempt_at).chain(retries).collect()
    }

    /// When the last attempt is due if the remaining ones take no time, given `failures` so far in this round
    /// and the next attempt due at `next`.
    #[must_use]
    pub fn gives_up_at(&self, failures: u32, next: Timestamp) -> Timestamp {
        let used = usize::try_from(failures).unwrap_or(usize::MAX);
        self.0.iter().skip(used).fold(next, |at, delay| at.saturating_add(*delay))
    }
}

impl Default for RetrySchedule {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        Self([5, 30, 120, 300, 600].map(|minutes| Duration::from_secs(minutes * MINUTE)).to_vec())
    }
}

impl fmt::Display for RetrySchedule {
    /// As [`FromStr`] reads it: `5min,30min,2h`, or `none`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (index, delay) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            let millis = millis_up(*delay);
            match millis {
                0 => f.write_str("0s")?,
                _ if millis.is_multiple_of(3_600_000) => write!(f, "{}h", millis / 3_600_000)?,
                _ if millis.is_multiple_of(60_000) => write!(f, "{}min", millis / 60_000)?,
                _ if millis.is_multiple_of(1000) => write!(f, "{}s", millis / 1000)?,
                _ => write!(f, "{millis}ms")?,
            }
        }
        Ok(())
    }
}

impl FromStr for RetrySchedule {
    type Err = InvalidSchedule;

    /// Reads `200ms,1s,5min,2h,1d`: whole numbers with a unit, separated by commas; `none` for no retries.
    fn from_str(text: &str) -> Result<Self, InvalidSchedule> {
        if text == "none" {
            return Ok(Self::never());
        }
        Self::new(text.split(',').map(read_delay).collect::<Result<Vec<_>, _>>()?)
    }
}

impl TryFrom<String> for RetrySchedule {
    type Error = InvalidSchedule;

    fn try_from(text: String) -> Result<Self, InvalidSchedule> {
        text.parse()
    }
}

impl From<RetrySchedule> for String {
    fn from(schedule: RetrySchedule) -> Self {
        schedule.to_string()
    }
}

/// The delays make no schedule.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSchedule {
    /// More than 100 of them.
    #[error("a retry schedule has at most 100 delays")]
    TooMany,
    /// One is longer than 366 days.
    #[error("a retry delay is at most 366 days")]
    TooLong,
    /// A text that is no delay.
    #[error("{text:?} is no delay: write a whole number and ms, s, min, h or d, like 5min")]
    Delay {
        /// The text, cut at 32 characters.
        text: String,
    },
}

/// The delay in milliseconds, never less than it is.
fn millis_up(delay: Duration) -> u64 {
    u64::try_from(delay.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

fn read_delay(text: &str) -> Result<Duration, InvalidSchedule> {
    let refuse = || InvalidSchedule::Delay { text: text.chars().take(32).collect() };
    let trimmed = text.trim();
    let split = trimmed.find(|c: char| !c.is_ascii_digit()).ok_or_else(refuse)?;
    let (number, unit) = trimmed.split_at(split);
    let number: u64 = number.parse().map_err(|_| refuse())?;
    let millis = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1000),
        "m" | "min" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        "d" => number.checked_mul(86_400_000),
        _ => return Err(refuse()),
    };
    millis.map(Duration::from_millis).ok_or(InvalidSchedule::TooLong)
}

#[cfg(test)]
mod tests;
