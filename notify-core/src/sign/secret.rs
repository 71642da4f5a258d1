//! The key that an endpoint's owner and notify share.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
const MAX_BYTES: usize = 256;
const WEAK_BELOW: usize = 16;

/// Receivers and hosts write base64 with and without padding; `STANDARD` refuses one of them.
const EITHER_PADDING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// An endpoint's secret: text of 1 to 256 bytes, kept exactly as registered, never trimmed or decoded.
///
/// For `x-notify-signature` its UTF-8 bytes are the key. A secret of the form `whsec_` + base64 also has a
/// Standard Webhooks key, the decoded bytes. `Debug` shows a mask and there is no `Display` and no serde: the
/// text leaves only through [`expose`](Self::expose). Memory is wiped on drop.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret {
    text: Zeroizing<String>,
    standard_key: Option<Zeroizing<Vec<u8>>>,
}

impl Secret {
    /// A secret of the host's own.
    ///
    /// # Errors
    /// Empty, longer than 256 bytes, or `whsec_` followed by what is not base64 of at least one byte.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidSecret> {
        let text = Zeroizing::new(text.into());
        if text.is_empty() {
            return Err(InvalidSecret::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(InvalidSecret::TooLong { bytes: text.len() });
        }
        let standard_key = match text.strip_prefix(PREFIX) {
            None => None,
            Some(encoded) => match EITHER_PADDING.decode(encoded) {
                Ok(key) if !key.is_empty() => Some(Zeroizing::new(key)),
                _ => return Err(InvalidSecret::NotBase64),
            },
        };
        Ok(Self { text, standard_key })
    }

    /// The secret `whsec_` + base64 of `random`, which the caller draws.
    #[must_use]
    pub fn generate(random: &[u8; 32]) -> Self {
        let mut text = String::from(PREFIX);
        STANDARD.encode_string(random, &mut text);
        Self { text: Zeroizing::new(text), standard_key: Some(Zeroizing::new(random.to_vec())) }
    }

    /// The text itself. For the one answer that shows it, and for stores.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Whether it is short enough to guess: under 16 bytes, as text or as a Standard Webhooks key.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.text.len() < WEAK_BELOW || self.standard_key().is_some_and(|key| key.len() < WEAK_BELOW)
    }

    /// The first four bytes of its SHA-256 in hex: enough to tell two secrets apart, not to find one.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex::encode(&Sha256::digest(self.text.as_bytes())[..4])
    }

    pub(super) fn notify_key(&self) -> &[u8] {
        self.text.as_bytes()
    }

    pub(super) fn standard_key(&self) -> Option<&[u8]> {
        self.standard_key.as_ref().map(|key| key.as_slice())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(****)")
    }
}

/// The text can be no secret. Never holds the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSecret {
    /// An empty key signs, but proves nothing.
    #[error("a secret must not be empty; leave it out to have one generated")]
    Empty,
    /// More than 256 bytes.
    #[error("a secret has at most 256 bytes, not {bytes}")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// It begins with `whsec_`, which promises base64, and the rest is none.
    #[error("a secret that begins with whsec_ must go on with base64 (Standard Webhooks)")]
    NotBase64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_kept_as_given() {
        for text in ["k", " leading and trailing ", "clé-secrète", "line\nbreak"] {
            assert_eq!(Secret::new(text).unwrap().expose(), text);
        }
    }

    #[test]
    fn bad_secrets_are_refused() {
        assert_eq!(Secret::new(""), Err(InvalidSecret::Empty));
        assert_eq!(Secret::new("x".repeat(257)), Err(InvalidSecret::TooLong { bytes: 257 }));
        for bad in ["whsec_", "whsec_!", "whsec_a", "whsec_YQ==x", "whsec_YQ= ="] {
            assert_eq!(Secret::new(bad), Err(InvalidSecret::NotBase64), "{bad}");
        }
        assert!(Secret::new("whsec-plain").unwrap().standard_key().is_none());
    }

    #[test]
    fn padding_does_not_matter() {
        let padded = Secret::new("whsec_YWI=").unwrap();
        let bare = Secret::new("whsec_YWI").unwrap();
        assert_eq!(padded.standard_key(), Some(&b"ab"[..]));
        assert_eq!(bare.standard_key(), Some(&b"ab"[..]));
    }

    #[test]
    fn a_secret_is_weak_when_either_of_its_keys_is_short() {
        assert!(Secret::new("fifteen bytes..").unwrap().is_weak());
        assert!(!Secret::new("sixteen bytes...").unwrap().is_weak());
        assert!(Secret::new("whsec_c2hvcnQga2V5").unwrap().is_weak(), "18 characters, but a key of 9 bytes");
    }

    #[test]
    fn debug_shows_a_mask() {
        let secret = Secret::new("whsec_Y2FuYXJ5").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(****)");
        assert!(!format!("{:?}", Secret::new("whsec_canary!").unwrap_err()).contains("canary"));
    }

    #[test]
    fn a_generated_secret_reads_back_with_its_32_bytes() {
        let secret = Secret::generate(&[7; 32]);
        let read = Secret::new(secret.expose()).unwrap();
        assert_eq!(read.standard_key(), Some(&[7; 32][..]));
        assert!(!read.is_weak());
    }
}
