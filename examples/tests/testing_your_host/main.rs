//! Shows how a host is tested with `TestNotify`: what it publishes, what arrives, and what becomes of it in hours that
//! take no time. [`app`] is the host, [`messages`] what a failing test says.
//!
//! Left out: the host's own routes and database.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod app;
mod messages;

use std::time::Duration;

use notify_core::testing::{TestNotify, in_hours, in_minutes, refused, status, timeout};
use notify_core::{ConnectionCreated, ConnectionUpdated};
use notify_store_sqlite::SqliteStore;
use serde_json::json;

use app::App;

#[tokio::test]
async fn connecting_is_published_once_and_arrives_after_a_bad_start() {
    let t = TestNotify::new().await;
    let crm = t.webhook("https://crm.test/hook").await;
    t.respond(&crm, [status(503), timeout(), status(200)]);
    let app = App::new(t.notify());

    app.connect("con_1", "ana").await.unwrap();
    app.connect("con_1", "ana").await.unwrap();

    t.assert_published::<ConnectionCreated>(|event| event.connection_id == "con_1");
    t.refute_published::<ConnectionUpdated>();
    assert_eq!(t.run_due().await.retried, 1, "the first answer is 503, and there is one delivery");
    t.advance(Duration::from_secs(300)).await;
    t.assert_next_retry(&crm, in_minutes(30));
    t.advance(in_minutes(30)).await;
    t.assert_delivered(&crm)
        .event::<ConnectionCreated>()
        .attempts(3)
        .signed()
        .body_json(json!({ "connection_id": "con_1", "user_id": "ana" }));
}

#[tokio::test]
async fn pausing_a_stranger_s_connection_tells_nobody() {
    let t = TestNotify::new().await;
    App::new(t.notify()).pause("con_of_somebody_else").await.unwrap();
    t.refute_published::<ConnectionUpdated>();
}

/// `registered` finds what the host's own code created.
#[tokio::test]
async fn a_customer_hears_of_changes_only() {
    let t = TestNotify::new().await;
    let app = App::new(t.notify());
    let secret = app.subscribe("https://customer.test/").await.unwrap();
    let customer = t.registered("https://customer.test/").await;
    assert_eq!(customer.secret().expose(), secret);
    t.respond_always(&customer, status(200));

    app.connect("con_1", "ana").await.unwrap();
    t.run_due().await;
    t.refute_delivered(&customer);

    app.pause("con_1").await.unwrap();
    t.run_due().await;
    t.assert_delivered(&customer).event::<ConnectionUpdated>().signed();
}

#[tokio::test]
async fn a_receiver_that_stays_down_is_given_up_after_17_h_35_min() {
    let t = TestNotify::new().await;
    let down = t.webhook("https://down.test/").await;
    t.respond_always(&down, refused());
    App::new(t.notify()).connect("con_1", "ana").await.unwrap();
    assert_eq!(t.advance(in_hours(17)).await.retried, 5);
    assert_eq!(t.advance(in_minutes(35)).await.failed, 1);
}

/// For tests that do not care about time: a publish has delivered when it returns.
#[tokio::test]
async fn inline_there_is_nothing_to_run() {
    let t = TestNotify::inline().await;
    let crm = t.webhook("https://crm.test/hook").await;
    t.respond(&crm, [status(200)]);
    App::new(t.notify()).connect("con_1", "ana").await.unwrap();
    t.assert_delivered(&crm).attempts(1);
}

/// The host's own kind of store, and time stands still all the same.
#[tokio::test]
async fn the_same_holds_on_sqlite() {
    let t = TestNotify::on(SqliteStore::open_in_memory().unwrap()).await;
    let crm = t.webhook("https://crm.test/hook").await;
    t.respond(&crm, [timeout(), status(200)]);
    App::new(t.notify()).connect("con_1", "ana").await.unwrap();
    t.run_due().await;
    t.advance(in_minutes(5)).await;
    t.assert_delivered(&crm).attempts(2).signed();
}
