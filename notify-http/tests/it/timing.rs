//! Each delay is told in its own part. It is in no other: the parts' sum never exceeds what the attempt took.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use notify_core::delivery::{ConnectionUse, Part, Reason, Response, SendFailure, Timing, TlsVersion};
use notify_core::transport::{Request, Transport};
use notify_http::testing::{ReceivedRequest, TestAuthority, TestIdentity, Validity};
use notify_http::{Dial, HttpTransport, HttpTransportBuilder, Resolve};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use crate::receiver::{Answer, Names, Receiver, loopback, raw, request, within};

const PAUSE: Duration = Duration::from_millis(300);
const NAME: &str = "hooks.example.com";

/// A receiver that answers every request, after these delays.
#[derive(Clone, Default)]
struct Slow {
    tls: Option<TlsAcceptor>,
    handshake: Duration,
    head: Duration,
    body: Duration,
}

impl Slow {
    fn over_tls(root: &TestAuthority) -> Self {
        let config = root.server(NAME, Validity::Present).unwrap().into_server_config().unwrap();
        Self { tls: Some(TlsAcceptor::from(Arc::new(config))), ..Self::default() }
    }

    async fn start(self) -> SocketAddr {
        raw(move |tcp| {
            tokio::spawn(self.clone().serve(tcp));
            std::future::ready(())
        })
        .await
    }

    async fn serve(self, tcp: TcpStream) -> io::Result<()> {
        let Some(tls) = &self.tls else { return self.answer(tcp).await };
        sleep(self.handshake).await;
        self.answer(tls.accept(tcp).await?).await
    }

    async fn answer(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        while ReceivedRequest::read(&mut stream).await?.is_some() {
            sleep(self.head).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n").await?;
            stream.flush().await?;
            sleep(self.body).await;
            stream.write_all(b"ok").await?;
            stream.flush().await?;
        }
        Ok(())
    }
}

#[derive(Debug)]
struct SlowNames;

#[async_trait]
impl Resolve for SlowNames {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        sleep(PAUSE).await;
        Ok(vec!["127.0.0.1".parse().unwrap()])
    }
}

/// Connects at once the first time, if it is to, and after a pause from then on.
#[derive(Debug, Default)]
struct SlowDialer {
    is_quick: AtomicBool,
}

#[async_trait]
impl Dial for SlowDialer {
    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        if !self.is_quick.swap(false, Ordering::SeqCst) {
            sleep(PAUSE).await;
        }
        TcpStream::connect(address).await
    }
}

fn named() -> HttpTransportBuilder {
    loopback().resolver(Names::answering(&[&["127.0.0.1"]]))
}

/// An attempt's timing, and what is left of the time that it took.
struct Timed {
    timing: Timing,
    rest: Duration,
    reply: Result<Response, SendFailure>,
}

impl Timed {
    async fn of(transport: &HttpTransport, request: Request) -> Self {
        let begun = Instant::now();
        let reply = transport.send(request).await;
        let took = begun.elapsed();
        let timing = match &reply {
            Ok(response) => response.timing,
            Err(failure) => failure.timing,
        };
        let timing = timing.unwrap();
        let sum = timing.parts().map(|(_, length)| length).sum();
        let rest = took.checked_sub(sum).unwrap_or_else(|| panic!("{timing:?} is more than {took:?}"));
        Self { timing, rest, reply }
    }

    fn parts(&self) -> Vec<Part> {
        self.timing.parts().map(|(part, _)| part).collect()
    }

    #[track_caller]
    fn is_slow_in(&self, part: Part) {
        assert!(self.timing.of(part).unwrap() >= PAUSE, "{part:?}: {:?}", self.timing);
    }
}

#[tokio::test]
async fn a_slow_name_server_is_told_as_the_look_up() {
    let address = Slow::default().start().await;
    let transport = loopback().resolver(SlowNames).build().unwrap();
    let timed = Timed::of(&transport, request(format!("http://{NAME}:{}/", address.port()))).await;
    assert_eq!(timed.parts(), [Part::Lookup, Part::Connect, Part::FirstByte]);
    assert_eq!((timed.timing.connection(), timed.timing.tls()), (ConnectionUse::New, None));
    timed.is_slow_in(Part::Lookup);
}

