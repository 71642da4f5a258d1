//! TLS: the provider, the roots, and words for what is wrong with a certificate.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};

use crate::error::HttpBuildError;

/// The one client configuration of a transport: every connection is verified against the URL's host.
pub(crate) fn client_config(
    provider: Option<Arc<CryptoProvider>>,
    pems: &[Vec<u8>],
) -> Result<Arc<ClientConfig>, HttpBuildError> {
    let provider = provider
        .or_else(|| CryptoProvider::get_default().map(Arc::clone))
        .or_else(compiled_in)
        .ok_or(HttpBuildError::NoCryptoProvider)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpBuildError::CryptoProvider { why: error.to_string() })?
        .with_root_certificates(roots(pems)?)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Never installed as the process's default: that choice is the host's.
fn compiled_in() -> Option<Arc<CryptoProvider>> {
    #[cfg(feature = "ring")]
    return Some(Arc::new(rustls::crypto::ring::default_provider()));
    #[cfg(all(feature = "aws-lc-rs", not(feature = "ring")))]
    return Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    #[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
    None
}

fn roots(pems: &[Vec<u8>]) -> Result<RootCertStore, HttpBuildError> {
    let mut roots = RootCertStore::empty();
    #[cfg(feature = "webpki-roots")]
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for (index, pem) in pems.iter().enumerate() {
        let refuse = |why: String| HttpBuildError::RootPem { index: index + 1, why };
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
            roots.add(certificate).map_err(|error| refuse(error.to_string()))?;
        }
        if roots.len() == before {
            return Err(refuse("it holds no certificate".into()));
        }
    }
    if roots.is_empty() { Err(HttpBuildError::NoRoots) } else { Ok(roots) }
}

/// What is wrong, for an operator.
pub(crate) fn fault(error: &rustls::Error) -> String {
    use CertificateError as Fault;
    let rustls::Error::InvalidCertificate(fault) = error else {
        return error.to_string();
    };
    match fault {
        Fault::Expired | Fault::ExpiredContext { .. } => "the certificate has expired".into(),
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => "the certificate is not yet valid".into(),
        Fault::UnknownIssuer => {
            "the certificate's issuer is unknown: it is self-signed, or an intermediate certificate is missing".into()
        }
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => {
            "the certificate is for another name than the url's host".into()
        }
        Fault::Revoked => "the certificate is revoked".into(),
        Fault::BadSignature => "the certificate's signature is wrong".into(),
        // rustls adds variants in minor releases.
        other => format!("the certificate is not acceptable: {other}"),
    }
}
