//! What `TestNotify` says when something does not hold, word for word.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use std::time::Duration;

use common::scripted::{CRM, connected, failure, publish};
use common::{hours, secs};
use notify_core::endpoint::Endpoint;
use notify_core::engine::Backlog;
use notify_core::sign::{Secret, SecretSet};
use notify_core::store::{EndpointAdmin, EndpointDirectory};
use notify_core::testing::{TestNotify, TestWebhook, in_hours, in_minutes, refused, status, timeout};
use notify_core::{ConnectionCreated, ConnectionUpdated, EventPayload, MemoryStore, NewEndpoint, NewEvent};
use serde_json::json;

#[tokio::test]
async fn a_delivery_that_waits_for_its_third_attempt_is_told_with_its_history_and_a_hint() {
    let (t, crm) = connected().await;
    t.respond(&crm, [status(503), timeout()]);
    t.run_due().await;
    t.advance(secs(300)).await;
    assert_eq!(
        failure(|| drop(t.assert_delivered(&crm))),
        "expected a delivered attempt to https://crm.test/hook for connection.created
  found 1 delivery: retrying, 2 of 6 attempts, next in 30 min (test clock 00:05:30)
    attempt 1  +0 s     503
    attempt 2  +5 min   timeout after 30 s
  hint: call t.advance(30 min), or script a success with t.respond(..)"
    );
    assert_eq!(
        failure(|| t.assert_next_retry(&crm, in_hours(2))),
        "expected a retry to https://crm.test/hook in 2 h
  found 1 delivery: retrying, 2 of 6 attempts, next in 30 min (test clock 00:05:30)
    attempt 1  +0 s     503
    attempt 2  +5 min   timeout after 30 s
  hint: call t.advance(30 min), or script a success with t.respond(..)"
    );
    t.assert_next_retry(&crm, in_minutes(30));
    t.refute_delivered(&crm);
    t.respond(&crm, [status(200)]);
    t.advance(in_minutes(30)).await;
    t.assert_delivered(&crm)
        .event::<ConnectionCreated>()
        .attempts(3)
        .signed()
        .body_json(json!({"connection_id": "c1"}));
}

