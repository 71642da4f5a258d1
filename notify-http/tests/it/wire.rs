//! What goes over the wire, and how often.

use std::time::Duration;

use bytes::Bytes;
use notify_core::Secret;
use notify_core::delivery::Reason;
use notify_core::sign::{Header, NOTIFY_SIGNATURE, notify_signature};
use notify_core::transport::{Request, Transport};

use crate::receiver::{Answer, Receiver, ask, loopback, request};

fn post(url: String, headers: Vec<Header>, body: Bytes) -> Request {
    Request::new(url.into(), headers, body, Duration::from_secs(20))
}

#[tokio::test]
async fn a_body_is_sent_whole_with_its_length_and_never_chunked() {
    let receiver = Receiver::always(Answer::status(200)).await;
    let transport = loopback().build().unwrap();
    let bodies = [Bytes::from(vec![b'x'; 83]), Bytes::from(vec![b'y'; 1 << 20]), Bytes::from("{\"ü\":\"€😀\"}")];
    for body in &bodies {
        let response = transport.send(post(receiver.url("/hook"), Vec::new(), body.clone())).await.unwrap();
        assert_eq!((response.status, response.peer), (200, Some(receiver.address.ip())));
    }
    for (captured, body) in receiver.requests().iter().zip(&bodies) {
        assert_eq!(captured.body, &body[..]);
        assert!(captured.head.starts_with("POST /hook HTTP/1.1\r\n"), "{}", captured.head);
        assert_eq!(captured.lines("content-length"), [body.len().to_string()]);
        assert_eq!(captured.lines("content-type"), ["application/json"]);
        assert_eq!(captured.lines("host"), [receiver.address.to_string()]);
        assert_eq!(captured.lines("accept-encoding"), ["identity"]);
        assert_eq!(captured.lines("user-agent"), [concat!("notify/", env!("CARGO_PKG_VERSION"))]);
        for absent in ["transfer-encoding", "expect"] {
            assert!(captured.lines(absent).is_empty(), "{}", captured.head);
        }
    }
    assert_eq!(receiver.requests().len(), bodies.len());
}

#[tokio::test]
async fn the_signature_is_one_lower_case_header_line() {
    let receiver = Receiver::always(Answer::status(200)).await;
    let secret = Secret::new("a secret of the host").unwrap();
    let headers = vec![Header::new(NOTIFY_SIGNATURE, notify_signature(&secret, b"{}"))];
    loopback().build().unwrap().send(post(receiver.url("/"), headers, Bytes::from_static(b"{}"))).await.unwrap();
    let captured = &receiver.requests()[0];
    let [signature] = captured.lines("x-notify-signature")[..] else { panic!("{}", captured.head) };
    assert_eq!(signature, notify_signature(&secret, b"{}"));
    assert!(signature.len() == 64 && signature.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    assert_eq!(captured.head.to_ascii_lowercase().matches("x-notify-signature:").count(), 1);
}

#[tokio::test]
async fn path_and_query_reach_the_receiver_byte_for_byte() {
    let receiver = Receiver::always(Answer::status(200)).await;
    let tail = "/a%2Fb/?p=1&q=a%3Ab&q=a+b&t=Q%2BHG%3D&e=&f&u=%E2%82%AC";
    ask(receiver.url(tail)).await.unwrap();
    assert_eq!(receiver.requests()[0].target(), tail);
}

#[tokio::test]
async fn kept_connections_carry_attempt_after_attempt() {
    let receiver = Receiver::always(Answer::status(200)).await;
    let transport = loopback().build().unwrap();
    for _ in 0..5 {
        transport.send(request(receiver.url("/"))).await.unwrap();
    }
    assert_eq!((receiver.requests().len(), receiver.connections()), (5, 1));
}

#[tokio::test]
async fn a_kept_connection_that_breaks_is_one_failed_attempt_and_never_a_second_request() {
    let receiver = Receiver::scripted(|nth| if nth == 1 { Answer::close() } else { Answer::status(200) }).await;
    let transport = loopback().build().unwrap();
    assert_eq!(transport.send(request(receiver.url("/"))).await.unwrap().status, 200);
    let failure = transport.send(request(receiver.url("/"))).await.unwrap_err();
    assert_eq!((failure.reason, failure.peer), (Reason::Reset, Some(receiver.address.ip())));
    assert_eq!(receiver.requests().len(), 2);
    assert_eq!(transport.send(request(receiver.url("/"))).await.unwrap().status, 200);
    assert_eq!(receiver.requests().len(), 3);
}
