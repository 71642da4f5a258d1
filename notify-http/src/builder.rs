//! How a transport is put together.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::TlsConnector;

use crate::connector::{Connector, Network};
use crate::dial::{Dial, SystemDialer};
use crate::error::HttpBuildError;
use crate::guard::{Families, GuardOptions, Nat64, is_valid};
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
    guard: GuardOptions,
    pems: Vec<Vec<u8>>,
    profiles: Vec<(String, TlsProfile)>,
    provider: Option<Arc<CryptoProvider>>,
    proxy: Option<String>,
    proxy_authorization: Option<String>,
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
            profiles: Vec::new(),
            provider: None,
            proxy: None,
            proxy_authorization: None,
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
    /// look public, and one of them may stand for `10.0.0.1`. May be called again; of several that hold an address, the
    /// longest decodes it.
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

    /// Speaks TLS with `host` (a name or an address, at any port) as `profile` says: with a client certificate, or
    /// with roots of its own. One host and not those below it: no wildcard. May be called for several hosts.
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

    /// Sends this as `proxy-authorization`, such as `Basic …`, to the proxy. Without a [`proxy`](Self::proxy) it is an
    /// error of [`build`](Self::build).
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

    /// Connects with `dialer` instead of [`SystemDialer`], to the same judged addresses.
    pub fn dialer(mut self, dialer: impl Dial) -> Self {
        self.dialer = Arc::new(dialer);
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
    /// No crypto provider or no roots to use; a PEM, a range, a prefix, a name, a proxy or a profile's host that cannot
    /// be read; a range or name that can never be opened; a list of ports without one; a limit of zero.
    pub fn build(self) -> Result<HttpTransport, HttpBuildError> {
        if self.connections_per_host == 0 {
            return Err(HttpBuildError::ZeroLimit { name: "connections_per_host" });
        }
        let guard = Arc::new(self.guard.build()?);
        let resolver =
            self.resolver.unwrap_or_else(|| Arc::new(SystemResolver::new().asking_as_they_are(guard.allowed_hosts())));
        let route = match &self.proxy {
            None if self.proxy_authorization.is_some() => {
                return Err(HttpBuildError::Proxy { why: "its authorization is given, and its url is not" });
            }
            None => Route::Direct(self.dialer),
            Some(url) => {
                let authorization = self.proxy_authorization.as_deref();
                Route::Proxy(Proxy::read(url, authorization, Arc::clone(&resolver), self.dialer)?)
            }
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
            let host = match url::Host::parse(text) {
                Ok(url::Host::Domain(name)) if !is_valid(&name) => return Err(refuse("it is no name of one host")),
                Ok(host) => host.to_string(),
                Err(_) => return Err(refuse("it is no host")),
            };
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
            .field("guard", &self.guard)
            .field("profiles", &self.profiles)
            .field("connections_per_host", &self.connections_per_host)
            .field("connection_max_age", &self.connection_max_age)
            .finish_non_exhaustive()
    }
}
