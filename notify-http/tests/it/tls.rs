//! Certificates are checked before a byte of the request goes out.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Version};
use http_body_util::Empty;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use notify_core::delivery::{ConnectionUse, Reason, TlsFault};
use notify_core::transport::Transport;
use notify_http::testing::{Ending, TestAuthority, Validity, config_by_server_name};
use notify_http::{HttpBuildError, HttpTransport, HttpTransportBuilder, TlsProfile};
use tokio_rustls::TlsAcceptor;

use crate::receiver::{Answer, Names, Receiver, loopback, raw, request};

const NAME: &str = "hooks.example.com";

fn trusting(root: &TestAuthority) -> HttpTransportBuilder {
    let names = Names::answering(&[&["127.0.0.1"]]);
    loopback().extra_root_pem(root.pem()).resolver(names)
}

#[tokio::test]
async fn a_trusted_certificate_for_the_name_is_accepted() {
    let root = TestAuthority::root("the root").unwrap();
    let receiver =
        Receiver::tls(root.server(NAME, Validity::Present).unwrap().into_server_config().unwrap(), Answer::status(200))
            .await;
    let url = format!("https://{NAME}:{}/", receiver.address.port());
    assert_eq!(trusting(&root).build().unwrap().send(request(url)).await.unwrap().status, 200);
    assert_eq!(receiver.requests()[0].lines("host"), [format!("{NAME}:{}", receiver.address.port())]);
}

#[tokio::test]
async fn a_certificate_for_an_address_is_accepted_at_a_literal() {
    let root = TestAuthority::root("the root").unwrap();
    let receiver = Receiver::tls(
        root.server("127.0.0.1", Validity::Present).unwrap().into_server_config().unwrap(),
        Answer::status(200),
    )
    .await;
    assert_eq!(
        trusting(&root).build().unwrap().send(request(format!("https://{}/", receiver.address))).await.unwrap().status,
        200
    );
}

#[tokio::test]
async fn names_that_share_an_address_get_their_own_certificates() {
    let root = TestAuthority::root("the root").unwrap();
    let names = ["one.example.com", "two.example.com"];
    let config =
        config_by_server_name(names.map(|name| (name, root.server(name, Validity::Present).unwrap())).into()).unwrap();
    let receiver = Receiver::tls(config, Answer::status(200)).await;
    let transport = trusting(&root).build().unwrap();
    for name in names {
        let url = format!("https://{name}:{}/", receiver.address.port());
        assert_eq!(transport.send(request(url)).await.unwrap().status, 200, "{name}");
    }
}

#[test]
fn a_pem_without_a_certificate_is_told_at_build() {
    for pem in ["", "not pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let error = HttpTransport::builder().extra_root_pem(pem).build().unwrap_err();
        assert!(matches!(error, HttpBuildError::RootPem { index: 1, .. }), "{pem:?}: {error}");
    }
}

/// A receiver that speaks HTTP/2 only, and resets the stream of a request to `/reset`.
struct Http2 {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<(Version, HeaderMap)>>>,
    connections: Arc<AtomicUsize>,
}

impl Http2 {
    async fn start(root: &TestAuthority) -> Self {
        let mut config = root.server(NAME, Validity::Present).unwrap().into_server_config().unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (requests, connections) = (Arc::<Mutex<Vec<_>>>::default(), Arc::new(AtomicUsize::new(0)));
        let (log, count) = (Arc::clone(&requests), Arc::clone(&connections));
        let address = raw(move |tcp| {
            count.fetch_add(1, Ordering::SeqCst);
            let (acceptor, log) = (acceptor.clone(), Arc::clone(&log));
            async move {
                let tls = acceptor.accept(tcp).await.unwrap();
                let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                    log.lock().unwrap().push((request.version(), request.headers().clone()));
                    let answer = match request.uri().path() {
                        "/reset" => Err(io::Error::other("reset")),
                        _ => Ok(http::Response::new(Empty::<Bytes>::new())),
                    };
                    std::future::ready(answer)
                });
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(server.serve_connection(TokioIo::new(tls), service));
            }
        })
        .await;
        Self { address, requests, connections }
    }

    fn url(&self, path: &str) -> String {
        format!("https://{NAME}:{}{path}", self.address.port())
    }
}

