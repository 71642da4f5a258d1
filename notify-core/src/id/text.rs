//! Ids that are text, and the delivery's id, which is a digest shown as text.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use super::xid::{self, Xid};

/// A text that is no id of the wanted kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not {expected}")]
pub struct InvalidId {
    expected: &'static str,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $max:literal, $allowed:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        // Written out: most ids that meet are clones of one, and then their place says it without the text.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
            }
        }

        impl Eq for $name {}

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let allowed: fn(char) -> bool = $allowed;
                if text.is_empty() || text.len() > $max || !text.chars().all(allowed) {
                    return Err(InvalidId { expected: $expected });
                }
                Ok(Self(Arc::from(text)))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }
    };
}

text_id! {
    /// An event's id, unique for its tenant: `evt_` + xid when notify makes it, else the host's own 1 to 64
    /// characters of `A-Z a-z 0-9 _ -`.
    EventId, 64, |c| c.is_ascii_alphanumeric() || c == '_' || c == '-',
    "an event id: 1 to 64 characters of A-Z a-z 0-9 _ -"
}

text_id! {
    /// An endpoint's id, unique over all tenants: `ep_` + xid when notify makes it, else 1 to 64 characters of
    /// `A-Z a-z 0-9 _ -` from the host's own endpoints table.
    EndpointId, 64, |c| c.is_ascii_alphanumeric() || c == '_' || c == '-',
    "an endpoint id: 1 to 64 characters of A-Z a-z 0-9 _ -"
}

text_id! {
    /// Who owns an endpoint or an event: 1 to 128 bytes without control characters. A host without
    /// tenants uses [`TenantId::default`] throughout. No tenant is a wildcard.
    TenantId, 128, |c| !c.is_control(),
    "a tenant id: 1 to 128 bytes without control characters"
}

text_id! {
    /// The host's own key for one publish, unique for its tenant as long as its event is kept: 1 to 256 bytes
    /// without control characters.
    IdempotencyKey, 256, |c| !c.is_control(),
    "an idempotency key: 1 to 256 bytes without control characters"
}

impl EventId {
    /// The id notify gives: `evt_` + `xid`.
    #[must_use]
    pub fn from_xid(xid: Xid) -> Self {
        Self(Arc::from(format!("evt_{xid}")))
    }

    /// The xid behind an id that notify made; `None` for a host's own.
    #[must_use]
    pub fn xid(&self) -> Option<Xid> {
        self.0.strip_prefix("evt_")?.parse().ok()
    }
}

impl EndpointId {
    /// The id notify gives: `ep_` + `xid`.
    #[must_use]
    pub fn from_xid(xid: Xid) -> Self {
        Self(Arc::from(format!("ep_{xid}")))
    }
}

impl Default for TenantId {
    /// The one tenant of a host that has no tenants: `default`.
    fn default() -> Self {
        static DEFAULT: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("default"));
        Self(Arc::clone(&DEFAULT))
    }
}

/// One event for one endpoint: `dlv_` + 32 characters.
///
/// It is derived from (tenant, event, endpoint), so that fan-out done twice names the same deliveries.
#[derive(Clone, Copy, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeliveryId([u8; 20]);

impl DeliveryId {
    /// The id with these bytes, a truncated digest.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The digest's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

/// The order of the bytes. Written out: as numbers, without a call of `memcmp`, they make maps of many deliveries a good
/// deal faster.
impl Ord for DeliveryId {
    fn cmp(&self, other: &Self) -> Ordering {
        let [own, others] = [self, other].map(|id| {
            let first = id.0.first_chunk().copied().map(u64::from_be_bytes);
            let rest = id.0.last_chunk().copied().map(u128::from_be_bytes);
            (first, rest)
        });
        own.cmp(&others)
    }
}

impl PartialOrd for DeliveryId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dlv_")?;
        xid::write_base32hex(&self.0, f)
    }
}

impl fmt::Debug for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeliveryId({self})")
    }
}

impl FromStr for DeliveryId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.strip_prefix("dlv_")
            .and_then(xid::read_base32hex)
            .map(Self)
            .ok_or(InvalidId { expected: "a delivery id: dlv_ and 32 characters of 0-9 a-v" })
    }
}

impl TryFrom<String> for DeliveryId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<DeliveryId> for String {
    fn from(id: DeliveryId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_hold_their_alphabet_and_length() {
        assert!("a".repeat(64).parse::<EventId>().is_ok());
        for bad in ["", "a b", "a\n", "é", "a/b", &"a".repeat(65)] {
            assert!(bad.parse::<EventId>().is_err(), "{bad:?}");
            assert!(bad.parse::<EndpointId>().is_err(), "{bad:?}");
        }
        assert!("acme & söhne; DROP TABLE".parse::<TenantId>().is_ok());
        assert!("a\u{0}".parse::<TenantId>().is_err());
    }

    #[test]
    fn a_delivery_id_is_36_url_safe_characters_and_reads_back() {
        let id = DeliveryId::from_bytes(
            *b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6",
        );
        let text = id.to_string();
        assert_eq!(text.len(), 36);
        assert_eq!(text.parse(), Ok(id));
        assert!(text.to_uppercase().parse::<DeliveryId>().is_err());
        assert!(format!("{text}0").parse::<DeliveryId>().is_err());
    }

    #[test]
    fn delivery_ids_are_ordered_as_their_bytes_are() {
        // Alike up to one byte, wherever it is.
        for index in 0..20 {
            let (mut low, mut high) = ([0x7f; 20], [0x7f; 20]);
            (low[index], high[index]) = (1, 0x80);
            let [low, high] = [low, high].map(DeliveryId::from_bytes);
            assert_eq!(low.cmp(&high), Ordering::Less, "byte {index}");
            assert_eq!(high.cmp(&low), Ordering::Greater, "byte {index}");
            assert_eq!(low.cmp(&low), Ordering::Equal, "byte {index}");
        }
    }

    #[test]
    fn the_sample_ids_decode_to_their_second() {
        for (id, second) in [
            ("evt_ck7qhp33c68tov35spng", "2023-09-24T03:11:32.000Z"),
            ("evt_ck7to833c68r1r7g5cfg", "2023-09-24T06:50:08.000Z"),
        ] {
            let xid = id.parse::<EventId>().unwrap().xid().unwrap();
            assert_eq!(xid.time().to_string(), second, "{id}");
        }
    }
}
