use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::address::TABLE;
use super::*;

fn shut() -> Guard {
    Guard::default()
}

fn wide_open() -> Guard {
    Guard::new(vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()])
}

fn ip(text: &str) -> IpAddr {
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
fn the_neighbours_of_each_row_are_public_unless_another_row_holds_them() {
    // Written out by hand: a table cannot be the judge of its own width.
    for text in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.1.255",
        "192.0.3.0",
        "192.31.195.255",
        "192.31.197.0",
        "192.52.192.255",
        "192.52.194.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "192.175.47.255",
        "192.175.49.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "2000::",
        "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:200::",
        "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db9::",
        "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2003::",
        "2620:4f:7fff:ffff:ffff:ffff:ffff:ffff",
        "2620:4f:8001::",
        "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff:1000::",
        "8.8.8.8",
        "2606:4700::1111",
    ] {
        assert_eq!(shut().judge(ip(text)), Verdict::Public, "{text}");
    }
}

#[test]
fn well_known_traps_are_refused() {
    for text in [
        "0.0.0.0",
        "0.1.2.3",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "100.100.100.200",
        "192.0.0.170",
        "192.0.0.192",
        "168.63.129.16",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::8.8.8.8",
        "64:ff9b:1::1",
        "2001::1",
        "2001:2::1",
        "2001:20::1",
        "2002:7f00:1::",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "4000::1",
        "e000::1",
        "100:0:0:1::1",
    ] {
        assert!(matches!(shut().judge(ip(text)), Verdict::Refused(_)), "{text}");
    }
}

#[test]
fn an_opened_range_opens_private_addresses_and_nothing_that_never_opens() {
    for text in ["127.0.0.1", "10.1.2.3", "100.64.0.1", "::1", "fd12::1", "8.8.8.8", "2606:4700::1111"] {
        assert_eq!(wide_open().judge(ip(text)), Verdict::Opened, "{text}");
    }
    for row in TABLE.iter().filter(|row| row.opening == Opening::Never) {
        // The catch-all rows at the end also hold openable ranges, but not at their first address.
        let verdict = wide_open().judge(row.range.network());
        assert!(matches!(verdict, Verdict::Refused(_)), "{}", row.range);
    }
    for text in ["169.254.169.254", "fe80::1", "fd00:ec2::254", "::ffff:127.0.0.1", "2002:7f00:1::"] {
        assert!(matches!(wide_open().judge(ip(text)), Verdict::Refused(_)), "{text}");
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
    let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
    assert_eq!(guard.admit(ip("127.0.0.1"), Reach::OpenedOnly), Ok(()));
    assert!(guard.admit(ip("8.8.8.8"), Reach::OpenedOnly).is_err());
    assert!(guard.admit(ip("10.0.0.1"), Reach::OpenedOnly).is_err());
}

proptest! {
    #[test]
    fn an_ipv4_address_inside_an_ipv6_one_is_never_accepted(v4: u32, wide: bool) {
        let guard = if wide { wide_open() } else { shut() };
        let [a, b, c, d] = v4.to_be_bytes();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        for mapped in [
            Ipv4Addr::from(v4).to_ipv6_mapped(),
            Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 0),
            Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, !high, !low),
        ] {
            prop_assert!(matches!(guard.judge(mapped.into()), Verdict::Refused(_)), "{mapped}");
        }
    }

    #[test]
    fn ipv6_outside_global_unicast_is_never_public(bits: u128) {
        let ip = Ipv6Addr::from(bits);
        if ip.segments()[0] & 0xe000 != 0x2000 {
            prop_assert!(matches!(shut().judge(ip.into()), Verdict::Refused(_)), "{ip}");
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
        if v6.is_loopback() || v6.is_multicast() || v6.is_unspecified() || v6.to_ipv4().is_some() {
            prop_assert!(matches!(shut().judge(v6.into()), Verdict::Refused(_)), "{v6}");
        }
    }
}
