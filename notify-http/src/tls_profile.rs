//! TLS for one host: a client certificate, roots of its own.

use std::fmt;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// How TLS is spoken with one host, where that differs from the rest: given to
/// [`HttpTransportBuilder::tls_for_host`](crate::HttpTransportBuilder::tls_for_host).
///
/// The default is the builder's own TLS. `Debug` shows no key.
#[derive(Clone, Default)]
#[must_use]
pub struct TlsProfile {
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) trust: Trust,
    identity: Option<(Vec<u8>, Vec<u8>)>,
}

/// Whose roots count.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Trust {
    /// The builder's, and the profile's beside them.
    #[default]
    Shared,
    /// The profile's alone.
    OwnOnly,
}

/// A client certificate with its chain, and its key.
type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl TlsProfile {
    /// A profile that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows this client certificate to a receiver that asks for one (mutual TLS): PEM of the certificate and its
    /// intermediates, in this order, and PEM of its private key (PKCS#8, PKCS#1 or SEC1).
    pub fn client_certificate_pem(mut self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.identity = Some((chain.into(), key.into()));
        self
    }

    /// Trusts the certificates in this PEM as roots, beside the builder's. May be called again.
    pub fn extra_root_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Trusts no root but those of this profile: neither Mozilla's nor the builder's.
    pub const fn only_own_roots(mut self) -> Self {
        self.trust = Trust::OwnOnly;
        self
    }

    /// The client certificate, if there is one; the error never quotes what it could not read.
    pub(crate) fn identity(&self) -> Result<Option<Identity>, String> {
        let Some((chain, key)) = &self.identity else { return Ok(None) };
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| "its certificate is no pem".to_owned())?;
        if chain.is_empty() {
            return Err("its pem holds no certificate".to_owned());
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| "its pem holds no private key".to_owned())?;
        Ok(Some((chain, key)))
    }
}

impl fmt::Debug for TlsProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsProfile")
            .field("roots", &self.roots.len())
            .field("trust", &self.trust)
            .field("client_certificate", &self.identity.as_ref().map(|_| "****"))
            .finish()
    }
}
