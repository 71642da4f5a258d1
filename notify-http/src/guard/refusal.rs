//! Why a name or an address is refused, in words for the operator.

use std::fmt;
use std::net::IpAddr;

use super::address::Row;

/// An address that may not be connected to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    ip: IpAddr,
    why: Why,
}

impl Refusal {
    pub(super) const fn new(ip: IpAddr, why: Why) -> Self {
        Self { ip, why }
    }

    /// The address.
    pub(crate) const fn ip(&self) -> IpAddr {
        self.ip
    }

    /// Whether https would be let through where plain http is not.
    pub(crate) fn is_about_the_scheme(&self) -> bool {
        self.why == Why::NotOpened
    }

    /// Whether this host closed the address itself.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self.why, Why::Denied | Why::Ipv6)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "address {} ", self.ip)?;
        match self.why {
            Why::Row(row) => write!(f, "is {} ({})", row.name, row.source),
            Why::NotOpened => f.write_str("is in no opened range, as plain http and internal names require"),
            Why::Denied => f.write_str("is in a range that is denied here"),
            Why::Ipv6 => f.write_str("is IPv6, which is switched off here"),
            Why::Nat64 => f.write_str("is NAT64 with its reserved octet in use (RFC 6052, 2.2)"),
            Why::NotAskedFor => f.write_str("answered, but was not asked for"),
        }
    }
}

/// What is wrong with an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Why {
    /// It is in this row of the table; for NAT64, the IPv4 address inside is.
    Row(&'static Row),
    /// It is public, where only opened ranges may be reached.
    NotOpened,
    /// The host denied it.
    Denied,
    /// The host uses IPv4 alone.
    Ipv6,
    /// It is no proper NAT64 address.
    Nat64,
    /// It is connected, but nobody wanted to go there.
    NotAskedFor,
}

/// A name that may not be looked up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NameRefusal {
    /// The host denied it.
    Denied,
    /// It leads to credentials.
    Metadata,
    /// It is not public; why.
    Internal(&'static str),
}

impl fmt::Display for NameRefusal {
    /// Reads on after "name …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied => f.write_str("is denied here"),
            Self::Metadata => f.write_str("is a metadata service"),
            Self::Internal(why) => write!(f, "is not public: {why}"),
        }
    }
}