#[tokio::test]
async fn a_receiver_that_prefers_http_2_gets_it_with_the_same_headers() {
    let root = TestAuthority::root("the root").unwrap();
    let receiver = Http2::start(&root).await;
    let transport = trusting(&root).build().unwrap();
    for connection in [ConnectionUse::New, ConnectionUse::Reused, ConnectionUse::Reused] {
        let response = transport.send(request(receiver.url("/"))).await.unwrap();
        assert_eq!((response.status, response.peer), (200, Some(receiver.address.ip())));
        assert_eq!(response.timing.unwrap().connection(), connection);
    }
    assert_eq!(receiver.connections.load(Ordering::SeqCst), 1);
    let requests = receiver.requests.lock().unwrap();
    assert_eq!(requests.len(), 3);
    for (version, headers) in &*requests {
        assert_eq!(*version, Version::HTTP_2);
        assert_eq!(headers.get_all("x-notify-signature").iter().collect::<Vec<_>>(), ["ab".repeat(32).as_str()]);
        assert_eq!(headers["content-length"], "2");
        assert_eq!(headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn a_reset_stream_is_one_failed_attempt_and_never_a_second_request() {
    let root = TestAuthority::root("the root").unwrap();
    let receiver = Http2::start(&root).await;
    let failure = trusting(&root).build().unwrap().send(request(receiver.url("/reset"))).await.unwrap_err();
    assert_eq!((failure.reason, failure.peer), (Reason::Reset, Some(receiver.address.ip())), "{failure}");
    assert_eq!(receiver.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_http_2_connection_past_its_age_is_not_used_again() {
    let root = TestAuthority::root("the root").unwrap();
    let receiver = Http2::start(&root).await;
    let transport = trusting(&root).connection_max_age(Duration::ZERO).build().unwrap();
    for _ in 0..3 {
        assert_eq!(transport.send(request(receiver.url("/"))).await.unwrap().status, 200);
    }
    assert_eq!(receiver.connections.load(Ordering::SeqCst), 3);
}

/// A receiver of `NAME` and of `other.example.com` that demands a client certificate of `root`'s.
async fn mutual(root: &TestAuthority) -> Receiver {
    let identity = root.server(NAME, Validity::Present).unwrap();
    Receiver::tls(identity.into_mutual_server_config(root).unwrap(), Answer::status(200)).await
}

fn client_certificate(root: &TestAuthority) -> TlsProfile {
    let client = root.client("the sender").unwrap();
    TlsProfile::new().client_certificate_pem(client.pem(), client.key_pem())
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_its_host_and_to_no_other() {
    let root = TestAuthority::root("the root").unwrap();
    let receiver = mutual(&root).await;
    let port = receiver.address.port();
    let with = trusting(&root).tls_for_host(NAME.to_uppercase(), client_certificate(&root)).build().unwrap();
    for _ in 0..2 {
        assert_eq!(with.send(request(format!("https://{NAME}:{port}/"))).await.unwrap().status, 200);
    }
    assert_eq!(receiver.connections(), 1);

    let refused = Ending::Tls(TlsFault::ClientCertificate);
    let for_another = trusting(&root).tls_for_host("other.example.com", client_certificate(&root)).build().unwrap();
    for transport in [trusting(&root).build().unwrap(), for_another] {
        let reply = transport.send(request(format!("https://{NAME}:{port}/"))).await;
        assert_eq!(Ending::of(&reply), refused);
    }
    assert_eq!(receiver.requests().len(), 2);
}

#[tokio::test]
async fn a_profile_of_its_own_roots_trusts_no_other() {
    let (ours, theirs) = (TestAuthority::root("ours").unwrap(), TestAuthority::root("theirs").unwrap());
    let profile = |root: &TestAuthority| TlsProfile::new().extra_root_pem(root.pem()).only_own_roots();
    for (certified_by, profile, expected) in [
        (&ours, TlsProfile::new(), Ending::Status(200)),
        (&theirs, TlsProfile::new().extra_root_pem(theirs.pem()), Ending::Status(200)),
        (&theirs, profile(&theirs), Ending::Status(200)),
        (&ours, profile(&theirs), Ending::Tls(TlsFault::MissingIntermediate)),
    ] {
        let config = certified_by.server(NAME, Validity::Present).unwrap().into_server_config().unwrap();
        let receiver = Receiver::tls(config, Answer::status(200)).await;
        let transport = trusting(&ours).tls_for_host(NAME, profile).build().unwrap();
        let reply = transport.send(request(format!("https://{NAME}:{}/", receiver.address.port()))).await;
        assert_eq!(Ending::of(&reply), expected);
    }
}

#[test]
fn a_profile_that_cannot_be_used_is_told_at_build_without_its_key() {
    let root = TestAuthority::root("the root").unwrap();
    let (client, other) = (root.client("canary").unwrap(), root.client("other").unwrap());
    let builder = HttpTransport::builder;
    let mismatch = TlsProfile::new().client_certificate_pem(client.pem(), other.key_pem());
    for profile in [
        mismatch,
        TlsProfile::new().client_certificate_pem("canary", client.key_pem()),
        TlsProfile::new().client_certificate_pem(client.pem(), "canary"),
    ] {
        let error = builder().tls_for_host(NAME, profile.clone()).build().unwrap_err();
        assert!(matches!(error, HttpBuildError::ClientCertificate { .. }), "{error}");
        assert!(!format!("{error} {error:?} {profile:?}").contains("canary"), "{error:?}");
    }
    // The last ones are no URL's host: the profile, and the roots it is pinned to, would never be used.
    for hosts in [["no host/", NAME], [NAME, NAME], ["*.example.com", NAME], ["pinned.example.com.", NAME]] {
        let builder = hosts.into_iter().fold(builder(), |builder, host| builder.tls_for_host(host, TlsProfile::new()));
        assert!(matches!(builder.build(), Err(HttpBuildError::TlsHost { .. })), "{hosts:?}");
    }
    let error = builder().tls_for_host(NAME, TlsProfile::new().only_own_roots()).build().unwrap_err();
    assert!(matches!(error, HttpBuildError::NoRoots), "{error}");
}
