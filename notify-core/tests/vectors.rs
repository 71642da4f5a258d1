//! Signatures made by others: both schemes sign and verify them byte for byte, and nothing that is one bit off.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use notify_core::sign::{
    Header, Secret, SecretRole, SecretSet, StandardHeaders, StoredSecret, Verifier, VerifyError, notify_signature,
    signed_headers, standard_signature,
};
use notify_core::{EventId, Timestamp};
use proptest::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
struct File<V> {
    vectors: Vec<V>,
}

#[derive(Deserialize)]
struct NotifyVector {
    name: String,
    secret: String,
    payload: String,
    payload_base64: String,
    signature: String,
}

#[derive(Deserialize)]
struct StandardVector {
    secret: String,
    id: String,
    timestamp: i64,
    payload: String,
    signature: String,
}

fn vectors<V: DeserializeOwned>(text: &str) -> Vec<V> {
    let file: File<V> = serde_json::from_str(text).unwrap();
    assert!(!file.vectors.is_empty());
    file.vectors
}

fn notify_vectors() -> Vec<NotifyVector> {
    vectors(include_str!("vectors/notify-signature.json"))
}

fn standard_vectors() -> Vec<StandardVector> {
    vectors(include_str!("vectors/standard-webhooks.json"))
}

fn secret(text: &str) -> Secret {
    Secret::new(text).unwrap()
}

fn verify(secret_text: &str, body: &[u8], signature: &str) -> Result<(), VerifyError> {
    Verifier::new([secret(secret_text)]).verify(body, signature)
}

fn malformed(answer: &Result<(), VerifyError>) -> bool {
    matches!(answer, Err(VerifyError::Malformed { .. }))
}

