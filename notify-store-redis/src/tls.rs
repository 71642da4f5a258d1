//! TLS to the server: whose certificates count, and which one is shown.

use redis::{ClientTlsConfig, TlsCertificates};
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::OpenError;

/// What the host gave, as PEM.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    pub(crate) roots: Option<Vec<u8>>,
    pub(crate) identity: Option<Identity>,
}

/// A client certificate with its intermediates, and its key.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) chain: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

impl Tls {
    /// Whether the host gave anything.
    pub(crate) const fn is_set(&self) -> bool {
        self.roots.is_some() || self.identity.is_some()
    }

    /// For the client, once all of it was read: the client itself takes roots without a certificate for roots, and
    /// panics where there is no crypto provider.
    pub(crate) fn certificates(&self) -> Result<TlsCertificates, OpenError> {
        if CryptoProvider::get_default().is_none() {
            return Err(OpenError::NoCryptoProvider);
        }
        if let Some(roots) = &self.roots {
            check_roots(roots).map_err(|problem| OpenError::Tls { field: "root_certificates", problem })?;
        }
        if let Some(identity) = &self.identity {
            check_identity(identity).map_err(|problem| OpenError::Tls { field: "client_certificate", problem })?;
        }
        let client_tls = self.identity.clone();
        let client_tls =
            client_tls.map(|identity| ClientTlsConfig { client_cert: identity.chain, client_key: identity.key });
        Ok(TlsCertificates { client_tls, root_cert: self.roots.clone() })
    }
}

fn check_roots(pem: &[u8]) -> Result<(), &'static str> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| "it is no pem")?;
        roots.add(certificate).map_err(|_| "one of its certificates cannot be a root")?;
    }
    if roots.is_empty() { Err("its pem holds no certificate") } else { Ok(()) }
}

fn check_identity(identity: &Identity) -> Result<(), &'static str> {
    let chain = CertificateDer::pem_slice_iter(&identity.chain).collect::<Result<Vec<_>, _>>();
    if chain.map_err(|_| "its certificate is no pem")?.is_empty() {
        return Err("its pem holds no certificate");
    }
    PrivateKeyDer::from_pem_slice(&identity.key).map(drop).map_err(|_| "its pem holds no private key")
}
