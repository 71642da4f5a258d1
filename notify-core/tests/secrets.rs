//! Secrets, header values and payloads stay out of everything that is printed for debugging (C72).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use notify_core::delivery::{Attempt, Outcome, Response, ResponseHead};
use notify_core::endpoint::{CustomHeader, Endpoint, EndpointPatch, EndpointStatus, NewEndpoint, PolicyOverrides};
use notify_core::id::{AttemptNumber, EventFilter, Round, Version};
use notify_core::sign::{Header, Secret, SecretSet, StandardHeaders, Verifier, notify_signature, signed_headers};
use notify_core::{NewEvent, TenantId, Timestamp};

const CANARY: &str = "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5";
/// What the base64 above decodes to: the Standard Webhooks key must not show either.
const DECODED: &str = "canarycanarycanary";
const VALUE: &str = "Bearer canary-value";
const PAYLOAD: &str = r#"{"canary-payload":1}"#;

fn secret() -> Secret {
    Secret::new(CANARY).unwrap()
}

fn assert_clean(what: &str, value: &dyn Debug) {
    let signature = notify_signature(&secret(), PAYLOAD.as_bytes());
    let decoded_bytes = format!("{:?}", DECODED.as_bytes());
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(!text.to_lowercase().contains("canary"), "{what}: {text}");
        assert!(!text.contains("Y2FuYXJ5"), "{what}: {text}");
        assert!(!text.contains(&decoded_bytes[1..decoded_bytes.len() - 1]), "{what}: {text}");
        assert!(!text.contains(&signature), "{what}: {text}");
    }
}

fn endpoint() -> Endpoint {
    Endpoint {
        id: "ep_1".parse().unwrap(),
        tenant: TenantId::default(),
        name: "billing".parse().unwrap(),
        url: "https://h.example/".parse().unwrap(),
        description: String::new(),
        filter: EventFilter::all(),
        headers: vec![CustomHeader::new("authorization", VALUE).unwrap()],
        status: EndpointStatus::Enabled,
        secrets: SecretSet::new(secret(), Timestamp::EPOCH),
        policy: PolicyOverrides::default(),
        version: Version::FIRST,
        created_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
    }
}

#[test]
fn no_secret_shows_in_debug() {
    assert_clean("Secret", &secret());
    assert_clean("SecretSet", &SecretSet::new(secret(), Timestamp::EPOCH));
    assert_clean("StoredSecret", &SecretSet::new(secret(), Timestamp::EPOCH).iter().collect::<Vec<_>>());
    assert_clean("Verifier", &Verifier::new([secret()]));
    assert_clean("Endpoint", &endpoint());
    assert_clean("NewEndpoint", &NewEndpoint::new("billing", "https://h.example/").secret(secret()));
}

#[test]
fn no_header_value_shows_in_debug() {
    let mut patch = EndpointPatch::default();
    patch.headers = Some(vec![("authorization".into(), VALUE.into())]);
    assert_clean("EndpointPatch", &patch);
    assert!(format!("{patch:?}").contains("authorization"), "the name helps and harms nobody");
    let mut new = NewEndpoint::new("billing", "https://h.example/");
    new.options = patch;
    assert_clean("NewEndpoint", &new);
    assert_clean("CustomHeader", &endpoint().headers);
    assert_clean("Header", &Header::new("authorization", VALUE.into()));
    let set = SecretSet::new(secret(), Timestamp::EPOCH);
    let headers = signed_headers(&set, &"evt_1".parse().unwrap(), Timestamp::EPOCH, PAYLOAD.as_bytes());
    assert_clean("signed headers", &headers);
}

#[test]
fn no_payload_shows_in_debug() {
    let new = NewEvent::new("a.b", PAYLOAD).unwrap();
    assert_clean("NewEvent", &new);
    assert_clean("Event", &new.build("evt_1".parse().unwrap(), Timestamp::EPOCH));
    let mut response = Response::new(500);
    response.body = Bytes::from_static(PAYLOAD.as_bytes());
    response.location = Some("https://user:canary@h.example/".into());
    assert_clean("Response", &response);
    let attempt = Attempt {
        number: AttemptNumber::FIRST,
        round: Round::FIRST,
        started_at: Timestamp::EPOCH,
        duration: Duration::ZERO,
        outcome: Outcome::Success,
        status_code: Some(200),
        error: None,
        detail: None,
        url: Some(Arc::from("https://h.example/")),
        response: Some(ResponseHead { bytes: Bytes::from_static(PAYLOAD.as_bytes()), truncated: false }),
        peer: None,
        timing: None,
    };
    assert_clean("Attempt", &attempt);
}

#[test]
fn no_error_quotes_what_it_refused() {
    let long = format!("{CANARY}{}", "canary".repeat(60));
    for text in ["whsec_canary!", &long] {
        let error = Secret::new(text).unwrap_err();
        assert_clean("InvalidSecret", &error);
        assert_clean("InvalidSecret", &error.to_string());
    }
    let error = CustomHeader::new("authorization", "Bearer canary\r\n").unwrap_err();
    assert_clean("InvalidInput", &error);
    let error = NewEvent::new("a.b", "{\"canary\":}").unwrap_err();
    assert_clean("InvalidInput", &error);
    let verifier = Verifier::new([secret()]);
    let wrong = verifier.verify(PAYLOAD.as_bytes(), &"0".repeat(64)).unwrap_err();
    assert_clean("VerifyError", &wrong);
    let headers = StandardHeaders { id: "canary", timestamp: "canary", signature: "canary" };
    let wrong = verifier.verify_standard(PAYLOAD.as_bytes(), headers, Timestamp::EPOCH).unwrap_err();
    assert_clean("VerifyError", &wrong);
    assert_clean("VerifyError", &wrong.to_string());
}
