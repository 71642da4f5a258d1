//! Where a connection goes, by what its URL says.

use std::net::IpAddr;

/// The host of a connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Destination {
    /// A literal.
    Ip(IpAddr),
    /// A name in lower-case ASCII, without a final dot.
    Name(Box<str>),
}

impl Destination {
    /// The destination in a URI's host, which carries IPv6 literals in brackets.
    pub(crate) fn from_uri_host(host: &str) -> Self {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        bare.parse().map_or_else(|_| Self::Name(bare.into()), Self::Ip)
    }
}
