//! What can go wrong in a store.

/// A cause of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A store's failure: a variant for each thing a caller can do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Too much waits to be written. Nothing was done: try again later, or slow down.
    #[error("store busy during {}: its queue stayed full (NTF-STORE-BUSY)", .operation.as_str())]
    Busy {
        /// What was asked.
        operation: Operation,
    },
    /// The store did not answer; the work may have been done (S12).
    #[error("store unavailable during {} (NTF-STORE-UNAVAILABLE)", .operation.as_str())]
    Unavailable {
        /// What was asked.
        operation: Operation,
        /// Why.
        source: BoxError,
    },
    /// No space is left. Nothing was done.
    #[error("store full during {} (NTF-STORE-FULL)", .operation.as_str())]
    Full {
        /// What was asked.
        operation: Operation,
    },
    /// What is stored cannot be read.
    #[error("store holds an unreadable record {record}: {problem} (NTF-STORE-CORRUPT)")]
    Corrupt {
        /// Its key.
        record: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no such event.
    #[error("no such event (NTF-EVENT-MISSING)")]
    UnknownEvent,
}

impl StoreError {
    /// The store did not answer `operation`, because of `source`.
    pub fn unavailable(operation: Operation, source: impl Into<BoxError>) -> Self {
        Self::Unavailable { operation, source: source.into() }
    }
}

/// A store's method, for messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Operation {
    /// Insert.
    Insert,
    /// Claim.
    Claim,
    /// Apply.
    Apply,
    /// Load.
    Load,
    /// Attach.
    Attach,
    /// Sweep.
    Sweep,
    /// Changed or time.
    Poll,
    /// Anything of the endpoint directory.
    Endpoints,
    /// Anything of the delivery log.
    Log,
}

impl Operation {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Claim => "claim",
            Self::Apply => "apply",
            Self::Load => "load",
            Self::Attach => "attach",
            Self::Sweep => "sweep",
            Self::Poll => "poll",
            Self::Endpoints => "endpoints",
            Self::Log => "log",
        }
    }
}
