//! What a receiver does: check that a body came from the holder of the secret.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;

use crate::time::Timestamp;

use super::Secret;
use super::headers::mac;

const MAX_HEADER_BYTES: usize = 4096;
const MAX_SIGNATURES: usize = 8;

/// Verifies signatures against one or more secrets, in constant time, without an early end over the secrets.
///
/// ```
/// use notify_core::sign::{Secret, Verifier, notify_signature};
///
/// let secret = Secret::new("correct horse battery staple")?;
/// let body = br#"{"event_id":"evt_1"}"#;
/// let header = notify_signature(&secret, body);
/// Verifier::new([secret]).verify(body, &header)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    secrets: Vec<Secret>,
    tolerance: Duration,
}

/// The three headers of Standard Webhooks, as received.
#[derive(Clone, Copy, Debug)]
pub struct StandardHeaders<'a> {
    /// `webhook-id`
    pub id: &'a str,
    /// `webhook-timestamp`
    pub timestamp: &'a str,
    /// `webhook-signature`
    pub signature: &'a str,
}

impl Verifier {
    /// A verifier that accepts a signature by any of `secrets`, and timestamps within five minutes.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self { secrets: secrets.into_iter().collect(), tolerance: Duration::from_secs(300) }
    }

    /// Accepts timestamps up to `tolerance` before and after `now` (Standard Webhooks only).
    #[must_use]
    pub const fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Checks `x-notify-signature` over the body's bytes **as received**, before any JSON parsing.
    ///
    /// # Errors
    /// [`VerifyError::Malformed`] unless the value is 64 lower-case hex digits; [`VerifyError::NoMatch`].
    pub fn verify(&self, body: &[u8], signature: &str) -> Result<(), VerifyError> {
        let mut tag = [0; 32];
        let lower = signature.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !lower || hex::decode_to_slice(signature, &mut tag).is_err() {
            return Err(VerifyError::Malformed { header: super::NOTIFY_SIGNATURE });
        }
        let mut matched = false;
        for secret in &self.secrets {
            matched |= mac(secret.notify_key(), &[body]).verify_slice(&tag).is_ok();
        }
        if matched { Ok(()) } else { Err(self.no_match()) }
    }

    /// Checks the Standard Webhooks headers over the body's bytes as received.
    ///
    /// # Errors
    /// A malformed or over-long header, a timestamp outside the tolerance around `now`, or no match.
    pub fn verify_standard(
        &self,
        body: &[u8],
        headers: StandardHeaders<'_>,
        now: Timestamp,
    ) -> Result<(), VerifyError> {
        // The signed text is id.second.body: a dot in the id would let one signature stand for two messages.
        if headers.id.is_empty() || !headers.id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.') {
            return Err(VerifyError::Malformed { header: super::WEBHOOK_ID });
        }
        let second =
            plain_number(headers.timestamp).ok_or(VerifyError::Malformed { header: super::WEBHOOK_TIMESTAMP })?;
        if headers.signature.len() > MAX_HEADER_BYTES || headers.signature.split(' ').count() > MAX_SIGNATURES {
            return Err(VerifyError::Malformed { header: super::WEBHOOK_SIGNATURE });
        }
        let tolerance = i64::try_from(self.tolerance.as_secs()).unwrap_or(i64::MAX);
        if now.as_secs().abs_diff(second) > tolerance.unsigned_abs() {
            return Err(VerifyError::Timestamp);
        }
        let tags: Vec<Vec<u8>> = headers
            .signature
            .split(' ')
            .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
            .filter(|tag| tag.len() == 32)
            .collect();
        if tags.is_empty() {
            return Err(VerifyError::Malformed { header: super::WEBHOOK_SIGNATURE });
        }
        let mut matched = false;
        for key in self.secrets.iter().filter_map(Secret::standard_key) {
            let mac = mac(key, &[headers.id.as_bytes(), b".", headers.timestamp.as_bytes(), b".", body]);
            for tag in &tags {
                matched |= mac.clone().verify_slice(tag).is_ok();
            }
        }
        if matched { Ok(()) } else { Err(self.no_match()) }
    }

    fn no_match(&self) -> VerifyError {
        VerifyError::NoMatch { fingerprints: self.secrets.iter().map(Secret::fingerprint).collect() }
    }
}

/// The signature proves nothing. Never holds a secret, a body or the expected value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The header has not the form that notify sends.
    #[error("header {header} is malformed (NTF-VERIFY-MALFORMED)")]
    Malformed {
        /// Its name.
        header: &'static str,
    },
    /// The attempt is too old, or from the future: perhaps a replay.
    #[error("webhook-timestamp is outside the tolerance (NTF-VERIFY-TIMESTAMP)")]
    Timestamp,
    /// No secret made this signature over these bytes.
    #[error("signature does not match any of {} secrets (fingerprints {}) (NTF-VERIFY-NOMATCH)", fingerprints.len(), fingerprints.join(", "))]
    NoMatch {
        /// Of the secrets that were tried.
        fingerprints: Vec<String>,
    },
}

/// `str::parse` would take `+5`.
fn plain_number(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}
