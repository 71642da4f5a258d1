//! The xid codec (github.com/rs/xid): 12 bytes, shown as 20 characters of lower-case base32hex (RFC 4648,
//! section 7, without padding). Four bytes of seconds, five of node, three of counter.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::time::Timestamp;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// Twelve bytes that sort by their second.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Xid([u8; 12]);

impl Xid {
    /// The xid with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 12] {
        &self.0
    }

    /// The second it was made in.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        let [a, b, c, d, ..] = self.0;
        Timestamp::from_millis(i64::from(u32::from_be_bytes([a, b, c, d])) * 1000)
    }
}

impl fmt::Display for Xid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_base32hex(&self.0, f)
    }
}

impl FromStr for Xid {
    type Err = InvalidXid;

    /// Strict: 20 characters of `0-9a-v`, the last `0` or `g`, since it carries one bit.
    fn from_str(text: &str) -> Result<Self, InvalidXid> {
        read_base32hex(text).map(Self).ok_or(InvalidXid)
    }
}

/// The text is no xid.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not an xid: 20 characters of 0-9 a-v")]
pub struct InvalidXid;

/// Makes xids for one process: the second is given, the node drawn once, the counter counts.
///
/// 2^24 ids a second are distinct; seconds end in 2106.
#[derive(Debug)]
pub struct XidSource {
    node: [u8; 5],
    counter: AtomicU32,
}

impl XidSource {
    /// A source for the node `node` (random bytes, drawn by the caller) whose counter starts at `start`.
    #[must_use]
    pub const fn new(node: [u8; 5], start: u32) -> Self {
        Self { node, counter: AtomicU32::new(start) }
    }

    /// The next xid, in the second of `at`; a time outside 1970 to 2106 is held to its ends.
    pub fn next(&self, at: Timestamp) -> Xid {
        let second = u32::try_from(at.as_secs().max(0)).unwrap_or(u32::MAX).to_be_bytes();
        let count = self.counter.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&second);
        bytes[4..9].copy_from_slice(&self.node);
        bytes[9..].copy_from_slice(&count[1..]);
        Xid(bytes)
    }
}

pub(super) fn write_base32hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (mut text, mut length) = ([0u8; 64], 0);
    let (mut pending, mut bits) = (0u32, 0);
    for byte in bytes {
        pending = (pending << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text[length] = ALPHABET[((pending >> bits) & 31) as usize];
            length += 1;
        }
    }
    if bits > 0 {
        text[length] = ALPHABET[((pending << (5 - bits)) & 31) as usize];
        length += 1;
    }
    // The alphabet is ASCII, so this never fails.
    f.write_str(std::str::from_utf8(&text[..length]).map_err(|_| fmt::Error)?)
}

/// Reads exactly `N` bytes; refuses any other length, letter, or a last character with stray bits.
pub(super) fn read_base32hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != (N * 8).div_ceil(5) {
        return None;
    }
    let mut bytes = [0; N];
    let (mut filled, mut pending, mut bits) = (0, 0u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'0'..=b'9' => letter - b'0',
            b'a'..=b'v' => letter - b'a' + 10,
            _ => return None,
        };
        pending = (pending << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            *bytes.get_mut(filled)? = (pending >> bits) as u8;
            filled += 1;
        }
        pending &= (1 << bits) - 1;
    }
    (filled == N && pending == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_xid_reads_back_and_agrees_with_the_xid_crate(bytes: [u8; 12]) {
            let ours = Xid::from_bytes(bytes);
            let text = ours.to_string();
            prop_assert_eq!(text.parse(), Ok(ours));
            let theirs: xid::Id = text.parse().expect("the oracle reads it");
            prop_assert_eq!(theirs.as_bytes(), &bytes);
        }

        #[test]
        fn any_text_is_read_canonically_or_refused(text in "[0-9a-w]{19,21}") {
            if let Ok(xid) = text.parse::<Xid>() {
                prop_assert_eq!(xid.to_string(), text);
            }
        }

        #[test]
        fn order_follows_seconds(a in 0i64..4_000_000_000, b in 0i64..4_000_000_000) {
            let source = XidSource::new([7; 5], 0);
            let (x, y) = (source.next(Timestamp::from_millis(a * 1000)), source.next(Timestamp::from_millis(b * 1000)));
            prop_assert_eq!(a.cmp(&b).is_lt(), x < y && a != b);
        }
    }

    #[test]
    fn a_last_character_with_stray_bits_is_refused() {
        assert!("ck7qhp33c68tov35spng".parse::<Xid>().is_ok());
        for last in "123456789abcdefhijklmnopqrstuv".chars() {
            assert!(format!("ck7qhp33c68tov35spn{last}").parse::<Xid>().is_err(), "{last}");
        }
    }

    #[test]
    fn a_source_never_repeats_within_a_second_and_wraps_without_panic() {
        let source = XidSource::new([1; 5], u32::MAX - 1);
        let at = Timestamp::from_millis(1_695_525_092_000);
        let ids: std::collections::BTreeSet<_> = (0..1000).map(|_| source.next(at)).collect();
        assert_eq!(ids.len(), 1000);
        assert_eq!(source.next(Timestamp::MIN).time(), Timestamp::EPOCH);
    }
}
