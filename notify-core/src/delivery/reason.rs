//! Why an attempt failed: one closed list.

/// Why an attempt was no success. The same word stands in stores, APIs and logs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// The name did not resolve.
    Dns,
    /// Nobody listens there.
    ConnectRefused,
    /// No connection within the deadline.
    ConnectTimeout,
    /// The TLS handshake failed: a certificate's fault, or no common version.
    Tls,
    /// Connected, but no complete answer within the deadline.
    ResponseTimeout,
    /// The connection broke before an answer.
    Reset,
    /// What came back is no HTTP.
    Protocol,
    /// A 2xx other than 200 at an endpoint that requires 200.
    Status2xxNot200,
    /// A 3xx: redirects are never followed.
    RedirectRefused,
    /// A 4xx.
    Status4xx,
    /// A 5xx.
    Status5xx,
    /// Any other status.
    StatusOther,
    /// The URL, or an address behind it, is not allowed.
    AddressRefused,
    /// The transport panicked.
    TransportPanic,
    /// Our side: resolver dead, no descriptors. Never counts toward disabling an endpoint.
    Local,
    /// The lease ended without word: nobody knows whether the receiver got it. Burns no retry.
    WorkerLost,
    /// Cut off by a shutdown. Burns no retry.
    Interrupted,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Dns,
        Self::ConnectRefused,
        Self::ConnectTimeout,
        Self::Tls,
        Self::ResponseTimeout,
        Self::Reset,
        Self::Protocol,
        Self::Status2xxNot200,
        Self::RedirectRefused,
        Self::Status4xx,
        Self::Status5xx,
        Self::StatusOther,
        Self::AddressRefused,
        Self::TransportPanic,
        Self::Local,
        Self::WorkerLost,
        Self::Interrupted,
    ];

    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::ConnectRefused => "connect_refused",
            Self::ConnectTimeout => "connect_timeout",
            Self::Tls => "tls",
            Self::ResponseTimeout => "response_timeout",
            Self::Reset => "reset",
            Self::Protocol => "protocol",
            Self::Status2xxNot200 => "status_2xx_not_200",
            Self::RedirectRefused => "redirect_refused",
            Self::Status4xx => "status_4xx",
            Self::Status5xx => "status_5xx",
            Self::StatusOther => "status_other",
            Self::AddressRefused => "address_refused",
            Self::TransportPanic => "transport_panic",
            Self::Local => "local",
            Self::WorkerLost => "worker_lost",
            Self::Interrupted => "interrupted",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote; `None` for another word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }

    /// Whether the attempt used up one of the round's attempts: its outcome is known.
    #[must_use]
    pub const fn counts(self) -> bool {
        !matches!(self, Self::WorkerLost | Self::Interrupted)
    }

    /// A sentence for the endpoint's owner. Tells no address and no detail of the sender's network.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Dns => "the host name did not resolve",
            Self::ConnectRefused => "the connection was refused",
            Self::ConnectTimeout => "no connection within the deadline",
            Self::Tls => "the TLS handshake failed",
            Self::ResponseTimeout => "no complete answer within the deadline",
            Self::Reset => "the connection broke before an answer came",
            Self::Protocol => "the answer was no valid HTTP",
            Self::Status2xxNot200 => "the answer was a success other than 200, and this endpoint requires 200",
            Self::RedirectRefused => "the answer was a redirect, and redirects are not followed",
            Self::Status4xx => "the endpoint refused the request",
            Self::Status5xx => "the endpoint failed",
            Self::StatusOther => "the endpoint answered with an unexpected status",
            Self::AddressRefused => "the URL leads to an address that is not allowed",
            Self::TransportPanic => "the sender failed while it made the request",
            Self::Local => "the sender could not make the request",
            Self::WorkerLost => "the sender stopped during this attempt; the endpoint may have got it",
            Self::Interrupted => "a shutdown cut this attempt off; the endpoint may have got it",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_and_is_its_own() {
        let words: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(words.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
        }
    }
}
