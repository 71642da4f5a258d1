//! What comes back: statuses, bodies, and what is no HTTP.

use std::time::Duration;

use bytes::Bytes;
use notify_core::delivery::Reason;
use notify_core::sign::Header;
use notify_core::transport::{Request, Transport};
use tokio::task::JoinSet;

use crate::receiver::{Answer, Receiver, ask, loopback, raw, request, within};

const KEPT: usize = 16 * 1024;

#[tokio::test]
async fn every_final_status_is_one_request_and_passes_through() {
    for status in [200, 201, 202, 204, 206, 299, 300, 304, 400, 401, 404, 407, 410, 429, 500, 503, 599] {
        let receiver = Receiver::always(Answer::status(status)).await;
        assert_eq!(ask(receiver.url("/")).await.unwrap().status, status);
        assert_eq!(receiver.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_reported_with_its_location_and_not_followed() {
    for status in [300, 301, 302, 303, 307, 308] {
        for location in ["/hook/", "http://127.0.0.1/"] {
            let head = format!("HTTP/1.1 {status} X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
            let receiver = Receiver::always(Answer::Write(head.into_bytes())).await;
            let response = ask(receiver.url("/hook")).await.unwrap();
            assert_eq!((response.status, response.location.as_deref()), (status, Some(location)));
            assert_eq!((receiver.requests().len(), receiver.connections()), (1, 1), "{status} to {location}");
        }
    }
}

#[tokio::test]
async fn a_location_counts_on_a_redirect_only() {
    let head = b"HTTP/1.1 201 X\r\nlocation: /new\r\ncontent-length: 0\r\n\r\n";
    let receiver = Receiver::always(Answer::Write(head.to_vec())).await;
    assert_eq!(ask(receiver.url("/")).await.unwrap().location, None);
}

#[tokio::test]
async fn a_short_body_comes_back_whole_and_as_bytes() {
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n".to_vec();
    answer.extend([0xff, 0x00, 0xc3, 0x28]);
    let receiver = Receiver::always(Answer::Write(answer)).await;
    let response = ask(receiver.url("/")).await.unwrap();
    assert_eq!((&response.body[..], response.truncated), (&[0xff, 0x00, 0xc3, 0x28][..], false));
}

#[tokio::test]
async fn a_body_of_exactly_what_is_kept_is_not_truncated() {
    for (length, truncated) in [(KEPT, false), (KEPT + 1, true)] {
        let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").into_bytes();
        answer.resize(answer.len() + length, b'x');
        let receiver = Receiver::always(Answer::Write(answer)).await;
        let response = ask(receiver.url("/")).await.unwrap();
        assert_eq!((response.body.len(), response.truncated), (KEPT, truncated), "{length}");
    }
}

#[tokio::test]
async fn huge_and_endless_bodies_are_cut_and_their_status_stands() {
    let chunk = [b"1000\r\n".to_vec(), vec![b'x'; 4096], b"\r\n".to_vec()].concat();
    let cases = [
        (200, "HTTP/1.1 200 OK\r\ncontent-length: 2147483648\r\n\r\n", vec![b'x'; 4096]),
        (200, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", chunk),
        (500, "HTTP/1.1 500 X\r\ncontent-length: 307200\r\n\r\n", vec![b'x'; 4096]),
    ];
    for (status, head, again) in cases {
        let receiver = Receiver::always(Answer::WriteEndlessly(head.into(), again)).await;
        let mut asks: JoinSet<_> = (0..20).map(|_| ask(receiver.url("/"))).collect();
        while let Some(response) = asks.join_next().await {
            let response = response.unwrap().unwrap();
            assert_eq!((response.status, response.body.len(), response.truncated), (status, KEPT, true));
        }
        assert_eq!(receiver.requests().len(), 20);
    }
}

#[tokio::test]
async fn a_complete_head_counts_where_the_body_breaks_or_stalls() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".to_vec();
    for answer in [Answer::WriteThenClose(head.clone()), Answer::WriteThenStall(head)] {
        let receiver = Receiver::always(answer).await;
        let transport = loopback().build().unwrap();
        let response = transport.send(within(receiver.url("/"), 500)).await.unwrap();
        assert_eq!((response.status, &response.body[..], response.truncated), (200, &b"abc"[..], true));
    }
}

#[tokio::test]
async fn compressed_bytes_are_kept_as_they_came() {
    let receiver = Receiver::always(Answer::Write(
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\n\x1f\x8b\x08".to_vec(),
    ))
    .await;
    assert_eq!(&ask(receiver.url("/")).await.unwrap().body[..], b"\x1f\x8b\x08");
}

#[tokio::test]
async fn an_interim_answer_is_waited_out() {
    let answer = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec();
    let receiver = Receiver::always(Answer::Write(answer)).await;
    assert_eq!(ask(receiver.url("/")).await.unwrap().status, 200);
}

#[tokio::test]
async fn what_is_no_http_or_breaks_its_limits_is_a_protocol_failure() {
    let lines = "a: b\r\n".repeat(200);
    let long = "x".repeat(512 * 1024);
    for answer in [
        "SSH-2.0-OpenSSH_9.9\r\n".to_owned(),
        "hello\r\n\r\n".to_owned(),
        "HTTP/1.1 2OO OK\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{lines}\r\n"),
        format!("HTTP/1.1 200 OK\r\na: {long}\r\n\r\n"),
    ] {
        let receiver = Receiver::always(Answer::WriteThenClose(answer.clone().into_bytes())).await;
        let failure = match ask(receiver.url("/")).await {
            Err(failure) => failure,
            Ok(response) => panic!("{answer:.60} was taken as {response:?}"),
        };
        assert_eq!(failure.reason, Reason::Protocol, "{answer:.60}: {failure:?}");
        assert_eq!(receiver.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_connection_closed_before_or_within_the_head_is_a_reset() {
    for answer in [Answer::close(), Answer::WriteThenClose(b"HTTP/1.1 200 OK\r\ncontent-".to_vec())] {
        let receiver = Receiver::always(answer).await;
        assert_eq!(ask(receiver.url("/")).await.unwrap_err().reason, Reason::Reset);
        assert_eq!(receiver.requests().len(), 1);
    }
    // Dropped with unread bytes in it, a socket answers with RST.
    let address = raw(|tcp| async move { tcp.readable().await.unwrap() }).await;
    assert_eq!(ask(format!("http://{address}/")).await.unwrap_err().reason, Reason::Reset);
}

#[tokio::test]
async fn a_closed_port_is_connect_refused_and_names_the_address_to_the_operator() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let failure = ask(format!("http://{address}/")).await.unwrap_err();
    assert_eq!((failure.reason, failure.peer), (Reason::ConnectRefused, Some(address.ip())));
    assert!(failure.detail.contains(&address.to_string()), "{failure}");
}

#[tokio::test]
async fn neither_secrets_nor_payloads_come_out_in_failures_or_debug() {
    let receivers = [
        Receiver::always(Answer::close()).await,
        Receiver::always(Answer::stall()).await,
        Receiver::always(Answer::WriteThenClose(b"canary canary\r\n\r\n".to_vec())).await,
    ];
    let transport = loopback().build().unwrap();
    let mut urls: Vec<_> = receivers.iter().map(|receiver| receiver.url("/canary?canary")).collect();
    urls.extend(["http://10.0.0.1/canary?canary", "http://canary:canary@127.0.0.1/", "x://canary"].map(String::from));
    for url in urls {
        let headers = vec![Header::new("authorization", "canary".into())];
        let request = Request::new(url.into(), headers, Bytes::from_static(b"canary"), Duration::from_millis(200));
        let failure = transport.send(request).await.unwrap_err();
        assert!(!format!("{failure} {failure:?} {transport:?}").contains("canary"), "{failure:?}");
    }
    transport.check("https://canary:canary@h.example.com/").unwrap_err();
}

#[tokio::test]
async fn what_check_refuses_is_refused_at_the_attempt_too() {
    let transport = loopback().build().unwrap();
    for url in ["http://127.1/", "https://10.0.0.1/", "ftp://127.0.0.1/", "https://[::ffff:127.0.0.1]/"] {
        transport.check(url).unwrap_err();
        assert_eq!(transport.send(request(url)).await.unwrap_err().reason, Reason::AddressRefused, "{url}");
    }
}
