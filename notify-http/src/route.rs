//! How a judged address is reached: straight, or through the proxy that the host names.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{HeaderValue, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use notify_core::delivery::{Reason, SendFailure};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;
use url::Url;

use crate::dial::Dial;
use crate::error::HttpBuildError;
use crate::failure;
use crate::guard::Destination;
use crate::lookup::addresses_of;
use crate::resolve::Resolve;

/// The head start of one address before the next is tried beside it (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);
/// More answers than this are judged, but not tried.
const MAX_TRIES: usize = 16;
/// A proxy's answer to `CONNECT`.
const MAX_PROXY_HEAD: usize = 16 * 1024;

/// The way to an address.
#[derive(Debug)]
pub(crate) enum Route {
    /// A connection of our own.
    Direct(Arc<dyn Dial>),
    /// A tunnel (`CONNECT`, RFC 9110 section 9.3.6).
    Proxy(Proxy),
}

/// An open way, and the address at its end.
#[derive(Debug)]
pub(crate) struct Reached {
    pub(crate) tcp: TcpStream,
    pub(crate) peer: IpAddr,
}

impl Route {
    /// Tries the addresses, families in turn (RFC 8305, section 4), each with a head start over the next; the first
    /// to connect wins. No address but these is tried.
    pub(crate) async fn reach_any(self: &Arc<Self>, ips: &[IpAddr], port: u16) -> Result<Reached, SendFailure> {
        if let [only] = ips {
            return self.reach(SocketAddr::new(*only, port)).await;
        }
        let mut tries = JoinSet::new();
        let mut last = SendFailure::new(Reason::Dns, "no address");
        let mut rest = interleaved(ips).into_iter().take(MAX_TRIES).peekable();
        loop {
            if let Some(next) = rest.next() {
                let route = Arc::clone(self);
                tries.spawn(async move { route.reach(SocketAddr::new(next, port)).await });
            }
            tokio::select! {
                biased;
                ended = tries.join_next() => match ended {
                    Some(Ok(Ok(reached))) => return Ok(reached),
                    Some(Ok(Err(failure))) => last = weightier(last, failure),
                    Some(Err(error)) => last = SendFailure::new(Reason::Local, error.to_string()),
                    None => return Err(last),
                },
                () = sleep(STAGGER), if rest.peek().is_some() => {}
            }
        }
    }

    async fn reach(&self, address: SocketAddr) -> Result<Reached, SendFailure> {
        match self {
            Self::Direct(dialer) => {
                let tcp = dial(&**dialer, address).await?;
                let peer = tcp.peer_addr().map_err(|error| failure::connect(&error, address))?.ip();
                Ok(Reached { tcp, peer })
            }
            Self::Proxy(proxy) => {
                let tcp = proxy.tunnel_to(address).await.map_err(|failure| failure.at(Some(address.ip())))?;
                Ok(Reached { tcp, peer: address.ip() })
            }
        }
    }
}

/// A proxy that the host trusts: it is not judged, and may stand inside.
#[derive(Debug)]
pub(crate) struct Proxy {
    destination: Destination,
    port: u16,
    authorization: Option<HeaderValue>,
    resolver: Arc<dyn Resolve>,
    dialer: Arc<dyn Dial>,
}

