//! Publishing in the host's own transaction: what is prepared, and what the engine learns after the commit. The memory
//! store stands in for the host's database; notify-store-sqlite has the same with a real transaction.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use common::{Host, URL, event, id, mins, settle, t0};
use notify_core::NewEvent;
use notify_core::delivery::{Start, State};
use notify_core::engine::{Backlog, PublishError};
use notify_core::store::Store;
use notify_core::testing::Reply;

#[tokio::test]
async fn what_is_prepared_is_matched_due_at_once_and_not_stored() {
    let host = Host::new(Reply::Status(200));
    let crm = host.endpoint(URL).await;
    let running = host.start();
    let prepared = host.engine.prepare(vec![event(), event().not_before(t0().saturating_add(mins(5)))]).await.unwrap();
    let starts: Vec<Start> = prepared.batch().events.iter().map(|event| event.deliveries[0].start).collect();
    assert_eq!(
        starts,
        [Start::Due(t0()), Start::Due(t0().saturating_add(mins(5)))],
        "none is leased: nobody sees it yet"
    );
    assert_eq!(prepared.batch().events[0].deliveries[0].endpoint, *id(&crm));
    drop(prepared);
    assert!(host.deliveries().await.is_empty());
    running.stop().await;
}

/// Time stands still here, so that the engine does not look by itself.
#[tokio::test]
async fn a_running_engine_sends_once_it_is_told_of_the_commit_and_not_before() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let running = host.start();
    settle().await;
    let prepared = host.engine.prepare(vec![event()]).await.unwrap();
    let receipts = prepared.receipts(host.store.insert(prepared.batch()).await.unwrap()).unwrap();
    assert_eq!((receipts.len(), receipts[0].deliveries, receipts[0].duplicate), (1, 1, false));
    assert_eq!(receipts[0].event_id, prepared.batch().events[0].event.key.id);
    settle().await;
    assert_eq!(host.sent(), 0);
    prepared.committed(&receipts).await;
    settle().await;
    assert_eq!((host.sent(), host.state().await), (1, State::Delivered));
    running.stop().await;
}

#[tokio::test]
async fn an_event_that_is_due_later_is_sent_then_without_another_word() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let running = host.start();
    settle().await;
    let prepared = host.engine.prepare(vec![event().not_before(t0().saturating_add(mins(5)))]).await.unwrap();
    let receipts = prepared.receipts(host.store.insert(prepared.batch()).await.unwrap()).unwrap();
    prepared.committed(&receipts).await;
    host.advance(mins(5)).await;
    assert_eq!(host.sent(), 1);
    running.stop().await;
}

#[tokio::test]
async fn an_endpoint_enabled_between_preparation_and_commit_gets_the_event() {
    let host = Host::new(Reply::Status(200));
    let crm = host.endpoint(URL).await;
    let (tenant, crm) = (&crm.endpoint.tenant, id(&crm));
    host.engine.endpoints().disable(tenant, crm, "ana").await.unwrap();
    let prepared = host.engine.prepare(vec![event()]).await.unwrap();
    host.engine.endpoints().enable(tenant, crm, Backlog::Resume).await.unwrap();
    let receipts = prepared.receipts(host.store.insert(prepared.batch()).await.unwrap()).unwrap();
    assert_eq!(host.state().await, State::Held);
    prepared.committed(&receipts).await;
    assert_eq!(host.state().await, State::Scheduled);
    assert_eq!(host.engine.run_once().await.unwrap().delivered, 1);
}

#[tokio::test]
async fn a_duplicate_and_a_conflict_are_told_as_by_publish() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let first = host.engine.publish_event(event().with_id("order-1").unwrap()).await.unwrap();
    let again = host.engine.prepare(vec![event().with_id("order-1").unwrap()]).await.unwrap();
    let receipts = again.receipts(host.store.insert(again.batch()).await.unwrap()).unwrap();
    assert_eq!((receipts[0].duplicate, &receipts[0].event_id), (true, &first.event_id));
    let other = NewEvent::new("connection.created", "2").unwrap().with_id("order-1").unwrap();
    let other = host.engine.prepare(vec![other]).await.unwrap();
    let refused = other.receipts(host.store.insert(other.batch()).await.unwrap());
    assert!(matches!(refused, Err(PublishError::Conflict { index: 0, existing }) if existing == first.event_id));
}

#[tokio::test]
async fn what_publish_refuses_is_refused_when_it_is_prepared() {
    let host = Host::with(Reply::Status(200), |builder| builder.only_registered_event_types());
    let refused = host.engine.prepare(vec![event()]).await;
    assert!(matches!(refused, Err(PublishError::UnknownType { .. })));
}
