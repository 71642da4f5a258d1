//! What counts as success, how long an attempt may take, and the schedule: one value for an engine, or for one
//! endpoint.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::RetrySchedule;

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
}

impl Policy {
    /// Checks that the values can be run.
    ///
    /// # Errors
    /// The timeout is under 1 ms or over 5 min.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        if self.timeout < MIN_TIMEOUT || self.timeout > MAX_TIMEOUT {
            return Err(InvalidPolicy::Timeout);
        }
        Ok(())
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { schedule: RetrySchedule::default(), success: SuccessRule::default(), timeout: Duration::from_secs(30) }
    }
}

/// A policy that cannot be run.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPolicy {
    /// Too short, or so long that a crash would go unnoticed for as long.
    #[error("an attempt's timeout is between 1 ms and 5 min")]
    Timeout,
}
