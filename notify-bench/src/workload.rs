//! The work that both sides do: the same bodies of 300 bytes, signed with the same secret.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How many bytes a body has, envelope included.
pub const BODY_BYTES: usize = 300;

/// The event type of every event.
pub const EVENT_TYPE: &str = "bench.event";

/// The secret that sender and sink share. Not `whsec_`, so that both sides send one signature header.
pub const SECRET: &str = "a-secret-that-protects-nothing-00";

/// The event's `data` that makes an envelope of [`BODY_BYTES`] with a generated event id.
#[must_use]
pub fn data(sequence: u64) -> String {
    format!(
        r#"{{"sequence":"{sequence:020}","connection_id":"con_ck76b3r3c68otqfg5c3g","user_id":"your-users-id","status":"paused","reason":"the owner of an account paused it in settings","plan":"pro"}}"#
    )
}

/// The bare client's body: what notify sends, with the sequence as the event's id.
#[must_use]
pub fn body(sequence: u64) -> String {
    format!(
        r#"{{"event_id":"evt_{sequence:020}","event":"{EVENT_TYPE}","timestamp":"2026-01-01T00:00:00.000Z","data":{}}}"#,
        data(sequence)
    )
}

/// The event id in a body, found by its place: reading the JSON would cost the sink more than receiving it.
#[must_use]
pub fn event_id(body: &[u8]) -> Option<&str> {
    let rest = body.strip_prefix(br#"{"event_id":""#)?;
    let end = rest.iter().take(65).position(|byte| *byte == b'"')?;
    std::str::from_utf8(&rest[..end]).ok().filter(|id| !id.is_empty())
}

/// Signs and verifies with a key that is scheduled once. Written apart from notify's own signer, so that the sink
/// is a second opinion on it.
#[derive(Clone)]
pub struct Signer(Hmac<Sha256>);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(****)")
    }
}

impl Signer {
    /// A signer with the UTF-8 bytes of `secret` as its key.
    ///
    /// # Panics
    /// Never: HMAC takes a key of any length (RFC 2104, section 2).
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length"))
    }

    /// The value of `x-notify-signature` for `body`: lower-case hex of HMAC-SHA256.
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> String {
        hex::encode(self.0.clone().chain_update(body).finalize().into_bytes())
    }

    /// Whether `signature` is that of `body`.
    #[must_use]
    pub fn verifies(&self, body: &[u8], signature: &[u8]) -> bool {
        let mut digest = [0; 32];
        hex::decode_to_slice(signature, &mut digest).is_ok()
            && self.0.clone().chain_update(body).verify_slice(&digest).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify_core::event::envelope;
    use notify_core::sign::notify_signature;

    #[test]
    fn the_bare_body_is_byte_for_byte_what_notify_would_send() {
        for sequence in [0, 7, u64::MAX] {
            let raw = serde_json::from_str::<Box<serde_json::value::RawValue>>(&data(sequence)).unwrap();
            let id = format!("evt_{sequence:020}").parse().unwrap();
            let built = envelope(&id, &EVENT_TYPE.parse().unwrap(), "2026-01-01T00:00:00.000Z".parse().unwrap(), &raw);
            assert_eq!(body(sequence).as_bytes(), built);
            assert_eq!(built.len(), BODY_BYTES);
        }
    }

    #[test]
    fn the_event_id_is_found_and_nothing_else_is_taken_for_one() {
        assert_eq!(event_id(body(7).as_bytes()), Some("evt_00000000000000000007"));
        for bad in ["", "{}", r#"{"event_id":"#, r#"{"event_id":"""#, r#"{ "event_id":"a"}"#, r#"{"event_id":"a"#] {
            assert_eq!(event_id(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn the_signature_is_the_one_that_notify_makes() {
        let signer = Signer::new(SECRET);
        let signature = signer.sign(b"body");
        assert_eq!(signature, notify_signature(&notify_core::Secret::new(SECRET).unwrap(), b"body"));
        assert!(signer.verifies(b"body", signature.as_bytes()));
        assert!(!signer.verifies(b"bodY", signature.as_bytes()));
        assert!(!signer.verifies(b"body", b""));
        assert!(!signer.verifies(b"body", &signature.as_bytes()[..62]));
    }
}
