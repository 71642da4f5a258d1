//! What each option opens and shuts, and what none of them opens.

use super::super::nat64::Nat64;
use super::*;
use crate::error::HttpBuildError;

fn guard(change: impl FnOnce(&mut GuardOptions)) -> Guard {
    build(change).unwrap()
}

fn build(change: impl FnOnce(&mut GuardOptions)) -> Result<Guard, HttpBuildError> {
    let mut options = GuardOptions::default();
    change(&mut options);
    options.build()
}

fn name(text: &str) -> Destination {
    Destination::Name(text.into())
}

#[test]
fn a_denied_range_stays_shut_whatever_else_is_allowed() {
    let guard = guard(|options| {
        options.allowed_ranges.push("10.0.0.0/8".into());
        options.allowed_hosts.push("db.corp.internal".into());
        options.denied_ranges.extend(["10.9.0.0/16".to_owned(), "8.8.8.0/24".to_owned()]);
    });
    assert_eq!(guard.judge(ip("10.8.0.1")), Verdict::Opened);
    for reach in [Reach::Public, Reach::OpenedOnly, Reach::AllowedHost] {
        assert!(guard.admit(ip("10.9.0.1"), reach).unwrap_err().is_denied());
        assert!(guard.admit(ip("8.8.8.8"), reach).unwrap_err().is_denied());
    }
    assert_eq!(guard.judge(ip("8.8.4.4")), Verdict::Public);
}

#[test]
fn an_allowed_host_reaches_private_addresses_and_no_other_name_does() {
    let guard = guard(|options| options.allowed_hosts.push("DB.Corp.Internal".into()));
    assert_eq!(guard.admit_name("db.corp.internal"), Ok(()));
    for other in ["other.corp.internal", "x.db.corp.internal", "corp.internal", "localhost"] {
        assert!(matches!(guard.admit_name(other), Err(NameRefusal::Internal(_))), "{other}");
    }
    let reach = guard.reach(&name("db.corp.internal"), &Scheme::HTTP);
    assert_eq!(reach, Reach::AllowedHost);
    for text in ["10.0.0.1", "127.0.0.1", "fd12::1", "8.8.8.8"] {
        assert_eq!(guard.admit(ip(text), reach), Ok(()), "{text}");
    }
    for text in ["169.254.169.254", "169.254.1.1", "fe80::1", "fd00:ec2::254", "::ffff:10.0.0.1", "64:ff9b::a00:1"] {
        assert!(guard.admit(ip(text), reach).is_err(), "{text}");
    }
    assert_eq!(guard.reach(&name("hooks.example.com"), &Scheme::HTTPS), Reach::Public);
    assert_eq!(guard.reach(&name("hooks.example.com"), &Scheme::HTTP), Reach::OpenedOnly);
}

#[test]
fn a_denied_host_stays_shut_with_all_names_below_it() {
    let guard = guard(|options| {
        options.denied_hosts.push("acme.com".into());
        options.allowed_hosts.push("in.acme.com".into());
    });
    for denied in ["acme.com", "in.acme.com", "a.b.acme.com"] {
        assert_eq!(guard.admit_name(denied), Err(NameRefusal::Denied), "{denied}");
    }
    for other in ["notacme.com", "acme.com.example.net"] {
        assert_eq!(guard.admit_name(other), Ok(()), "{other}");
    }
}

#[test]
fn nat64_is_judged_by_the_address_inside_once_it_is_decoded() {
    let decoding = guard(|options| options.nat64 = Nat64::Decode);
    assert_eq!(decoding.judge(ip("64:ff9b::8.8.8.8")), Verdict::Public);
    for text in ["64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8"] {
        assert!(matches!(decoding.judge(ip(text)), Verdict::Refused(_)), "{text}");
    }
    let denying = guard(|options| {
        options.nat64 = Nat64::Decode;
        options.denied_ranges.push("8.8.8.0/24".into());
    });
    assert_eq!(denying.judge(ip("64:ff9b::8.8.8.8")), Verdict::Refused(Why::Denied));
    let open_within = guard(|options| {
        options.nat64 = Nat64::Decode;
        options.allowed_ranges.push("10.0.0.0/8".into());
    });
    assert_eq!(open_within.judge(ip("64:ff9b::10.0.0.1")), Verdict::Opened);
    assert!(matches!(open_within.judge(ip("64:ff9b::169.254.169.254")), Verdict::Refused(_)));
}

#[test]
fn an_own_nat64_prefix_is_no_way_around_the_table() {
    let own = guard(|options| options.nat64_prefixes.push("2a00:abc:64::/96".into()));
    assert_eq!(own.judge(ip("2a00:abc:64::8.8.8.8")), Verdict::Public);
    for text in ["2a00:abc:64::10.0.0.1", "2a00:abc:64::169.254.169.254", "64:ff9b::8.8.8.8"] {
        assert!(matches!(own.judge(ip(text)), Verdict::Refused(_)), "{text}");
    }
    assert_eq!(own.judge(ip("2a00:abc:65::10.0.0.1")), Verdict::Public, "another prefix is ordinary");
    let short = guard(|options| options.nat64_prefixes.push("2a00:abc::/32".into()));
    assert_eq!(short.judge(ip("2a00:abc:a00:1:100::")), Verdict::Refused(Why::Nat64));
    assert!(matches!(short.judge(ip("2a00:abc:a00:1::")), Verdict::Refused(Why::Row(_))));
}

