//! Registering, changing, disabling and deleting endpoints while deliveries are under way.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use common::{Fault, Host, Op, URL, event, hours, id, key, mins, secs, settle, t0, tenant};
use notify_core::delivery::State;
use notify_core::endpoint::{DisableReason, EndpointStatus};
use notify_core::engine::{Backlog, ControlError};
use notify_core::store::{EndpointQuery, PageRequest};
use notify_core::testing::Reply;
use notify_core::{EndpointPatch, NewEndpoint, Secret, TenantId};

fn mine() -> TenantId {
    TenantId::default()
}

fn patch_url(url: &str) -> EndpointPatch {
    let mut patch = EndpointPatch::default();
    patch.url = Some(url.to_owned());
    patch
}

// C38
#[tokio::test]
async fn deleting_an_endpoint_cancels_its_deliveries_and_sends_nothing_more() {
    let host = Host::new(Reply::Status(500));
    let created = host.endpoint(URL).await;
    let other = "https://other.test/";
    let running = host.start();
    for _ in 0..3 {
        host.publish().await;
    }
    settle().await;
    host.transport.respond(URL, [Reply::Hang]);
    let last = host.publish().await;
    settle().await;
    assert_eq!((host.count(State::Scheduled).await, host.count(State::InFlight).await), (3, 1));

    host.engine.endpoints().delete(&mine(), id(&created)).await.unwrap();
    assert_eq!(host.count(State::Cancelled).await, 3);
    host.advance(secs(31)).await;
    host.endpoint(other).await;
    let again = host.engine.endpoints().delete(&mine(), id(&created)).await;
    assert!(matches!(again, Err(ControlError::NotFound)));
    host.pass(hours(24), mins(10)).await;
    assert_eq!(host.transport.sent_to(URL).len(), 4);
    assert_eq!(host.count(State::Cancelled).await, 4);
    let record = host.engine.history().event(&key(&last)).await.unwrap().unwrap();
    let attempts = host.engine.history().attempts(&record.deliveries[0].id()).await.unwrap();
    assert_eq!(attempts.len(), 1, "the history stays readable");

    host.transport.respond(other, [Reply::Status(200)]);
    assert_eq!(host.publish().await.deliveries, 1);
    settle().await;
    assert_eq!(host.count(State::Delivered).await, 1);
    running.stop().await;
}

/// Registering and then disabling are two writes, and an event between them would be sent.
#[tokio::test]
async fn what_is_published_for_an_endpoint_that_was_registered_disabled_is_held_until_it_is_enabled() {
    let host = Host::new(Reply::Status(200));
    let running = host.start();
    let new = NewEndpoint::new("not ready", URL).disabled("An\na");
    let created = host.engine.endpoints().create(new).await.unwrap();
    let EndpointStatus::Disabled(disabled) = &created.endpoint.status else { panic!("it is disabled") };
    assert_eq!((disabled.reason, disabled.at, &*disabled.by), (DisableReason::Operator, t0(), "Ana"));
    assert_eq!(created.endpoint.version.get(), 1, "one write");
    assert_eq!(host.publish().await.deliveries, 1);
    settle().await;
    assert_eq!((host.count(State::Held).await, host.sent()), (1, 0));
    host.engine.endpoints().enable(&mine(), id(&created), Backlog::Resume).await.unwrap();
    settle().await;
    assert_eq!((host.count(State::Delivered).await, host.sent()), (1, 1));
    running.stop().await;
}

/// A delete whose sweep failed said "repeat it", and the repetition said "not found" and left the held rows for ever.
#[tokio::test]
async fn a_delete_that_is_repeated_after_an_outage_cancels_what_the_first_left() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    host.engine.endpoints().disable(&mine(), id(&created), "ops").await.unwrap();
    host.publish().await;
    assert_eq!(host.state().await, State::Held);
    host.store.between().fail_next(Op::Sweep, [Fault::Fail]);
    let first = host.engine.endpoints().delete(&mine(), id(&created)).await;
    assert!(matches!(first, Err(ControlError::Store(_))));
    assert_eq!(host.state().await, State::Held);
    let second = host.engine.endpoints().delete(&mine(), id(&created)).await;
    assert!(matches!(second, Err(ControlError::NotFound)));
    assert_eq!(host.state().await, State::Cancelled);
}

// C40
#[tokio::test]
async fn a_retry_goes_to_the_url_that_the_endpoint_has_by_then() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint("https://typo.test/").await;
    host.transport.respond("https://typo.test/", [Reply::Status(500)]);
    let running = host.start();
    host.publish().await;
    settle().await;
    host.engine.endpoints().update(&mine(), id(&created), &patch_url(URL)).await.unwrap();
    host.advance(mins(5)).await;
    assert_eq!((host.transport.sent_to("https://typo.test/").len(), host.transport.sent_to(URL).len()), (1, 1));
    let urls: Vec<_> = host.attempts().await.iter().map(|attempt| attempt.url.clone().unwrap().to_string()).collect();
    assert_eq!(urls, ["https://typo.test/", URL]);
    running.stop().await;
}

