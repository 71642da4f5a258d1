//! One endpoint as it is stored.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{EndpointId, EventFilter, TenantId, Version};
use crate::input::InvalidInput;
use crate::retry::{Jitter, Policy, RetryAfterRule, RetrySchedule, SuccessRule};
use crate::sign::SecretSet;
use crate::time::Timestamp;

use super::CustomHeader;

const MAX_NAME_CHARS: usize = 128;
const MAX_URL_BYTES: usize = 2048;

/// A receiver: a name and a URL, its secrets, and what it wants.
///
/// `Debug` masks secrets and header values.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// Unique over all tenants.
    pub id: EndpointId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its name; need not be unique.
    pub name: EndpointName,
    /// Where attempts go, as registered.
    pub url: EndpointUrl,
    /// The owner's own words; may be empty.
    pub description: String,
    /// Which event types it wants.
    pub filter: EventFilter,
    /// Extra headers on every attempt.
    pub headers: Vec<CustomHeader>,
    /// Whether attempts are made.
    pub status: EndpointStatus,
    /// Its secrets.
    pub secrets: SecretSet,
    /// Where it departs from the engine's policy.
    pub policy: PolicyOverrides,
    /// Counts its writes.
    pub version: Version,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

impl Endpoint {
    /// Whether attempts are made just now.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        matches!(self.status, EndpointStatus::Enabled)
    }
}

/// 1 to 128 characters, not all blank, without control characters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EndpointName(Arc<str>);

impl EndpointName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EndpointName {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<Self, InvalidInput> {
        let refuse = |why: &'static str| Err(InvalidInput::new("name", "NTF-NAME", why));
        if text.trim().is_empty() {
            return refuse("must not be empty or blank");
        }
        if text.chars().count() > MAX_NAME_CHARS {
            return refuse("has at most 128 characters");
        }
        if text.chars().any(char::is_control) {
            return refuse("must not have control characters");
        }
        Ok(Self(Arc::from(text)))
    }
}

/// The URL as it was registered, byte for byte. Core does not parse it: the transport judges it, see
/// [`Transport::check`](crate::transport::Transport::check).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EndpointUrl(Arc<str>);

impl EndpointUrl {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, shared.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EndpointUrl {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<Self, InvalidInput> {
        // Codes and words of the HTTP transport, which would refuse these too.
        let refuse = |code: &'static str, why: &'static str| Err(InvalidInput::new("url", code, why));
        if text.is_empty() {
            return refuse("NTF-URL", "must not be empty");
        }
        if text.len() > MAX_URL_BYTES {
            return refuse("NTF-URL-LENGTH", "has more than 2048 bytes");
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return refuse("NTF-URL-CHARACTER", "must not have blanks or control characters");
        }
        Ok(Self(Arc::from(text)))
    }
}

/// Whether attempts are made.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointStatus {
    /// They are.
    Enabled,
    /// They are not: its deliveries are held.
    Disabled(Disabled),
}

/// Why, when and by whom an endpoint was disabled.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Disabled {
    /// Why.
    pub reason: DisableReason,
    /// Since when.
    pub at: Timestamp,
    /// By whom, in the host's words.
    pub by: String,
}

/// Why an endpoint is disabled.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DisableReason {
    /// Somebody did it by hand.
    Operator,
    /// It is about to be enabled: what was held for it is being cancelled before that. Where the one who did so died
    /// half-way it stays disabled, until somebody enables it again.
    Cancelling,
}

impl DisableReason {
    /// As text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Cancelling => "cancelling",
        }
    }
}

/// Where one endpoint departs from the engine's policy; `None` = as the engine.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyOverrides {
    /// Its own delays.
    pub schedule: Option<RetrySchedule>,
    /// Its own success rule.
    pub success: Option<SuccessRule>,
    /// Its own deadline of one attempt; at most the engine's, from which the lease is derived.
    pub timeout: Option<Duration>,
    /// Its own jitter.
    pub jitter: Option<Jitter>,
    /// Its own rule for `Retry-After`.
    pub retry_after: Option<RetryAfterRule>,
}

impl PolicyOverrides {
    /// The deadline of one attempt in force, given the engine's policy: never above the engine's, since the lease
    /// is derived from that.
    #[must_use]
    pub fn timeout_under(&self, engine: &Policy) -> Duration {
        let cut = |timeout: Duration| if planted!(TimeoutNotCut) { timeout } else { timeout.min(engine.timeout) };
        self.timeout.map_or(engine.timeout, cut)
    }

    /// The policy in force, given the engine's.
    #[must_use]
    pub fn over(&self, engine: &Policy) -> Policy {
        Policy {
            schedule: self
                .schedule
                .clone()
                .filter(|_| !planted!(OwnScheduleIgnored))
                .unwrap_or_else(|| engine.schedule.clone()),
            success: self.success.unwrap_or(engine.success),
            timeout: self.timeout_under(engine),
            jitter: self.jitter.unwrap_or(engine.jitter),
            retry_after: self.retry_after.unwrap_or(engine.retry_after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C71: names with line ends got into headers elsewhere.
    #[test]
    fn names_are_held_to_their_rule() {
        for good in ["a", "😀", "<b>x</b>", "O'Brien; DROP TABLE", &"é".repeat(128)] {
            assert_eq!(good.parse::<EndpointName>().unwrap().as_str(), good);
        }
        for bad in ["", "   ", "\u{a0}", "a\r\nX-Evil: 1", "a\0", "a\u{7f}", "a\u{85}", &"é".repeat(129)] {
            assert_eq!(bad.parse::<EndpointName>().unwrap_err().field(), "name", "{bad:?}");
        }
    }

    #[test]
    fn urls_with_blanks_or_over_long_are_refused_before_any_parser_sees_them() {
        for bad in [
            "",
            " https://h/x",
            "https://h/x\n",
            "https://h/a b",
            "https://h/\u{2028}",
            &format!("https://h/{}", "a".repeat(10_000)),
        ] {
            assert_eq!(bad.parse::<EndpointUrl>().unwrap_err().field(), "url", "{bad:?}");
        }
    }

    #[test]
    fn an_endpoint_s_timeout_never_exceeds_the_engine_s() {
        let engine = Policy::default();
        let long = PolicyOverrides { timeout: Some(Duration::from_secs(200)), ..PolicyOverrides::default() };
        assert_eq!(long.over(&engine).timeout, engine.timeout);
    }
}
