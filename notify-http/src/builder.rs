//! How a transport is put together.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio_rustls::TlsConnector;

use crate::connector::Connector;
use crate::dial::{Dial, SystemDialer};
use crate::error::HttpBuildError;
use crate::guard::{Guard, Opening, row_of};
use crate::resolve::{Resolve, SystemResolver};
use crate::tls;
use crate::transport::HttpTransport;
use crate::unstable::CryptoProvider;

/// Puts an [`HttpTransport`] together. Faults of any call are told by [`build`](Self::build).
#[derive(Debug)]
#[must_use]
pub struct HttpTransportBuilder {
    ranges: Vec<String>,
    pems: Vec<Vec<u8>>,
    provider: Option<Arc<CryptoProvider>>,
    resolver: Option<Arc<dyn Resolve>>,
    dialer: Arc<dyn Dial>,
    connections_per_host: usize,
    connection_max_age: Duration,
}

impl Default for HttpTransportBuilder {
    fn default() -> Self {
        Self {
            ranges: Vec::new(),
            pems: Vec::new(),
            provider: None,
            resolver: None,
            dialer: Arc::new(SystemDialer),
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

    /// Connects with `dialer` instead of [`SystemDialer`], to the same judged addresses.
    pub fn dialer(mut self, dialer: impl Dial) -> Self {
        self.dialer = Arc::new(dialer);
        self
    }

    /// At most this many attempts at a time to one scheme, host and port, and so as many connections (256 by default).
    /// The others wait, within their own deadlines.
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
    /// No crypto provider or no roots to use, a PEM or a range that cannot be read, a range that can never be opened,
    /// a limit of zero.
    pub fn build(self) -> Result<HttpTransport, HttpBuildError> {
        if self.connections_per_host == 0 {
            return Err(HttpBuildError::ZeroLimit { name: "connections_per_host" });
        }
        let opened = self.ranges.iter().map(|text| read_range(text)).collect::<Result<Vec<_>, _>>()?;
        let guard = Arc::new(Guard::new(opened));
        let tls = TlsConnector::from(tls::client_config(self.provider, &self.pems)?);
        let resolver = self.resolver.unwrap_or_else(|| Arc::new(SystemResolver::new()));
        let connector = Connector::new(Arc::clone(&guard), resolver, self.dialer, tls);
        Ok(HttpTransport::assemble(guard, connector, self.connections_per_host, self.connection_max_age))
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
