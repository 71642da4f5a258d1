//! rustls's own verifier, with a better word for an unknown issuer. It decides nothing.

use std::fmt;
use std::sync::Arc;

use notify_core::delivery::TlsFault;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore, SignatureScheme,
};
use webpki::EndEntityCert;

use crate::error::HttpBuildError;
use crate::unstable::CryptoProvider;

/// Hands everything on, and looks at the chain only after it was refused.
#[derive(Debug)]
pub(crate) struct ExplainingVerifier(Arc<WebPkiServerVerifier>);

impl ExplainingVerifier {
    pub(crate) fn new(roots: RootCertStore, provider: Arc<CryptoProvider>) -> Result<Self, HttpBuildError> {
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map(Self)
            .map_err(|error| HttpBuildError::CryptoProvider { why: error.to_string() })
    }
}

impl ServerCertVerifier for ExplainingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|error| explain(error, end_entity, intermediates))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.0.requires_raw_public_keys()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.0.root_hint_subjects()
    }
}

/// Why a chain leads to no trusted root; travels inside rustls's error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Untrusted(pub(crate) TlsFault);

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.sentence())
    }
}

impl std::error::Error for Untrusted {}

fn explain(error: Error, end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Error {
    // A self-signed certificate that says it is an authority's is refused as such, in words of webpki's own.
    let Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::Other(_)) = error else {
        return error;
    };
    let fault = if is_self_issued(end_entity) {
        TlsFault::SelfSigned
    } else if !matches!(error, Error::InvalidCertificate(CertificateError::UnknownIssuer)) {
        return error;
    } else if intermediates.iter().any(is_self_issued) {
        TlsFault::UnknownAuthority
    } else {
        TlsFault::MissingIntermediate
    };
    CertificateError::Other(OtherError(Arc::new(Untrusted(fault)))).into()
}

fn is_self_issued(certificate: &CertificateDer<'_>) -> bool {
    EndEntityCert::try_from(certificate).is_ok_and(|certificate| certificate.issuer() == certificate.subject())
}
