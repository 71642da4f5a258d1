//! From a URI to a connection whose peer was judged. The only place that opens sockets.

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::Connected;
use notify_core::delivery::{Reason, SendFailure};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::dial::Dial;
use crate::failure;
use crate::guard::{Destination, Guard};
use crate::progress::{Phase, Progress};
use crate::resolve::Resolve;
use crate::stream::{ConnectionInfo, Stream};

/// What a name server may take, out of the attempt's time.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that an attempt asked for is finished in the background when another becomes free first; this
/// bounds it then.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// The head start of one address before the next is tried beside it (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);
/// More answers than this are judged, but not tried.
const MAX_TRIES: usize = 16;

/// Resolves, judges, connects, judges the peer, and speaks TLS.
#[derive(Clone)]
pub(crate) struct Connector(Arc<Inner>);

struct Inner {
    guard: Arc<Guard>,
    resolver: Arc<dyn Resolve>,
    dialer: Arc<dyn Dial>,
    tls: TlsConnector,
}

impl Connector {
    pub(crate) fn new(guard: Arc<Guard>, resolver: Arc<dyn Resolve>, dialer: Arc<dyn Dial>, tls: TlsConnector) -> Self {
        Self(Arc::new(Inner { guard, resolver, dialer, tls }))
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("guard", &self.0.guard).finish_non_exhaustive()
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = SendFailure;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, SendFailure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), SendFailure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let inner = Arc::clone(&self.0);
        let progress = Progress::current().unwrap_or_default();
        Box::pin(async move {
            timeout(CONNECT_TIMEOUT, inner.connect(&uri, &progress)).await.unwrap_or_else(|_| {
                Err(SendFailure::new(Reason::ConnectTimeout, format!("no connection within {CONNECT_TIMEOUT:?}")))
            })
        })
    }
}

impl Inner {
    async fn connect(&self, uri: &Uri, progress: &Progress) -> Result<Stream, SendFailure> {
        let (Some(scheme), Some(host)) = (uri.scheme(), uri.host()) else {
            return Err(SendFailure::new(Reason::Local, "url without scheme or host"));
        };
        let is_tls = *scheme == Scheme::HTTPS;
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let destination = Destination::from_uri_host(host);
        let reach = self.guard.reach(&destination, scheme);

        progress.enter(Phase::Lookup);
        let ips = self.addresses(&destination).await?;
        self.guard.admit_all(&ips, reach).map_err(failure::refused)?;

        progress.enter(Phase::Connect);
        let tcp = dial(&self.dialer, &ips, port).await?;
        let peer = peer_of(&tcp)?;
        self.guard.admit_peer(peer, &ips, reach).map_err(failure::refused)?;
        // Small requests in one write: waiting to fill a packet only adds latency.
        tcp.set_nodelay(true).map_err(|error| failure::connect(&error, SocketAddr::new(peer, port)))?;
        if !is_tls {
            return Ok(Stream::plain(tcp, peer));
        }

        progress.enter(Phase::Handshake);
        let name = match destination {
            Destination::Ip(ip) => ServerName::from(ip),
            Destination::Name(name) => ServerName::try_from(String::from(name))
                .map_err(|_| SendFailure::new(Reason::AddressRefused, "host is no valid tls server name"))?,
        };
        let tls = self.tls.connect(name, tcp).await.map_err(|error| failure::handshake(&error).at(Some(peer)))?;
        Ok(Stream::tls(tls, peer))
    }

    async fn addresses(&self, destination: &Destination) -> Result<Vec<IpAddr>, SendFailure> {
        let name = match destination {
            Destination::Ip(ip) => return Ok(vec![*ip]),
            Destination::Name(name) => name,
        };
        if let Err(refusal) = self.guard.admit_name(name) {
            return Err(SendFailure::new(Reason::AddressRefused, format!("name {name} {refusal}")));
        }
        let ips = match timeout(LOOKUP_TIMEOUT, self.resolver.resolve(name)).await {
            Ok(answer) => answer.map_err(|error| failure::lookup(&error, name))?,
            Err(_) => {
                return Err(SendFailure::new(Reason::Dns, format!("{name}: no answer within {LOOKUP_TIMEOUT:?}")));
            }
        };
        let ips = self.guard.usable(ips);
        if ips.is_empty() {
            return Err(SendFailure::new(Reason::Dns, format!("{name}: no address")));
        }
        Ok(ips)
    }
}

/// What the pool knows of a connection.
pub(crate) fn info_of(connected: &Connected) -> Option<ConnectionInfo> {
    let mut extras = http::Extensions::new();
    connected.get_extras(&mut extras);
    extras.get().copied()
}

fn peer_of(tcp: &TcpStream) -> Result<IpAddr, SendFailure> {
    let peer = tcp.peer_addr();
    peer.map(|peer| peer.ip())
        .map_err(|error| SendFailure::new(Reason::Reset, format!("no peer after connect: {error}")))
}

/// Tries the addresses in turn, each with a head start over the next; the first to connect wins.
async fn dial(dialer: &Arc<dyn Dial>, ips: &[IpAddr], port: u16) -> Result<TcpStream, SendFailure> {
    if let [only] = ips {
        return dial_one(Arc::clone(dialer), SocketAddr::new(*only, port)).await;
    }
    let mut tries = JoinSet::new();
    let mut last = SendFailure::new(Reason::Dns, "no address");
    let mut rest = ips.iter().copied().take(MAX_TRIES).peekable();
    loop {
        if let Some(next) = rest.next() {
            tries.spawn(dial_one(Arc::clone(dialer), SocketAddr::new(next, port)));
        }
        tokio::select! {
            biased;
            ended = tries.join_next() => match ended {
                Some(Ok(Ok(tcp))) => return Ok(tcp),
                Some(Ok(Err(failure))) => last = failure,
                Some(Err(error)) => last = SendFailure::new(Reason::Local, error.to_string()),
                None => return Err(last),
            },
            () = sleep(STAGGER), if rest.peek().is_some() => {}
        }
    }
}

async fn dial_one(dialer: Arc<dyn Dial>, address: SocketAddr) -> Result<TcpStream, SendFailure> {
    dialer.dial(address).await.map_err(|error| failure::connect(&error, address))
}
