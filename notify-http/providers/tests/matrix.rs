//! One build for each choice: `cargo test -p notify-http-providers --features run,CHOICE`.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use bytes::Bytes;
use notify_core::transport::{Request, Transport};
use notify_http::HttpTransportBuilder;
use notify_http::testing::{Ending, HostileReceiver, Shape};
use rustls::crypto::CryptoProvider;

/// TLS 1.3 over HTTP/1.1 and HTTP/2, and certificates that must not pass.
async fn handshakes(transport: impl Fn() -> HttpTransportBuilder) {
    for shape in [Shape::NoTlsFarewell, Shape::ResetAfterHead, Shape::Expired, Shape::WrongName, Shape::BadSignature] {
        let receiver = HostileReceiver::start(shape).await.unwrap();
        let transport = transport().extra_root_pem(receiver.root_pem().unwrap()).build().unwrap();
        let request = Request::new(receiver.url().into(), Vec::new(), Bytes::new(), Duration::from_secs(30));
        let reply = transport.send(request).await;
        assert_eq!(Ending::of(&reply), shape.ending(), "{}: {reply:?}", shape.name());
    }
}

fn loopback() -> HttpTransportBuilder {
    HttpTransportBuilder::default().allow_cidr("127.0.0.0/8")
}

#[cfg(any(feature = "ring", feature = "aws-lc-rs"))]
#[tokio::test]
async fn the_compiled_in_provider_works_and_is_not_made_the_process_s_default() {
    handshakes(loopback).await;
    assert!(CryptoProvider::get_default().is_none());
}

#[cfg(all(feature = "ring", feature = "aws-lc-rs"))]
#[tokio::test]
async fn with_both_in_one_binary_either_can_be_given() {
    for provider in [rustls::crypto::ring::default_provider(), rustls::crypto::aws_lc_rs::default_provider()] {
        let provider = std::sync::Arc::new(provider);
        handshakes(|| loopback().crypto_provider(std::sync::Arc::clone(&provider))).await;
    }
}

/// One test, since the process's default is set once.
#[cfg(feature = "neither")]
#[tokio::test]
async fn with_neither_the_build_says_so_until_the_host_gives_one_or_has_a_default() {
    use notify_http::{HttpBuildError, HttpTransport};

    let error = HttpTransport::new().unwrap_err();
    assert!(matches!(error, HttpBuildError::NoCryptoProvider), "{error}");
    assert!(error.to_string().contains("feature `ring` or `aws-lc-rs`"), "{error}");
    assert!(HostileReceiver::start(Shape::Expired).await.unwrap_err().to_string().contains("crypto provider"));

    let given = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    loopback().crypto_provider(given).build().unwrap();
    assert!(CryptoProvider::get_default().is_none());

    rustls::crypto::ring::default_provider().install_default().unwrap();
    handshakes(loopback).await;
}
