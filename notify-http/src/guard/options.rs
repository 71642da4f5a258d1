//! What a host chose for its guard, read once, when the transport is built.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::error::HttpBuildError;

use super::address::{Opening, Row, TABLE, row_of};
use super::name::{self, NameKind, name_kind};
use super::nat64::{Nat64, Prefix};
use super::port::Ports;
use super::{Families, Guard};

/// The choices as they were written; all of them are told at build.
#[derive(Debug, Default)]
pub(crate) struct GuardOptions {
    pub(crate) allowed_ranges: Vec<String>,
    pub(crate) denied_ranges: Vec<String>,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) denied_hosts: Vec<String>,
    pub(crate) nat64: Nat64,
    pub(crate) nat64_prefixes: Vec<String>,
    pub(crate) ports: Option<Vec<u16>>,
    pub(crate) families: Families,
    pub(crate) refuses_literals: bool,
    pub(crate) opens_link_local: bool,
}

impl GuardOptions {
    /// The guard that does what was chosen.
    pub(crate) fn build(&self) -> Result<Guard, HttpBuildError> {
        let mut opened =
            self.allowed_ranges.iter().map(|text| self.read_opening(text)).collect::<Result<Vec<_>, _>>()?;
        if self.opens_link_local {
            opened.push(LINK_LOCAL);
        }
        let mut nat64 = self.nat64_prefixes.iter().map(|text| read_prefix(text)).collect::<Result<Vec<_>, _>>()?;
        if self.nat64 == Nat64::Decode {
            nat64.push(Prefix::WELL_KNOWN);
        }
        Ok(Guard {
            opened,
            opens_link_local: self.opens_link_local,
            denied: self.denied_ranges.iter().map(|text| read_denial(text)).collect::<Result<_, _>>()?,
            allowed_hosts: self.allowed_hosts.iter().map(|text| read_opened_host(text)).collect::<Result<_, _>>()?,
            denied_hosts: self.denied_hosts.iter().map(|text| read_host(text)).collect::<Result<_, _>>()?,
            nat64,
            ports: self.ports.as_deref().map_or(Ok(Ports::Usual), read_ports)?,
            families: self.families,
            refuses_literals: self.refuses_literals,
        })
    }

    /// A range to open. One that opens nothing would be found out at the first attempt only.
    fn read_opening(&self, text: &str) -> Result<IpNet, HttpBuildError> {
        let range = read_range(text)?;
        let rows_within = TABLE.iter().map(|row| row.range).filter(|row| range.contains(row));
        // Between these addresses the table does not change.
        let edges = rows_within.flat_map(|row| [Some(row.network()), next(row.broadcast())]).flatten();
        let mut probes = std::iter::once(range.network()).chain(edges.filter(|ip| range.contains(ip)));
        if probes.any(|ip| row_of(ip).is_none_or(|row| self.opens(row))) {
            return Ok(range);
        }
        let Some(row) = row_of(range.network()) else { return Ok(range) };
        let option = match row.opening {
            Opening::ByRange | Opening::ByDangerousOption => "allow_link_local_dangerous",
            Opening::ByNat64 => "nat64 or nat64_prefix",
            Opening::Never => {
                return Err(HttpBuildError::RangeNeverOpens { text: text.to_owned(), name: row.name });
            }
        };
        Err(HttpBuildError::RangeNeedsOption { text: text.to_owned(), name: row.name, option })
    }

    const fn opens(&self, row: &Row) -> bool {
        match row.opening {
            Opening::ByRange => true,
            Opening::ByDangerousOption => self.opens_link_local,
            Opening::ByNat64 | Opening::Never => false,
        }
    }
}

fn next(ip: IpAddr) -> Option<IpAddr> {
    match ip {
        IpAddr::V4(ip) => ip.to_bits().checked_add(1).map(|bits| Ipv4Addr::from_bits(bits).into()),
        IpAddr::V6(ip) => ip.to_bits().checked_add(1).map(|bits| Ipv6Addr::from_bits(bits).into()),
    }
}

fn read_range(text: &str) -> Result<IpNet, HttpBuildError> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map(|range| range.trunc())
        .map_err(|_| HttpBuildError::Range { text: text.to_owned() })
}

/// A range to shut. In IPv4-mapped form it would shut what is never open, and not the IPv4 addresses that were meant.
fn read_denial(text: &str) -> Result<IpNet, HttpBuildError> {
    let range = read_range(text)?;
    if range.prefix_len() >= 96 && matches!(range.network(), IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some()) {
        return Err(HttpBuildError::Range { text: text.to_owned() });
    }
    Ok(range)
}

fn read_prefix(text: &str) -> Result<Prefix, HttpBuildError> {
    text.parse().ok().and_then(Prefix::new).ok_or_else(|| HttpBuildError::Nat64Prefix { text: text.to_owned() })
}

fn read_host(text: &str) -> Result<Box<str>, HttpBuildError> {
    name::normal_form(text).ok_or_else(|| HttpBuildError::Host { text: text.to_owned() })
}

fn read_opened_host(text: &str) -> Result<Box<str>, HttpBuildError> {
    let name = read_host(text)?;
    if name_kind(&name) == NameKind::Metadata {
        return Err(HttpBuildError::HostNeverOpens { text: text.to_owned() });
    }
    Ok(name)
}

fn read_ports(ports: &[u16]) -> Result<Ports, HttpBuildError> {
    if ports.is_empty() || ports.contains(&0) {
        return Err(HttpBuildError::Ports);
    }
    Ok(Ports::Only(ports.to_vec()))
}

const LINK_LOCAL: IpNet = IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)), 16);
