//! TLS: the provider, the roots, and words for what is wrong with a handshake.

use std::sync::Arc;

use notify_core::delivery::TlsFault;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{AlertDescription, CertificateError, ClientConfig, PeerIncompatible, RootCertStore};

use crate::error::HttpBuildError;
use crate::tls_profile::{TlsProfile, Trust};
use crate::verifier::{ExplainingVerifier, Untrusted};

/// The provider to use: the builder's, else the process's default, else the one compiled in.
pub(crate) fn provider(given: Option<Arc<CryptoProvider>>) -> Result<Arc<CryptoProvider>, HttpBuildError> {
    given
        .or_else(|| CryptoProvider::get_default().map(Arc::clone))
        .or_else(compiled_in)
        .ok_or(HttpBuildError::NoCryptoProvider)
}

/// Never installed as the process's default: that choice is the host's.
pub(crate) fn compiled_in() -> Option<Arc<CryptoProvider>> {
    #[cfg(feature = "ring")]
    return Some(Arc::new(rustls::crypto::ring::default_provider()));
    #[cfg(all(feature = "aws-lc-rs", not(feature = "ring")))]
    return Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    #[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
    None
}

/// The client configuration of one profile: every connection is verified against the URL's host. `pems` are the
/// builder's roots, `host` the profile's.
pub(crate) fn client_config(
    provider: &Arc<CryptoProvider>,
    pems: &[Vec<u8>],
    profile: &TlsProfile,
    host: &str,
) -> Result<Arc<ClientConfig>, HttpBuildError> {
    let verifier = ExplainingVerifier::new(roots(pems, profile)?, Arc::clone(provider))?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpBuildError::CryptoProvider { why: error.to_string() })?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let refuse = |why| HttpBuildError::ClientCertificate { host: host.to_owned(), why };
    let mut config = match profile.identity().map_err(refuse)? {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(|error| refuse(error.to_string()))?,
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn roots(pems: &[Vec<u8>], profile: &TlsProfile) -> Result<RootCertStore, HttpBuildError> {
    let mut roots = RootCertStore::empty();
    if profile.trust == Trust::Shared {
        #[cfg(feature = "webpki-roots")]
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for (index, pem) in pems.iter().chain(&profile.roots).enumerate() {
        // Its number stays the same in each profile, so that an error names the call.
        if profile.trust == Trust::OwnOnly && index < pems.len() {
            continue;
        }
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

/// What is wrong: for the endpoint's owner, and for an operator.
pub(crate) fn fault(error: &rustls::Error) -> (TlsFault, String) {
    let fault = match error {
        rustls::Error::InvalidCertificate(fault) => of_certificate(fault),
        rustls::Error::AlertReceived(alert) => of_alert(*alert),
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => TlsFault::OldVersion,
        rustls::Error::InvalidMessage(_) => TlsFault::NotTls,
        _ => TlsFault::Other,
    };
    let detail = match error {
        // rustls would print it as a structure.
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => other.to_string(),
        _ => error.to_string(),
    };
    (fault, detail)
}

fn of_certificate(fault: &CertificateError) -> TlsFault {
    use CertificateError as Fault;
    match fault {
        Fault::Expired | Fault::ExpiredContext { .. } => TlsFault::Expired,
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => TlsFault::NotYetValid,
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => TlsFault::WrongName,
        Fault::Revoked => TlsFault::Revoked,
        Fault::BadSignature => TlsFault::BadSignature,
        Fault::InvalidPurpose | Fault::InvalidPurposeContext { .. } => TlsFault::WrongPurpose,
        Fault::UnknownIssuer => TlsFault::MissingIntermediate,
        Fault::Other(other) => other.0.downcast_ref().map_or(TlsFault::Other, |Untrusted(fault)| *fault),
        // rustls adds variants in minor releases.
        _ => TlsFault::Other,
    }
}

/// The receiver closed, and said why.
const fn of_alert(alert: AlertDescription) -> TlsFault {
    match alert {
        AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity => TlsFault::OldVersion,
        AlertDescription::CertificateRequired
        | AlertDescription::NoCertificate
        | AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => TlsFault::ClientCertificate,
        _ => TlsFault::Other,
    }
}