impl Proxy {
    /// Reads `http://HOST:PORT`.
    pub(crate) fn read(
        url: &str,
        authorization: Option<&str>,
        resolver: Arc<dyn Resolve>,
        dialer: Arc<dyn Dial>,
    ) -> Result<Self, HttpBuildError> {
        let refuse = |why| HttpBuildError::Proxy { why };
        let url = Url::parse(url).map_err(|_| refuse("its url cannot be read"))?;
        if url.scheme() != "http" {
            return Err(refuse("its url must begin with http://, for the tunnel is what is encrypted"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("its url must not have credentials: give them with proxy_authorization"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("its url must not have a path, a query or a fragment"));
        }
        let authorization = authorization
            .map(|value| {
                let mut value =
                    HeaderValue::from_str(value).map_err(|_| refuse("its authorization is no visible ascii"))?;
                value.set_sensitive(true);
                Ok(value)
            })
            .transpose()?;
        let destination = Destination::from_uri_host(url.host_str().ok_or_else(|| refuse("its url has no host"))?);
        Ok(Self { destination, port: url.port().unwrap_or(80), authorization, resolver, dialer })
    }

    /// Before the tunnel stands every failure is the proxy's own, and so ours, but for the two statuses by which a
    /// proxy reports on what lies behind it.
    async fn tunnel_to(&self, address: SocketAddr) -> Result<TcpStream, SendFailure> {
        let ours = |why: String| SendFailure::new(Reason::Local, format!("proxy: {why}"));
        let tcp = self.connect().await.map_err(|failure| ours(failure.detail))?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_PROXY_HEAD)
            .handshake::<_, Empty<Bytes>>(TokioIo::new(tcp))
            .await
            .map_err(|error| ours(error.to_string()))?;
        let request = self.connect_request(address).map_err(|error| ours(error.to_string()))?;
        // Owns the sender: the connection ends when nobody can send any more.
        let exchange = async move { sender.send_request(request).await.map(|answer| answer.status()) };
        let (status, parts) =
            tokio::try_join!(exchange, connection.without_shutdown()).map_err(|error| ours(error.to_string()))?;
        match status {
            StatusCode::OK if parts.read_buf.is_empty() => Ok(parts.io.into_inner()),
            StatusCode::OK => Err(ours("it spoke before the tunnel's other end did".into())),
            StatusCode::BAD_GATEWAY => {
                Err(SendFailure::new(Reason::ConnectRefused, format!("{address}: not reached, says the proxy (502)")))
            }
            StatusCode::GATEWAY_TIMEOUT => {
                Err(SendFailure::new(Reason::ConnectTimeout, format!("{address}: no answer, says the proxy (504)")))
            }
            other => Err(ours(format!("answered {} to CONNECT", other.as_u16()))),
        }
    }

    async fn connect(&self) -> Result<TcpStream, SendFailure> {
        let mut last = SendFailure::new(Reason::Local, "no address");
        for ip in addresses_of(&self.destination, &*self.resolver).await? {
            match dial(&*self.dialer, SocketAddr::new(ip, self.port)).await {
                Ok(tcp) => return Ok(tcp),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }

    fn connect_request(&self, address: SocketAddr) -> http::Result<http::Request<Empty<Bytes>>> {
        let authority = address.to_string();
        let mut request = http::Request::connect(&authority).header(HOST, &authority);
        if let Some(authorization) = &self.authorization {
            request = request.header(PROXY_AUTHORIZATION, authorization.clone());
        }
        request.body(Empty::new())
    }
}

async fn dial(dialer: &dyn Dial, address: SocketAddr) -> Result<TcpStream, SendFailure> {
    dialer.dial(address).await.map_err(|error| failure::connect(&error, address))
}

/// Of several addresses' failures, the one to tell: the latest, but one of our own (a family that this machine has no
/// network for) never hides the receiver's.
fn weightier(known: SendFailure, next: SendFailure) -> SendFailure {
    let ours = |failure: &SendFailure| matches!(failure.reason, Reason::Local | Reason::Dns);
    if ours(&next) && !ours(&known) { known } else { next }
}

/// The families in turn, beginning with the first address's; within a family the resolver's order.
fn interleaved(ips: &[IpAddr]) -> Vec<IpAddr> {
    let Some(first) = ips.first() else { return Vec::new() };
    let (mut preferred, mut other) = (Vec::new(), Vec::new());
    for ip in ips {
        if ip.is_ipv6() == first.is_ipv6() { preferred.push(*ip) } else { other.push(*ip) }
    }
    let mut turns = Vec::with_capacity(ips.len());
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    while turns.len() < ips.len() {
        turns.extend(preferred.next());
        turns.extend(other.next());
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dial::SystemDialer;
    use crate::resolve::SystemResolver;

    #[test]
    fn the_families_take_turns_and_no_address_is_lost() {
        let ips = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        for (given, turns) in [
            (&["::1", "::2", "::3", "1.1.1.1"][..], &["::1", "1.1.1.1", "::2", "::3"][..]),
            (&["1.1.1.1", "1.1.1.2", "::1"], &["1.1.1.1", "::1", "1.1.1.2"]),
            (&["1.1.1.1", "1.1.1.2"], &["1.1.1.1", "1.1.1.2"]),
            (&[], &[]),
        ] {
            assert_eq!(interleaved(&ips(given)), ips(turns));
        }
    }

    #[test]
    fn a_family_that_is_not_there_hides_no_refusal() {
        let failure = |reason| SendFailure::new(reason, "");
        for (known, next, told) in [
            (Reason::Dns, Reason::Local, Reason::Local),
            (Reason::Local, Reason::ConnectRefused, Reason::ConnectRefused),
            (Reason::ConnectRefused, Reason::Local, Reason::ConnectRefused),
            (Reason::ConnectRefused, Reason::ConnectTimeout, Reason::ConnectTimeout),
        ] {
            assert_eq!(weightier(failure(known), failure(next)).reason, told);
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_meant_is_refused_without_its_credentials() {
        let read = |url, authorization| {
            Proxy::read(url, authorization, Arc::new(SystemResolver::new()), Arc::new(SystemDialer))
        };
        for (url, authorization) in [
            ("https://proxy.internal:3128", None),
            ("socks5://proxy.internal:1080", None),
            ("http://canary:canary@proxy.internal:3128", None),
            ("http://proxy.internal:3128/canary", None),
            ("proxy.internal", None),
            ("http://proxy.internal:3128", Some("Basic canary\r\nx: y")),
        ] {
            let error = read(url, authorization).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
        let proxy = read("http://proxy.internal:3128", Some("Basic canary")).unwrap();
        assert_eq!(proxy.port, 3128);
        assert!(!format!("{proxy:?}").contains("canary"));
    }
}
