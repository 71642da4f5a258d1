//! How a transport is put together.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio_rustls::TlsConnector;

use crate::connector::{Connector, Network};
use crate::error::HttpBuildError;
use crate::guard::{Guard, Opening, row_of};
use crate::resolve::{Resolve, SystemResolver};
use crate::route::{Proxy, Route};
use crate::targets::Targets;
use crate::tls;
use crate::tls_profile::TlsProfile;
use crate::transport::HttpTransport;
use crate::unstable::CryptoProvider;

/// Puts an [`HttpTransport`] together. Faults of any call are told by [`build`](Self::build).
#[must_use]
pub struct HttpTransportBuilder {
    ranges: Vec<String>,
    pems: Vec<Vec<u8>>,
    profiles: Vec<(String, TlsProfile)>,
    provider: Option<Arc<CryptoProvider>>,
    proxy: Option<String>,
    proxy_authorization: Option<String>,
    resolver: Option<Arc<dyn Resolve>>,
    connections_per_host: usize,
    connection_max_age: Duration,
}

impl Default for HttpTransportBuilder {
    fn default() -> Self {
        Self {
            ranges: Vec::new(),
            pems: Vec::new(),
            profiles: Vec::new(),
            provider: None,
            proxy: None,
            proxy_authorization: None,
            resolver: None,
            connections_per_host: 256,
            // With the idle timeout on top, every name is looked up again well within a minute.
            connection_max_age: Duration::from_secs(45),
        }
    }
}

impl HttpTransportBuilder {
    /// Opens a range, such as `127.0.0.0/8`, `::1/128` or one address: attempts may go there, over plain `http` too,
    /// and names of the inside (`localhost`, single labels, `*.internal`) may lead there. May be called again.
    ///
    /// Link-local, metadata, multicast and IPv4-in-IPv6 addresses stay shut within any range.
    pub fn allow_cidr(mut self, range: impl Into<String>) -> Self {
        self.ranges.push(range.into());
        self
    }

    /// Opens loopback, the private ranges of RFC 1918 and RFC 4193, and carriers' shared range, as
    /// [`allow_cidr`](Self::allow_cidr) does. For tests and self-hosting: whoever may register a URL can then reach
    /// everything on that network.
    pub fn allow_private_networks(self) -> Self {
        ["127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"]
            .into_iter()
            .fold(self, Self::allow_cidr)
    }

    /// Trusts the certificates in this PEM as roots, beside those compiled in. May be called again.
    pub fn extra_root_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.pems.push(pem.into());
        self
    }

    /// Speaks TLS with `host` (a name or an address, at any port) as `profile` says: with a client certificate, or
    /// with roots of its own. May be called for several hosts.
    ///
    /// A profile belongs to the host and not to one endpoint: whoever registers a URL on that host is sent to with
    /// this certificate. Each profile has connections of its own.
    pub fn tls_for_host(mut self, host: impl Into<String>, profile: TlsProfile) -> Self {
        self.profiles.push((host.into(), profile));
        self
    }

    /// Reaches every receiver through a tunnel (`CONNECT`) of the proxy at this URL, `http://HOST:PORT`. Variables
    /// such as `HTTPS_PROXY` are never read.
    ///
    /// Names are still looked up and judged here, and the proxy is asked for the judged address, never for a name. The
    /// proxy itself is not judged. Its own failures (not reachable, any answer but 200) are `local`, ours; only 502
    /// and 504 count as the receiver's.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Sends this as `proxy-authorization`, such as `Basic …`, to the proxy.
    pub fn proxy_authorization(mut self, value: impl Into<String>) -> Self {
        self.proxy_authorization = Some(value.into());
        self
    }

    /// **Unstable** (see [`unstable`](crate::unstable)): the crypto provider to use, before the process's default and
    /// before the one compiled in.
    pub fn crypto_provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Looks names up with `resolver` instead of [`SystemResolver`]. Its answers are judged like any other.
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.resolver = Some(Arc::new(resolver));
        self
    }

    /// At most this many attempts at a time to one scheme, host and port, and at most as many connections (256 by
    /// default). The others wait, within their own deadlines.
    pub const fn connections_per_host(mut self, limit: usize) -> Self {
        self.connections_per_host = limit;
        self
    }

    /// A connection older than this (45 s by default) takes no further attempt, so that a name's change of address is
    /// followed under steady traffic too.
    pub const fn connection_max_age(mut self, age: Duration) -> Self {
        self.connection_max_age = age;
        self
    }

    /// The transport. Makes no connection and needs no runtime yet.
    ///
    /// # Errors
    /// No crypto provider or no roots to use, a PEM, a range, a proxy or a profile's host that cannot be read, a range
    /// that can never be opened, a limit of zero.
    pub fn build(self) -> Result<HttpTransport, HttpBuildError> {
        if self.connections_per_host == 0 {
            return Err(HttpBuildError::ZeroLimit { name: "connections_per_host" });
        }
        let opened = self.ranges.iter().map(|text| read_range(text)).collect::<Result<Vec<_>, _>>()?;
        let guard = Arc::new(Guard::new(opened));
        let resolver = self.resolver.unwrap_or_else(|| Arc::new(SystemResolver::new()));
        let route = match &self.proxy {
            None => Route::Direct,
            Some(url) => Route::Proxy(Proxy::read(url, self.proxy_authorization.as_deref(), Arc::clone(&resolver))?),
        };
        let connections_per_host = self.connections_per_host;
        let network = Network { guard: Arc::clone(&guard), resolver, route: Arc::new(route), connections_per_host };
        let provider = tls::provider(self.provider)?;
        let connector = |profile: &TlsProfile, host: &str| {
            let config = tls::client_config(&provider, &self.pems, profile, host)?;
            Ok(Connector::new(network.clone(), TlsConnector::from(config)))
        };
        let mut connectors = vec![connector(&TlsProfile::new(), "any host")?];
        let mut profiles = HashMap::new();
        for (text, profile) in &self.profiles {
            let refuse = |why| HttpBuildError::TlsHost { text: text.clone(), why };
            let host = url::Host::parse(text).map_err(|_| refuse("it is no host"))?.to_string();
            connectors.push(connector(profile, &host)?);
            if profiles.insert(host.into_boxed_str(), connectors.len() - 1).is_some() {
                return Err(refuse("it has one already"));
            }
        }
        let targets = Targets::new(guard, connections_per_host, profiles);
        Ok(HttpTransport::assemble(targets, connectors, connections_per_host, self.connection_max_age))
    }
}

impl fmt::Debug for HttpTransportBuilder {
    /// Without the proxy, whose URL may hold credentials where there should be none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransportBuilder")
            .field("ranges", &self.ranges)
            .field("profiles", &self.profiles)
            .field("connections_per_host", &self.connections_per_host)
            .field("connection_max_age", &self.connection_max_age)
            .finish_non_exhaustive()
    }
}

fn read_range(text: &str) -> Result<IpNet, HttpBuildError> {
    let range = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| HttpBuildError::Range { text: text.to_owned() })?;
    // A range that opens nothing would be found out at the first attempt only.
    match row_of(range.network()) {
        Some(row) if row.opening == Opening::Never && row.range.contains(&range) => {
            Err(HttpBuildError::RangeNeverOpens { text: text.to_owned(), name: row.name })
        }
        _ => Ok(range.trunc()),
    }
}
