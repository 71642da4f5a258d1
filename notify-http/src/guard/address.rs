//! The address table: every range that is not plain public internet, with its source.
//!
//! The authority is IANA's special-purpose address registries (RFC 6890 as amended by RFC 8190). IPv4 is public
//! unless a row says otherwise; the last IPv6 rows cover all that lies outside `2000::/3`, so IPv6 is refused unless
//! it is global unicast and in no row.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// How a host may open a range.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Opening {
    /// With an allowed CIDR or an allowed host.
    ByRange,
    /// With an option that is called dangerous.
    ByDangerousOption,
    /// With an option for NAT64, and then by the IPv4 address inside.
    ByNat64,
    /// Not at all: credentials live there, no receiver can, or an IPv4 address hides inside that would escape its
    /// own row.
    Never,
}

/// One range of the table.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Row {
    /// The addresses.
    pub(crate) range: IpNet,
    /// What they are; reads on after "address … is".
    pub(crate) name: &'static str,
    /// Who says so.
    pub(crate) source: &'static str,
    /// How a host may open them.
    pub(crate) opening: Opening,
}

/// The first row that holds `ip`; `None` for a public address. Total, and free of IO.
pub(crate) fn row_of(ip: IpAddr) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.range.contains(&ip))
}

use Opening::{ByDangerousOption, ByNat64, ByRange, Never};