#[tokio::test]
async fn each_thing_said_of_a_delivery_fails_with_what_is_there_instead() {
    let (t, crm) = connected().await;
    t.respond_always(&crm, status(200));
    t.run_due().await;
    let found = "\n  found 1 delivery: delivered, 1 of 6 attempts, at 00:00:00 (test clock 00:00:00)
    attempt 1  +0 s   200";
    let told = |expected: &str| format!("expected a delivered attempt to {CRM} for connection.{expected}{found}");
    assert_eq!(failure(|| drop(t.assert_delivered(&crm).attempts(3))), told("created after 3 attempts"));
    assert_eq!(failure(|| drop(t.assert_delivered(&crm).event::<ConnectionUpdated>())), told("updated"));
    assert_eq!(
        failure(|| drop(t.assert_delivered(&crm).attempts(1).body_json(json!({"connection_id": "c2"})))),
        told(r#"created after 1 attempt, with data {"connection_id":"c2"}"#) + "\n    data {\"connection_id\":\"c1\"}"
    );
    assert_eq!(
        failure(|| t.refute_delivered(&crm)),
        format!("expected no delivered attempt to {CRM}{found}\n    data {{\"connection_id\":\"c1\"}}")
    );
    publish(&t.notify(), "c2").await;
    t.run_due().await;
    t.assert_delivered(&crm).attempts(1).body_json(json!({"connection_id": "c2"}));
}

#[tokio::test]
async fn a_signature_by_a_secret_that_nobody_was_given_is_told() {
    let store = MemoryStore::new();
    let t = TestNotify::on(store.clone()).await;
    let crm = t.webhook(CRM).await;
    t.respond_always(&crm, status(200));
    set_secret(&store, &crm, "meanwhile-another-one").await;
    publish(&t.notify(), "c1").await;
    t.run_due().await;
    t.assert_delivered(&crm).signed();
    set_secret(&store, &crm, "and-then-a-third-one").await;
    let told = failure(|| drop(t.assert_delivered(&crm).signed()));
    let begin = "expected a delivered attempt to https://crm.test/hook for connection.created with valid signatures \
                 (but signature does not match any of 2 secrets (fingerprints ";
    assert!(told.starts_with(begin), "{told}");
    assert!(!told.contains("meanwhile") && !told.contains(crm.secret().expose()));
}

#[tokio::test]
async fn where_a_delivery_stands_and_what_to_try_is_told_for_every_state() {
    let (t, crm) = connected().await;
    let told = |t: &TestNotify, crm: &TestWebhook| {
        let text = failure(|| drop(t.assert_delivered(crm)));
        text.lines().skip(1).map(str::trim_start).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        told(&t, &crm),
        "found 1 delivery: scheduled, 0 of 6 attempts, due now (test clock 00:00:00)\nhint: call t.run_due()"
    );
    t.notify().endpoints().disable(crm.tenant(), crm.id(), "ana").await.unwrap();
    assert_eq!(
        told(&t, &crm),
        "found 1 delivery: held, 0 of 6 attempts, its webhook is disabled (test clock 00:00:00)
hint: enable the webhook with t.notify().endpoints().enable(..)"
    );
    t.notify().endpoints().enable(crm.tenant(), crm.id(), Backlog::Resume).await.unwrap();
    t.respond(&crm, [status(202), refused(), status(500), status(500), status(500), status(500)]);
    let round = t.advance(hours(24)).await;
    assert_eq!((round.delivered, round.retried, round.failed), (0, 5, 1));
    assert_eq!(
        told(&t, &crm),
        "found 1 delivery: failed, 6 of 6 attempts, at 17:35:00 (test clock 24:00:00)
attempt 1  +0 s           202, but this webhook requires 200
attempt 2  +5 min         the connection was refused
attempt 3  +35 min        500
attempt 4  +2 h 35 min    500
attempt 5  +7 h 35 min    500
attempt 6  +17 h 35 min   500
hint: script a success with t.respond(..)"
    );
    t.notify().endpoints().delete(crm.tenant(), crm.id()).await.unwrap();
    let other = t.webhook("https://other.test/").await;
    publish(&t.notify(), "c2").await;
    t.notify().endpoints().delete(other.tenant(), other.id()).await.unwrap();
    assert_eq!(
        told(&t, &other),
        "found 1 delivery: cancelled, 0 of 6 attempts, at 24:00:00 (test clock 24:00:00)
hint: the webhook was deleted, or its backlog cancelled"
    );
}

#[tokio::test]
async fn a_webhook_without_a_delivery_is_told_what_was_published() {
    let t = TestNotify::new().await;
    let crm = t.register(NewEndpoint::new("crm", CRM).events(["connection.updated"])).await;
    assert_eq!(
        failure(|| drop(t.assert_delivered(&crm))),
        "expected a delivered attempt to https://crm.test/hook
  found no delivery to it (test clock 00:00:00)
  hint: nothing was published: the code under test must publish through t.notify()"
    );
    publish(&t.notify(), "c1").await;
    assert_eq!(
        failure(|| drop(t.assert_delivered(&crm))),
        "expected a delivered attempt to https://crm.test/hook
  found no delivery to it (test clock 00:00:00)
  published: connection.created
  hint: look at the webhook's event types, and at whether it was registered before the publish"
    );
}

#[tokio::test]
async fn several_deliveries_are_told_each_with_its_type_and_no_more_than_ten() {
    let (t, crm) = connected().await;
    t.notify().publish(&ConnectionUpdated::example()).await.unwrap();
    t.respond_always(&crm, status(500));
    t.run_due().await;
    assert_eq!(
        failure(|| drop(t.assert_delivered(&crm))),
        "expected a delivered attempt to https://crm.test/hook
  found 2 deliveries (test clock 00:00:00)
    connection.created: retrying, 1 of 6 attempts, next in 5 min
      attempt 1  +0 s   500
    connection.updated: retrying, 1 of 6 attempts, next in 5 min
      attempt 1  +0 s   500
  hint: call t.advance(5 min), or script a success with t.respond(..)"
    );
    for _ in 0..10 {
        publish(&t.notify(), "c1").await;
    }
    let told = failure(|| drop(t.assert_delivered(&crm)));
    assert!(told.contains("found 12 deliveries") && told.contains("\n    and 2 more\n"), "{told}");
}

#[tokio::test]
async fn what_was_published_is_told_where_another_event_was_expected() {
    let t = TestNotify::new().await;
    let created = |id: &'static str| move |event: &ConnectionCreated| event.connection_id == id;
    assert_eq!(
        failure(|| t.assert_published(created("c1"))),
        "expected a published connection.created that matches
  found no event
  hint: the code under test must publish through t.notify()"
    );
    publish(&t.notify(), "c1").await;
    t.clock().advance(Duration::from_millis(61_500));
    t.notify().publish_event(NewEvent::new("connection.created", r#"{"id":1.0}"#).unwrap()).await.unwrap();
    t.notify().publish_event(NewEvent::new("a.b", "[1, 2.0]").unwrap()).await.unwrap();
    assert_eq!(
        failure(|| t.assert_published(created("c2"))),
        r#"expected a published connection.created that matches
  found 3 events
    connection.created  +0 s                {"connection_id":"c1"}
    connection.created  +1 min 1 s 500 ms   {"id":1.0}   (unreadable: missing field `connection_id` at line 1 column 10)
    a.b                 +1 min 1 s 500 ms   [1, 2.0]"#
    );
    t.assert_published(created("c1"));
    t.assert_published_json("a.b", |data| data[0] == 1);
    failure(|| t.assert_published_json("a.b", |data| data[0] == 2));
    t.refute_published::<ConnectionUpdated>();
    assert_eq!(
        failure(|| t.refute_published_json("a.b")),
        "expected no published a.b
  found 1 event
    a.b  +1 min 1 s 500 ms   [1, 2.0]"
    );
    failure(|| t.refute_published::<ConnectionCreated>());
}

/// Changes the secret past the engine, at once and without a trace.
async fn set_secret(store: &MemoryStore, webhook: &TestWebhook, secret: &str) {
    let before = store.get(std::slice::from_ref(webhook.id())).await.unwrap().remove(0).unwrap();
    let secrets = SecretSet::new(Secret::new(secret).unwrap(), before.updated_at);
    let next = Endpoint { secrets, version: before.version.next(), ..Endpoint::clone(&before) };
    store.replace(before.version, &next).await.unwrap();
}
