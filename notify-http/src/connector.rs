//! From a URI to a connection whose peer was judged.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::Connected;
use notify_core::delivery::{Part, Reason, SendFailure};
use rustls::pki_types::ServerName;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::allowance::Allowance;
use crate::failure;
use crate::guard::{Destination, Guard};
use crate::lookup::addresses_of;
use crate::progress::{Phase, Progress};
use crate::resolve::Resolve;
use crate::route::{Reached, Route};
use crate::socket::Socket;
use crate::stream::{ConnectionInfo, Stream};

/// A connection that an attempt asked for is finished in the background when another becomes free first; this
/// bounds it then.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Resolves, judges, connects, judges the peer, and speaks TLS.
#[derive(Clone)]
pub(crate) struct Connector(Arc<Inner>);

struct Inner {
    network: Network,
    tls: TlsConnector,
}

/// What the connectors of all TLS profiles share.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) guard: Arc<Guard>,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) route: Arc<Route>,
    pub(crate) connections_per_host: usize,
}

impl Connector {
    pub(crate) fn new(network: Network, tls: TlsConnector) -> Self {
        Self(Arc::new(Inner { network, tls }))
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("network", &self.0.network).finish_non_exhaustive()
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
        let progress = Progress::current();
        Box::pin(async move {
            let progress =
                progress.ok_or_else(|| SendFailure::new(Reason::Local, "a connection without an attempt"))?;
            timeout(CONNECT_TIMEOUT, inner.connect(&uri, &progress))
                .await
                .unwrap_or_else(|_| Err(progress.missed(CONNECT_TIMEOUT)))
        })
    }
}

impl Inner {
    async fn connect(&self, uri: &Uri, progress: &Arc<Progress>) -> Result<Stream, SendFailure> {
        let (Some(scheme), Some(host)) = (uri.scheme(), uri.host()) else {
            return Err(SendFailure::new(Reason::Local, "url without scheme or host"));
        };
        let is_tls = *scheme == Scheme::HTTPS;
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let destination = Destination::from_uri_host(host);
        let Network { guard, route, connections_per_host, .. } = &self.network;
        let reach = guard.reach(&destination, scheme);

        // Taken before the look-up: what is judged is dialled at once. Given back when the socket is closed.
        progress.enter(Phase::Place);
        let place = Arc::clone(&progress.connections)
            .acquire_owned()
            .await
            .map_err(|error| SendFailure::new(Reason::Local, error.to_string()))?;

        progress.enter(Phase::Lookup);
        let addresses = self.addresses(&destination);
        let ips = match destination {
            Destination::Ip(_) => addresses.await?,
            Destination::Name(_) => progress.timed(Part::Lookup, addresses).await?,
        };
        guard.admit_all(&ips, reach).map_err(failure::refused)?;

        let on_the_way = match **route {
            Route::Direct(_) => Phase::Connect,
            Route::Proxy(_) => Phase::Proxy,
        };
        if let Some(first) = ips.first() {
            progress.enter_at(on_the_way, *first);
        }
        let Reached { tcp, peer } = progress.timed(Part::Connect, route.reach_any(&ips, port)).await?;
        guard.admit_peer(peer, &ips, reach).map_err(failure::refused)?;
        progress.enter_at(on_the_way, peer);
        // Small requests in one write: waiting to fill a packet only adds latency.
        tcp.set_nodelay(true).map_err(|error| failure::connect(&error, (peer, port).into()))?;
        let allowance = Arc::new(Allowance::new(*connections_per_host));
        let socket = Socket::new(tcp, Arc::clone(&allowance), place);
        let info = ConnectionInfo::new(peer, allowance, progress);
        if !is_tls {
            return Ok(Stream::plain(socket, info));
        }

        progress.enter_at(Phase::Handshake, peer);
        let name = match destination {
            Destination::Ip(ip) => ServerName::from(ip),
            Destination::Name(name) => ServerName::try_from(String::from(name))
                .map_err(|_| SendFailure::new(Reason::AddressRefused, "host is no valid tls server name"))?,
        };
        let handshake = progress.timed(Part::Handshake, self.tls.connect(name, socket));
        let tls = handshake.await.map_err(|error| failure::handshake(&error).at(Some(peer)))?;
        Ok(Stream::tls(tls, info))
    }

    async fn addresses(&self, destination: &Destination) -> Result<Vec<IpAddr>, SendFailure> {
        let Network { guard, resolver, .. } = &self.network;
        if let Destination::Name(name) = destination
            && let Err(refusal) = guard.admit_name(name)
        {
            return Err(SendFailure::new(Reason::AddressRefused, format!("name {name} {refusal}")));
        }
        let ips = guard.usable(addresses_of(destination, &**resolver).await?);
        if ips.is_empty() { Err(SendFailure::new(Reason::Dns, "no address of a family in use")) } else { Ok(ips) }
    }
}

/// What the pool knows of a connection.
pub(crate) fn info_of(connected: &Connected) -> Option<ConnectionInfo> {
    let mut extras = http::Extensions::new();
    connected.get_extras(&mut extras);
    extras.remove()
}
