//! What can go wrong at the engine's doors.

use crate::id::{EventId, EventType};
use crate::input::InvalidInput;
use crate::machine::Refusal;
use crate::store::StoreError;

use super::driver::Round;

/// A publish that stored nothing, unless the store's own error says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// A field is not what it must be.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The body would be larger than the limit.
    #[error("payload is {bytes} bytes, the limit is {limit} (NTF-PAYLOAD-SIZE)")]
    TooLarge {
        /// The envelope's size.
        bytes: usize,
        /// The engine's limit.
        limit: usize,
    },
    /// The catalogue is closed and does not have this type.
    #[error("cannot publish {event_type}: no event type with that name is registered (NTF-EVENT-UNKNOWN)")]
    UnknownType {
        /// The type.
        event_type: EventType,
        /// A registered one that may have been meant.
        nearest: Option<EventType>,
    },
    /// The id or idempotency key is taken by an event with other content.
    #[error("event {index} conflicts with {existing}: same id or idempotency key, other content (NTF-EVENT-CONFLICT)")]
    Conflict {
        /// Which event of the batch, from 0.
        index: usize,
        /// The event that was first.
        existing: EventId,
    },
    /// The store did not take it. After [`StoreError::Unavailable`] it may be stored all the same: publish again
    /// with the same id or idempotency key.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PublishError {
    /// What to do about it, where there is more to say.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Invalid(invalid) => invalid.help().map(str::to_owned),
            Self::TooLarge { .. } => {
                Some("send an id and let receivers fetch the rest, or raise EngineBuilder::max_payload".into())
            }
            Self::UnknownType { nearest: Some(nearest), .. } => Some(format!("did you mean {nearest}?")),
            Self::UnknownType { nearest: None, .. } => Some("register it with EngineBuilder::event_type::<T>()".into()),
            Self::Conflict { .. } | Self::Store(_) => None,
        }
    }
}

/// An operation on an endpoint or a delivery that did nothing, unless the store's own error says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// A field is not what it must be.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// There is no such endpoint for this tenant.
    #[error("no such endpoint (NTF-ENDPOINT-MISSING)")]
    NotFound,
    /// There is no such delivery for this tenant.
    #[error("no such delivery (NTF-DELIVERY-MISSING)")]
    NoSuchDelivery,
    /// The delivery stays as it is.
    #[error("{0} (NTF-DELIVERY-REFUSED)")]
    Refused(Refusal),
    /// The endpoint is disabled, so nothing can be sent to it now.
    #[error("the endpoint is disabled: enable it first (NTF-ENDPOINT-DISABLED)")]
    EndpointDisabled,
    /// No secret is staged, so there is none to switch to.
    #[error("no secret is staged: stage one first (NTF-SECRET-NOT-STAGED)")]
    NothingStaged,
    /// This engine shows no secret again.
    #[error("secrets are shown once: build the engine with reveal_secrets() to show them again (NTF-SECRET-REVEAL)")]
    RevealOff,
    /// Others wrote the same endpoint or delivery again and again.
    #[error("it is being changed by others: try again (NTF-CONTENDED)")]
    Contended,
    /// No randomness for an id or a secret.
    #[error("no randomness for an id or a secret (NTF-ENTROPY)")]
    Entropy(#[source] std::io::Error),
    /// A ping could not be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The engine cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It runs already.
    #[error("run() of this engine is being polled already (NTF-RUN-TWICE)")]
    AlreadyRunning,
    /// The store does not answer, so `run_once` gave up. What it had done by then is done.
    #[error("run_once gave up: the store does not answer (NTF-RUN-STORE)")]
    StoreUnavailable {
        /// What that was.
        done: Round,
    },
    /// No randomness for claim tokens.
    #[error("no randomness for claim tokens (NTF-ENTROPY)")]
    Entropy(#[source] std::io::Error),
}

/// The engine cannot be built: every problem at once.
#[derive(Debug)]
pub struct BuildError {
    pub(super) problems: Vec<String>,
}

impl BuildError {
    /// The problems, each with what to do.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let noun = if self.problems.len() == 1 { "problem" } else { "problems" };
        write!(f, "notify cannot be built: {} {noun} (NTF-BUILD)", self.problems.len())?;
        for (index, problem) in self.problems.iter().enumerate() {
            write!(f, "\n  {}. {problem}", index + 1)?;
        }
        Ok(())
    }
}

impl std::error::Error for BuildError {}
