//! What a host hands in to register or change an endpoint: plain text, checked when it is used.

use std::fmt;
use std::time::Duration;

use crate::id::{EventFilter, TenantId};
use crate::input::InvalidInput;
use crate::retry::{Jitter, Policy, RetryAfterRule, RetrySchedule, SuccessRule};

use super::CustomHeader;

const MAX_HEADERS: usize = 32;

/// A new endpoint: a name and a URL are all that is needed.
///
/// ```
/// use notify_core::NewEndpoint;
/// let endpoint = NewEndpoint::new("billing", "https://billing.example.com/hook").events(["connection.*"]);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewEndpoint {
    /// 1 to 128 characters.
    pub name: String,
    /// Where attempts go.
    pub url: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// The host's own secret; `None` has one generated.
    pub secret: Option<crate::sign::Secret>,
    /// Who has it disabled from the start, in the host's words; `None` = it is enabled.
    pub disabled_by: Option<String>,
    /// Everything else.
    pub options: EndpointPatch,
}

impl NewEndpoint {
    /// An endpoint with a generated secret that gets every event.
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            url: url.into(),
            tenant: TenantId::default(),
            secret: None,
            disabled_by: None,
            options: EndpointPatch::default(),
        }
    }

    /// Wants only these event types or patterns.
    #[must_use]
    pub fn events<I: IntoIterator>(mut self, patterns: I) -> Self
    where
        I::Item: Into<String>,
    {
        self.options.events = Some(Some(patterns.into_iter().map(Into::into).collect()));
        self
    }

    /// Signs with the host's own secret.
    #[must_use]
    pub fn secret(mut self, secret: crate::sign::Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Registers it disabled: what is published for it is held until somebody enables it, so that nothing is sent
    /// before its receiver is ready. `by` says who wants it so, in the host's words.
    #[must_use]
    pub fn disabled(mut self, by: impl Into<String>) -> Self {
        self.disabled_by = Some(by.into());
        self
    }

    /// Registers it for this tenant.
    #[must_use]
    pub fn tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = tenant;
        self
    }

    /// Widens or narrows what counts as success.
    #[must_use]
    pub const fn success(mut self, rule: SuccessRule) -> Self {
        self.options.success = Some(Some(rule));
        self
    }
}

/// What to change of an endpoint; `None` leaves a field as it is. For fields that can be unset,
/// `Some(None)` does it.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct EndpointPatch {
    /// A new name.
    pub name: Option<String>,
    /// A new URL: used from the next attempt on, of old events too.
    pub url: Option<String>,
    /// A new description.
    pub description: Option<String>,
    /// New event patterns; `Some(None)` = every event.
    pub events: Option<Option<Vec<String>>>,
    /// New headers, in place of the old ones: (name, value).
    pub headers: Option<Vec<(String, String)>>,
    /// A success rule of its own; `Some(None)` = the engine's.
    pub success: Option<Option<SuccessRule>>,
    /// Delays of its own; `Some(None)` = the engine's.
    pub schedule: Option<Option<RetrySchedule>>,
    /// A timeout of its own; `Some(None)` = the engine's.
    pub timeout: Option<Option<Duration>>,
    /// Jitter of its own; `Some(None)` = the engine's.
    pub jitter: Option<Option<Jitter>>,
    /// A rule of its own for `Retry-After`; `Some(None)` = the engine's.
    pub retry_after: Option<Option<RetryAfterRule>>,
}

impl EndpointPatch {
    /// Checks what needs no transport and no engine, and writes it into `endpoint`.
    pub(crate) fn apply_to(&self, endpoint: &mut super::Endpoint) -> Result<(), InvalidInput> {
        if let Some(name) = &self.name {
            endpoint.name = name.parse()?;
        }
        if let Some(url) = &self.url {
            endpoint.url = url.parse()?;
        }
        if let Some(description) = &self.description {
            if description.chars().count() > 1024 || description.contains('\0') {
                return Err(InvalidInput::new(
                    "description",
                    "NTF-DESCRIPTION",
                    "has at most 1024 characters, none of them NUL",
                ));
            }
            endpoint.description.clone_from(description);
        }
        if let Some(events) = &self.events {
            endpoint.filter = match events {
                None => EventFilter::all(),
                Some(patterns) => EventFilter::new(patterns)
                    .map_err(|error| InvalidInput::new("events", "NTF-EVENTS", error.to_string()))?,
            };
        }
        if let Some(headers) = &self.headers {
            endpoint.headers = read_headers(headers)?;
        }
        if let Some(success) = self.success {
            endpoint.policy.success = success;
        }
        if let Some(schedule) = &self.schedule {
            endpoint.policy.schedule.clone_from(schedule);
        }
        if let Some(timeout) = self.timeout {
            if let Some(timeout) = timeout {
                Policy { timeout, ..Policy::default() }
                    .check()
                    .map_err(|error| InvalidInput::new("timeout", "NTF-TIMEOUT", format!("is refused: {error}")))?;
            }
            endpoint.policy.timeout = timeout;
        }
        if let Some(jitter) = self.jitter {
            endpoint.policy.jitter = jitter;
        }
        if let Some(rule) = self.retry_after {
            if let Some(retry_after) = rule {
                Policy { retry_after, ..Policy::default() }.check().map_err(|error| {
                    InvalidInput::new("retry_after", "NTF-RETRY-AFTER", format!("is refused: {error}"))
                })?;
            }
            endpoint.policy.retry_after = rule;
        }
        Ok(())
    }
}

impl fmt::Debug for EndpointPatch {
    /// With the headers' names only: values may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Option<Vec<_>> = self.headers.as_ref().map(|pairs| pairs.iter().map(|(name, _)| name).collect());
        f.debug_struct("EndpointPatch")
            .field("name", &self.name)
            .field("url", &self.url)
            .field("description", &self.description)
            .field("events", &self.events)
            .field("headers", &headers)
            .field("success", &self.success)
            .field("schedule", &self.schedule)
            .field("timeout", &self.timeout)
            .field("jitter", &self.jitter)
            .field("retry_after", &self.retry_after)
            .finish()
    }
}

fn read_headers(pairs: &[(String, String)]) -> Result<Vec<CustomHeader>, InvalidInput> {
    if pairs.len() > MAX_HEADERS {
        return Err(InvalidInput::new("headers", "NTF-HEADER", "has at most 32 entries"));
    }
    let mut headers =
        pairs.iter().map(|(name, value)| CustomHeader::new(name, value)).collect::<Result<Vec<_>, _>>()?;
    headers.sort_by(|a, b| a.name().cmp(b.name()));
    if headers.windows(2).any(|pair| pair[0].name() == pair[1].name()) {
        return Err(InvalidInput::new("headers", "NTF-HEADER", "names one header twice"));
    }
    Ok(headers)
}

#[cfg(test)]
mod tests;
