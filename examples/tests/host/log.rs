//! The log: filters, and pages that stay whole while rows are inserted.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::fixture::{Folder, Host, on_each_store, text};
use crate::receiver::{Receiver, Reply};

on_each_store! {
    pages_neither_repeat_nor_hide_rows_while_events_are_published,
    lists_are_filtered_and_newest_first,
    the_log_is_searched_by_reason_class_key_and_purpose,
}

async fn pages_neither_repeat_nor_hide_rows_while_events_are_published(folder: &Folder) {
    let host = folder.host(&[]).await;
    let mut before = BTreeSet::new();
    for _ in 0..25 {
        before.insert(host.publish().await);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = host.get(&format!("/events?limit=7{cursor}")).await;
        seen.extend(ids(&page["events"], "event_id"));
        // Somebody publishes between any two pages.
        host.publish().await;
        host.publish().await;
        let Value::String(next) = &page["next_cursor"] else { break };
        cursor = format!("&cursor={next}");
    }
    let unique: BTreeSet<String> = seen.iter().cloned().collect();
    assert_eq!(unique.len(), seen.len(), "a row came twice");
    assert_eq!(unique, before, "the first page's view is the whole walk's");
}

async fn lists_are_filtered_and_newest_first(folder: &Folder) {
    let receiver = Receiver::start(Reply::status(200)).await;
    let host = folder.host(&["--schedule", "none"]).await;
    let all = text(&host.endpoint("all", &receiver.url()).await["id"]);
    let some = json!({ "name": "some", "url": receiver.url(), "events": ["b.*"] });
    let some = text(&host.call("POST /endpoints", some).await.expect(201)["id"]);
    publish(&host, "one", "a.x").await;
    publish(&host, "two", "b.x").await;
    host.read_until("/deliveries?status=delivered", |page| page["deliveries"].as_array().unwrap().len() == 3).await;
    receiver.answer(Reply::status(500));
    publish(&host, "three", "b.y.z").await;
    host.read_until("/deliveries?status=failed", |page| page["deliveries"].as_array().unwrap().len() == 2).await;

    for (query, expected) in [
        ("/events", &["three", "two", "one"][..]),
        ("/events?event=b.x", &["two"]),
        ("/events?status=failed", &["three"]),
        ("/events?status=delivered&limit=1", &["two"]),
        (&format!("/events?endpoint={some}"), &["three", "two"]),
        (&format!("/events?endpoint={all}"), &["three", "two", "one"]),
        ("/events?until=2020-01-01T00:00:00Z", &[]),
        ("/events?since=2020-01-01T00:00:00Z&event=a.x", &["one"]),
    ] {
        assert_eq!(ids(&host.get(query).await["events"], "event_id"), expected, "{query}");
    }
    for (query, expected) in [
        (format!("/deliveries?endpoint={some}"), &["three", "two"][..]),
        (format!("/deliveries?endpoint={all}&status=failed"), &["three"]),
        ("/deliveries?event=a.x".into(), &["one"]),
        ("/deliveries?status=held".into(), &[]),
    ] {
        assert_eq!(ids(&host.get(&query).await["deliveries"], "event_id"), expected, "{query}");
    }
    let stats = host.get("/stats").await;
    assert_eq!((&stats["by_status"]["delivered"], &stats["by_status"]["failed"]), (&json!(3), &json!(2)));
    assert_eq!(stats["oldest_due_age_ms"], Value::Null);
}

async fn the_log_is_searched_by_reason_class_key_and_purpose(folder: &Folder) {
    let receiver = Receiver::start(Reply::status(200)).await;
    let host = folder.host(&["--schedule", "none"]).await;
    let endpoint = text(&host.endpoint("crm", &receiver.url()).await["id"]);
    let keyed = json!({ "event": "a.b", "data": {}, "event_id": "one", "idempotency_key": "order 1" });
    host.call("POST /events", keyed).await.expect(202);
    let theirs = json!({ "event": "a.b", "data": {}, "event_id": "two", "idempotency_key": "order 2", "tenant": "t" });
    host.call("POST /events", theirs).await.expect(202);
    host.read_until("/deliveries?status=delivered", |page| page["deliveries"].as_array().unwrap().len() == 1).await;
    receiver.answer(Reply::status(500));
    publish(&host, "three", "a.b").await;
    let ping = host.call(&format!("POST /endpoints/{endpoint}/ping"), json!({})).await.expect(202);
    let ping = text(&ping["event_id"]);
    host.read_until("/deliveries?status=failed", |page| page["deliveries"].as_array().unwrap().len() == 2).await;

    for (query, expected) in [
        ("/events?idempotency_key=order%201", &["one"][..]),
        ("/events?idempotency_key=order%202", &[]),
        ("/events?idempotency_key=order%202&tenant=t", &["two"]),
        ("/events?purpose=test", &[&ping]),
        ("/events?purpose=live", &["three", "one"]),
    ] {
        assert_eq!(ids(&host.get(query).await["events"], "event_id"), expected, "{query}");
    }
    for (query, expected) in [
        ("/deliveries?reason=status_5xx", &[&*ping, "three"][..]),
        ("/deliveries?reason=dns", &[]),
        ("/deliveries?class=5xx&purpose=live", &["three"]),
        ("/deliveries?class=2xx", &["one"]),
        ("/deliveries?purpose=test", &[&*ping]),
        ("/deliveries?class=5xx&tenant=t", &[]),
    ] {
        assert_eq!(ids(&host.get(query).await["deliveries"], "event_id"), expected, "{query}");
    }
    let event = host.get("/events/one").await;
    assert_eq!((&event["idempotency_key"], &event["purpose"]), (&json!("order 1"), &json!("live")));
    for (query, status, field) in [
        ("/deliveries?reason=bad", 400, "reason"),
        ("/deliveries?class=6xx", 400, "class"),
        ("/deliveries?purpose=prod", 400, "purpose"),
        ("/deliveries?reason=dns&class=5xx", 422, "reason"),
        ("/deliveries?class=5xx&status=delivered", 422, "class"),
        ("/deliveries?idempotency_key=order%201", 400, "idempotency_key"),
        ("/events?idempotency_key=", 400, "idempotency_key"),
        ("/events?reason=dns", 400, "reason"),
        ("/events?since=2020-01-02T00:00:00Z&until=2020-01-01T00:00:00Z", 422, "until"),
    ] {
        let answer = host.call(&format!("GET {query}"), Value::Null).await.expect(status);
        assert_eq!(answer["error"]["field"], field, "{query}: {answer}");
    }
}

async fn publish(host: &Host, id: &str, event: &str) {
    host.call("POST /events", json!({ "event": event, "data": {}, "event_id": id })).await.expect(202);
}

fn ids(items: &Value, field: &str) -> Vec<String> {
    items.as_array().unwrap().iter().map(|item| text(&item[field])).collect()
}
