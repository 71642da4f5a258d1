//! `vectors/ssrf.json`: every way in that we know of, tried at registration, after resolution and at connect.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use notify_core::delivery::{Reason, SendFailure};
use notify_core::transport::Transport;
use notify_http::{Dial, HttpTransport};
use serde::Deserialize;
use tokio::net::TcpStream;

use crate::receiver::{Answer, Names, Receiver, request};

#[derive(Deserialize)]
struct Vectors {
    refused: Vec<Refused>,
    accepted: Vec<Accepted>,
}

#[derive(Deserialize)]
struct Refused {
    url: String,
    range: String,
    form: String,
    register: String,
    address: Option<IpAddr>,
}

#[derive(Deserialize)]
struct Accepted {
    url: String,
    form: String,
    address: IpAddr,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../vectors/ssrf.json")).unwrap()
}

/// Whatever is dialled leads to one listener, which counts.
#[derive(Debug)]
struct Diverted(SocketAddr);

#[async_trait]
impl Dial for Diverted {
    async fn dial(&self, _: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(self.0).await
    }
}

/// Writes down what is dialled, and connects nowhere.
#[derive(Clone, Debug, Default)]
struct Recorded(Arc<Mutex<Vec<SocketAddr>>>);

impl Recorded {
    fn take(&self) -> Vec<SocketAddr> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[async_trait]
impl Dial for Recorded {
    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.0.lock().unwrap().push(address);
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

/// With the production guard; every name has this address.
fn transport(address: IpAddr, dialer: impl Dial) -> HttpTransport {
    let names = Names::answering(&[&[&address.to_string()]]);
    HttpTransport::builder().resolver(names).dialer(dialer).build().unwrap()
}

async fn send(transport: &HttpTransport, url: &str) -> SendFailure {
    match transport.send(request(url)).await {
        Ok(response) => panic!("{url:?} was answered: {response:?}"),
        Err(failure) => failure,
    }
}

const PUBLIC: &str = "93.184.215.14";

#[test]
fn the_vectors_are_many_and_none_is_padding() {
    let Vectors { refused, accepted } = vectors();
    let with_address = refused.iter().filter(|vector| vector.address.is_some()).count();
    assert!(with_address >= 400 && accepted.len() >= 60, "{with_address} refused, {} accepted", accepted.len());
    let mut pairs = BTreeMap::<_, usize>::new();
    for vector in &refused {
        *pairs.entry((&vector.range, &vector.form)).or_default() += 1;
    }
    for (pair, count) in &pairs {
        assert!(*count <= 4, "{pair:?}: {count} vectors");
    }
    let urls: BTreeSet<_> =
        refused.iter().map(|vector| &vector.url).chain(accepted.iter().map(|vector| &vector.url)).collect();
    assert_eq!(urls.len(), refused.len() + accepted.len(), "a url stands there twice");
    let page = include_str!("../../../docs/security.md");
    let counts = format!("{} refused URLs, {} accepted controls", refused.len(), accepted.len());
    assert!(page.contains(&counts), "docs/security.md does not say: {counts}");
}

#[test]
fn every_refused_vector_is_refused_at_registration_for_its_reason() {
    let transport = HttpTransport::new().unwrap();
    let wrong: Vec<_> = vectors()
        .refused
        .into_iter()
        .filter_map(|Refused { url, form, register, .. }| {
            let found = transport.check(&url).map_or_else(|refusal| refusal.to_string(), |()| "taken".into());
            (!found.ends_with(&format!("({register})"))).then(|| format!("{url:?} ({form}): {found}, not {register}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

#[tokio::test]
async fn every_refused_address_is_refused_after_resolution_with_no_connection() {
    let receiver = Receiver::always(Answer::status(200)).await;
    for vector in vectors().refused {
        let Some(address) = vector.address else { continue };
        let transport = transport(address, Diverted(receiver.address));
        transport.check("https://hooks.example.com/").unwrap();
        let failure = send(&transport, "https://hooks.example.com/").await;
        assert_eq!(
            (failure.reason, failure.peer),
            (Reason::AddressRefused, Some(address)),
            "{}: {failure}",
            vector.url
        );
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn every_refused_vector_that_was_never_registered_is_refused_at_connect_with_no_connection() {
    let receiver = Receiver::always(Answer::status(200)).await;
    for vector in vectors().refused {
        let public: IpAddr = PUBLIC.parse().unwrap();
        for address in [vector.address.unwrap_or(public), public] {
            let transport = transport(address, Diverted(receiver.address));
            let failure = send(&transport, &vector.url).await;
            assert_eq!(failure.reason, Reason::AddressRefused, "{:?} at {address}: {failure}", vector.url);
        }
    }
    assert_eq!(receiver.connections(), 0);
}

/// With the operating system's dialer, at a port where somebody would answer.
#[tokio::test]
async fn no_vector_connects_where_loopback_itself_listens() {
    let receiver = Receiver::always(Answer::status(200)).await;
    let port = receiver.address.port();
    // Without IPv6 nothing can connect there either.
    let ipv6 = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port);
    let ipv6 = match std::net::TcpListener::bind(ipv6) {
        Ok(probe) => {
            drop(probe);
            Some(Receiver::start(ipv6, None, |_| Answer::status(200)).await)
        }
        Err(_) => None,
    };
    let (Vectors { refused, .. }, transport) = (vectors(), HttpTransport::new().unwrap());
    let mut tried = 0;
    for Refused { url, .. } in refused {
        let Some(host) = url.strip_prefix("https://").and_then(|rest| rest.strip_suffix("/hook")) else { continue };
        let failure = send(&transport, &format!("https://{host}:{port}/hook")).await;
        assert_eq!(failure.reason, Reason::AddressRefused, "{url:?}: {failure}");
        tried += 1;
    }
    assert!(tried >= 400, "{tried}");
    assert_eq!((receiver.connections(), ipv6.map_or(0, |receiver| receiver.connections())), (0, 0));
}

#[tokio::test]
async fn every_control_is_taken_and_dialled_at_its_address_and_no_other() {
    let dialler = Recorded::default();
    for Accepted { url, form, address } in vectors().accepted {
        let transport = transport(address, dialler.clone());
        if let Err(refusal) = transport.check(&url) {
            panic!("{url} ({form}) was refused: {refusal}");
        }
        let failure = send(&transport, &url).await;
        assert_eq!(failure.reason, Reason::ConnectRefused, "{url} ({form}): {failure}");
        let dialled = dialler.take();
        assert_eq!(dialled.iter().map(SocketAddr::ip).collect::<Vec<_>>(), [address], "{url} ({form})");

        let failure = send(&transport, "https://hooks.example.com/").await;
        assert_eq!((failure.reason, failure.peer), (Reason::ConnectRefused, Some(address)), "{form}");
        assert_eq!(dialler.take(), [SocketAddr::new(address, 443)], "{form}");
    }
}

#[tokio::test]
async fn an_address_without_scope_or_flow_is_dialled() {
    let dialler = Recorded::default();
    let address = "2606:4700:4700::1111".parse().unwrap();
    send(&transport(address, dialler.clone()), "https://hooks.example.com:8443/").await;
    let [SocketAddr::V6(dialled)] = dialler.take()[..] else { panic!("one IPv6 address") };
    assert_eq!((dialled.port(), dialled.scope_id(), dialled.flowinfo()), (8443, 0, 0));
}