// C72
#[tokio::test]
async fn a_secret_is_in_the_create_answer_and_in_nothing_else() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    let secret = created.secret.expose().to_owned();
    assert!(secret.starts_with("whsec_"));
    assert_eq!(created.endpoint.secrets.current().expose(), secret);
    let endpoints = host.engine.endpoints();
    let query = EndpointQuery { tenant: mine(), page: PageRequest::default() };
    let mut patch = EndpointPatch::default();
    patch.name = Some("new".into());
    let shown = format!(
        "{created:?} {:?} {:?} {:?} {:?}",
        endpoints.get(&mine(), id(&created)).await.unwrap(),
        endpoints.list(&query).await.unwrap(),
        endpoints.update(&mine(), id(&created), &patch).await.unwrap(),
        endpoints.disable(&mine(), id(&created), "ops").await.unwrap(),
    );
    assert!(!shown.contains(&secret) && !shown.contains(&secret[6..]), "{shown}");
}

// C74
#[tokio::test]
async fn what_one_engine_changes_holds_for_the_next_attempt_of_another() {
    let host = Host::new(Reply::Status(500));
    let created = host.endpoint(URL).await;
    let other = host.sibling();
    let running = other.start();
    other.publish().await;
    settle().await;
    assert_eq!(host.transport.sent_to(URL).len(), 1);
    host.engine.endpoints().update(&mine(), id(&created), &patch_url("https://new.test/")).await.unwrap();
    other.publish().await;
    settle().await;
    assert_eq!(host.transport.sent_to(URL).len(), 1, "a fresh event goes to the new URL at once");
    assert_eq!(host.transport.sent_to("https://new.test/").len(), 1);
    other.advance(mins(5)).await;
    assert_eq!(host.transport.sent_to("https://new.test/").len(), 3, "so do both retries");

    host.engine.endpoints().delete(&mine(), id(&created)).await.unwrap();
    assert_eq!(other.publish().await.deliveries, 0);
    other.pass(hours(24), mins(30)).await;
    assert_eq!(host.sent(), 4);
    assert_eq!(host.count(State::Cancelled).await, 2);
    running.stop().await;
}

// C74, with a queue
#[tokio::test]
async fn a_hundred_queued_deliveries_follow_a_change_of_url() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    let other = host.sibling();
    for _ in 0..100 {
        other.publish().await;
    }
    host.engine.endpoints().update(&mine(), id(&created), &patch_url("https://new.test/")).await.unwrap();
    assert_eq!(other.engine.run_once().await.unwrap().delivered, 100);
    assert_eq!((host.transport.sent_to(URL).len(), host.transport.sent_to("https://new.test/").len()), (0, 100));
}

#[tokio::test]
async fn a_disabled_endpoint_s_deliveries_are_held_and_so_is_what_is_published_meanwhile() {
    for (backlog, sent_after) in [(Backlog::Resume, 3), (Backlog::Cancel, 1)] {
        let host = Host::new(Reply::Status(200));
        let created = host.endpoint(URL).await;
        host.transport.respond(URL, [Reply::Status(500)]);
        let running = host.start();
        host.publish().await;
        settle().await;
        host.engine.endpoints().disable(&mine(), id(&created), "ops").await.unwrap();
        assert_eq!(host.publish().await.deliveries, 1);
        assert_eq!(host.count(State::Held).await, 2);
        host.pass(hours(24), mins(30)).await;
        assert_eq!((host.sent(), host.count(State::Held).await), (1, 2), "nothing goes out while it is disabled");

        host.engine.endpoints().enable(&mine(), id(&created), backlog).await.unwrap();
        settle().await;
        assert_eq!(host.sent(), sent_after, "{backlog:?}");
        let ended = if backlog == Backlog::Resume { State::Delivered } else { State::Cancelled };
        assert_eq!(host.count(ended).await, 2);
        assert_eq!(host.publish().await.deliveries, 1);
        settle().await;
        assert_eq!(host.sent(), sent_after + 1, "enabled is enabled");
        running.stop().await;
    }
}

/// The repetition found the endpoint disabled already, and left what this engine remembered of it as it was.
#[tokio::test]
async fn a_disabling_whose_answer_was_lost_holds_for_the_next_publish_once_it_is_repeated() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    host.publish().await;
    host.store.between().fail_next(Op::Admin, [Fault::FailAfter]);
    assert!(host.engine.endpoints().disable(&mine(), id(&created), "ops").await.is_err());
    host.engine.endpoints().disable(&mine(), id(&created), "ops").await.unwrap();
    host.publish().await;
    assert_eq!(host.count(State::Held).await, 2);
}

