//! One deadline over every phase; the reason says which one it struck.

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use notify_core::delivery::{Reason, SendFailure};
use notify_core::transport::{Request, Transport};
use notify_http::{HttpTransport, Resolve};

use crate::receiver::{Answer, Receiver, loopback, raw, within};

const MILLIS: u64 = 200;

/// Sends with a short deadline and holds the attempt to it.
async fn late(transport: &HttpTransport, request: Request) -> SendFailure {
    let begun = Instant::now();
    let failure = transport.send(request).await.unwrap_err();
    let took = begun.elapsed();
    assert!(took < Duration::from_millis(MILLIS) + Duration::from_secs(2), "took {took:?}: {failure}");
    failure
}

#[derive(Debug)]
struct DeadNameServer;

#[async_trait]
impl Resolve for DeadNameServer {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_silent_name_server_is_a_dns_failure() {
    let transport = loopback().resolver(DeadNameServer).build().unwrap();
    let failure = late(&transport, within("https://h.example.com/", MILLIS)).await;
    assert_eq!(failure.reason, Reason::Dns);
}

#[tokio::test]
async fn a_silent_tls_handshake_is_a_connect_timeout() {
    let receiver = Receiver::always(Answer::stall()).await;
    let transport = loopback().build().unwrap();
    let failure = late(&transport, within(format!("https://{}/", receiver.address), MILLIS)).await;
    assert_eq!(failure.reason, Reason::ConnectTimeout);
    assert!(failure.detail.contains("tls"), "{failure}");
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn a_receiver_that_stops_reading_is_a_response_timeout() {
    let address = raw(|tcp| async move {
        let _held = tcp;
        std::future::pending().await
    })
    .await;
    let transport = loopback().build().unwrap();
    let mut request = within(format!("http://{address}/"), MILLIS);
    request.body = Bytes::from(vec![b'x'; 16 << 20]);
    let failure = late(&transport, request).await;
    assert_eq!((failure.reason, failure.peer), (Reason::ResponseTimeout, Some(address.ip())));
}

#[tokio::test]
async fn silence_and_a_dripping_head_are_response_timeouts() {
    let drip = Answer::Drip(b"HTTP/1.1 200 OK\r\nx: ".iter().copied().chain([b'y'; 1000]).collect(), PAUSE);
    for answer in [Answer::stall(), drip] {
        let receiver = Receiver::always(answer).await;
        let transport = loopback().build().unwrap();
        let failure = late(&transport, within(receiver.url("/"), MILLIS)).await;
        assert_eq!((failure.reason, failure.peer), (Reason::ResponseTimeout, Some(receiver.address.ip())));
        assert_eq!(receiver.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_dripping_body_ends_at_the_deadline_with_its_status() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n";
    let drip = Answer::Drip(head.iter().copied().chain(vec![b'x'; 100_000]).collect(), Duration::from_millis(1));
    let receiver = Receiver::always(drip).await;
    let begun = Instant::now();
    let response = loopback().build().unwrap().send(within(receiver.url("/"), 1000)).await.unwrap();
    assert_eq!((response.status, response.truncated), (200, true));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn waiting_for_a_place_at_a_busy_host_is_our_own_failure() {
    let receiver = Receiver::always(Answer::stall()).await;
    let transport = loopback().connections_per_host(1).build().unwrap();
    let busy = transport.send(within(receiver.url("/"), 3 * MILLIS));
    let waiting = late(&transport, within(receiver.url("/"), MILLIS));
    let (busy, waiting) = tokio::join!(busy, waiting);
    assert_eq!((busy.unwrap_err().reason, waiting.reason), (Reason::ResponseTimeout, Reason::Local));
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn a_missed_deadline_closes_the_connection() {
    let receiver = Receiver::scripted(|nth| if nth == 0 { Answer::stall() } else { Answer::status(200) }).await;
    let transport = loopback().build().unwrap();
    late(&transport, within(receiver.url("/"), MILLIS)).await;
    assert_eq!(transport.send(within(receiver.url("/"), 20_000)).await.unwrap().status, 200);
    assert_eq!(receiver.connections(), 2);
}

#[tokio::test]
async fn the_longest_timeout_is_no_panic() {
    let receiver = Receiver::always(Answer::status(200)).await;
    let mut request = within(receiver.url("/"), 0);
    request.timeout = Duration::MAX;
    assert_eq!(loopback().build().unwrap().send(request).await.unwrap().status, 200);
}

const PAUSE: Duration = Duration::from_millis(20);