#[tokio::test]
async fn a_slow_connection_is_told_as_such_and_an_address_needs_no_look_up() {
    let address = Slow::default().start().await;
    let transport = loopback().dialer(SlowDialer::default()).build().unwrap();
    let timed = Timed::of(&transport, request(format!("http://{address}/"))).await;
    assert_eq!(timed.parts(), [Part::Connect, Part::FirstByte]);
    timed.is_slow_in(Part::Connect);
}

#[tokio::test]
async fn a_slow_handshake_is_told_as_such_with_the_version() {
    let root = TestAuthority::root("the root").unwrap();
    let address = Slow { handshake: PAUSE, ..Slow::over_tls(&root) }.start().await;
    let transport = named().extra_root_pem(root.pem()).build().unwrap();
    let timed = Timed::of(&transport, request(format!("https://{NAME}:{}/", address.port()))).await;
    assert_eq!(timed.parts(), Part::ALL);
    assert_eq!((timed.timing.connection(), timed.timing.tls()), (ConnectionUse::New, Some(TlsVersion::V1_3)));
    timed.is_slow_in(Part::Handshake);
}

#[tokio::test]
async fn a_slow_answer_is_told_as_the_first_byte_and_a_slow_body_in_no_part() {
    let transport = loopback().build().unwrap();
    let slow = [Slow { head: PAUSE, ..Slow::default() }, Slow { body: PAUSE, ..Slow::default() }];
    let [head, body] = slow.map(|slow| async {
        let address = slow.start().await;
        Timed::of(&transport, request(format!("http://{address}/"))).await
    });
    head.await.is_slow_in(Part::FirstByte);
    let body = body.await;
    assert_eq!(body.reply.as_ref().unwrap().body, "ok");
    assert_eq!(body.parts(), [Part::Connect, Part::FirstByte]);
    assert!(body.rest >= PAUSE, "{:?} of {:?}", body.rest, body.timing);
}

#[tokio::test]
async fn an_attempt_over_a_kept_connection_has_nothing_but_its_first_byte() {
    let root = TestAuthority::root("the root").unwrap();
    let address = Slow { head: PAUSE, ..Slow::over_tls(&root) }.start().await;
    let transport = named().extra_root_pem(root.pem()).build().unwrap();
    let url = format!("https://{NAME}:{}/", address.port());
    assert_eq!(Timed::of(&transport, request(url.clone())).await.timing.connection(), ConnectionUse::New);
    let again = Timed::of(&transport, request(url)).await;
    assert_eq!((again.timing.connection(), again.timing.tls()), (ConnectionUse::Reused, Some(TlsVersion::V1_3)));
    assert_eq!(again.parts(), [Part::FirstByte]);
    again.is_slow_in(Part::FirstByte);
}

#[tokio::test]
async fn the_wait_for_a_place_at_a_busy_host_is_in_no_part() {
    let address = Slow { head: PAUSE, ..Slow::default() }.start().await;
    let transport = loopback().connections_per_host(1).build().unwrap();
    let ask = || Timed::of(&transport, request(format!("http://{address}/")));
    let (first, second) = tokio::join!(ask(), ask());
    first.is_slow_in(Part::FirstByte);
    assert_eq!((second.timing.connection(), second.parts()), (ConnectionUse::Reused, vec![Part::FirstByte]));
    assert!(second.rest >= PAUSE, "{:?} of {:?}", second.rest, second.timing);
}

