//! The signature headers of one attempt.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::id::EventId;
use crate::time::Timestamp;

use super::{Secret, SecretRole, SecretSet};

/// Lower-case hex of HMAC-SHA256 over the raw body, keyed with the current secret's UTF-8 bytes.
pub const NOTIFY_SIGNATURE: &str = "x-notify-signature";
/// The same with the staged secret, while there is one.
pub const NOTIFY_SIGNATURE_NEXT: &str = "x-notify-signature-next";
/// The same with the secret that is being retired, while it lasts.
pub const NOTIFY_SIGNATURE_PREVIOUS: &str = "x-notify-signature-previous";
/// Standard Webhooks: the event's id.
pub const WEBHOOK_ID: &str = "webhook-id";
/// Standard Webhooks: this attempt's second.
pub const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
/// Standard Webhooks: one `v1,…` for each active secret, separated by spaces.
pub const WEBHOOK_SIGNATURE: &str = "webhook-signature";

/// One header line; the name is in lower case (RFC 9113, section 8.2). Its value may be a signature or a
/// credential, so `Debug` masks it.
#[derive(Clone, Eq, PartialEq)]
pub struct Header {
    /// The field name.
    pub name: Cow<'static, str>,
    /// The field value: visible ASCII, spaces and tabs.
    pub value: String,
}

impl Header {
    /// A header with a name that is known at compile time.
    #[must_use]
    pub const fn new(name: &'static str, value: String) -> Self {
        Self { name: Cow::Borrowed(name), value }
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({}: ****)", self.name)
    }
}

/// The headers that sign `body` for an attempt at `now`: `x-notify-signature` always, and the Standard Webhooks
/// three where a secret has such a key.
#[must_use]
pub fn signed_headers(secrets: &SecretSet, event: &EventId, now: Timestamp, body: &[u8]) -> Vec<Header> {
    // A rotation's second signature and an endpoint's own headers fit too.
    let mut headers = Vec::with_capacity(8);
    let mut standard = String::new();
    let second = now.as_secs() + if planted!(WrongSecond) { 600 } else { 0 };
    for stored in secrets.active(now) {
        let name = match stored.role {
            SecretRole::Previous if planted!(OldSecretSigns) => {
                headers.retain(|header: &Header| header.name != NOTIFY_SIGNATURE);
                NOTIFY_SIGNATURE
            }
            SecretRole::Current => NOTIFY_SIGNATURE,
            SecretRole::Next => NOTIFY_SIGNATURE_NEXT,
            SecretRole::Previous => NOTIFY_SIGNATURE_PREVIOUS,
        };
        headers.push(Header::new(name, notify_signature(&stored.secret, body)));
        if let Some(signature) = standard_signature(&stored.secret, event.as_str(), second, body) {
            if !standard.is_empty() {
                standard.push(' ');
            }
            standard.push_str(&signature);
        }
    }
    if !standard.is_empty() {
        headers.push(Header::new(WEBHOOK_ID, event.as_str().to_owned()));
        headers.push(Header::new(WEBHOOK_TIMESTAMP, second.to_string()));
        headers.push(Header::new(WEBHOOK_SIGNATURE, standard));
    }
    headers
}

/// The value of `x-notify-signature`: 64 lower-case hex digits.
#[must_use]
pub fn notify_signature(secret: &Secret, body: &[u8]) -> String {
    let mut digits = [0; 64];
    // Twice as many digits as bytes: they always fit. (`hex::encode` goes digit by digit.)
    let _ = hex::encode_to_slice(mac(secret.notify_key(), &[body]).finalize().into_bytes(), &mut digits);
    String::from_utf8_lossy(&digits).into_owned()
}

/// One `v1,…` of `webhook-signature`, over `<id>.<second>.<body>`; `None` if the secret is not `whsec_` + base64.
///
/// Source: Standard Webhooks specification, section "Signature scheme".
#[must_use]
pub fn standard_signature(secret: &Secret, id: &str, second: i64, body: &[u8]) -> Option<String> {
    let key = secret.standard_key()?;
    let mac = mac(key, &[id.as_bytes(), b".", second.to_string().as_bytes(), b".", body]);
    let mut text = String::with_capacity(47);
    text.push_str("v1,");
    STANDARD.encode_string(mac.finalize().into_bytes(), &mut text);
    Some(text)
}

pub(super) fn mac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    // HMAC takes a key of any length, so this never fails.
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes any key"));
    for part in parts {
        mac.update(part);
    }
    mac
}
