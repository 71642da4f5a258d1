//! The store over TLS, against servers that speak nothing else to it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use notify_core::Timestamp;
use notify_core::store::{DeliveryLog, DeliveryQuery, InsertOutcome, PublishBatch, Store};
use notify_core::testing::kit::sample;
use notify_store_redis::{OpenError, RedisBuilder, RedisStore};
use notify_test_servers::{FREE_PORT, RedisCluster, RedisServer, require};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use tempfile::TempDir;

/// An authority, and a certificate of it for 127.0.0.1 that server and client show.
struct Certificates {
    folder: TempDir,
    root: String,
    chain: String,
    key: String,
}

impl Certificates {
    fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        // A name of its own, or its certificates would look as if they had signed themselves.
        params.distinguished_name.push(DnType::CommonName, "an authority");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let chain = params.signed_by(&key, &authority).unwrap().pem();
        let these =
            Self { folder: tempfile::tempdir().unwrap(), root: authority.pem(), chain, key: key.serialize_pem() };
        for (name, pem) in [("root.pem", &these.root), ("chain.pem", &these.chain), ("key.pem", &these.key)] {
            std::fs::write(these.folder.path().join(name), pem).unwrap();
        }
        these
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A server's settings; `clients` says whether it asks for a client's certificate: `yes` or `no`.
    fn settings(&self, clients: &'static str) -> Vec<(&'static str, String)> {
        vec![
            ("tls-port", FREE_PORT.to_owned()),
            ("tls-auth-clients", clients.to_owned()),
            ("tls-ca-cert-file", self.path("root.pem")),
            ("tls-cert-file", self.path("chain.pem")),
            ("tls-key-file", self.path("key.pem")),
            ("appendonly", "yes".to_owned()),
        ]
    }

    fn server(&self, clients: &'static str) -> Option<RedisServer> {
        require(RedisServer::start(&borrowed(&self.settings(clients))))
    }
}

fn borrowed<'s>(settings: &'s [(&'static str, String)]) -> Vec<(&'s str, &'s str)> {
    settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn builder(server: &RedisServer) -> RedisBuilder {
    RedisStore::builder(&format!("rediss://127.0.0.1:{}", server.setting("tls-port")))
}

/// Publishes to an endpoint, hears of it, and finds it.
async fn use_it(store: &RedisStore) {
    let events = vec![sample::event("e", 0, &["a", "b"], 1)];
    let inserted = store.insert(&PublishBatch { now: Timestamp::EPOCH, events }).await.unwrap();
    assert!(matches!(inserted, InsertOutcome::Stored(_)), "{inserted:?}");
    assert_eq!(store.claim(&sample::claim(40, 1)).await.unwrap().claimed.len(), 2);
    assert_eq!(store.deliveries(&DeliveryQuery::default()).await.unwrap().items.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_trusted_by_the_roots_that_the_host_gives() {
    let certificates = Certificates::new();
    let Some(server) = certificates.server("no") else { return };
    let store = builder(&server).root_certificates(certificates.root.as_str()).connect().await.unwrap();
    use_it(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_root_is_not_given_is_not_spoken_with() {
    let certificates = Certificates::new();
    let Some(server) = certificates.server("no") else { return };
    let others = Certificates::new();
    for builder in [builder(&server), builder(&server).root_certificates(others.root.as_str())] {
        let error = builder.patience(std::time::Duration::from_millis(200)).connect().await.unwrap_err();
        assert!(matches!(error, OpenError::Connect { .. }), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_a_certificate_gets_ours() {
    let certificates = Certificates::new();
    let Some(server) = certificates.server("yes") else { return };
    let trusting = || builder(&server).root_certificates(certificates.root.as_str());
    let refused = trusting().patience(std::time::Duration::from_millis(200)).connect().await.unwrap_err();
    assert!(matches!(refused, OpenError::Connect { .. }), "{refused:?}");
    let store = trusting().client_certificate(certificates.chain.as_str(), certificates.key.as_str());
    use_it(&store.connect().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_over_tls_is_a_store() {
    let certificates = Certificates::new();
    let mut settings = certificates.settings("yes");
    // Else its nodes name each other's plain ports.
    settings.push(("tls-cluster", "yes".to_owned()));
    let Some(cluster) = require(RedisCluster::start(&borrowed(&settings))) else { return };
    let nodes: Vec<String> =
        cluster.nodes().iter().map(|node| format!("127.0.0.1:{}", node.setting("tls-port"))).collect();
    let store = RedisStore::builder(&format!("rediss-cluster://{}", nodes.join(",")))
        .root_certificates(certificates.root.as_str())
        .client_certificate(certificates.chain.as_str(), certificates.key.as_str());
    use_it(&store.connect().await.unwrap()).await;
}

#[tokio::test]
async fn what_is_no_certificate_is_refused_by_the_name_of_what_it_was_given_to() {
    let Certificates { root, chain, key, .. } = Certificates::new();
    let new = || RedisStore::builder("rediss://127.0.0.1:1");
    let bad = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    for (builder, expected) in [
        (new().root_certificates(""), "redis root_certificates is not usable: its pem holds no certificate"),
        (new().root_certificates(bad), "redis root_certificates is not usable: one of its certificates cannot be"),
        (new().client_certificate("", key.as_str()), "redis client_certificate is not usable: its pem holds no cert"),
        (new().client_certificate(chain.as_str(), ""), "redis client_certificate is not usable: its pem holds no priv"),
        (
            RedisStore::builder("redis://127.0.0.1:1").root_certificates(root.as_str()),
            "redis url is not usable: certificates are given, but its scheme is not rediss",
        ),
    ] {
        assert!(!format!("{builder:?}").contains("PRIVATE KEY"));
        let error = builder.connect().await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
