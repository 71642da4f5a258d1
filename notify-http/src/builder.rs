//! How a transport is put together.

use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::TlsConnector;

use crate::connector::Connector;
use crate::dial::{Dial, SystemDialer};
use crate::error::HttpBuildError;
use crate::guard::{Families, GuardOptions, Nat64};
use crate::resolve::{Resolve, SystemResolver};
use crate::tls;
use crate::transport::HttpTransport;
use crate::unstable::CryptoProvider;

/// Puts an [`HttpTransport`] together. Faults of any call are told by [`build`](Self::build).
#[derive(Debug)]
#[must_use]
pub struct HttpTransportBuilder {
    guard: GuardOptions,
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
            guard: GuardOptions::default(),
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

/// The network guard: which names, addresses and ports attempts may go to.
impl HttpTransportBuilder {
    /// Opens a range, such as `127.0.0.0/8`, `::1/128` or one address: attempts may go there, over plain `http` too,
    /// and names of the inside (`localhost`, single labels, `*.internal`) may lead there. May be called again.
    ///
    /// Link-local, metadata, multicast and IPv4-in-IPv6 addresses stay shut within any range.
    pub fn allow_cidr(mut self, range: impl Into<String>) -> Self {
        self.guard.allowed_ranges.push(range.into());
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

    /// Shuts a range, such as your own public addresses, or one that [`allow_cidr`](Self::allow_cidr) opened around
    /// it: no attempt goes there, whatever else is allowed. May be called again.
    pub fn deny_cidr(mut self, range: impl Into<String>) -> Self {
        self.guard.denied_ranges.push(range.into());
        self
    }

    /// Opens one name, such as `billing.corp.internal`, and not those below it: it may lead to any range that
    /// [`allow_cidr`](Self::allow_cidr) could open, over plain `http` too. Whoever can change the name's answers can
    /// then reach everything on that network. May be called again.
    ///
    /// [`SystemResolver`] asks for it as it is, so that search domains and `/etc/hosts` count for it.
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.guard.allowed_hosts.push(name.into());
        self
    }

    /// Shuts a name, such as your own, and those below it, whatever else is allowed. Its addresses can still be
    /// reached under other names: see [`deny_cidr`](Self::deny_cidr). May be called again.
    pub fn deny_host(mut self, name: impl Into<String>) -> Self {
        self.guard.denied_hosts.push(name.into());
        self
    }

    /// Takes URLs with these ports and no others, the default ports of `https` (443) and `http` (80) included.
    ///
    /// Without a list every port is taken but those of other protocols: the "bad ports" of the Fetch standard, and
    /// those of common databases and control planes.
    pub fn ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.guard.ports = Some(ports.into_iter().collect());
        self
    }

    /// Takes no URL whose host is an address, not even one in an opened range: names alone.
    pub const fn refuse_ip_literals(mut self) -> Self {
        self.guard.refuses_literals = true;
        self
    }

    /// Uses IPv4 addresses alone. IPv6 ones of a name are passed over unjudged, so that a private one beside public
    /// IPv4 ones no longer refuses the name; URLs with an IPv6 address are refused.
    pub const fn ipv4_only(mut self) -> Self {
        self.guard.families = Families::Ipv4;
        self
    }

    /// What becomes of addresses in `64:ff9b::/96`. With [`Nat64::Decode`] the IPv4 address inside is judged.
    pub const fn nat64(mut self, nat64: Nat64) -> Self {
        self.guard.nat64 = nat64;
        self
    }

    /// Judges addresses in this prefix, which your own NAT64 translates (RFC 6052, section 2.2: of 32, 40, 48, 56, 64
    /// or 96 bits), by the IPv4 address inside. **Needed for safety** on such a network: without it these addresses
    /// look public, and one of them may stand for `10.0.0.1`. May be called again.
    pub fn nat64_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.guard.nat64_prefixes.push(prefix.into());
        self
    }

    /// **Dangerous.** Opens `169.254.0.0/16` but for the metadata services known to this crate. Clouds keep
    /// credentials there, at addresses that this crate may not know.
    pub const fn allow_link_local_dangerous(mut self) -> Self {
        self.guard.opens_link_local = true;
        self
    }
}

impl HttpTransportBuilder {
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
    /// No crypto provider or no roots to use, a PEM, range, prefix or name that cannot be read, a range or name that can
    /// never be opened, a list of ports without one, a limit of zero.
    pub fn build(self) -> Result<HttpTransport, HttpBuildError> {
        if self.connections_per_host == 0 {
            return Err(HttpBuildError::ZeroLimit { name: "connections_per_host" });
        }
        let guard = Arc::new(self.guard.build()?);
        let tls = TlsConnector::from(tls::client_config(self.provider, &self.pems)?);
        let resolver =
            self.resolver.unwrap_or_else(|| Arc::new(SystemResolver::new().asking_as_they_are(guard.allowed_hosts())));
        let connector = Connector::new(Arc::clone(&guard), resolver, self.dialer, tls);
        Ok(HttpTransport::assemble(guard, connector, self.connections_per_host, self.connection_max_age))
    }
}
