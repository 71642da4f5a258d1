//! A host's tests on a real file: time still stands still, and assertions read what is in the file.

use notify_core::testing::{TestNotify, in_minutes, status, timeout};
use notify_core::{ConnectionCreated, EventPayload, NewEvent};
use notify_store_sqlite::insert_in;

use crate::support::*;

#[tokio::test]
async fn a_host_on_a_file_is_tested_with_timeouts_that_take_no_time() {
    let (_dir, store) = in_file().await;
    let t = TestNotify::on(store).await;
    let hooks = [t.webhook("https://a.test/").await, t.webhook("https://b.test/").await];
    for hook in &hooks {
        t.respond(hook, [timeout(), timeout()]);
        t.respond_always(hook, status(200));
    }
    for _ in 0..3 {
        t.notify().publish(&ConnectionCreated::example()).await.unwrap();
    }
    t.assert_published::<ConnectionCreated>(|event| event.user_id.is_none());
    let round = t.run_due().await;
    assert_eq!((round.delivered, round.retried), (2, 4));
    assert_eq!(t.notify().now().to_string(), "2026-01-01T00:00:30.000Z");
    t.assert_next_retry(&hooks[0], in_minutes(5));
    assert_eq!(t.advance(in_minutes(5)).await.delivered, 4);
    t.assert_delivered(&hooks[1]).attempts(2).signed();
}

#[tokio::test]
async fn inline_on_a_file_a_publish_and_a_commit_have_delivered_when_they_return() {
    let (_dir, store) = in_file().await;
    let mut conn = outside(&store);
    let t = TestNotify::builder(store).inline().build();
    let crm = t.webhook("https://crm.test/hook").await;
    t.respond(&crm, [status(200), status(200)]);
    t.notify().publish(&ConnectionCreated::example()).await.unwrap();
    t.assert_delivered(&crm).attempts(1).signed();
    let prepared = t.notify().prepare(vec![NewEvent::new("order.paid", "8").unwrap()]).await.unwrap();
    let tx = conn.transaction().unwrap();
    let receipts = prepared.receipts(insert_in(&tx, prepared.batch()).unwrap()).unwrap();
    tx.commit().unwrap();
    prepared.committed(&receipts).await;
    t.assert_delivered(&crm).body_json(8).attempts(1);
}

#[tokio::test]
async fn what_the_host_published_in_its_own_transaction_is_seen() {
    let (_dir, store) = in_file().await;
    let mut conn = outside(&store);
    let t = TestNotify::on(store).await;
    let crm = t.webhook("https://crm.test/hook").await;
    t.respond(&crm, [status(200)]);
    let prepared = t.notify().prepare(vec![NewEvent::new("order.paid", r#"{"order":7}"#).unwrap()]).await.unwrap();
    let tx = conn.transaction().unwrap();
    insert_in(&tx, prepared.batch()).unwrap();
    t.refute_published_json("order.paid");
    tx.commit().unwrap();
    t.assert_published_json("order.paid", |data| data["order"] == 7);
    t.run_due().await;
    t.assert_delivered(&crm).body_json(serde_json::json!({ "order": 7 }));
}
