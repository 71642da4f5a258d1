//! Attacks that begin with a harmless URL, on real sockets. *Outside* is `127.0.0.1`, the one opened address; *inside*
//! is `127.0.0.2`, where somebody listens at the same port and must never see a connection.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use notify_core::delivery::{Reason, Response, SendFailure};
use notify_core::transport::Transport;
use notify_http::{Dial, HttpTransport, HttpTransportBuilder};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use crate::dns::{NameServer, Record, Reply};
use crate::receiver::{Answer, Names, Receiver, within};

const OUTSIDE: &str = "127.0.0.1";
const INSIDE: &str = "127.0.0.2";

struct Scene {
    outside: Receiver,
    inside: Receiver,
}

impl Scene {
    async fn answering(answer: Answer) -> Self {
        loop {
            let outside = Receiver::always(answer.clone()).await;
            let inside = SocketAddr::new(INSIDE.parse().unwrap(), outside.address.port());
            // Somebody else may hold the port there.
            if TcpListener::bind(inside).await.is_ok() {
                let inside = Receiver::start(inside, None, |_| Answer::status(200)).await;
                return Self { outside, inside };
            }
        }
    }

    async fn new() -> Self {
        Self::answering(Answer::status(200)).await
    }

    fn url(&self) -> String {
        format!("http://hooks.example.com:{}/hook", self.outside.address.port())
    }

    async fn send(&self, transport: &HttpTransport) -> Result<Response, SendFailure> {
        transport.send(within(self.url(), 2000)).await
    }

    /// Sends once with these answers of the name server and tells why it failed.
    async fn fails(&self, script: impl Fn(&str, usize) -> Reply + Send + 'static) -> SendFailure {
        let names = NameServer::start(script).await;
        let transport = open_outside().resolver(names.resolver()).build().unwrap();
        transport.check(&self.url()).unwrap();
        let failure = self.send(&transport).await.unwrap_err();
        self.nobody_came_inside();
        assert_eq!(self.outside.connections(), 0, "{failure}");
        failure
    }

    #[track_caller]
    fn nobody_came_inside(&self) {
        assert_eq!(self.inside.connections(), 0, "somebody came inside");
    }
}

fn open_outside() -> HttpTransportBuilder {
    HttpTransport::builder().allow_cidr(OUTSIDE)
}

