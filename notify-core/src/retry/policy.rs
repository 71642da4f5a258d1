//! What counts as success, how long an attempt may take, and the schedule: one value for an engine, or for one
//! endpoint.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::DeliveryId;
use crate::time::Timestamp;

use super::schedule::MAX_DELAY;
use super::{Jitter, RetryAfter, RetryAfterRule, RetrySchedule};

const MIN_TIMEOUT: Duration = Duration::from_millis(1);
const MAX_TIMEOUT: Duration = Duration::from_secs(300);

/// Which answers end a delivery as delivered.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
pub enum SuccessRule {
    /// Status 200 and nothing else: the contract.
    #[default]
    #[serde(rename = "200")]
    Exactly200,
    /// Any status from 200 to 299.
    #[serde(rename = "2xx")]
    Any2xx,
}

impl SuccessRule {
    /// Whether an answer with `status` is a success.
    #[must_use]
    pub const fn accepts(self, status: u16) -> bool {
        match self {
            Self::Exactly200 => status == 200,
            Self::Any2xx => status >= 200 && status <= 299,
        }
    }

    /// As text: `200` or `2xx`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exactly200 => "200",
            Self::Any2xx => "2xx",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote; `None` for another text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Exactly200, Self::Any2xx].into_iter().find(|rule| rule.as_str() == text)
    }
}

/// How attempts are judged and repeated.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// The delays between attempts. Default: the contract's.
    pub schedule: RetrySchedule,
    /// Which answers are successes. Default: exactly 200.
    pub success: SuccessRule,
    /// One attempt's whole deadline: DNS, connect, TLS, write, headers and body. Default: 30 s.
    pub timeout: Duration,
    /// By how much delays may grow. Default: not at all.
    pub jitter: Jitter,
    /// Whether `Retry-After` is heeded. Default: it is not.
    pub retry_after: RetryAfterRule,
}

impl Policy {
    /// When the next attempt is due after `failures` failed attempts of this round, the last of which ended at
    /// `ended_at` with an answer that asked for `asked`; `None` when there is none left. Never earlier than
    /// [`RetrySchedule::due_after`] says.
    #[must_use]
    pub fn due_after(
        &self,
        delivery: &DeliveryId,
        failures: u32,
        ended_at: Timestamp,
        asked: Option<RetryAfter>,
    ) -> Option<Timestamp> {
        let due = self.schedule.due_after(failures, ended_at)?;
        let due = due.saturating_add(self.jitter.of(due.since(ended_at), delivery, failures));
        Some(self.retry_after.lengthen(due, asked, ended_at))
    }

    /// Checks that the values can be run.
    ///
    /// # Errors
    /// The timeout is under 1 ms or over 5 min; `Retry-After` is heeded for more than 366 days.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        if matches!(self.retry_after, RetryAfterRule::UpTo(most) if most > MAX_DELAY) {
            return Err(InvalidPolicy::RetryAfter);
        }
        if self.timeout < MIN_TIMEOUT || self.timeout > MAX_TIMEOUT {
            return Err(InvalidPolicy::Timeout);
        }
        Ok(())
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            schedule: RetrySchedule::default(),
            success: SuccessRule::default(),
            timeout: Duration::from_secs(30),
            jitter: Jitter::NONE,
            retry_after: RetryAfterRule::Ignore,
        }
    }
}

/// A policy that cannot be run.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPolicy {
    /// Too short, or so long that a crash would go unnoticed for as long.
    #[error("an attempt's timeout is between 1 ms and 5 min")]
    Timeout,
    /// Longer than any delay of a schedule.
    #[error("Retry-After is heeded for at most 366 days")]
    RetryAfter,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked() -> impl Strategy<Value = Option<RetryAfter>> {
        prop_oneof![
            Just(None),
            any::<u64>().prop_map(|seconds| Some(RetryAfter::Delay(Duration::from_secs(seconds)))),
            any::<i64>().prop_map(|millis| Some(RetryAfter::At(Timestamp::from_millis(millis)))),
        ]
    }

    proptest! {
        /// C17, C65: whatever a receiver asks for and whatever the counters say, a retry is never earlier than the
        /// table, never later than table, jitter and cap allow, and the same again.
        #[test]
        fn a_retry_is_never_earlier_than_the_schedule_and_never_later_than_jitter_and_cap_allow(
            failures in 0_u32..8, ended_at in any::<i64>(), percent in 0_u8..=100, cap in 0_u64..31_622_400,
            id in any::<[u8; 20]>(), asked in asked(),
        ) {
            let (delivery, ended_at) = (DeliveryId::from_bytes(id), Timestamp::from_millis(ended_at));
            let policy = Policy {
                jitter: Jitter::percent(percent).unwrap(),
                retry_after: RetryAfterRule::UpTo(Duration::from_secs(cap)),
                ..Policy::default()
            };
            let table = policy.schedule.due_after(failures, ended_at);
            let due = policy.due_after(&delivery, failures, ended_at, asked);
            prop_assert_eq!(due, policy.due_after(&delivery, failures, ended_at, asked));
            prop_assert_eq!(due.is_some(), table.is_some());
            if let (Some(due), Some(table)) = (due, table) {
                let delay = table.since(ended_at);
                let latest = table.saturating_add(delay * u32::from(percent) / 100);
                prop_assert!(due >= table);
                prop_assert!(due <= latest.max(ended_at.saturating_add(Duration::from_secs(cap))));
                prop_assert_eq!(Policy::default().due_after(&delivery, failures, ended_at, asked), Some(table));
            }
        }

        /// The mirror of the fuzz target.
        #[test]
        fn any_text_is_a_retry_after_or_none_and_never_a_panic(text in "\\PC{0,70}|[0-9]{0,30}|[A-Za-z]{3}, [0-9]{1,3} [A-Za-z]{3} [0-9]{1,6} [0-9:]{1,9} GMT") {
            if let Some(asked) = RetryAfter::parse(&text) {
                let due = RetryAfterRule::UpTo(MAX_DELAY).lengthen(Timestamp::EPOCH, Some(asked), Timestamp::EPOCH);
                prop_assert!(due >= Timestamp::EPOCH && due <= Timestamp::EPOCH.saturating_add(MAX_DELAY));
            }
        }
    }
}
