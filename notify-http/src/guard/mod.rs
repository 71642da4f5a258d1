//! The guard: which addresses attempts may go to. Pure; the connector asks it just before each connection.

mod address;
mod name;

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

pub(crate) use address::{Opening, Row, row_of};
pub(crate) use name::{NameKind, name_kind};

/// Judges addresses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    opened: Vec<IpNet>,
}

impl Guard {
    /// A guard with these ranges opened. Rows that never open stay shut within them.
    pub(crate) const fn new(opened: Vec<IpNet>) -> Self {
        Self { opened }
    }

    /// Whether any range is open: the host runs tests, or delivers inside its own network.
    pub(crate) const fn has_openings(&self) -> bool {
        !self.opened.is_empty()
    }

    /// The one judgement on one address.
    pub(crate) fn judge(&self, ip: IpAddr) -> Verdict {
        let row = row_of(ip);
        match row {
            Some(row) if row.opening == Opening::Never => Verdict::Refused(row),
            _ if self.opened.iter().any(|range| range.contains(&ip)) => Verdict::Opened,
            Some(row) => Verdict::Refused(row),
            None => Verdict::Public,
        }
    }

    /// Whether `ip` may be connected to with this reach.
    pub(crate) fn admit(&self, ip: IpAddr, reach: Reach) -> Result<(), Refusal> {
        match (self.judge(ip), reach) {
            (Verdict::Opened, _) | (Verdict::Public, Reach::Public) => Ok(()),
            (Verdict::Public, Reach::OpenedOnly) => Err(Refusal { ip, row: None }),
            (Verdict::Refused(row), _) => Err(Refusal { ip, row: Some(row) }),
        }
    }

    /// All or nothing: one refused address refuses the name, since whoever mixes public with private answers is
    /// either attacked or attacking.
    pub(crate) fn admit_all(&self, ips: &[IpAddr], reach: Reach) -> Result<(), Refusal> {
        ips.iter().try_for_each(|ip| self.admit(*ip, reach))
    }
}

/// What one address is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// On the public internet.
    Public,
    /// In a range that the host opened.
    Opened,
    /// Neither: the row that says so.
    Refused(&'static Row),
}

/// How far a URL may reach.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reach {
    /// https to an ordinary name or a literal: public addresses and opened ranges.
    Public,
    /// Plain http, or a name of the inside: opened ranges and nothing else.
    OpenedOnly,
}

/// An address that may not be connected to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    ip: IpAddr,
    row: Option<&'static Row>,
}

impl Refusal {
    /// The address.
    pub(crate) const fn ip(&self) -> IpAddr {
        self.ip
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            Some(row) => write!(f, "address {} is {} ({})", self.ip, row.name, row.source),
            None => write!(f, "address {} is in no opened range, as plain http and internal names require", self.ip),
        }
    }
}

#[cfg(test)]
mod tests;
