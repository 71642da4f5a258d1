mod options;
mod registry;
mod vectors;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::address::TABLE;
use super::*;

pub(super) fn shut() -> Guard {
    Guard::default()
}

/// A guard with these ranges open.
pub(crate) fn opening(ranges: &[&str]) -> Guard {
    let allowed_ranges = ranges.iter().map(|range| (*range).to_owned()).collect();
    GuardOptions { allowed_ranges, ..GuardOptions::default() }.build().unwrap()
}

pub(super) fn wide_open() -> Guard {
    opening(&["0.0.0.0/0", "::/0"])
}

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn both_edges_of_each_row_are_refused() {
    for row in TABLE {
        for edge in [row.range.network(), row.range.broadcast()] {
            assert!(matches!(shut().judge(edge), Verdict::Refused(_)), "{edge} of {}", row.range);
        }
    }
}

#[test]
fn each_row_is_reached_so_that_none_hides_behind_a_wider_one() {
    for row in TABLE {
        let edges = [row.range.network(), row.range.broadcast()];
        assert!(edges.map(row_of).contains(&Some(row)), "{}", row.range);
    }
}

#[test]
fn the_page_on_security_shows_the_whole_table() {
    let page = include_str!("../../../docs/security.md");
    for row in TABLE {
        let opening = match row.opening {
            Opening::ByRange => "`allow_cidr`, `allow_host`",
            Opening::ByDangerousOption => "`allow_link_local_dangerous`",
            Opening::ByNat64 => "`nat64`, `nat64_prefix`",
            Opening::Never => "never",
        };
        let line = format!("| `{}` | {} | {} | {opening} |", row.range, row.name, row.source);
        assert!(page.contains(&line), "docs/security.md lacks: {line}");
    }
    let (_, table) = page.split_once("| --- | --- | --- | --- |\n").unwrap();
    assert_eq!(
        table.lines().take_while(|line| line.starts_with('|')).count(),
        TABLE.len(),
        "it shows rows that are gone"
    );
}

#[test]
fn an_opened_range_opens_private_addresses_and_nothing_that_never_opens() {
    for text in ["127.0.0.1", "10.1.2.3", "100.64.0.1", "::1", "fd12::1", "8.8.8.8", "2606:4700::1111"] {
        assert_eq!(wide_open().judge(ip(text)), Verdict::Opened, "{text}");
    }
    for row in TABLE.iter().filter(|row| row.opening != Opening::ByRange) {
        let edges = [row.range.network(), row.range.broadcast()];
        let verdicts = edges.map(|edge| wide_open().judge(edge));
        assert!(verdicts.contains(&Verdict::Refused(Why::Row(row))), "{}: {verdicts:?}", row.range);
    }
}

#[test]
fn one_refused_answer_refuses_the_name() {
    let mixed = [ip("8.8.8.8"), ip("10.0.0.1")];
    assert_eq!(shut().admit_all(&mixed, Reach::Public).unwrap_err().ip(), ip("10.0.0.1"));
    assert_eq!(shut().admit_all(&mixed[..1], Reach::Public), Ok(()));
}

#[test]
fn plain_http_reaches_opened_ranges_only() {
    let guard = opening(&["127.0.0.0/8"]);
    assert_eq!(guard.admit(ip("127.0.0.1"), Reach::OpenedOnly), Ok(()));
    assert!(guard.admit(ip("8.8.8.8"), Reach::OpenedOnly).is_err());
    assert!(guard.admit(ip("10.0.0.1"), Reach::OpenedOnly).is_err());
}

#[test]
fn a_peer_that_was_not_judged_is_refused() {
    let guard = opening(&["127.0.0.0/8"]);
    let admit = |peer, vetted: &[IpAddr]| guard.admit_peer(ip(peer), vetted, Reach::Public);
    assert_eq!(admit("8.8.8.8", &[ip("8.8.8.8")]), Ok(()));
    let refusal = admit("8.8.8.9", &[ip("8.8.8.8")]).unwrap_err();
    assert_eq!(refusal.to_string(), "address 8.8.8.9 answered, but was not asked for");
    assert!(admit("10.0.0.1", &[ip("10.0.0.1")]).is_err());
    assert!(admit("::ffff:127.0.0.1", &[ip("127.0.0.1")]).is_err());
}

proptest! {
    #[test]
    fn an_ipv4_address_inside_an_ipv6_one_is_never_accepted(v4: u32, wide: bool) {
        let guard = if wide { wide_open() } else { shut() };
        let [a, b, c, d] = v4.to_be_bytes();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        for embedding in [
            Ipv4Addr::from(v4).to_ipv6_mapped(),
            Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
            Ipv6Addr::new(0, 0, 0, 0, 0, 0x5efe, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 0),
            Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, !high, !low),
        ] {
            prop_assert!(matches!(guard.judge(embedding.into()), Verdict::Refused(_)), "{embedding}");
        }
    }

    #[test]
    fn what_std_calls_private_is_refused(v4: u32, v6: u128) {
        let (v4, v6) = (Ipv4Addr::from(v4), Ipv6Addr::from(v6));
        let special = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast()
            || v4.is_broadcast() || v4.is_documentation() || v4.is_unspecified();
        if special {
            prop_assert!(matches!(shut().judge(v4.into()), Verdict::Refused(_)), "{v4}");
        }
        if v6.is_loopback() || v6.is_multicast() || v6.is_unspecified() || v6.to_ipv4().is_some()
            || v6.is_unique_local() || v6.is_unicast_link_local() {
            prop_assert!(matches!(shut().judge(v6.into()), Verdict::Refused(_)), "{v6}");
        }
    }

    #[test]
    fn opening_a_range_opens_nothing_outside_it(bits in 8u8..=32, net: u32, v4: u32) {
        let range = IpNet::new(Ipv4Addr::from(net).into(), bits).unwrap().trunc();
        let address = Ipv4Addr::from(v4).into();
        let guard = Guard { opened: vec![range], ..Guard::default() };
        if !range.contains(&address) {
            prop_assert_eq!(guard.judge(address), shut().judge(address));
        }
    }
}