fn no_match(answer: &Result<(), VerifyError>) -> bool {
    matches!(answer, Err(VerifyError::NoMatch { .. }))
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

#[test]
fn every_notify_vector_is_signed_and_verified() {
    for vector in notify_vectors() {
        let body = STANDARD.decode(&vector.payload_base64).unwrap();
        assert_eq!(body, vector.payload.as_bytes(), "{}", vector.name);
        assert_eq!(notify_signature(&secret(&vector.secret), &body), vector.signature, "{}", vector.name);
        assert_eq!(verify(&vector.secret, &body, &vector.signature), Ok(()), "{}", vector.name);
    }
}

#[test]
fn every_standard_webhooks_vector_is_signed_and_verified() {
    for vector in standard_vectors() {
        let (secret, body) = (secret(&vector.secret), vector.payload.as_bytes());
        let signature = standard_signature(&secret, &vector.id, vector.timestamp, body);
        assert_eq!(signature.as_deref(), Some(vector.signature.as_str()), "{}", vector.id);
        let timestamp = vector.timestamp.to_string();
        let headers = StandardHeaders { id: &vector.id, timestamp: &timestamp, signature: &vector.signature };
        let now = Timestamp::from_millis(vector.timestamp * 1000);
        assert_eq!(Verifier::new([secret]).verify_standard(body, headers, now), Ok(()), "{}", vector.id);
    }
}

#[test]
fn one_bit_off_in_body_secret_or_signature_is_refused() {
    for vector in notify_vectors() {
        let body = vector.payload.as_bytes();
        for bit in 0..body.len() * 8 {
            let answer = verify(&vector.secret, &flipped(body, bit), &vector.signature);
            assert!(no_match(&answer), "{}: bit {bit} of the body", vector.name);
        }
        for bit in 0..vector.secret.len() * 8 {
            // Where the flipped secret is text still.
            let Ok(other) = String::from_utf8(flipped(vector.secret.as_bytes(), bit)) else { continue };
            assert!(no_match(&verify(&other, body, &vector.signature)), "{}: bit {bit} of the secret", vector.name);
        }
        let tag = hex::decode(&vector.signature).unwrap();
        for bit in 0..256 {
            let answer = verify(&vector.secret, body, &hex::encode(flipped(&tag, bit)));
            assert!(no_match(&answer), "{}: bit {bit} of the signature", vector.name);
        }
    }
}

#[test]
fn a_signature_in_another_spelling_is_malformed() {
    for vector in notify_vectors() {
        let good = &vector.signature;
        for bad in [
            good.to_uppercase(),
            good[..63].to_owned(),
            good[..62].to_owned(),
            format!("{good}0"),
            format!("{good}00"),
            format!(" {good}"),
            format!("{good} "),
            format!("{good}\n"),
            format!("sha256={good}"),
            format!("{good},{good}"),
            good.replacen(|c: char| c.is_ascii_hexdigit(), "g", 1),
            String::new(),
        ] {
            assert!(malformed(&verify(&vector.secret, vector.payload.as_bytes(), &bad)), "{bad:?}");
        }
    }
}

/// C02: elsewhere multi-byte text went through another encoding before it was hashed.
#[test]
fn both_spellings_of_one_text_have_their_own_signature() {
    let head = r#"{"event_id":"evt_0001","event":"note.created","timestamp":"2026-01-01T00:00:00Z","data":{"text":"#;
    let plain = format!("{head}\"caf\u{e9} \u{1f600}\"}}}}");
    let escaped = format!("{head}\"caf\\u00e9 \\ud83d\\ude00\"}}}}");
    assert_eq!((plain.len(), escaped.len()), (110, 122));
    for (body, signature) in [
        (&plain, "4d39d552c7bcf31d2cc0eb4760898110c882ff56153b4b29caa6ffd35f99ac00"),
        (&escaped, "4d5b9368bdb574e402bf67be9de29c1790bf552d12585757320133a6434f2656"),
    ] {
        assert_eq!(notify_signature(&secret("k-alpha-01"), body.as_bytes()), signature);
    }
}

#[test]
fn rfc_4231_case_2() {
    let signature = notify_signature(&secret("Jefe"), b"what do ya want for nothing?");
    assert_eq!(signature, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

const KEYS: [&str; 3] = ["whsec_Y3VycmVudC1jdXJyZW50", "whsec_bmV4dC1uZXh0LW5leHQtbmV4dA==", "plain previous secret"];

fn stored(role: SecretRole, key: &str, retires_at: Option<i64>) -> StoredSecret {
    let retires_at = retires_at.map(Timestamp::from_millis);
    StoredSecret { role, secret: secret(key), created_at: Timestamp::EPOCH, retires_at }
}

fn rotating() -> SecretSet {
    SecretSet::restore(vec![
        stored(SecretRole::Previous, KEYS[2], Some(10_000)),
        stored(SecretRole::Current, KEYS[0], None),
        stored(SecretRole::Next, KEYS[1], None),
    ])
    .unwrap()
}

fn headers_at(secrets: &SecretSet, millis: i64) -> Vec<Header> {
    signed_headers(secrets, &"evt_1".parse::<EventId>().unwrap(), Timestamp::from_millis(millis), b"{}")
}

fn names(headers: &[Header]) -> Vec<&str> {
    headers.iter().map(|header| header.name.as_ref()).collect()
}

fn value<'a>(headers: &'a [Header], name: &str) -> &'a str {
    &headers.iter().find(|header| header.name == name).unwrap_or_else(|| panic!("no {name}")).value
}

#[test]
fn while_secrets_rotate_each_signs_its_own_header_and_all_sign_the_standard_one() {
    let headers = headers_at(&rotating(), 9_999);
    let expected = [
        "x-notify-signature",
        "x-notify-signature-next",
        "x-notify-signature-previous",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    ];
    assert_eq!(names(&headers), expected);
    for (name, key) in expected.iter().zip(KEYS) {
        assert_eq!(verify(key, b"{}", value(&headers, name)), Ok(()), "{name}");
    }
    assert_eq!((value(&headers, "webhook-id"), value(&headers, "webhook-timestamp")), ("evt_1", "9"));
    let signature = value(&headers, "webhook-signature");
    assert_eq!(signature.split(' ').count(), 2, "the plain secret has no Standard Webhooks key");
    for key in &KEYS[..2] {
        let sent = StandardHeaders { id: "evt_1", timestamp: "9", signature };
        let now = Timestamp::from_millis(9_999);
        assert_eq!(Verifier::new([secret(key)]).verify_standard(b"{}", sent, now), Ok(()));
    }
}

#[test]
fn a_retired_secret_signs_no_longer_and_a_plain_one_sends_no_standard_headers() {
    assert_eq!(
        names(&headers_at(&rotating(), 10_000)),
        ["x-notify-signature", "x-notify-signature-next", "webhook-id", "webhook-timestamp", "webhook-signature"]
    );
    let plain = SecretSet::new(secret("plain current secret"), Timestamp::EPOCH);
    assert_eq!(names(&headers_at(&plain, 0)), ["x-notify-signature"]);
}

#[test]
fn a_verifier_takes_the_signature_of_any_of_its_secrets_and_of_no_other() {
    let signature = notify_signature(&secret(KEYS[1]), b"{}");
    for order in [[0, 1, 2], [1, 2, 0], [2, 0, 1]] {
        let verifier = Verifier::new(order.map(|index| secret(KEYS[index])));
        assert_eq!(verifier.verify(b"{}", &signature), Ok(()));
        assert!(no_match(&verifier.verify(b"{}", &notify_signature(&secret("another"), b"{}"))));
    }
    let error = Verifier::new([secret(KEYS[0]), secret(KEYS[2])]).verify(b"{}", &signature).unwrap_err();
    let (a, b) = (secret(KEYS[0]).fingerprint(), secret(KEYS[2]).fingerprint());
    let text = format!("signature does not match any of 2 secrets (fingerprints {a}, {b}) (NTF-VERIFY-NOMATCH)");
    assert_eq!(error.to_string(), text);
    assert!(no_match(&Verifier::new([]).verify(b"{}", &signature)), "no secret verifies nothing");
}

/// A standard message signed by `KEYS[0]` at second 1,000,000.
fn standard_at(verifier: &Verifier, seconds: i64) -> Result<(), VerifyError> {
    let signature = standard_signature(&secret(KEYS[0]), "evt_1", 1_000_000, b"{}").unwrap();
    let headers = StandardHeaders { id: "evt_1", timestamp: "1000000", signature: &signature };
    verifier.verify_standard(b"{}", headers, Timestamp::from_millis(seconds * 1000))
}

#[test]
fn the_tolerance_holds_at_both_of_its_edges() {
    let verifier = Verifier::new([secret(KEYS[0])]);
    for (now, answer) in [
        (1_000_300, Ok(())),
        (999_700, Ok(())),
        (1_000_301, Err(VerifyError::Timestamp)),
        (999_699, Err(VerifyError::Timestamp)),
    ] {
        assert_eq!(standard_at(&verifier, now), answer, "{now}");
    }
    let strict = verifier.clone().tolerance(Duration::ZERO);
    assert_eq!(standard_at(&strict, 1_000_000), Ok(()));
    assert_eq!(standard_at(&strict, 1_000_001), Err(VerifyError::Timestamp));
    let loose = verifier.tolerance(Duration::MAX);
    assert_eq!(standard_at(&loose, 253_000_000_000), Ok(()));
}

#[test]
fn malformed_standard_headers_are_named() {
    let good = standard_signature(&secret(KEYS[0]), "evt_1", 1_000_000, b"{}").unwrap();
    let verifier = Verifier::new([secret(KEYS[0])]);
    let now = Timestamp::from_millis(1_000_000_000);
    let check = |id: &str, timestamp: &str, signature: &str| {
        verifier.verify_standard(b"{}", StandardHeaders { id, timestamp, signature }, now)
    };
    assert_eq!(check("evt_1", "1000000", &good), Ok(()));
    for id in ["", "evt.1", "evt 1", "evt\n1", "\u{e9}"] {
        assert_eq!(check(id, "1000000", &good), Err(VerifyError::Malformed { header: "webhook-id" }), "{id:?}");
    }
    for timestamp in ["", "+1000000", "-1", " 1000000", "1e6", "1000000.0", "9999999999999999999", "\u{0661}"] {
        let answer = check("evt_1", timestamp, &good);
        assert_eq!(answer, Err(VerifyError::Malformed { header: "webhook-timestamp" }), "{timestamp:?}");
    }
    let many = [good.as_str(); 9].join(" ");
    let tag = &good["v1,".len()..];
    for signature in ["", " ", "v1", "v1,", tag, &format!("v2,{tag}"), &format!("V1,{tag}"), &good[..20], &many] {
        let answer = check("evt_1", "1000000", signature);
        assert_eq!(answer, Err(VerifyError::Malformed { header: "webhook-signature" }), "{signature:?}");
    }
    assert_eq!(check("evt_1", "1000000", &format!("v1a,x {good} v2,y")), Ok(()), "other versions stand beside it");
    assert!(no_match(&check("evt_2", "1000000", &good)), "the id is signed");
    assert!(no_match(&check("evt_1", "1000001", &good)), "the timestamp is signed");
    assert!(no_match(&check("evt_1", "01000000", &good)), "in the very spelling that was sent");
}

proptest! {
    #[test]
    fn no_header_whatever_verifies_or_panics(id: String, timestamp: String, signature: String, body: Vec<u8>, now: i64) {
        let verifier = Verifier::new([secret(KEYS[0])]);
        prop_assert!(verifier.verify(&body, &signature).is_err());
        let headers = StandardHeaders { id: &id, timestamp: &timestamp, signature: &signature };
        prop_assert!(verifier.verify_standard(&body, headers, Timestamp::from_millis(now)).is_err());
    }

    #[test]
    fn near_misses_of_standard_headers_never_verify(
        id in "[a-z_.]{0,8}", timestamp in "[0-9+ -]{0,20}", signature in "(v1,[A-Za-z0-9+/]{0,44}=? ?){0,10}",
    ) {
        let headers = StandardHeaders { id: &id, timestamp: &timestamp, signature: &signature };
        let verifier = Verifier::new([secret(KEYS[0])]).tolerance(Duration::MAX);
        let answer = verifier.verify_standard(b"{}", headers, Timestamp::EPOCH);
        prop_assert!(answer.is_err());
    }

    #[test]
    fn what_is_signed_verifies(key in any::<String>(), body: Vec<u8>) {
        if let Ok(secret) = Secret::new(key) {
            let signature = notify_signature(&secret, &body);
            prop_assert!(signature.len() == 64 && signature.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
            prop_assert_eq!(Verifier::new([secret]).verify(&body, &signature), Ok(()));
        }
    }
}
