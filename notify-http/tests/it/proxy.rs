//! The proxy that the host names: a tunnel to the judged address, and faults that are not the receiver's.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use notify_core::delivery::Reason;
use notify_core::transport::Transport;
use notify_http::testing::{ReceivedRequest, TestAuthority, Validity};
use notify_http::{HttpBuildError, HttpTransportBuilder};
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::receiver::{Answer, Names, Receiver, loopback, request, within};

const NAME: &str = "hooks.example.com";

/// Answers `CONNECT` with these bytes; where they begin a 200, it joins the two ends.
struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<ReceivedRequest>>>,
}

impl Proxy {
    async fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, heads) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<ReceivedRequest>>>::default());
        let log = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                let log = Arc::clone(&log);
                tokio::spawn(async move {
                    let head = ReceivedRequest::read(&mut tcp).await.unwrap().unwrap();
                    let target = head.target().to_owned();
                    log.lock().unwrap().push(head);
                    if answer.is_empty() {
                        return std::future::pending().await;
                    }
                    tcp.write_all(answer.as_bytes()).await.unwrap();
                    if answer.starts_with("HTTP/1.1 200") {
                        let mut behind = TcpStream::connect(target).await.unwrap();
                        let _ = copy_bidirectional(&mut tcp, &mut behind).await;
                    }
                });
            }
        });
        Self { address, heads }
    }

    fn transport(&self) -> HttpTransportBuilder {
        loopback()
            .resolver(Names::answering(&[&["127.0.0.1"]]))
            .proxy(format!("http://{}", self.address))
            .proxy_authorization("Basic canary")
    }
}

const ESTABLISHED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

#[tokio::test]
async fn a_tunnel_leads_to_the_judged_address_and_tls_is_spoken_with_the_name() {
    let root = TestAuthority::root("the root").unwrap();
    let config = root.server(NAME, Validity::Present).unwrap().into_server_config().unwrap();
    let receiver = Receiver::tls(config, Answer::status(200)).await;
    let proxy = Proxy::answering(ESTABLISHED).await;
    let transport = proxy.transport().extra_root_pem(root.pem()).build().unwrap();
    let url = format!("https://{NAME}:{}/", receiver.address.port());
    for _ in 0..2 {
        let response = transport.send(request(url.as_str())).await.unwrap();
        assert_eq!((response.status, response.peer), (200, Some(receiver.address.ip())));
    }
    let heads = proxy.heads.lock().unwrap();
    let [connect] = &heads[..] else { panic!("{heads:?}") };
    assert!(connect.head.starts_with(&format!("CONNECT {} HTTP/1.1\r\n", receiver.address)), "{connect:?}");
    assert!(!connect.head.contains(NAME));
    assert_eq!(connect.header("proxy-authorization"), Some("Basic canary"));
    assert!(receiver.requests().iter().all(|request| request.lines("proxy-authorization").is_empty()));
}

#[tokio::test]
async fn a_refused_address_is_refused_before_the_proxy_is_asked() {
    let proxy = Proxy::answering(ESTABLISHED).await;
    let transport = proxy.transport().resolver(Names::answering(&[&["10.0.0.1"]])).build().unwrap();
    let failure = transport.send(request(format!("https://{NAME}/"))).await.unwrap_err();
    assert_eq!(failure.reason, Reason::AddressRefused, "{failure}");
    assert!(proxy.heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_proxy_s_own_failures_are_ours_and_what_it_reports_is_the_receiver_s() {
    for (answer, reason) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n", Reason::Local),
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 6\r\n\r\ncanary", Reason::Local),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n", Reason::Local),
        ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n", Reason::Local),
        ("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Reason::Local),
        ("SSH-2.0-canary\r\n", Reason::Local),
        ("", Reason::Local),
        ("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", Reason::ConnectRefused),
        ("HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\n\r\n", Reason::ConnectTimeout),
    ] {
        let receiver = Receiver::always(Answer::status(200)).await;
        let proxy = Proxy::answering(answer).await;
        let millis = if answer.is_empty() { 300 } else { 20_000 };
        let url = format!("http://{NAME}:{}/", receiver.address.port());
        let failure = proxy.transport().build().unwrap().send(within(url, millis)).await.unwrap_err();
        assert_eq!(failure.reason, reason, "{answer:?}: {failure}");
        assert!(!format!("{failure:?}").contains("canary"), "{failure:?}");
        assert_eq!((receiver.requests().len(), proxy.heads.lock().unwrap().len()), (0, 1), "{answer:?}");
    }
}

/// Whoever forgets the proxy would send past it.
#[test]
fn an_authorization_without_a_proxy_is_told_at_build_without_its_value() {
    let error = loopback().proxy_authorization("Basic canary").build().unwrap_err();
    assert!(matches!(error, HttpBuildError::Proxy { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_our_own_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let transport = loopback().proxy(format!("http://{address}")).build().unwrap();
    let failure = transport.send(request("http://127.0.0.1:8080/")).await.unwrap_err();
    assert_eq!(failure.reason, Reason::Local, "{failure}");
}
