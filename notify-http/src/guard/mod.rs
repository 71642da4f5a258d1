//! The guard: which names, addresses and ports attempts may go to. Pure: it is told everything and asks nobody.
//!
//! It is asked three times: about the URL when an endpoint is registered, about every address of a name after it was
//! looked up, and about the peer once it is connected.

mod address;
mod destination;
mod name;
mod nat64;
mod options;
mod port;
mod refusal;

use std::net::IpAddr;

use http::uri::Scheme;
use ipnet::IpNet;

use address::{Opening, Row, row_of};
use nat64::Prefix;
use port::Ports;

pub(crate) use destination::Destination;
pub(crate) use name::{NameKind, is_valid, name_kind};
pub use nat64::Nat64;
pub(crate) use options::GuardOptions;
use refusal::Why;
pub(crate) use refusal::{NameRefusal, Refusal};

/// Judges names, addresses and ports.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    opened: Vec<IpNet>,
    opens_link_local: bool,
    denied: Vec<IpNet>,
    allowed_hosts: Vec<Box<str>>,
    denied_hosts: Vec<Box<str>>,
    nat64: Vec<Prefix>,
    ports: Ports,
    families: Families,
    refuses_literals: bool,
}

impl Guard {
    /// The one judgement on one address.
    pub(crate) fn judge(&self, ip: IpAddr) -> Verdict {
        if self.denied.iter().any(|range| range.contains(&ip)) {
            return Verdict::Refused(Why::Denied);
        }
        let row = row_of(ip);
        if let IpAddr::V6(v6) = ip {
            if self.families == Families::Ipv4 {
                return Verdict::Refused(Why::Ipv6);
            }
            let never_opens = row.is_some_and(|row| row.opening == Opening::Never);
            let prefixes = self.nat64.iter().filter(|prefix| !never_opens && prefix.contains(v6));
            // The longest, as routes go.
            if let Some(prefix) = prefixes.max_by_key(|prefix| prefix.length()) {
                // The IPv4 address has rows of its own, so that nothing gets out of them by being translated.
                return prefix.embedded(v6).map_or(Verdict::Refused(Why::Nat64), |v4| self.judge(v4.into()));
            }
        }
        let opens = row.is_none_or(|row| match row.opening {
            Opening::ByRange => true,
            Opening::ByDangerousOption => self.opens_link_local,
            Opening::ByNat64 | Opening::Never => false,
        });
        match row {
            _ if opens && self.opened.iter().any(|range| range.contains(&ip)) => Verdict::Opened,
            Some(row) => Verdict::Refused(Why::Row(row)),
            None => Verdict::Public,
        }
    }

    /// Whether `ip` may be connected to with this reach.
    pub(crate) fn admit(&self, ip: IpAddr, reach: Reach) -> Result<(), Refusal> {
        match (self.judge(ip), reach) {
            (Verdict::Opened, _) | (Verdict::Public, Reach::Public | Reach::AllowedHost) => Ok(()),
            (Verdict::Public, Reach::OpenedOnly) => Err(Refusal::new(ip, Why::NotOpened)),
            (Verdict::Refused(Why::Row(Row { opening: Opening::ByRange, .. })), Reach::AllowedHost) => Ok(()),
            (Verdict::Refused(why), _) => Err(Refusal::new(ip, why)),
        }
    }

    /// All or nothing: one refused address refuses the name, since whoever mixes public with private answers is
    /// either attacked or attacking.
    pub(crate) fn admit_all(&self, ips: &[IpAddr], reach: Reach) -> Result<(), Refusal> {
        ips.iter().try_for_each(|ip| self.admit(*ip, reach))
    }

    /// Belt and braces: whatever happened between judgement and connection, no byte goes to a peer that was not
    /// judged. `vetted` are the addresses that were asked for.
    pub(crate) fn admit_peer(&self, peer: IpAddr, vetted: &[IpAddr], reach: Reach) -> Result<(), Refusal> {
        self.admit(peer, reach)?;
        if vetted.contains(&peer) { Ok(()) } else { Err(Refusal::new(peer, Why::NotAskedFor)) }
    }

    /// Whether a URL may hold this name, before any look-up.
    pub(crate) fn admit_name(&self, name: &str) -> Result<(), NameRefusal> {
        if self.denied_hosts.iter().any(|denied| name::is_under(name, denied)) {
            return Err(NameRefusal::Denied);
        }
        match name_kind(name) {
            NameKind::Metadata => Err(NameRefusal::Metadata),
            NameKind::Internal(why) if !self.has_open_ranges() && !self.is_allowed_host(name) => {
                Err(NameRefusal::Internal(why))
            }
            NameKind::Internal(_) | NameKind::Ordinary => Ok(()),
        }
    }

    /// Whether a URL may name this port, and if not why.
    pub(crate) fn admit_port(&self, port: u16) -> Result<(), &'static str> {
        self.ports.admit(port)
    }

    /// How far a URL with this scheme and host may reach.
    pub(crate) fn reach(&self, host: &Destination, scheme: &Scheme) -> Reach {
        let is_ordinary = match host {
            Destination::Name(name) if self.is_allowed_host(name) => return Reach::AllowedHost,
            Destination::Name(name) => name_kind(name) == NameKind::Ordinary,
            Destination::Ip(_) => true,
        };
        if *scheme == Scheme::HTTPS && is_ordinary { Reach::Public } else { Reach::OpenedOnly }
    }

    /// The addresses of a name that attempts may use at all; they are judged after this.
    pub(crate) fn usable(&self, mut ips: Vec<IpAddr>) -> Vec<IpAddr> {
        if self.families == Families::Ipv4 {
            ips.retain(IpAddr::is_ipv4);
        }
        ips
    }

    /// Whether any range is open: the host runs tests, or delivers inside its own network.
    pub(crate) const fn has_open_ranges(&self) -> bool {
        !self.opened.is_empty()
    }

    pub(crate) const fn refuses_literals(&self) -> bool {
        self.refuses_literals
    }

    /// The names that were allowed one by one.
    pub(crate) fn allowed_hosts(&self) -> &[Box<str>] {
        &self.allowed_hosts
    }

    fn is_allowed_host(&self, name: &str) -> bool {
        self.allowed_hosts.iter().any(|allowed| **allowed == *name)
    }
}

/// What one address is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// On the public internet.
    Public,
    /// In a range that the host opened.
    Opened,
    /// Neither, and why.
    Refused(Why),
}

/// How far a URL may reach.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reach {
    /// https to an ordinary name or a literal: public addresses and opened ranges.
    Public,
    /// Plain http, or a name of the inside: opened ranges and nothing else.
    OpenedOnly,
    /// A name that the host allowed by itself: all but what is denied or never opens by a range.
    AllowedHost,
}

/// Which addresses of a name are used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Families {
    /// All of them.
    #[default]
    Both,
    /// IPv4 alone; the others are not even judged.
    Ipv4,
}

#[cfg(test)]
pub(crate) mod tests;