/// First match wins: single addresses and narrow ranges stand before the wide ones around them.
#[rustfmt::skip]
pub(crate) static TABLE: &[Row] = &[
    v4([169, 254, 169, 0], 24,   "a cloud metadata service", "AWS, Azure, Google, Oracle …", Never),
    v4([169, 254, 170, 0], 24,   "a cloud metadata service", "AWS ECS and EKS",              Never),
    v4([169, 254, 0, 23], 32,    "a cloud metadata service", "Tencent Cloud",                Never),
    v4([169, 254, 42, 42], 32,   "a cloud metadata service", "Scaleway",                     Never),
    v4([100, 100, 100, 200], 32, "a cloud metadata service", "Alibaba Cloud",                Never),
    v4([192, 0, 0, 192], 32,     "a cloud metadata service", "Oracle Cloud, classic",        Never),
    v4([168, 63, 129, 16], 32,   "a cloud metadata service", "Azure",                        Never),
    v4([169, 254, 0, 0], 16,     "link-local",               "RFC 3927",                     ByDangerousOption),
    v4([0, 0, 0, 0], 8,          "\"this network\"",         "RFC 791",                      Never),
    v4([10, 0, 0, 0], 8,         "private",                  "RFC 1918",                     ByRange),
    v4([172, 16, 0, 0], 12,      "private",                  "RFC 1918",                     ByRange),
    v4([192, 168, 0, 0], 16,     "private",                  "RFC 1918",                     ByRange),
    v4([100, 64, 0, 0], 10,      "shared by carriers",       "RFC 6598",                     ByRange),
    v4([127, 0, 0, 0], 8,        "loopback",                 "RFC 1122",                     ByRange),
    v4([192, 0, 0, 0], 24,       "for protocol use",         "RFC 6890",                     ByRange),
    v4([192, 0, 2, 0], 24,       "for documentation",        "RFC 5737",                     ByRange),
    v4([198, 51, 100, 0], 24,    "for documentation",        "RFC 5737",                     ByRange),
    v4([203, 0, 113, 0], 24,     "for documentation",        "RFC 5737",                     ByRange),
    v4([192, 31, 196, 0], 24,    "AS112",                    "RFC 7535",                     ByRange),
    v4([192, 175, 48, 0], 24,    "AS112",                    "RFC 7534",                     ByRange),
    v4([192, 52, 193, 0], 24,    "a multicast tunnel",       "RFC 7450",                     ByRange),
    v4([192, 88, 99, 0], 24,     "a 6to4 relay",             "RFC 7526",                     ByRange),
    v4([198, 18, 0, 0], 15,      "for benchmarks",           "RFC 2544",                     ByRange),
    v4([224, 0, 0, 0], 4,        "multicast",                "RFC 5771",                     Never),
    v4([255, 255, 255, 255], 32, "broadcast",                "RFC 919",                      Never),
    v4([240, 0, 0, 0], 4,        "reserved",                 "RFC 1112",                     ByRange),

    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32,           "a cloud metadata service", "AWS",                          Never),
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128,       "a cloud metadata service", "Google Cloud",                 Never),
    v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42], 128,        "a cloud metadata service", "Scaleway",                     Never),
    v6([0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe], 128, "a cloud metadata service", "Oracle Cloud",                 Never),
    v6([0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1], 128,    "a cloud metadata service", "Akamai",                       Never),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10,               "link-local",               "RFC 4291, 2.5.6",              Never),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128,                   "loopback",                 "RFC 4291, 2.5.3",              ByRange),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128,                   "unspecified",              "RFC 4291, 2.5.2",              Never),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 96,                    "IPv4-compatible",          "RFC 4291, 2.5.5.1",            Never),
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96,               "IPv4-mapped",              "RFC 4291, 2.5.5.2",            Never),
    v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96,               "IPv4-translated",          "RFC 2765",                     Never),
    v6([0, 0, 0, 0, 0, 0x5efe, 0, 0], 96,               "an ISATAP tunnel",         "RFC 5214",                     Never),
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96,            "NAT64",                    "RFC 6052",                     ByNat64),
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48,            "NAT64",                    "RFC 8215",                     ByNat64),
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64,                "discarded",                "RFC 6666",                     Never),
    v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64,                "a dummy prefix",           "RFC 9780",                     Never),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32,               "a Teredo tunnel",          "RFC 4380",                     Never),
    v6([0x2001, 1, 0, 0, 0, 0, 0, 1], 128,              "an anycast of PCP",        "RFC 7723",                     ByRange),
    v6([0x2001, 1, 0, 0, 0, 0, 0, 2], 128,              "an anycast of TURN",       "RFC 8155",                     ByRange),
    v6([0x2001, 1, 0, 0, 0, 0, 0, 3], 128,              "an anycast of DNS-SD",     "RFC 9665",                     ByRange),
    v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48,               "for benchmarks",           "RFC 5180",                     ByRange),
    v6([0x2001, 3, 0, 0, 0, 0, 0, 0], 32,               "a multicast tunnel",       "RFC 7450",                     ByRange),
    v6([0x2001, 4, 0x112, 0, 0, 0, 0, 0], 48,           "AS112",                    "RFC 7535",                     ByRange),
    v6([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28,            "a hash (ORCHID)",          "RFC 4843",                     ByRange),
    v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28,            "a hash (ORCHIDv2)",        "RFC 7343",                     ByRange),
    v6([0x2001, 0x30, 0, 0, 0, 0, 0, 0], 28,            "a drone's id",             "RFC 9374",                     ByRange),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23,               "for protocol use",         "RFC 2928",                     ByRange),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32,           "for documentation",        "RFC 3849",                     ByRange),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20,               "for documentation",        "RFC 9637",                     ByRange),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16,               "a 6to4 tunnel",            "RFC 3056, RFC 7526",           Never),
    v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48,       "AS112",                    "RFC 7534",                     ByRange),
    v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16,               "a segment id",             "RFC 9602",                     Never),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7,                "private",                  "RFC 4193",                     ByRange),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10,               "site-local",               "RFC 3879",                     ByRange),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8,                "multicast",                "RFC 4291, 2.7",                Never),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 3,                     "not global unicast",       "RFC 4291, 2.4",                Never),
    v6([0x4000, 0, 0, 0, 0, 0, 0, 0], 2,                "unassigned",               "IANA IPv6 space",              Never),
    v6([0x8000, 0, 0, 0, 0, 0, 0, 0], 1,                "unassigned",               "IANA IPv6 space",              Never),
];

const fn v4(ip: [u8; 4], bits: u8, name: &'static str, source: &'static str, opening: Opening) -> Row {
    let ip = Ipv4Addr::new(ip[0], ip[1], ip[2], ip[3]);
    Row { range: IpNet::new_assert(IpAddr::V4(ip), bits), name, source, opening }
}

const fn v6(ip: [u16; 8], bits: u8, name: &'static str, source: &'static str, opening: Opening) -> Row {
    let ip = Ipv6Addr::new(ip[0], ip[1], ip[2], ip[3], ip[4], ip[5], ip[6], ip[7]);
    Row { range: IpNet::new_assert(IpAddr::V6(ip), bits), name, source, opening }
}
