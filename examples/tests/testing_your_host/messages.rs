//! What a failing test says, word for word. Each assertion here fails on purpose; in your tests you read the text.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use notify_core::testing::{TestNotify, TestWebhook, in_hours, status, timeout};
use notify_core::{ConnectionCreated, ConnectionUpdated};
use serde_json::json;

use crate::app::App;

/// Two attempts have failed, the second by a timeout of 30 s, which the test's clock shows.
#[tokio::test]
async fn a_delivery_that_has_not_arrived_is_shown_with_its_attempts() {
    let (t, crm) = after_two_attempts().await;
    assert_eq!(
        failure(|| drop(t.assert_delivered(&crm))),
        "expected a delivered attempt to https://crm.test/hook for connection.created
  found 1 delivery: retrying, 2 of 6 attempts, next in 30 min (test clock 00:05:30)
    attempt 1  +0 s     503
    attempt 2  +5 min   timeout after 30 s
  hint: call t.advance(30 min), or script a success with t.respond(..)"
    );
}

#[tokio::test]
async fn a_retry_at_another_time_is_shown_with_its_own() {
    let (t, crm) = after_two_attempts().await;
    assert_eq!(
        failure(|| t.assert_next_retry(&crm, in_hours(2))),
        "expected a retry to https://crm.test/hook in 2 h
  found 1 delivery: retrying, 2 of 6 attempts, next in 30 min (test clock 00:05:30)
    attempt 1  +0 s     503
    attempt 2  +5 min   timeout after 30 s
  hint: call t.advance(30 min), or script a success with t.respond(..)"
    );
}

#[tokio::test]
async fn another_event_than_the_expected_one_is_shown() {
    let t = TestNotify::new().await;
    App::new(t.notify()).connect("con_1", "ana").await.unwrap();
    assert_eq!(
        failure(|| t.assert_published::<ConnectionUpdated>(|event| event.status == "paused")),
        r#"expected a published connection.updated that matches
  found 1 event
    connection.created  +0 s   {"connection_id":"con_1","user_id":"ana"}"#
    );
    assert_eq!(
        failure(|| t.refute_published::<ConnectionCreated>()),
        r#"expected no published connection.created
  found 1 event
    connection.created  +0 s   {"connection_id":"con_1","user_id":"ana"}"#
    );
}

#[tokio::test]
async fn what_arrived_otherwise_is_shown() {
    let t = TestNotify::inline().await;
    let crm = t.webhook("https://crm.test/hook").await;
    t.respond_always(&crm, status(200));
    App::new(t.notify()).connect("con_1", "ana").await.unwrap();
    assert_eq!(
        failure(|| drop(t.assert_delivered(&crm).attempts(2))),
        "expected a delivered attempt to https://crm.test/hook for connection.created after 2 attempts
  found 1 delivery: delivered, 1 of 6 attempts, at 00:00:00 (test clock 00:00:00)
    attempt 1  +0 s   200"
    );
    assert_eq!(
        failure(|| drop(t.assert_delivered(&crm).signed().body_json(json!({ "connection_id": "con_2" })))),
        r#"expected a delivered attempt to https://crm.test/hook for connection.created with valid signatures, with data {"connection_id":"con_2"}
  found 1 delivery: delivered, 1 of 6 attempts, at 00:00:00 (test clock 00:00:00)
    attempt 1  +0 s   200
    data {"connection_id":"con_1","user_id":"ana"}"#
    );
}

#[tokio::test]
async fn a_request_that_nobody_scripted_fails_the_test() {
    let t = TestNotify::inline().await;
    t.webhook("https://crm.test/hook").await;
    App::new(t.notify()).connect("con_1", "ana").await.unwrap();
    assert_eq!(
        failure(|| t.refute_published::<ConnectionUpdated>()),
        "unscripted request to https://crm.test/hook for connection.created (test clock 00:00:00)
  hint: script its answer with t.respond(&webhook, [status(200)]), or all of them with t.respond_always(&webhook, status(200))"
    );
}

async fn after_two_attempts() -> (TestNotify, TestWebhook) {
    let t = TestNotify::new().await;
    let crm = t.webhook("https://crm.test/hook").await;
    t.respond(&crm, [status(503), timeout()]);
    App::new(t.notify()).connect("con_1", "ana").await.unwrap();
    t.run_due().await;
    t.advance(Duration::from_secs(300)).await;
    (t, crm)
}

/// The text with which `work` fails a test.
fn failure(work: impl FnOnce()) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(work)) else { panic!("it was to fail") };
    panic.downcast_ref::<String>().expect("a formatted text").clone()
}
