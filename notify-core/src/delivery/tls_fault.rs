//! What was wrong with a TLS handshake: one closed list, so that nothing else can reach an endpoint's owner.

/// Why a TLS handshake failed, as far as the endpoint's owner can mend it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TlsFault {
    /// The certificate's time is over.
    Expired,
    /// The certificate's time has not begun.
    NotYetValid,
    /// The certificate is for other names.
    WrongName,
    /// The certificate was signed by itself.
    SelfSigned,
    /// The chain is complete, but ends at an authority that is not trusted.
    UnknownAuthority,
    /// The chain breaks off before an authority: most often, the intermediate certificate is not sent.
    MissingIntermediate,
    /// The certificate was revoked.
    Revoked,
    /// A signature, in the chain or over the handshake, does not verify.
    BadSignature,
    /// The certificate is for another use than a server's.
    WrongPurpose,
    /// Neither TLS 1.2 nor 1.3.
    OldVersion,
    /// The receiver wants a client certificate, another one than it got, or refused the one it got.
    ClientCertificate,
    /// What came back is no TLS.
    NotTls,
    /// The connection broke before the handshake's end.
    Broken,
    /// Anything else.
    Other,
}

impl TlsFault {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Expired,
        Self::NotYetValid,
        Self::WrongName,
        Self::SelfSigned,
        Self::UnknownAuthority,
        Self::MissingIntermediate,
        Self::Revoked,
        Self::BadSignature,
        Self::WrongPurpose,
        Self::OldVersion,
        Self::ClientCertificate,
        Self::NotTls,
        Self::Broken,
        Self::Other,
    ];

    /// A sentence for the endpoint's owner. Tells no address and no detail of the sender's network.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Expired => "the TLS handshake failed: the certificate has expired",
            Self::NotYetValid => "the TLS handshake failed: the certificate is not yet valid",
            Self::WrongName => "the TLS handshake failed: the certificate is for another name than the URL's host",
            Self::SelfSigned => "the TLS handshake failed: the certificate is self-signed",
            Self::UnknownAuthority => "the TLS handshake failed: the certificate's authority is not trusted",
            Self::MissingIntermediate => {
                "the TLS handshake failed: the certificate's issuer is unknown; an intermediate certificate is \
                 missing, or its authority is not trusted"
            }
            Self::Revoked => "the TLS handshake failed: the certificate is revoked",
            Self::BadSignature => "the TLS handshake failed: a signature of the certificate is wrong",
            Self::WrongPurpose => "the TLS handshake failed: the certificate is not for a server",
            Self::OldVersion => "the TLS handshake failed: the endpoint speaks neither TLS 1.2 nor TLS 1.3",
            Self::ClientCertificate => "the TLS handshake failed: the endpoint did not accept the client certificate",
            Self::NotTls => "the TLS handshake failed: the endpoint does not speak TLS at this port",
            Self::Broken => "the TLS handshake failed: the connection broke before its end",
            Self::Other => "the TLS handshake failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::Reason;

    #[test]
    fn every_fault_has_its_own_sentence_which_begins_with_its_reason_s() {
        let sentences: std::collections::BTreeSet<_> = TlsFault::ALL.iter().map(|fault| fault.sentence()).collect();
        assert_eq!(sentences.len(), TlsFault::ALL.len());
        assert!(sentences.iter().all(|sentence| sentence.starts_with(Reason::Tls.sentence())), "{sentences:?}");
    }
}
