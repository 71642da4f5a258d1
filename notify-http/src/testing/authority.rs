//! Certificates for tests.

use std::fmt;
use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ResolvesServerCertUsingSni, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;

use crate::tls;
use crate::unstable::ServerConfig;

/// A certificate authority with a key of its own, made at once: give [`pem`](Self::pem) to
/// [`extra_root_pem`](crate::HttpTransportBuilder::extra_root_pem). `Debug` shows no key.
pub struct TestAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

/// A certificate with its chain (without the root), and its key. `Debug` shows no key.
pub struct TestIdentity {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
    pem: String,
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Validity {
    /// No longer.
    Past,
    /// Now, for centuries.
    Present,
    /// Not yet.
    Future,
}

/// Certificates are made by rcgen's own crypto; only the receiver's handshake needs a provider.
fn broken(error: impl fmt::Display) -> io::Error {
    io::Error::other(format!("test certificate: {error}"))
}

impl TestAuthority {
    /// A root of this name.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn root(name: &str) -> io::Result<Self> {
        let (params, key) = (authority(name), KeyPair::generate().map_err(broken)?);
        let certificate = params.self_signed(&key).map_err(broken)?;
        Ok(Self { certificate: certificate.der().clone(), pem: certificate.pem(), issuer: Issuer::new(params, key) })
    }

    /// An intermediate authority of this name, signed by this one.
    ///
    /// # Errors
    /// As [`root`](Self::root).
    pub fn intermediate(&self, name: &str) -> io::Result<Self> {
        let (params, key) = (authority(name), KeyPair::generate().map_err(broken)?);
        let certificate = params.signed_by(&key, &self.issuer).map_err(broken)?;
        Ok(Self { certificate: certificate.der().clone(), pem: certificate.pem(), issuer: Issuer::new(params, key) })
    }

    /// This authority's certificate.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A server's certificate for this name or address, signed by this authority.
    ///
    /// # Errors
    /// As [`root`](Self::root), or `name` is neither.
    pub fn server(&self, name: &str, validity: Validity) -> io::Result<TestIdentity> {
        self.identity(name, validity, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A client's certificate, signed by this authority.
    ///
    /// # Errors
    /// As [`server`](Self::server).
    pub fn client(&self, name: &str) -> io::Result<TestIdentity> {
        self.identity(name, Validity::Present, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn identity(&self, name: &str, validity: Validity, usage: ExtendedKeyUsagePurpose) -> io::Result<TestIdentity> {
        let mut params = leaf(name)?;
        let (from, to) = match validity {
            Validity::Past => (2000, 2001),
            Validity::Present => (2000, 4000),
            Validity::Future => (3000, 4000),
        };
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().map_err(broken)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(broken)?;
        Ok(TestIdentity { chain: vec![certificate.der().clone()], pem: certificate.pem(), key })
    }
}

impl TestIdentity {
    /// A certificate that signed itself.
    ///
    /// # Errors
    /// As [`TestAuthority::server`].
    pub fn self_signed(name: &str) -> io::Result<Self> {
        Self::signed_by_itself(&leaf(name)?)
    }

    /// One that says it is an authority's, too.
    pub(super) fn self_signed_authority(name: &str) -> io::Result<Self> {
        let mut params = leaf(name)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self::signed_by_itself(&params)
    }

    fn signed_by_itself(params: &CertificateParams) -> io::Result<Self> {
        let key = KeyPair::generate().map_err(broken)?;
        let certificate = params.self_signed(&key).map_err(broken)?;
        Ok(Self { chain: vec![certificate.der().clone()], pem: certificate.pem(), key })
    }

    /// Shows this authority's certificate too.
    #[must_use]
    pub fn with_issuer(mut self, issuer: &TestAuthority) -> Self {
        self.chain.push(issuer.certificate.clone());
        self
    }

    /// Turns one bit of the certificate's signature, which stands at its end.
    pub(super) fn with_broken_signature(mut self) -> Self {
        if let Some(leaf) = self.chain.first_mut() {
            let mut bytes = leaf.to_vec();
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
            *leaf = bytes.into();
        }
        self
    }

    /// The certificate, without its chain.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its private key, for [`TlsProfile::client_certificate_pem`](crate::TlsProfile::client_certificate_pem).
    #[must_use]
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// **Unstable** (see [`unstable`](crate::unstable)): a server that shows this certificate, with the provider that
    /// a transport would take.
    ///
    /// # Errors
    /// There is no crypto provider, or it does not take the key.
    pub fn into_server_config(self) -> io::Result<ServerConfig> {
        let key = self.key_der();
        server()?.with_no_client_auth().with_single_cert(self.chain, key).map_err(broken)
    }

    /// **Unstable**: the same, and it demands a client certificate that `clients` signed.
    ///
    /// # Errors
    /// As [`into_server_config`](Self::into_server_config).
    pub fn into_mutual_server_config(self, clients: &TestAuthority) -> io::Result<ServerConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(clients.certificate.clone()).map_err(broken)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()?).build();
        let key = self.key_der();
        server()?.with_client_cert_verifier(verifier.map_err(broken)?).with_single_cert(self.chain, key).map_err(broken)
    }

    fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()))
    }
}

/// **Unstable** (see [`unstable`](crate::unstable)): a server with a certificate for each name.
///
/// # Errors
/// As [`TestIdentity::into_server_config`].
pub fn config_by_server_name(identities: Vec<(&str, TestIdentity)>) -> io::Result<ServerConfig> {
    let provider = provider()?;
    let mut resolver = ResolvesServerCertUsingSni::new();
    for (name, identity) in identities {
        let key = provider.key_provider.load_private_key(identity.key_der()).map_err(broken)?;
        resolver.add(name, CertifiedKey::new(identity.chain, key)).map_err(broken)?;
    }
    Ok(server()?.with_no_client_auth().with_cert_resolver(Arc::new(resolver)))
}

fn server() -> io::Result<rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>> {
    ServerConfig::builder_with_provider(provider()?).with_safe_default_protocol_versions().map_err(broken)
}

fn provider() -> io::Result<Arc<CryptoProvider>> {
    tls::provider(None).map_err(broken)
}

fn leaf(name: &str) -> io::Result<CertificateParams> {
    let mut params = CertificateParams::new([name.to_owned()]).map_err(broken)?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

impl fmt::Debug for TestAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestAuthority").finish_non_exhaustive()
    }
}

impl fmt::Debug for TestIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestIdentity").field("certificates", &self.chain.len()).finish_non_exhaustive()
    }
}
