//! What a transport brings back from one request.

use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;

use crate::retry::RetryAfter;

use super::{Reason, Timing, TlsFault};

/// A complete head came back; the status decides, whatever became of the body.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The first bytes of the body (the HTTP transport keeps 16 KiB), as they came.
    pub body: Bytes,
    /// Whether the body went on, or broke off, after that.
    pub truncated: bool,
    /// The `Location` of a redirect, which is not followed.
    pub location: Option<String>,
    /// What a `Retry-After` asks for, if there was exactly one that can be read.
    pub retry_after: Option<RetryAfter>,
    /// The address that answered.
    pub peer: Option<IpAddr>,
    /// Where the time went, if the transport measures it.
    pub timing: Option<Timing>,
}

impl Response {
    /// An answer with this status and an empty body.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self {
            status,
            body: Bytes::new(),
            truncated: false,
            location: None,
            retry_after: None,
            peer: None,
            timing: None,
        }
    }
}

impl fmt::Debug for Response {
    /// Without the body, which may echo the payload, and the location, which may hold a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .field("truncated", &self.truncated)
            .field("retry_after", &self.retry_after)
            .field("location", &self.location.as_ref().map(|_| "****"))
            .field("peer", &self.peer)
            .field("timing", &self.timing)
            .finish()
    }
}

/// No head came back.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}: {detail}", .reason.as_str())]
#[non_exhaustive]
pub struct SendFailure {
    /// The kind of failure.
    pub reason: Reason,
    /// For the operator: may name addresses; never a secret or a payload.
    pub detail: String,
    /// The address that was tried last.
    pub peer: Option<IpAddr>,
    /// With [`Reason::Tls`], what was wrong: the endpoint's owner is told.
    pub tls: Option<TlsFault>,
    /// Where the time went until then, if the transport measures it.
    pub timing: Option<Timing>,
}

impl SendFailure {
    /// A failure of this kind.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), peer: None, tls: None, timing: None }
    }

    /// A TLS handshake that failed with this fault.
    pub fn tls(fault: TlsFault, detail: impl Into<String>) -> Self {
        Self { tls: Some(fault), ..Self::new(Reason::Tls, detail) }
    }

    /// What happened, for the endpoint's owner. Tells no address and no detail of the sender's network.
    #[must_use]
    pub fn sentence(&self) -> &'static str {
        match self.tls {
            Some(fault) if self.reason == Reason::Tls => fault.sentence(),
            _ => self.reason.sentence(),
        }
    }

    /// The same, at this address.
    #[must_use]
    pub const fn at(mut self, peer: Option<IpAddr>) -> Self {
        self.peer = peer;
        self
    }

    /// The same, after these parts.
    #[must_use]
    pub const fn timed(mut self, timing: Timing) -> Self {
        self.timing = Some(timing);
        self
    }
}
