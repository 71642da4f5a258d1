use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::delivery::{ConnectionUse, Part, TlsFault};

fn judged(response: Response, rule: SuccessRule) -> Verdict {
    classify(Ok(response), rule)
}

fn status(status: u16, rule: SuccessRule) -> (&'static str, Option<String>) {
    let verdict = judged(Response::new(status), rule);
    assert_eq!(verdict.status_code, Some(status));
    (verdict.outcome.as_str(), verdict.error)
}

fn redirect_to(location: &str) -> String {
    let response = Response { location: Some(location.into()), ..Response::new(302) };
    judged(response, SuccessRule::Exactly200).error.unwrap()
}

/// C51: receivers that answered 201 or 204 could not see why they got the event again.
#[test]
fn a_2xx_that_is_not_200_fails_and_the_log_says_why() {
    assert_eq!(status(200, SuccessRule::Exactly200), ("success", None));
    for code in [201, 202, 204, 206, 299] {
        let expected = ("status_2xx_not_200", Some(format!("answered {code}; this endpoint requires 200")));
        assert_eq!(status(code, SuccessRule::Exactly200), expected);
    }
}

#[test]
fn every_2xx_is_a_success_where_the_endpoint_says_so_and_nothing_else_is() {
    for code in 0..=1000 {
        let word = status(code, SuccessRule::Any2xx).0;
        assert_eq!(word == "success", (200..=299).contains(&code), "{code}");
    }
}

#[test]
fn every_other_status_is_a_failure_of_its_class() {
    for (codes, word) in [
        (&[100, 103, 199][..], "status_other"),
        (&[300, 301, 302, 303, 304, 307, 308, 399], "redirect_refused"),
        (&[400, 401, 404, 410, 429, 499], "status_4xx"),
        (&[500, 502, 503, 599], "status_5xx"),
        (&[0, 99, 600, 999, u16::MAX], "status_other"),
    ] {
        for code in codes {
            for rule in [SuccessRule::Exactly200, SuccessRule::Any2xx] {
                let (outcome, error) = status(*code, rule);
                assert_eq!(outcome, word, "{code}");
                assert!(error.unwrap().starts_with(&format!("answered {code}; ")), "{code}");
            }
        }
    }
    let wide = status(500, SuccessRule::Any2xx).1.unwrap();
    assert_eq!(wide, "answered 500; this endpoint requires a 2xx");
}

/// C50: elsewhere a redirect was followed as GET, or counted as success.
#[test]
fn a_redirect_names_its_target() {
    assert_eq!(status(307, SuccessRule::Any2xx).1.unwrap(), "answered 307; redirects are not followed");
    let shown = redirect_to("https://h.example/hook/");
    assert_eq!(shown, "answered 302 to https://h.example/hook/; redirects are not followed");
}

#[test]
fn a_hostile_location_leaves_no_credential_and_no_control_character_in_the_log() {
    for (location, shown) in [
        ("https://h.example/a?token=canary", "https://h.example/a"),
        ("https://h.example/a#canary", "https://h.example/a"),
        ("https://user:canary@h.example/a", "https://h.example/a"),
        ("https://a@canary@h.example", "https://h.example"),
        ("//canary@h.example/x@y", "//h.example/x@y"),
        ("/next?canary", "/next"),
        ("a\r\nX-Evil: 1", "a\u{fffd}\u{fffd}X-Evil:\u{fffd}1"),
        ("\u{202e}txt.exe\u{0}", "\u{fffd}txt.exe\u{fffd}"),
        ("", ""),
        ("?", ""),
        ("//", "//"),
        ("https://@", "https://"),
    ] {
        assert_eq!(redirect_to(location), format!("answered 302 to {shown}; redirects are not followed"));
    }
    assert!(redirect_to(&"é".repeat(100_000)).chars().count() < 260);
}

#[test]
fn the_head_of_the_body_is_kept_as_bytes_and_says_whether_it_was_cut() {
    let bytes = Bytes::from_static(b"\xff\xfe\x00\xc3\x28A");
    for truncated in [false, true] {
        let response = Response { body: bytes.clone(), truncated, ..Response::new(500) };
        let kept = judged(response, SuccessRule::Exactly200).response.unwrap();
        assert_eq!((&kept.bytes, kept.truncated), (&bytes, truncated));
    }
}

#[test]
fn a_complete_200_head_counts_even_where_the_body_broke_off() {
    let response = Response { truncated: true, ..Response::new(200) };
    assert_eq!(judged(response, SuccessRule::Exactly200).outcome, Outcome::Success);
}

#[test]
fn a_failure_tells_the_owner_a_sentence_and_the_operator_the_detail() {
    let peer = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    for reason in Reason::ALL.into_iter().filter(|reason| reason.counts()) {
        let verdict = classify(Err(SendFailure::new(reason, "10.0.0.7:443").at(peer)), SuccessRule::Exactly200);
        assert_eq!(verdict.outcome, Outcome::Failure(reason));
        assert_eq!(verdict.error.as_deref(), Some(reason.sentence()));
        assert_eq!((verdict.detail.as_deref(), verdict.peer), (Some("10.0.0.7:443"), peer));
        assert_eq!((verdict.status_code, verdict.response), (None, None));
    }
}

#[test]
fn the_timing_of_an_answer_and_of_a_failure_is_kept() {
    let timing = Timing::new(ConnectionUse::New).with(Part::Lookup, Duration::from_millis(3));
    let answer = Response { timing: Some(timing), ..Response::new(200) };
    assert_eq!(judged(answer, SuccessRule::Exactly200).timing, Some(timing));
    let failure = SendFailure::new(Reason::ConnectTimeout, "detail").timed(timing);
    assert_eq!(classify(Err(failure), SuccessRule::Exactly200).timing, Some(timing));
    assert_eq!(judged(Response::new(500), SuccessRule::Exactly200).timing, None);
}

/// A transport that said "interrupted" would have been asked for ever: those reasons burn no retry.
#[test]
fn a_transport_cannot_claim_an_unknown_outcome() {
    for reason in [Reason::WorkerLost, Reason::Interrupted] {
        let verdict = classify(Err(SendFailure::new(reason, "detail")), SuccessRule::Exactly200);
        assert_eq!(verdict.outcome, Outcome::Failure(Reason::Local));
    }
}

proptest! {
    #[test]
    fn any_reply_has_a_verdict_in_one_line(
        code: u16, location in prop::option::of(any::<String>()), body: Vec<u8>, truncated: bool,
    ) {
        let response = Response { location, body: body.into(), truncated, ..Response::new(code) };
        let verdict = judged(response, SuccessRule::Exactly200);
        prop_assert_eq!(verdict.outcome == Outcome::Success, code == 200);
        prop_assert_eq!(verdict.error.is_none(), code == 200);
        prop_assert!(!verdict.error.unwrap_or_default().contains(char::is_control));
    }
}

/// "the TLS handshake failed" alone sent owners to their network, when a date on a certificate was over.
#[test]
fn a_tls_failure_tells_the_owner_the_certificate_s_fault_and_no_address() {
    for fault in TlsFault::ALL {
        let verdict = classify(Err(SendFailure::tls(fault, "at 10.0.0.7:443")), SuccessRule::Exactly200);
        assert_eq!(verdict.outcome, Outcome::Failure(Reason::Tls));
        assert_eq!(
            (verdict.error.as_deref(), verdict.detail.as_deref()),
            (Some(fault.sentence()), Some("at 10.0.0.7:443"))
        );
    }
}
