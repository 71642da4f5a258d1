//! Two processes on one store.

use std::time::Duration;

use notify_core::{Engine, NewEvent};
use notify_http::HttpTransport;
use notify_store_sqlite::SqliteStore;
use notify_store_sqlite::rusqlite::Connection;
use serde_json::json;

use crate::fixture::{Folder, is, on_each_store, text};
use crate::receiver::{Receiver, Reply};

on_each_store! {
    two_hosts_send_each_delivery_once,
    a_url_changed_in_one_host_is_where_the_other_sends_its_next_attempt,
}

#[tokio::test]
async fn what_a_process_that_never_runs_publishes_is_sent_by_the_host() {
    let (folder, receiver) = (Folder::new(), Receiver::start(Reply::status(200)).await);
    let host = folder.host(&[]).await;
    let secret = text(&host.endpoint("crm", &receiver.url()).await["secret"]);
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let publisher = Engine::builder(store).transport(HttpTransport::new().unwrap()).build().unwrap();
    let receipt = publisher.publish_event(NewEvent::new("a.b", "1").unwrap()).await.unwrap();
    assert_eq!(receipt.deliveries, 1);
    // The host's store looks at the file's version every 1.6 s.
    receiver.wait_until("it", Duration::from_secs(10), |receiver| !receiver.received().is_empty()).await;
    receiver.received()[0].verify(&secret);
    host.event_until(receipt.event_id.as_str(), is("delivered")).await;
}

/// Nothing is sent, and nobody is told that it will be, before it is durable.
#[tokio::test]
async fn a_commit_that_is_held_up_shows_neither_a_request_nor_an_answer() {
    let (folder, receiver) = (Folder::new(), Receiver::start(Reply::status(200)).await);
    let host = folder.host(&[]).await;
    host.endpoint("crm", &receiver.url()).await;
    let blocker = Connection::open(folder.database()).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut publish = std::pin::pin!(host.publish());
    let early = tokio::time::timeout(Duration::from_secs(1), &mut publish).await;
    assert!(early.is_err(), "it was answered before it was durable: {early:?}");
    assert!(receiver.received().is_empty(), "it was sent before it was durable");
    blocker.execute_batch("COMMIT").unwrap();
    let event = publish.await;
    host.event_until(&event, is("delivered")).await;
    assert_eq!(receiver.received().len(), 1);
}

async fn two_hosts_send_each_delivery_once(folder: &Folder) {
    let receiver = Receiver::start(Reply::status(200)).await;
    let (one, two) = (folder.host(&[]).await, folder.host(&[]).await);
    one.endpoint("crm", &receiver.url()).await;
    let mut published = std::collections::BTreeSet::new();
    for _ in 0..50 {
        published.insert(one.publish().await);
        published.insert(two.publish().await);
    }
    for host in [&one, &two] {
        host.read_until("/stats", |stats| stats["by_status"]["delivered"] == 100).await;
    }
    assert_eq!(receiver.events(), published);
    assert_eq!(receiver.received().len(), 100);
}

/// C74: a change made in one process was not seen by the others elsewhere.
async fn a_url_changed_in_one_host_is_where_the_other_sends_its_next_attempt(folder: &Folder) {
    let (old, new) = (Receiver::start(Reply::status(500)).await, Receiver::start(Reply::status(200)).await);
    let schedule = ["--schedule", "5s"];
    // Only `sender` runs an attempt: `editor` starts once the first one has failed, and has stopped before the next.
    let sender = folder.host(&schedule).await;
    let id = text(&sender.endpoint("crm", &old.url()).await["id"]);
    let event = sender.publish().await;
    sender.event_until(&event, |event| event["deliveries"][0]["attempts"][0].is_object()).await;
    let editor = folder.host(&schedule).await;
    editor.call(&format!("PATCH /endpoints/{id}"), json!({ "url": new.url() })).await.expect(200);
    assert_eq!(editor.stop().await.code, Some(0));
    sender.event_until(&event, is("delivered")).await;
    assert_eq!((old.received().len(), new.received().len()), (1, 1));
    assert_eq!(sender.get(&format!("/endpoints/{id}")).await["url"], new.url());
}