#[tokio::test]
async fn the_scene_itself_works_inside_is_reached_once_it_is_opened() {
    let scene = Scene::new().await;
    let names = NameServer::start(|_, _| Reply::addresses(&[INSIDE])).await;
    let transport = open_outside().allow_cidr(INSIDE).resolver(names.resolver()).build().unwrap();
    assert_eq!(scene.send(&transport).await.unwrap().status, 200);
    assert_eq!((scene.inside.connections(), scene.outside.connections()), (1, 0));
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused() {
    let failure = Scene::new().await.fails(|_, _| Reply::addresses(&[INSIDE])).await;
    assert_eq!((failure.reason, failure.peer), (Reason::AddressRefused, Some(INSIDE.parse().unwrap())));
}

#[tokio::test]
async fn an_alias_that_leads_inside_is_refused() {
    let failure = Scene::new()
        .await
        .fails(|name, _| match name {
            "hooks.example.com" => Reply::alias("db.corp.example.com"),
            _ => Reply::addresses(&[INSIDE]),
        })
        .await;
    assert_eq!(failure.reason, Reason::AddressRefused);
}

#[tokio::test]
async fn a_chain_of_aliases_that_leads_inside_is_refused() {
    let failure = Scene::new()
        .await
        .fails(|name, _| match name {
            "hooks.example.com" => Reply::alias("a.example.com"),
            "a.example.com" => Reply::alias("b.example.com"),
            "b.example.com" => Reply::alias("localhost"),
            _ => Reply::addresses(&[INSIDE]),
        })
        .await;
    assert_eq!(failure.reason, Reason::AddressRefused);
}

#[tokio::test]
async fn an_alias_of_a_metadata_service_is_refused() {
    let failure = Scene::new()
        .await
        .fails(|name, _| match name {
            "hooks.example.com" => Reply::alias("metadata.google.internal"),
            _ => Reply::addresses(&["169.254.169.254"]),
        })
        .await;
    assert_eq!(failure.reason, Reason::AddressRefused);
    assert!(failure.detail.contains("metadata"), "{failure}");
}

#[tokio::test]
async fn an_alias_and_an_inside_address_in_one_answer_are_refused() {
    let both = || Reply::Records(vec![Record::Alias("hooks.example.net"), Record::Address(INSIDE.parse().unwrap())]);
    let failure = Scene::new()
        .await
        .fails(move |name, _| if name == "hooks.example.com" { both() } else { Reply::addresses(&[OUTSIDE]) })
        .await;
    assert_eq!(failure.reason, Reason::AddressRefused);
}

#[tokio::test]
async fn a_loop_of_aliases_is_a_dns_failure() {
    let failure = Scene::new()
        .await
        .fails(|name, _| match name {
            "hooks.example.com" => Reply::alias("a.example.com"),
            _ => Reply::alias("hooks.example.com"),
        })
        .await;
    assert_eq!(failure.reason, Reason::Dns);
}

#[tokio::test]
async fn one_inside_address_among_outside_ones_refuses_the_name_wherever_it_stands() {
    for answer in [
        [OUTSIDE, INSIDE],
        [INSIDE, OUTSIDE],
        [OUTSIDE, "::1"],
        [OUTSIDE, "::ffff:127.0.0.1"],
        [OUTSIDE, "fe80::1"],
        [OUTSIDE, "64:ff9b::7f00:1"],
        [OUTSIDE, "0.0.0.0"],
    ] {
        let failure = Scene::new().await.fails(move |_, _| Reply::addresses(&answer)).await;
        assert_eq!(failure.reason, Reason::AddressRefused, "{answer:?}");
    }
}

#[tokio::test]
async fn an_inside_address_behind_more_answers_than_are_tried_refuses_the_name() {
    let mut answer = vec![OUTSIDE; 40];
    answer.push(INSIDE);
    let failure = Scene::new().await.fails(move |_, _| Reply::addresses(&answer)).await;
    assert_eq!(failure.reason, Reason::AddressRefused);
}

/// Beyond what a packet holds, from a resolver of the host's own.
#[tokio::test]
async fn an_inside_address_at_either_end_of_a_hundred_thousand_refuses_the_name() {
    let scene = Scene::new().await;
    for at in [0, 50_000, 99_999] {
        let mut answer = vec![OUTSIDE; 100_000];
        answer[at] = INSIDE;
        let transport = open_outside().resolver(Names::answering(&[&answer])).build().unwrap();
        assert_eq!(scene.send(&transport).await.unwrap_err().reason, Reason::AddressRefused, "{at}");
    }
    assert_eq!(scene.outside.connections(), 0);
    scene.nobody_came_inside();
}

#[tokio::test]
async fn an_inside_ipv6_address_is_passed_over_where_ipv4_alone_is_used() {
    let scene = Scene::new().await;
    let names = NameServer::start(|_, _| Reply::addresses(&[OUTSIDE, "::1"])).await;
    let transport = open_outside().ipv4_only().resolver(names.resolver()).build().unwrap();
    assert_eq!(scene.send(&transport).await.unwrap().peer, Some(OUTSIDE.parse().unwrap()));
    scene.nobody_came_inside();
}

#[tokio::test]
async fn a_name_that_is_rebound_between_registration_and_attempt_is_refused() {
    let scene = Scene::new().await;
    let names =
        NameServer::start(|_, nth| if nth == 0 { Reply::addresses(&[OUTSIDE]) } else { Reply::addresses(&[INSIDE]) })
            .await;
    let transport = open_outside().resolver(names.resolver()).connection_max_age(Duration::ZERO).build().unwrap();
    transport.check(&scene.url()).unwrap();
    assert_eq!(scene.send(&transport).await.unwrap().status, 200);
    assert_eq!(scene.send(&transport).await.unwrap_err().reason, Reason::AddressRefused);
    scene.nobody_came_inside();
}

#[tokio::test]
async fn answers_that_change_each_time_are_judged_each_time_by_one_look_up() {
    let scene = Scene::new().await;
    let answers = |nth: usize| match nth % 4 {
        0 => vec![OUTSIDE],
        1 => vec![INSIDE],
        2 => vec![OUTSIDE, "10.0.0.1"],
        _ => vec!["::1"],
    };
    let names = NameServer::start(move |_, nth| Reply::addresses(&answers(nth))).await;
    let transport = open_outside().resolver(names.resolver()).connection_max_age(Duration::ZERO).build().unwrap();
    for attempt in 0..12 {
        let outcome = scene.send(&transport).await.map(|response| response.status).map_err(|failure| failure.reason);
        let expected = if attempt % 4 == 0 { Ok(200) } else { Err(Reason::AddressRefused) };
        assert_eq!((outcome, names.lookups()), (expected, attempt + 1));
    }
    scene.nobody_came_inside();
}

#[tokio::test]
async fn a_kept_connection_stays_with_the_peer_that_was_judged() {
    let scene = Scene::new().await;
    let names =
        NameServer::start(|_, nth| if nth == 0 { Reply::addresses(&[OUTSIDE]) } else { Reply::addresses(&[INSIDE]) })
            .await;
    let transport = open_outside().resolver(names.resolver()).build().unwrap();
    for _ in 0..3 {
        assert_eq!(scene.send(&transport).await.unwrap().peer, Some(OUTSIDE.parse().unwrap()));
    }
    assert_eq!((names.lookups(), scene.outside.connections()), (1, 1));
    scene.nobody_came_inside();
}

/// Connects elsewhere than it was told: as if the address had changed after it was judged.
#[derive(Debug)]
struct Lying(SocketAddr);

#[async_trait]
impl Dial for Lying {
    async fn dial(&self, _: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(self.0).await
    }
}

#[tokio::test]
async fn a_peer_that_changed_between_judgement_and_connection_gets_no_byte() {
    let names = NameServer::start(|_, _| Reply::addresses(&[OUTSIDE])).await;
    // Inside is refused as it is; another opened address, because nobody asked for it.
    for elsewhere in [INSIDE, "127.0.0.3"] {
        let listener = TcpListener::bind((elsewhere, 0)).await.unwrap();
        let lying = Lying(listener.local_addr().unwrap());
        let transport = open_outside().allow_cidr("127.0.0.3").resolver(names.resolver()).dialer(lying);
        let failure = transport.build().unwrap().send(within("http://hooks.example.com/hook", 2000)).await.unwrap_err();
        assert_eq!((failure.reason, failure.peer), (Reason::AddressRefused, Some(elsewhere.parse().unwrap())));
        let (mut peer, _) = listener.accept().await.unwrap();
        assert_eq!(peer.read(&mut [0; 16]).await.unwrap_or(0), 0, "bytes went to {elsewhere}");
    }
}

#[tokio::test]
async fn a_name_server_that_never_answers_is_a_dns_failure_within_the_deadline() {
    let scene = Scene::new().await;
    let names = NameServer::start(|_, _| Reply::Silence).await;
    let transport = open_outside().resolver(names.resolver()).build().unwrap();
    let failure = transport.send(within(scene.url(), 200)).await.unwrap_err();
    assert_eq!(failure.reason, Reason::Dns);
    assert_eq!(scene.outside.connections(), 0);
    scene.nobody_came_inside();
}

#[tokio::test]
async fn refusals_nonsense_and_empty_answers_of_a_name_server_are_dns_failures() {
    for reply in [
        Reply::Code(2),
        Reply::Code(3),
        Reply::Code(5),
        Reply::Bytes(Vec::new()),
        Reply::Bytes(vec![0xff; 400]),
        Reply::Bytes(vec![0; 12]),
        Reply::Records(Vec::new()),
    ] {
        let shown = format!("{reply:?}");
        let failure = Scene::new().await.fails(move |_, _| reply.clone()).await;
        assert_eq!(failure.reason, Reason::Dns, "{shown}");
    }
}

/// Sends to outside, with inside opened too: nothing but the transport's own manners keeps it away.
async fn answered(head: &str) -> (Scene, Response) {
    let inside = Receiver::start(format!("{INSIDE}:0").parse().unwrap(), None, |_| Answer::status(200)).await;
    let head = head.replace("INSIDE", &inside.address.to_string());
    let answer = Answer::Write(format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n").into_bytes());
    let outside = Receiver::always(answer).await;
    let scene = Scene { outside, inside };
    let names = NameServer::start(|_, _| Reply::addresses(&[OUTSIDE])).await;
    let transport = open_outside().allow_cidr(INSIDE).resolver(names.resolver()).build().unwrap();
    let response = scene.send(&transport).await.unwrap();
    assert_eq!(scene.outside.requests().len(), 1, "one request an attempt");
    scene.nobody_came_inside();
    (scene, response)
}

#[tokio::test]
async fn no_redirect_is_followed_inside() {
    for status in [300, 301, 302, 303, 304, 305, 307, 308] {
        for location in ["http://INSIDE/", "//INSIDE/", "/again", "http://INSIDE/ \r\nlocation: http://INSIDE/"] {
            let (scene, response) = answered(&format!("{status} Moved\r\nlocation: {location}")).await;
            assert_eq!(response.status, status);
            let expected = location.split(['\r', ' ']).next().unwrap();
            let expected = expected.replace("INSIDE", &scene.inside.address.to_string());
            assert_eq!(response.location, Some(expected), "{status}");
        }
    }
}

#[tokio::test]
async fn no_other_header_leads_inside() {
    for head in [
        "200 OK\r\nrefresh: 0; url=http://INSIDE/",
        "200 OK\r\nalt-svc: h2=\"INSIDE\"; ma=3600",
        "200 OK\r\nlink: <http://INSIDE/>; rel=preload",
        "200 OK\r\ncontent-location: http://INSIDE/",
        "201 Created\r\nlocation: http://INSIDE/",
        "401 Unauthorized\r\nwww-authenticate: Basic realm=x",
        "407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=x\r\nproxy: INSIDE",
        "421 Misdirected Request\r\nlocation: http://INSIDE/",
        "305 Use Proxy\r\nlocation: http://INSIDE/",
        "503 Unavailable\r\nretry-after: 0\r\nlocation: http://INSIDE/",
    ] {
        let (_, response) = answered(head).await;
        assert_eq!(response.status.to_string(), head[..3], "{head}");
    }
}
