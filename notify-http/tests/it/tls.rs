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
use notify_core::delivery::Reason;
use notify_core::transport::Transport;
use notify_http::{HttpBuildError, HttpTransport, HttpTransportBuilder};
use rustls::ServerConfig;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;

use crate::certificates::{Authority, Identity, Years, by_server_name};
use crate::receiver::{Answer, Names, Receiver, loopback, raw, request};

const NAME: &str = "hooks.example.com";

fn trusting(root: &Authority) -> HttpTransportBuilder {
    let names = Names::answering(&[&["127.0.0.1"]]);
    loopback().extra_root_pem(root.pem.as_str()).resolver(names)
}

#[tokio::test]
async fn a_trusted_certificate_for_the_name_is_accepted() {
    let root = Authority::root("the root");
    let receiver = Receiver::tls(root.identity(NAME, Years::Now).into_config(), Answer::status(200)).await;
    let url = format!("https://{NAME}:{}/", receiver.address.port());
    assert_eq!(trusting(&root).build().unwrap().send(request(url)).await.unwrap().status, 200);
    assert_eq!(receiver.requests()[0].lines("host"), [format!("{NAME}:{}", receiver.address.port())]);
}

#[tokio::test]
async fn a_certificate_for_an_address_is_accepted_at_a_literal() {
    let root = Authority::root("the root");
    let receiver = Receiver::tls(root.identity("127.0.0.1", Years::Now).into_config(), Answer::status(200)).await;
    assert_eq!(
        trusting(&root).build().unwrap().send(request(format!("https://{}/", receiver.address))).await.unwrap().status,
        200
    );
}

#[tokio::test]
async fn names_that_share_an_address_get_their_own_certificates() {
    let root = Authority::root("the root");
    let names = ["one.example.com", "two.example.com"];
    let config = by_server_name(names.map(|name| (name, root.identity(name, Years::Now))).into());
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
    async fn start(root: &Authority) -> Self {
        let mut config = root.identity(NAME, Years::Now).into_config();
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
    let root = Authority::root("the root");
    let receiver = Http2::start(&root).await;
    let transport = trusting(&root).build().unwrap();
    for _ in 0..3 {
        let response = transport.send(request(receiver.url("/"))).await.unwrap();
        assert_eq!((response.status, response.peer), (200, Some(receiver.address.ip())));
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
    let root = Authority::root("the root");
    let receiver = Http2::start(&root).await;
    let failure = trusting(&root).build().unwrap().send(request(receiver.url("/reset"))).await.unwrap_err();
    assert_eq!((failure.reason, failure.peer), (Reason::Reset, Some(receiver.address.ip())), "{failure}");
    assert_eq!(receiver.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_http_2_connection_past_its_age_is_not_used_again() {
    let root = Authority::root("the root");
    let receiver = Http2::start(&root).await;
    let transport = trusting(&root).connection_max_age(Duration::ZERO).build().unwrap();
    for _ in 0..3 {
        assert_eq!(transport.send(request(receiver.url("/"))).await.unwrap().status, 200);
    }
    assert_eq!(receiver.connections.load(Ordering::SeqCst), 3);
}
