//! IPv4 addresses inside IPv6 ones, where a translator stands between (RFC 6052).

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::Ipv6Net;

use super::address::{Opening, row_of};

/// What becomes of addresses in `64:ff9b::/96`, the well-known prefix of NAT64 (RFC 6052, section 2.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Nat64 {
    /// They are refused. The default: on a network without NAT64 nobody is there.
    #[default]
    Refuse,
    /// The IPv4 address inside is judged like any other. For networks where DNS64 answers every name with such
    /// addresses.
    Decode,
}

/// A prefix whose addresses stand for the IPv4 address inside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Prefix(Ipv6Net);

impl Prefix {
    /// `64:ff9b::/96`
    pub(crate) const WELL_KNOWN: Self = Self(Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96));

    /// A prefix that a network has to itself; `None` unless it has a length of RFC 6052, section 2.2, a zero where
    /// that section wants one, and lies where a network may put it.
    pub(crate) fn new(net: Ipv6Net) -> Option<Self> {
        let has_a_length = [32, 40, 48, 56, 64, 96].contains(&net.prefix_len());
        let is_well_formed = net.network().octets()[RESERVED_OCTET] == 0;
        let is_free =
            row_of(net.network().into()).is_none_or(|row| matches!(row.opening, Opening::ByRange | Opening::ByNat64));
        (has_a_length && is_well_formed && is_free).then(|| Self(net.trunc()))
    }

    pub(crate) fn contains(self, ip: Ipv6Addr) -> bool {
        self.0.contains(&ip)
    }

    /// In bits.
    pub(crate) const fn length(self) -> u8 {
        self.0.prefix_len()
    }

    /// The IPv4 address inside `ip`, which is in this prefix; `None` if the reserved octet is in use, since
    /// translators differ about those.
    pub(crate) fn embedded(self, ip: Ipv6Addr) -> Option<Ipv4Addr> {
        let octets = ip.octets();
        let start = usize::from(self.0.prefix_len() / 8);
        let mut inside = (start..octets.len()).filter(|index| *index != RESERVED_OCTET).map(|index| octets[index]);
        let v4 = [inside.next()?, inside.next()?, inside.next()?, inside.next()?];
        (octets[RESERVED_OCTET] == 0).then(|| Ipv4Addr::from(v4))
    }
}

/// Bits 64 to 71, "u" in RFC 6052: zero, and no part of the IPv4 address.
const RESERVED_OCTET: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6052, section 2.4, table 1.
    #[test]
    fn the_rfc_s_own_examples_decode() {
        for (prefix, ip) in [
            ("2001:db8::/32", "2001:db8:c000:221::"),
            ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
            ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
            ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
            ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
            ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
            ("64:ff9b::/96", "64:ff9b::192.0.2.33"),
        ] {
            let prefix = Prefix::new(prefix.parse().unwrap()).unwrap();
            let ip = ip.parse().unwrap();
            assert!(prefix.contains(ip), "{prefix:?}");
            assert_eq!(prefix.embedded(ip), Some(Ipv4Addr::new(192, 0, 2, 33)), "{prefix:?}");
        }
    }

    #[test]
    fn a_prefix_of_another_length_or_form_or_place_is_none() {
        for text in [
            "2001:db8::/33",
            "2001:db8::/128",
            "2001:db8:0:0:100::/96",
            "::/96",
            "::ffff:0:0/96",
            "2002::/32",
            "2001::/32",
            "fe80::/64",
            "fd00:ec2::/96",
        ] {
            assert_eq!(Prefix::new(text.parse().unwrap()), None, "{text}");
        }
    }

    #[test]
    fn an_address_that_uses_the_reserved_octet_holds_none() {
        let prefix = Prefix::new("2001:db8::/32".parse().unwrap()).unwrap();
        assert_eq!(prefix.embedded("2001:db8:c000:221:100::".parse().unwrap()), None);
    }
}
