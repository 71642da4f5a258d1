//! The table against an independent reading of IANA's registries: other data, other arithmetic, no code in common.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::super::{Guard, Verdict};

const ADDRESSES: u32 = 1_000_000;

const IPV4_SPECIAL: &str = include_str!("../../../tests/vectors/iana/ipv4-special.csv");
const IPV6_SPECIAL: &str = include_str!("../../../tests/vectors/iana/ipv6-special.csv");
const IPV4_SPACE: &str = include_str!("../../../tests/vectors/iana/ipv4-space.csv");
const IPV6_SPACE: &str = include_str!("../../../tests/vectors/iana/ipv6-space.csv");
const IPV6_UNICAST: &str = include_str!("../../../tests/vectors/iana/ipv6-unicast.csv");

/// In no registry: Azure uses a public address of its own for the host of each machine.
const AZURE: &str = "168.63.129.16/32";

/// Addresses as numbers; IPv4 and IPv6 are two spaces.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Number {
    V4(u32),
    V6(u128),
}

/// From the first address to the last.
#[derive(Clone, Copy, Debug)]
struct Block {
    first: Number,
    last: Number,
}

impl Block {
    fn read(text: &str) -> Self {
        let (address, bits) = text.split_once('/').unwrap();
        let bits: u32 = bits.parse().unwrap();
        if address.contains(':') {
            let first = u128::from(address.parse::<Ipv6Addr>().unwrap());
            let rest = u128::MAX.checked_shr(bits).unwrap_or(0);
            assert_eq!(first & rest, 0, "{text}");
            return Self { first: Number::V6(first), last: Number::V6(first | rest) };
        }
        // The registry of the whole IPv4 space writes `010/8`.
        let octets: Vec<u32> = address.split('.').map(|octet| octet.parse().unwrap()).collect();
        let first = octets.iter().enumerate().fold(0, |sum, (index, octet)| sum | (octet << (24 - 8 * index)));
        let rest = u32::MAX.checked_shr(bits).unwrap_or(0);
        assert_eq!(first & rest, 0, "{text}");
        Self { first: Number::V4(first), last: Number::V4(first | rest) }
    }

    fn holds(&self, number: Number) -> bool {
        self.first <= number && number <= self.last
    }
}

/// What IANA says is no address for a receiver on the public internet.
struct Registries {
    special: Vec<Block>,
    global_unicast: Block,
    assigned: Vec<Block>,
}

impl Registries {
    fn read() -> Self {
        let rows = |text: &'static str| text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        let column = |text: &'static str| rows(text).map(|row| Block::read(row[0]));
        let (unicast, others): (Vec<_>, Vec<_>) = rows(IPV6_SPACE).partition(|row| row[1] == "Global Unicast");
        // "Globally reachable" or not: what has a special purpose is no receiver of webhooks.
        let special = column(IPV4_SPECIAL).chain(column(IPV6_SPECIAL)).chain(column(IPV4_SPACE));
        let special = special.chain(others.iter().map(|row| Block::read(row[0]))).chain([Block::read(AZURE)]);
        let [global_unicast] = unicast.as_slice() else { panic!("global unicast has one row") };
        Self {
            special: special.collect(),
            global_unicast: Block::read(global_unicast[0]),
            assigned: column(IPV6_UNICAST).collect(),
        }
    }

    fn is_public(&self, number: Number) -> bool {
        let is_unicast = matches!(number, Number::V4(_)) || self.global_unicast.holds(number);
        is_unicast && !self.special.iter().any(|block| block.holds(number))
    }
}

/// Splitmix64: a fixed sequence for each seed.
struct Random(u64);

