use super::*;
use crate::endpoint::{Endpoint, PolicyOverrides, sample};

fn endpoint() -> Endpoint {
    let filter = EventFilter::new(["a.b"]).unwrap();
    Endpoint { name: "billing".parse().unwrap(), description: "old".into(), filter, ..sample("ep_1") }
}

fn refused(patch: &EndpointPatch) -> &'static str {
    patch.apply_to(&mut endpoint()).expect_err("the patch is refused").field()
}

fn headers(pairs: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
    Some(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
}

#[test]
fn an_empty_patch_changes_nothing() {
    let mut changed = endpoint();
    EndpointPatch::default().apply_to(&mut changed).unwrap();
    assert_eq!(changed, endpoint());
}

#[test]
fn each_refusal_names_its_field() {
    let none = EndpointPatch::default;
    assert_eq!(refused(&EndpointPatch { name: Some(" ".into()), ..none() }), "name");
    assert_eq!(refused(&EndpointPatch { url: Some("https://h/a b".into()), ..none() }), "url");
    assert_eq!(refused(&EndpointPatch { description: Some("a".repeat(1025)), ..none() }), "description");
    assert_eq!(refused(&EndpointPatch { description: Some("a\0".into()), ..none() }), "description");
    assert_eq!(refused(&EndpointPatch { events: Some(Some(vec![])), ..none() }), "events");
    assert_eq!(refused(&EndpointPatch { events: Some(Some(vec!["connection".into()])), ..none() }), "events");
    assert_eq!(refused(&EndpointPatch { headers: headers(&[("Host", "h")]), ..none() }), "headers");
    assert_eq!(refused(&EndpointPatch { headers: headers(&[("x-a", "1"), ("X-A", "2")]), ..none() }), "headers");
    let many = (0..33).map(|index| (format!("x-{index}"), "v".into())).collect();
    assert_eq!(refused(&EndpointPatch { headers: Some(many), ..none() }), "headers");
}

/// A timeout of nought was stored, and every attempt of that endpoint would have failed.
#[test]
fn a_timeout_that_no_attempt_can_keep_is_refused_when_it_is_set() {
    for timeout in [Duration::ZERO, Duration::from_secs(301), Duration::MAX] {
        assert_eq!(refused(&EndpointPatch { timeout: Some(Some(timeout)), ..EndpointPatch::default() }), "timeout");
    }
    let mut changed = endpoint();
    let patch = EndpointPatch { timeout: Some(Some(Duration::from_secs(5))), ..EndpointPatch::default() };
    patch.apply_to(&mut changed).unwrap();
    assert_eq!(changed.policy.timeout, Some(Duration::from_secs(5)));
}

#[test]
fn what_can_be_unset_is_unset_by_some_none() {
    let mut changed = endpoint();
    changed.policy.success = Some(SuccessRule::Any2xx);
    changed.policy.timeout = Some(Duration::from_secs(5));
    changed.policy.schedule = Some(RetrySchedule::never());
    let patch = EndpointPatch {
        events: Some(None),
        success: Some(None),
        schedule: Some(None),
        timeout: Some(None),
        ..EndpointPatch::default()
    };
    patch.apply_to(&mut changed).unwrap();
    assert_eq!((changed.filter, changed.policy), (EventFilter::all(), PolicyOverrides::default()));
}
