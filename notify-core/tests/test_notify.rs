//! `TestNotify`: what holds passes, what does not fails with a text that helps.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![expect(clippy::disallowed_methods, reason = "a test is the host, and a host spawns")]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use common::{FaultStore, hours, secs, tenant};
use notify_core::endpoint::Endpoint;
use notify_core::engine::Backlog;
use notify_core::sign::{Secret, SecretSet};
use notify_core::store::{EndpointAdmin, EndpointDirectory};
use notify_core::testing::{ManualClock, TestNotify, TestWebhook, in_hours, in_minutes, refused, status, timeout};
use notify_core::{
    ConnectionCreated, ConnectionUpdated, Engine, EventPayload, MemoryStore, NewEndpoint, NewEvent, Policy,
    RetrySchedule, SuccessRule,
};
use serde_json::json;

const CRM: &str = "https://crm.test/hook";

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
async fn signatures_hold_through_a_rotation() {
    let (t, crm) = connected().await;
    t.respond(&crm, [status(500), status(200)]);
    t.run_due().await;
    t.notify().endpoints().rotate_secret(crm.tenant(), crm.id(), Duration::ZERO).await.unwrap();
    t.advance(in_minutes(5)).await;
    t.assert_delivered(&crm).attempts(2).signed();
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

#[tokio::test]
async fn a_request_that_no_script_answers_fails_the_test_wherever_it_is_noticed() {
    let unscripted = "unscripted request to https://crm.test/hook for connection.created (test clock 00:00:00)
  hint: script its answer with t.respond(&webhook, [status(200)]), or all of them with t.respond_always(&webhook, status(200))";
    let (t, _) = connected().await;
    let run = tokio::spawn(async move { t.run_due().await });
    assert_eq!(text_of(run.await.unwrap_err().into_panic().as_ref()), unscripted);

    let inline = TestNotify::inline().await;
    let crm = inline.webhook(CRM).await;
    publish(&inline.notify(), "c1").await;
    assert_eq!(failure(|| drop(inline.assert_delivered(&crm))), unscripted);
    inline.webhook("https://other.test/").await;
    publish(&inline.notify(), "c2").await;
    let at_the_end = failure(|| drop(inline));
    assert!(at_the_end.contains(" for connection.created, and 1 more (test clock 00:00:00)\n"), "{at_the_end}");
}

/// Elsewhere the second answer would be given to whoever asks first.
#[tokio::test]
async fn an_unscripted_request_is_one_of_its_own_webhook_only() {
    let (t, crm) = connected().await;
    t.respond(&crm, [status(500), status(200)]);
    t.run_due().await;
    let other = t.webhook("https://other.test/").await;
    t.respond_always(&other, status(200));
    publish(&t.notify(), "c2").await;
    t.run_due().await;
    t.assert_delivered(&crm).body_json(json!({"connection_id": "c2"}));
    t.assert_delivered(&other).body_json(json!({"connection_id": "c2"}));
}

#[tokio::test]
async fn advancing_runs_each_retry_at_its_own_time_and_moving_the_clock_alone_runs_none() {
    let (t, crm) = connected().await;
    t.respond_always(&crm, status(500));
    let round = t.advance(hours(3)).await;
    assert_eq!((round.retried, t.transport().sent().len()), (4, 4));
    t.assert_next_retry(&crm, in_minutes(4 * 60 + 35));
    t.clock().advance(hours(24 * 7));
    assert_eq!(t.transport().sent().len(), 4);
    assert_eq!(t.run_due().await.retried, 1, "a week of downtime is one attempt, not two");
    t.assert_next_retry(&crm, in_hours(10));
}

#[tokio::test]
async fn attempts_that_time_out_together_take_the_time_of_one_and_each_its_own_deadline() {
    let t = TestNotify::new().await;
    let mut hooks = Vec::new();
    for (url, seconds) in [("https://a.test/", 10), ("https://b.test/", 30), ("https://c.test/", 30)] {
        let mut new = NewEndpoint::new("slow", url);
        new.options.timeout = Some(Some(secs(seconds)));
        let hook = t.register(new).await;
        t.respond(&hook, [timeout()]);
        hooks.push(hook);
    }
    let quick = t.webhook("https://quick.test/").await;
    t.respond(&quick, [status(200)]);
    publish(&t.notify(), "c1").await;
    let round = t.run_due().await;
    assert_eq!((round.delivered, round.retried), (1, 3));
    t.assert_delivered(&quick);
    assert_eq!(t.notify().now().to_string(), "2026-01-01T00:00:30.000Z");
    t.assert_next_retry(&hooks[0], secs(5 * 60 - 20));
    t.assert_next_retry(&hooks[1], in_minutes(5));
    t.assert_next_retry(&hooks[2], in_minutes(5));
}

#[tokio::test]
async fn inline_a_publish_has_delivered_when_it_returns_and_retries_wait_for_time() {
    let t = TestNotify::inline().await;
    let crm = t.webhook(CRM).await;
    t.respond(&crm, [timeout(), status(200), status(200)]);
    publish(&t.notify(), "c1").await;
    t.refute_delivered(&crm);
    t.assert_next_retry(&crm, in_minutes(5));
    publish(&t.notify(), "c2").await;
    t.assert_delivered(&crm).body_json(json!({"connection_id": "c2"}));
    t.advance(in_minutes(5)).await;
    t.assert_delivered(&crm).attempts(2).signed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn inline_many_publishers_at_once_are_all_delivered_when_they_return() {
    let t = TestNotify::inline().await;
    let crm = t.webhook(CRM).await;
    t.respond_always(&crm, status(200));
    let publishers: Vec<_> = (0..20)
        .map(|number| {
            let (t, crm) = (t.clone(), crm.clone());
            tokio::spawn(async move {
                let id = format!("c{number}");
                publish(&t.notify(), &id).await;
                t.assert_delivered(&crm).attempts(1).signed().body_json(json!({ "connection_id": id }));
            })
        })
        .collect();
    for publisher in publishers {
        publisher.await.unwrap();
    }
    assert_eq!(t.transport().sent().len(), 20);
}

#[tokio::test]
async fn a_tenant_s_test_sees_its_own_webhooks_and_events() {
    let t = TestNotify::new().await;
    let acme = t.for_tenant(tenant("acme"));
    let (ours, theirs) = (t.webhook(CRM).await, acme.webhook(CRM).await);
    t.respond_always(&ours, status(200));
    let event = NewEvent::of(&ConnectionCreated::example()).unwrap().for_tenant(tenant("acme"));
    t.notify().publish_event(event).await.unwrap();
    t.run_due().await;
    acme.assert_published::<ConnectionCreated>(|_| true);
    t.refute_published::<ConnectionCreated>();
    acme.assert_delivered(&theirs).signed();
    t.refute_delivered(&ours);
}

#[tokio::test]
async fn a_webhook_that_the_host_registered_is_found_by_its_url() {
    let t = TestNotify::new().await;
    for number in 0..120 {
        t.notify().endpoints().create(NewEndpoint::new("x", format!("https://crm.test/{number}"))).await.unwrap();
    }
    let first = t.registered("https://crm.test/0").await;
    t.respond(&first, [status(200)]);
    assert_eq!(first.url(), "https://crm.test/0");
    let missing = tokio::spawn({
        let t = t.clone();
        async move { t.registered("https://nowhere.test/").await }
    });
    let told = missing.await.unwrap_err().into_panic();
    assert_eq!(text_of(told.as_ref()), "no webhook is registered at https://nowhere.test/");
}

#[tokio::test]
async fn the_host_s_own_policy_and_event_types_hold() {
    let t = TestNotify::builder(MemoryStore::new())
        .begins_at("2030-05-05T05:05:05Z".parse().unwrap())
        .engine(|engine| {
            let mut policy = Policy::default();
            policy.success = SuccessRule::Any2xx;
            policy.schedule = RetrySchedule::never();
            engine.policy(policy).event_type::<ConnectionCreated>().only_registered_event_types()
        })
        .build();
    let crm = t.webhook(CRM).await;
    t.respond(&crm, [status(204), status(500)]);
    assert!(t.notify().publish(&ConnectionUpdated::example()).await.is_err());
    publish(&t.notify(), "c1").await;
    t.run_due().await;
    t.assert_delivered(&crm);
    publish(&t.notify(), "c2").await;
    assert_eq!(t.run_due().await.failed, 1);
    let told = failure(|| drop(t.assert_delivered(&crm).attempts(2)));
    assert!(told.contains("failed, 1 of 1 attempts, at 00:00:00"), "{told}");
    assert_eq!(t.notify().now().to_string(), "2030-05-05T05:05:05.000Z");
}

/// A store's own clock would carry the test's away, and back at every run.
#[tokio::test]
async fn time_is_the_test_s_also_on_a_store_that_has_a_clock() {
    let store = FaultStore::default();
    store.set_clock(&ManualClock::at(common::at("12:00:00")));
    let t = TestNotify::on(store).await;
    let crm = t.webhook(CRM).await;
    t.respond(&crm, [status(500), status(200)]);
    publish(&t.notify(), "c1").await;
    t.run_due().await;
    t.advance(in_minutes(5)).await;
    t.assert_delivered(&crm).attempts(2).signed();
    assert_eq!(t.notify().now(), common::at("00:05:00"));
}

#[test]
fn an_engine_that_cannot_be_built_is_told_with_every_problem() {
    let builder = TestNotify::builder(MemoryStore::new()).engine(|engine| engine.per_endpoint(0).max_payload(0));
    let told = failure(|| drop(builder.build()));
    assert!(told.starts_with("notify cannot be built: 2 problems (NTF-BUILD)\n  1. no attempts at once"), "{told}");
}

/// A webhook, and one event that it has not got yet.
async fn connected() -> (TestNotify, TestWebhook) {
    let t = TestNotify::new().await;
    let crm = t.webhook(CRM).await;
    publish(&t.notify(), "c1").await;
    (t, crm)
}

/// Changes the secret past the engine, at once and without a trace.
async fn set_secret(store: &MemoryStore, webhook: &TestWebhook, secret: &str) {
    let before = store.get(std::slice::from_ref(webhook.id())).await.unwrap().remove(0).unwrap();
    let secrets = SecretSet::new(Secret::new(secret).unwrap(), before.updated_at);
    let next = Endpoint { secrets, version: before.version.next(), ..Endpoint::clone(&before) };
    store.replace(before.version, &next).await.unwrap();
}

async fn publish(notify: &Engine, id: &str) {
    let event = ConnectionCreated { connection_id: id.into(), user_id: None, status: None };
    notify.publish(&event).await.unwrap();
}

/// The text with which `work` fails a test.
fn failure(work: impl FnOnce()) -> String {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(()) => panic!("it was to fail"),
        Err(panic) => text_of(panic.as_ref()),
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap()).to_owned())
}
