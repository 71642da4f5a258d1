//! How connections are made, counted, kept and given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use notify_core::delivery::Reason;
use notify_core::transport::Transport;
use notify_http::testing::{HostileReceiver, ReceivedRequest, Shape};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::receiver::{Answer, Names, Receiver, loopback, request, within};

#[tokio::test]
async fn an_address_that_refuses_or_is_silent_gives_way_to_the_next() {
    let silent = HostileReceiver::start(Shape::NeverAccept).await.unwrap();
    let port = silent.url().trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    let good = Receiver::start(format!("127.0.0.2:{port}").parse().unwrap(), None, |_| Answer::status(200)).await;
    for answer in [["127.0.0.1", "127.0.0.2"], ["127.0.0.3", "127.0.0.2"], ["::1", "127.0.0.2"]] {
        let transport = loopback().resolver(Names::answering(&[&answer])).build().unwrap();
        let response = transport.send(request(format!("http://hooks.example.com:{port}/"))).await.unwrap();
        assert_eq!((response.status, response.peer), (200, Some(good.address.ip())), "{answer:?}");
    }
}

#[tokio::test]
async fn where_every_address_fails_the_attempt_fails_and_no_other_address_is_tried() {
    let receiver = Receiver::always(Answer::status(200)).await;
    let port = receiver.address.port();
    let transport = loopback().resolver(Names::answering(&[&["127.0.0.2", "127.0.0.3", "::1"]])).build().unwrap();
    let failure = transport.send(request(format!("http://hooks.example.com:{port}/"))).await.unwrap_err();
    assert_eq!((failure.reason, receiver.connections()), (Reason::ConnectRefused, 0), "{failure}");
}

#[tokio::test]
async fn no_more_connections_are_open_to_a_host_than_its_limit() {
    const LIMIT: usize = 3;
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (now, ever) = (Arc::clone(&open), Arc::clone(&most));
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let (now, ever) = (Arc::clone(&now), Arc::clone(&ever));
            tokio::spawn(async move {
                ever.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                while let Ok(Some(_)) = ReceivedRequest::read(&mut tcp).await {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    tcp.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                }
                now.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    let transport = Arc::new(loopback().connections_per_host(LIMIT).build().unwrap());
    let mut attempts = JoinSet::new();
    for _ in 0..30 {
        let (transport, url) = (Arc::clone(&transport), url.clone());
        attempts.spawn(async move { transport.send(request(url)).await.unwrap().status });
    }
    assert!(attempts.join_all().await.into_iter().all(|status| status == 200));
    assert!((1..=LIMIT).contains(&most.load(Ordering::SeqCst)), "{most:?}");
}

/// A receiver that never answers kept an HTTP/2 connection, and so its address, in use for as long as it liked.
#[tokio::test]
async fn an_attempt_that_begins_on_a_connection_past_its_age_is_its_last() {
    let receiver = HostileReceiver::start(Shape::Http2NeverAnswer).await.unwrap();
    let transport = loopback().extra_root_pem(receiver.root_pem().unwrap()).connection_max_age(Duration::ZERO);
    let transport = Arc::new(transport.build().unwrap());
    let mut attempts = JoinSet::new();
    for nth in 1..=3 {
        let (transport, url) = (Arc::clone(&transport), receiver.url());
        attempts.spawn(async move { transport.send(request(url)).await });
        while receiver.requests() < nth {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(receiver.connections(), nth);
    }
}

/// A kept connection that the receiver closes without a word: either the attempt gets a new one, or it fails. Its
/// request is never sent twice.
#[tokio::test]
async fn connections_that_close_behind_our_back_never_bring_a_second_request() {
    const ATTEMPTS: usize = 200;
    let receiver = Receiver::always(Answer::WriteThenClose(
        b"HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n".to_vec(),
    ))
    .await;
    let transport = loopback().build().unwrap();
    let mut answered = 0;
    for _ in 0..ATTEMPTS {
        match transport.send(request(receiver.url("/"))).await {
            Ok(_) => answered += 1,
            Err(failure) => assert_eq!(failure.reason, Reason::Reset, "{failure}"),
        }
    }
    assert_eq!(receiver.requests().len(), answered);
}

#[tokio::test]
async fn a_host_that_is_slow_to_take_connections_fails_its_own_attempts_only() {
    let (silent, good) =
        (HostileReceiver::start(Shape::NeverAccept).await.unwrap(), Receiver::always(Answer::status(200)).await);
    let transport = loopback().connections_per_host(1).build().unwrap();
    let stuck = transport.send(within(silent.url(), 500));
    let fine = transport.send(request(good.url("/")));
    let (stuck, fine) = tokio::join!(stuck, fine);
    assert_eq!((stuck.unwrap_err().reason, fine.unwrap().status), (Reason::ConnectTimeout, 200));
}

#[tokio::test]
async fn the_last_place_is_free_again_when_a_connection_past_its_age_is_given_up() {
    let plain = Receiver::always(Answer::status(200)).await;
    let http2 = HostileReceiver::start(Shape::ResetAfterHead).await.unwrap();
    let transport = loopback().connections_per_host(1).connection_max_age(Duration::ZERO);
    let transport = transport.extra_root_pem(http2.root_pem().unwrap()).build().unwrap();
    for _ in 0..5 {
        for url in [plain.url("/"), http2.url()] {
            assert_eq!(transport.send(request(url)).await.unwrap().status, 200);
        }
    }
    assert_eq!((plain.connections(), http2.connections()), (5, 5));
}

#[tokio::test]
async fn a_literal_of_ipv6_is_connected_to_and_named_in_brackets() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        println!("SKIPPED: this machine has no IPv6 loopback");
        return;
    }
    let receiver = Receiver::start("[::1]:0".parse().unwrap(), None, |_| Answer::status(200)).await;
    let response = loopback().build().unwrap().send(request(receiver.url("/"))).await.unwrap();
    assert_eq!((response.status, response.peer), (200, Some(receiver.address.ip())));
    assert_eq!(receiver.requests()[0].header("host"), Some(receiver.address.to_string().as_str()));
}

/// The request that nobody read waited on after its attempt's deadline, and its connection was held for ever.
#[tokio::test]
async fn a_receiver_that_reads_nothing_gives_its_place_back_at_the_deadline() {
    for shape in [Shape::NeverRead, Shape::NeverReadOverTls] {
        let receiver = HostileReceiver::start(shape).await.unwrap();
        let transport = receiver.root_pem().into_iter().fold(loopback(), |builder, pem| builder.extra_root_pem(pem));
        let transport = transport.connections_per_host(1).build().unwrap();
        for nth in 1..=2 {
            let mut asked = within(receiver.url(), 1500);
            asked.body = Bytes::from(vec![b'x'; 64 << 20]);
            let failure = transport.send(asked).await.unwrap_err();
            assert_eq!((failure.reason, receiver.connections()), (Reason::ResponseTimeout, nth), "{failure}");
        }
    }
}
