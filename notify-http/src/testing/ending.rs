//! What an attempt comes to, in a form that compares.

use notify_core::delivery::{Reason, Response, SendFailure, TlsFault};

/// How an attempt ends.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Ending {
    /// A complete head came back, with this status.
    Status(u16),
    /// None did, for this reason.
    Failure(Reason),
    /// None did, since the TLS handshake failed with this fault.
    Tls(TlsFault),
}

impl Ending {
    /// How this attempt ended.
    #[must_use]
    pub const fn of(reply: &Result<Response, SendFailure>) -> Self {
        match reply {
            Ok(response) => Self::Status(response.status),
            Err(SendFailure { reason: Reason::Tls, tls: Some(fault), .. }) => Self::Tls(*fault),
            Err(failure) => Self::Failure(failure.reason),
        }
    }

    /// What the log says of it.
    #[must_use]
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self::Status(_) => None,
            Self::Failure(reason) => Some(reason),
            Self::Tls(_) => Some(Reason::Tls),
        }
    }
}