#[tokio::test]
async fn an_attempt_that_fails_while_its_endpoint_is_disabled_leaves_a_held_delivery() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    host.transport.respond(URL, [Reply::Hang]);
    let running = host.start();
    host.publish().await;
    settle().await;
    host.engine.endpoints().disable(&mine(), id(&created), "ops").await.unwrap();
    assert_eq!(host.state().await, State::InFlight);
    host.advance(secs(31)).await;
    assert_eq!((host.state().await, host.outcomes().await), (State::Held, vec!["response_timeout"]));
    host.engine.endpoints().enable(&mine(), id(&created), Backlog::Resume).await.unwrap();
    host.advance(mins(5)).await;
    assert_eq!(host.state().await, State::Delivered);
    running.stop().await;
}

/// The second call found the endpoint enabled, and cancelled the retries that it was about to make.
#[tokio::test]
async fn enabling_an_enabled_endpoint_cancels_nothing() {
    let host = Host::new(Reply::Status(500));
    let created = host.endpoint(URL).await;
    host.publish().await;
    host.engine.run_once().await.unwrap();
    host.engine.endpoints().enable(&mine(), id(&created), Backlog::Cancel).await.unwrap();
    assert_eq!(host.state().await, State::Scheduled);
}

#[tokio::test]
async fn another_tenant_s_endpoint_is_not_found_and_gets_no_events() {
    let host = Host::new(Reply::Status(200));
    let theirs = host.engine.endpoints().create(NewEndpoint::new("t", URL).tenant(tenant("them"))).await.unwrap();
    let (endpoints, theirs) = (host.engine.endpoints(), id(&theirs));
    let us = tenant("us");
    assert!(matches!(endpoints.get(&us, theirs).await, Err(ControlError::NotFound)));
    assert!(matches!(endpoints.update(&us, theirs, &patch_url("https://x.test/")).await, Err(ControlError::NotFound)));
    assert!(matches!(endpoints.disable(&us, theirs, "me").await, Err(ControlError::NotFound)));
    assert!(matches!(endpoints.enable(&us, theirs, Backlog::Cancel).await, Err(ControlError::NotFound)));
    assert!(matches!(endpoints.delete(&us, theirs).await, Err(ControlError::NotFound)));
    let query = EndpointQuery { tenant: us.clone(), page: PageRequest::default() };
    assert!(endpoints.list(&query).await.unwrap().items.is_empty());
    assert_eq!(host.engine.publish_event(event().for_tenant(us)).await.unwrap().deliveries, 0);
    assert_eq!(host.engine.publish_event(event()).await.unwrap().deliveries, 0);
    assert_eq!(host.engine.publish_event(event().for_tenant(tenant("them"))).await.unwrap().deliveries, 1);
    assert_eq!(host.engine.run_once().await.unwrap().delivered, 1);
}

#[tokio::test]
async fn a_bad_endpoint_is_refused_by_field_and_nothing_is_stored() {
    let host = Host::new(Reply::Status(200));
    let long = "x".repeat(129);
    let mut cases: Vec<(NewEndpoint, &str)> = [("", URL), ("  ", URL), ("a\r\nb", URL), (long.as_str(), URL)]
        .map(|(name, url)| (NewEndpoint::new(name, url), "name"))
        .into_iter()
        .chain(["", " https://h/", "refused:x"].map(|url| (NewEndpoint::new("a", url), "url")))
        .collect();
    cases.push((NewEndpoint::new("a", URL).events(Vec::<String>::new()), "events"));
    cases.push((NewEndpoint::new("a", URL).events(["no spaces"]), "events"));
    let mut slow = NewEndpoint::new("a", URL);
    slow.options.timeout = Some(Some(secs(31)));
    cases.push((slow, "timeout"));
    let mut header = NewEndpoint::new("a", URL);
    header.options.headers = Some(vec![("x-notify-signature".into(), "v".into())]);
    cases.push((header, "headers"));
    for (new, field) in cases {
        let shown = format!("{new:?}");
        match host.engine.endpoints().create(new).await {
            Err(ControlError::Invalid(invalid)) => assert_eq!(invalid.field(), field, "{shown}"),
            other => panic!("{shown}: {other:?}"),
        }
    }
    assert!(Secret::new("").is_err());
    assert_eq!(host.store.between().calls(Op::Admin), 0);

    let created = host.endpoint(URL).await;
    let refused = host.engine.endpoints().update(&mine(), id(&created), &patch_url("refused:x")).await;
    assert!(matches!(refused, Err(ControlError::Invalid(_))));
    let endpoint = host.engine.endpoints().get(&mine(), id(&created)).await.unwrap();
    assert_eq!((endpoint.url.as_str(), endpoint.version), (URL, created.endpoint.version));
    let unknown = "ep_unknown".parse().unwrap();
    assert!(matches!(host.engine.endpoints().get(&mine(), &unknown).await, Err(ControlError::NotFound)));
    for limit in [0, 101] {
        let query = EndpointQuery { tenant: mine(), page: PageRequest { after: None, limit } };
        assert!(matches!(host.engine.endpoints().list(&query).await, Err(ControlError::Invalid(_))), "{limit}");
    }
}
