//! A certificate authority for tests.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::ResolvesServerCertUsingSni;
use rustls::sign::CertifiedKey;

/// A root, or what it signed, that signs others.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

/// A chain without its root, and its key.
#[derive(Debug)]
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// The years of validity.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Years {
    Past,
    Now,
    Future,
}

impl Authority {
    pub(crate) fn root(name: &str) -> Self {
        let (params, key) = (authority_params(name), KeyPair::generate().unwrap());
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// An intermediate authority.
    pub(crate) fn intermediate(&self) -> Self {
        let (params, key) = (authority_params("an intermediate authority"), KeyPair::generate().unwrap());
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub(crate) fn identity(&self, name: &str, years: Years) -> Identity {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        let (from, to) = match years {
            Years::Past => (2000, 2001),
            Years::Now => (2000, 4000),
            Years::Future => (3000, 4000),
        };
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity::new(certificate.der().clone(), &key)
    }
}

impl Identity {
    fn new(certificate: CertificateDer<'static>, key: &KeyPair) -> Self {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Self { chain: vec![certificate], key }
    }

    pub(crate) fn self_signed(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap();
        Self::new(certificate.der().clone(), &key)
    }

    pub(crate) fn into_config(self) -> ServerConfig {
        server().with_single_cert(self.chain, self.key).unwrap()
    }
}

/// One address, one certificate for each name.
pub(crate) fn by_server_name(identities: Vec<(&str, Identity)>) -> ServerConfig {
    let mut resolver = ResolvesServerCertUsingSni::new();
    for (name, identity) in identities {
        let key = ring::sign::any_supported_type(&identity.key).unwrap();
        resolver.add(name, CertifiedKey::new(identity.chain, key)).unwrap();
    }
    server().with_cert_resolver(Arc::new(resolver))
}

fn server() -> rustls::ConfigBuilder<ServerConfig, rustls::server::WantsServerCert> {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}
