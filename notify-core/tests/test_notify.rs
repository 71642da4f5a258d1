//! `TestNotify`: scripts, time, tenants and stores. `test_notify_messages` has the texts of its failures.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![expect(clippy::disallowed_methods, reason = "a test is the host, and a host spawns")]

mod common;

use std::time::Duration;

use common::scripted::{CRM, connected, failure, publish, text_of};
use common::{Running, fault_store, hours, secs, settle, t0, tenant};
use notify_core::testing::{ManualClock, Reply, ScriptedTransport, TestNotify, in_hours, in_minutes, status, timeout};
use notify_core::{
    ConnectionCreated, ConnectionUpdated, Engine, EventPayload, MemoryStore, NewEndpoint, NewEvent, Policy,
    RetrySchedule, SuccessRule,
};
use serde_json::json;

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
    time_out_together(TestNotify::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attempts_time_out_together_on_a_runtime_of_several_threads_too() {
    time_out_together(TestNotify::new().await).await;
}

async fn time_out_together(t: TestNotify) {
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
    let store = fault_store();
    store.between().set_clock(&ManualClock::at(common::at("12:00:00")));
    let t = TestNotify::on(store).await;
    let crm = t.webhook(CRM).await;
    t.respond(&crm, [status(500), status(200)]);
    publish(&t.notify(), "c1").await;
    t.run_due().await;
    t.advance(in_minutes(5)).await;
    t.assert_delivered(&crm).attempts(2).signed();
    assert_eq!(t.notify().now(), common::at("00:05:00"));
}

#[tokio::test]
async fn a_host_that_polls_run_itself_is_told_to_leave_it_to_the_test() {
    let t = TestNotify::new().await;
    let running = Running::of(&t.notify());
    settle().await;
    let run = tokio::spawn({
        let t = t.clone();
        async move { t.run_due().await }
    });
    assert_eq!(
        text_of(run.await.unwrap_err().into_panic().as_ref()),
        "cannot run what is due: run() of this engine is being polled already (NTF-RUN-TWICE)
  hint: leave run to the test: t.run_due() and t.advance(..)"
    );
    running.stop().await;
}

/// The pieces alone, with an engine that a test runs itself.
#[tokio::test]
async fn a_scripted_timeout_passes_on_the_transport_s_clock_and_without_one_takes_no_time() {
    for (with_clock, expected) in [(true, "00:00:30"), (false, "00:00:00")] {
        let clock = ManualClock::at(t0());
        let transport = ScriptedTransport::new(Reply::Timeout);
        let transport = if with_clock { transport.with_clock(&clock) } else { transport };
        let builder = Engine::builder(MemoryStore::new()).transport(transport).clock(clock);
        let engine = builder.build().unwrap();
        engine.endpoints().create(NewEndpoint::new("crm", CRM)).await.unwrap();
        publish(&engine, "c1").await;
        assert_eq!(engine.run_once().await.unwrap().retried, 1);
        assert_eq!(engine.now(), common::at(expected));
    }
}

#[test]
fn an_engine_that_cannot_be_built_is_told_with_every_problem() {
    let builder = TestNotify::builder(MemoryStore::new()).engine(|engine| engine.per_endpoint(0).max_payload(0));
    let told = failure(|| drop(builder.build()));
    assert!(told.starts_with("notify cannot be built: 2 problems (NTF-BUILD)\n  1. no attempts at once"), "{told}");
}