/// The first one given decided: under a `/32`, `10.0.0.1` behind a longer prefix of its own read as `8.8.8.8`.
#[test]
fn of_two_nat64_prefixes_the_longer_decodes_whatever_their_order() {
    let (short, long) = ("2a00:abc::/32", "2a00:abc:808:808::/96");
    for prefixes in [[short, long], [long, short]] {
        let guard = guard(|options| options.nat64_prefixes.extend(prefixes.map(String::from)));
        let verdict = guard.judge(ip("2a00:abc:808:808::10.0.0.1"));
        assert!(matches!(verdict, Verdict::Refused(Why::Row(_))), "{prefixes:?}: {verdict:?}");
        assert_eq!(guard.judge(ip("2a00:abc:808:808::8.8.8.8")), Verdict::Public, "{prefixes:?}");
    }
}

/// Akamai's metadata service reads as `169.254.0.0` under this prefix.
#[test]
fn a_row_that_never_opens_stays_shut_within_a_nat64_prefix() {
    let guard = guard(|options| {
        options.nat64_prefixes.push("fd00:a9fe::/32".into());
        options.opens_link_local = true;
    });
    let verdict = guard.judge(ip("fd00:a9fe:a9fe::1"));
    assert!(matches!(verdict, Verdict::Refused(Why::Row(Row { opening: Opening::Never, .. }))), "{verdict:?}");
}

/// It denied addresses that nothing connects to, and not those that were meant.
#[test]
fn a_denied_range_of_ipv4_in_ipv6_clothes_is_told_at_build() {
    for text in ["::ffff:203.0.113.0/120", "::ffff:8.8.8.8"] {
        let error = build(|options| options.denied_ranges.push(text.into())).unwrap_err();
        assert!(matches!(error, HttpBuildError::Range { .. }), "{text}: {error}");
    }
    assert!(build(|options| options.denied_ranges.push("::/0".into())).is_ok());
}

#[test]
fn ipv4_alone_passes_ipv6_answers_over_and_refuses_literals() {
    let guard = guard(|options| options.families = Families::Ipv4);
    assert_eq!(guard.usable(vec![ip("8.8.8.8"), ip("fd00::1"), ip("2606:4700::1")]), [ip("8.8.8.8")]);
    assert_eq!(guard.judge(ip("2606:4700::1")), Verdict::Refused(Why::Ipv6));
    assert_eq!(shut().usable(vec![ip("8.8.8.8"), ip("fd00::1")]).len(), 2);
}

#[test]
fn link_local_opens_by_its_dangerous_option_alone_and_metadata_never() {
    let guard = guard(|options| options.opens_link_local = true);
    assert_eq!(guard.judge(ip("169.254.10.20")), Verdict::Opened);
    for text in ["169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.0.23", "169.254.42.42", "fe80::1"] {
        assert!(matches!(guard.judge(ip(text)), Verdict::Refused(_)), "{text}");
    }
    assert!(matches!(guard.judge(ip("10.0.0.1")), Verdict::Refused(_)));
    assert!(matches!(wide_open().judge(ip("169.254.10.20")), Verdict::Refused(_)));
    assert!(
        build(|options| {
            options.opens_link_local = true;
            options.allowed_ranges.push("169.254.10.0/24".into());
        })
        .is_ok()
    );
}

#[test]
fn what_can_open_nothing_is_told_at_build_and_how_else_it_opens() {
    for (text, option) in [("169.254.0.0/16", "allow_link_local_dangerous"), ("64:ff9b::/96", "nat64 or nat64_prefix")]
    {
        let error = build(|options| options.allowed_ranges.push(text.into())).unwrap_err();
        assert!(matches!(&error, HttpBuildError::RangeNeedsOption { .. }), "{error}");
        assert!(error.to_string().contains(option), "{error}");
    }
    for text in ["169.254.169.254", "fe80::/10", "::ffff:127.0.0.0/104", "fd00:ec2::254/128", "224.0.0.1"] {
        let error = build(|options| options.allowed_ranges.push(text.into())).unwrap_err();
        assert!(matches!(error, HttpBuildError::RangeNeverOpens { .. }), "{text}: {error}");
    }
    for text in ["", "localhost", "10.0.0.0/33", "127.1/8", "http://10.0.0.0/8"] {
        for change in [
            |options: &mut GuardOptions, text: &str| options.allowed_ranges.push(text.into()),
            |options: &mut GuardOptions, text: &str| options.denied_ranges.push(text.into()),
        ] {
            let error = build(|options| change(options, text)).unwrap_err();
            assert!(matches!(error, HttpBuildError::Range { .. }), "{text}: {error}");
        }
    }
    for text in ["", "10.0.0.1", "[::1]", "*.acme.com", "https://acme.com/", "acme.com.", "acme com"] {
        for change in [
            |options: &mut GuardOptions, text: &str| options.allowed_hosts.push(text.into()),
            |options: &mut GuardOptions, text: &str| options.denied_hosts.push(text.into()),
        ] {
            let error = build(|options| change(options, text)).unwrap_err();
            assert!(matches!(error, HttpBuildError::Host { .. }), "{text}: {error}");
        }
    }
    let error = build(|options| options.allowed_hosts.push("metadata.google.internal".into())).unwrap_err();
    assert!(matches!(error, HttpBuildError::HostNeverOpens { .. }), "{error}");
    for text in ["64:ff9b::/64x", "10.0.0.0/8", "2001:db8::/33", "::ffff:0:0/96"] {
        let error = build(|options| options.nat64_prefixes.push(text.into())).unwrap_err();
        assert!(matches!(error, HttpBuildError::Nat64Prefix { .. }), "{text}: {error}");
    }
    for ports in [vec![], vec![443, 0]] {
        let error = build(|options| options.ports = Some(ports.clone())).unwrap_err();
        assert!(matches!(error, HttpBuildError::Ports), "{error}");
    }
}