impl Random {
    /// Of `NOTIFY_SEED`, else drawn.
    fn seeded() -> (Self, u64) {
        let drawn = || std::collections::hash_map::RandomState::new().build_hasher().finish();
        let seed = std::env::var("NOTIFY_SEED").map_or_else(|_| drawn(), |text| text.parse().unwrap());
        (Self(seed), seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn wide(&mut self) -> u128 {
        (u128::from(self.next()) << 64) | u128::from(self.next())
    }

    /// Anywhere, in global unicast, or around an edge of a registered block: most of any space is far from all rows.
    fn address(&mut self, edges: &[Number]) -> Number {
        let edge = edges[usize::try_from(self.next()).unwrap() % edges.len()];
        // A distance of any order of magnitude, before or after.
        let distance = self.wide() >> (self.next() % 128);
        let sign = self.next().is_multiple_of(2);
        match (self.next() % 4, edge) {
            (0, _) => Number::V4(self.next() as u32),
            (1, _) => Number::V6(self.wide()),
            (2, _) => Number::V6((self.wide() >> 3) | (1 << 125)),
            (_, Number::V4(edge)) if sign => Number::V4(edge.wrapping_add(distance as u32)),
            (_, Number::V4(edge)) => Number::V4(edge.wrapping_sub(distance as u32)),
            (_, Number::V6(edge)) if sign => Number::V6(edge.wrapping_add(distance)),
            (_, Number::V6(edge)) => Number::V6(edge.wrapping_sub(distance)),
        }
    }
}

fn ip(number: Number) -> IpAddr {
    match number {
        Number::V4(bits) => Ipv4Addr::from(bits).into(),
        Number::V6(bits) => Ipv6Addr::from(bits).into(),
    }
}

fn is_public_to_the_guard(number: Number) -> bool {
    Guard::default().judge(ip(number)) == Verdict::Public
}

/// Every edge of every registered block, and its neighbours.
fn edges(registries: &Registries) -> Vec<Number> {
    let blocks = registries.special.iter().chain(&registries.assigned).chain([&registries.global_unicast]);
    let near = |number| match number {
        Number::V4(bits) => [bits.wrapping_sub(1), bits, bits.wrapping_add(1)].map(Number::V4),
        Number::V6(bits) => [bits.wrapping_sub(1), bits, bits.wrapping_add(1)].map(Number::V6),
    };
    blocks.flat_map(|block| [block.first, block.last]).flat_map(near).collect()
}

#[test]
fn the_registries_are_read_whole() {
    let registries = Registries::read();
    assert_eq!((registries.special.len(), registries.assigned.len()), (26 + 25 + 35 + 19 + 1, 34));
    assert!(registries.is_public(Number::V4(0x0808_0808)) && !registries.is_public(Number::V4(0x7f00_0001)));
}

#[test]
fn the_guard_agrees_with_iana_at_every_edge() {
    let registries = Registries::read();
    for number in edges(&registries) {
        assert_eq!(is_public_to_the_guard(number), registries.is_public(number), "{}", ip(number));
    }
}

#[test]
fn what_the_regional_registries_hold_is_public_at_both_ends() {
    for block in Registries::read().assigned {
        assert!(is_public_to_the_guard(block.first), "{}", ip(block.first));
        // The last of 2620::/23 and others are ordinary; special rows lie within, never at an end.
        assert!(is_public_to_the_guard(block.last), "{}", ip(block.last));
    }
}

#[test]
fn the_guard_agrees_with_iana_on_a_million_addresses() {
    let registries = Registries::read();
    let (edges, (mut random, seed)) = (edges(&registries), Random::seeded());
    let (mut public, mut wrong, mut examples) = (0u32, 0u32, String::new());
    for _ in 0..ADDRESSES {
        let number = random.address(&edges);
        let expected = registries.is_public(number);
        public += u32::from(expected);
        if is_public_to_the_guard(number) != expected {
            wrong += 1;
            if wrong <= 20 {
                let _ = writeln!(examples, "{}: IANA says public = {expected}", ip(number));
            }
        }
    }
    assert_eq!(wrong, 0, "repeat with NOTIFY_SEED={seed}\n{examples}");
    // Neither verdict may be rare, or the agreement says little.
    assert!((ADDRESSES / 5..ADDRESSES / 5 * 4).contains(&public), "{public} public, NOTIFY_SEED={seed}");
}