/// An attempt that asks for a connection takes another's if that is free first; its own then goes to a later one.
#[tokio::test]
async fn a_connection_that_was_made_for_another_attempt_is_told_as_reused() {
    let address = Slow { head: PAUSE / 3, ..Slow::default() }.start().await;
    let transport = loopback().dialer(SlowDialer { is_quick: AtomicBool::new(true) }).build().unwrap();
    let ask = || Timed::of(&transport, request(format!("http://{address}/")));
    let (first, second) = tokio::join!(ask(), ask());
    assert_eq!((first.timing.connection(), first.parts()), (ConnectionUse::New, vec![Part::Connect, Part::FirstByte]));
    assert_eq!((second.timing.connection(), second.parts()), (ConnectionUse::Reused, vec![Part::FirstByte]));
    // By then the second one's own has been made. `Timed` holds the sums of these against their time.
    sleep(2 * PAUSE).await;
    let (third, fourth) = tokio::join!(ask(), ask());
    for timed in [third, fourth] {
        assert_eq!((timed.timing.connection(), timed.parts()), (ConnectionUse::Reused, vec![Part::FirstByte]));
    }
}

#[tokio::test]
async fn a_receiver_that_speaks_tls_1_2_is_told_so() {
    let root = TestAuthority::root("the root").unwrap();
    let tls = TlsAcceptor::from(Arc::new(tls_1_2(&root.server(NAME, Validity::Present).unwrap())));
    let address = Slow { tls: Some(tls), ..Slow::default() }.start().await;
    let transport = named().extra_root_pem(root.pem()).build().unwrap();
    let timed = Timed::of(&transport, request(format!("https://{NAME}:{}/", address.port()))).await;
    assert_eq!((timed.parts(), timed.timing.tls()), (Part::ALL.into(), Some(TlsVersion::V1_2)));
}

fn tls_1_2(identity: &TestIdentity) -> rustls::ServerConfig {
    let chain = CertificateDer::pem_slice_iter(identity.pem().as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem().as_bytes()).unwrap();
    rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

#[tokio::test]
async fn a_failed_attempt_tells_the_parts_that_ended() {
    let root = TestAuthority::root("nobody's").unwrap();
    let answering = Receiver::always(Answer::status(200)).await;
    let silent = Receiver::always(Answer::stall()).await;
    let untrusted = Slow::over_tls(&root).start().await;
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let url = |scheme: &str, address: SocketAddr| format!("{scheme}://{NAME}:{}/", address.port());
    let to = |names: &[&[&str]]| loopback().resolver(Names::answering(names));
    let millis = u64::try_from(PAUSE.as_millis()).unwrap();
    let slow = named().dialer(SlowDialer::default());
    for (builder, asked, reason, parts) in [
        (to(&[]), request(url("http", answering.address)), Reason::Dns, &[][..]),
        (to(&[&["10.0.0.1"]]), request(url("http", answering.address)), Reason::AddressRefused, &[Part::Lookup]),
        (named(), request(url("http", closed)), Reason::ConnectRefused, &[Part::Lookup]),
        (slow, within(url("http", answering.address), millis / 2), Reason::ConnectTimeout, &[Part::Lookup]),
        (named(), request(url("https", untrusted)), Reason::Tls, &[Part::Lookup, Part::Connect]),
        (named(), within(url("https", silent.address), millis), Reason::ConnectTimeout, &[Part::Lookup, Part::Connect]),
        (named(), within(url("http", silent.address), millis), Reason::ResponseTimeout, &[Part::Lookup, Part::Connect]),
    ] {
        let timed = Timed::of(&builder.build().unwrap(), asked).await;
        let failure = timed.reply.as_ref().unwrap_err();
        assert_eq!(failure.reason, reason, "{failure}");
        assert_eq!(timed.parts(), parts, "{failure}");
        assert_eq!((timed.timing.connection(), timed.timing.tls()), (ConnectionUse::New, None), "{failure}");
    }
}

#[tokio::test]
async fn a_kept_connection_that_fails_is_told_as_reused() {
    for second in [Answer::stall(), Answer::close()] {
        let receiver = Receiver::scripted(move |nth| if nth == 0 { Answer::status(200) } else { second.clone() }).await;
        let transport = loopback().build().unwrap();
        assert_eq!(transport.send(request(receiver.url("/"))).await.unwrap().status, 200);
        let timed = Timed::of(&transport, within(receiver.url("/"), 500)).await;
        assert!(timed.reply.is_err());
        assert_eq!((timed.timing.connection(), timed.parts()), (ConnectionUse::Reused, vec![]));
    }
}
