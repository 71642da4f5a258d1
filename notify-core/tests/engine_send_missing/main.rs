//! What was never sent to an endpoint is sent to it in bulk, and nothing twice.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![expect(clippy::disallowed_methods, reason = "a test is the host, and a host spawns")]

#[path = "../common/mod.rs"]
mod common;
mod model;
mod races;

use std::collections::BTreeSet;

use common::{Host, URL, event, hours, id, key, mins, settle, t0, tenant};
use notify_core::delivery::State;
use notify_core::engine::{Backlog, ControlError, MissingRequest, SentMissing};
use notify_core::store::DeliveryLog;
use notify_core::testing::Reply;
use notify_core::{EndpointId, EndpointPatch, Engine, NewEvent, TenantId, Timestamp};

const OTHER: &str = "https://other.example.com/hook";

fn mine() -> TenantId {
    TenantId::default()
}

fn request(endpoint: &EndpointId, since: Timestamp) -> MissingRequest {
    MissingRequest::new(mine(), endpoint.clone(), since)
}

/// How many were sent by all calls, and by how many calls.
async fn send_all(engine: &Engine, mut request: MissingRequest) -> (u32, usize) {
    let mut sent = 0;
    for calls in 1..1_000 {
        let SentMissing { sent: more, next, .. } = engine.deliveries().send_missing(&request).await.unwrap();
        sent += more;
        request.page.after = next;
        if next.is_none() {
            return (sent, calls);
        }
    }
    panic!("the calls end")
}

/// How many are missing, by all pages.
async fn missing(engine: &Engine, mut request: MissingRequest) -> usize {
    let mut found = 0;
    loop {
        let page = engine.deliveries().missing(&request).await.unwrap();
        found += page.items.len();
        request.page.after = page.next;
        if page.next.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn what_was_published_before_an_endpoint_existed_is_sent_to_it_page_by_page_and_once() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(OTHER).await;
    let mut bodies = BTreeSet::new();
    for _ in 0..5 {
        let receipt = host.publish().await;
        bodies.insert(host.store.inner().event(&key(&receipt)).await.unwrap().unwrap().event.body.to_vec());
    }
    host.engine.run_once().await.unwrap();
    let late = host.endpoint(URL).await;
    host.publish().await;
    host.engine.run_once().await.unwrap();
    assert_eq!(host.transport.sent_to(URL).len(), 1);

    let mut pages = request(id(&late), t0());
    pages.page.limit = 2;
    assert_eq!(missing(&host.engine, pages.clone()).await, 5);
    let (sent, calls) = send_all(&host.engine, pages.clone()).await;
    assert_eq!((sent, calls >= 3), (5, true));
    assert_eq!(host.count(State::Scheduled).await, 5);
    host.engine.run_once().await.unwrap();
    let arrived = host.transport.sent_to(URL);
    assert_eq!(arrived.len(), 6);
    let arrived: BTreeSet<Vec<u8>> = arrived.iter().map(|request| request.body.to_vec()).collect();
    assert!(bodies.is_subset(&arrived), "the same bytes as the others got");
    assert_eq!(missing(&host.engine, pages.clone()).await, 0);
    assert_eq!(send_all(&host.engine, pages).await.0, 0, "nothing is sent twice");
}

#[tokio::test]
async fn only_what_the_filter_wants_and_nothing_that_is_a_test_or_another_tenant_s_is_sent() {
    let host = Host::new(Reply::Status(200));
    let other = host.endpoint(OTHER).await;
    host.publish().await;
    host.engine.publish_event(NewEvent::new("invoice.paid", "{}").unwrap()).await.unwrap();
    host.engine.publish_event(event().for_tenant(tenant("theirs"))).await.unwrap();
    host.engine.endpoints().ping(&mine(), id(&other)).await.unwrap();
    let late = host.endpoint(URL).await;
    let mut patch = EndpointPatch::default();
    patch.events = Some(Some(vec!["connection.*".into(), "endpoint.*".into()]));
    host.engine.endpoints().update(&mine(), id(&late), &patch).await.unwrap();
    assert_eq!(send_all(&host.engine, request(id(&late), t0())).await.0, 1);
    let to_late = host.deliveries().await.into_iter().filter(|delivery| delivery.endpoint() == id(&late)).count();
    assert_eq!(to_late, 1);
}

#[tokio::test]
async fn what_has_a_delivery_is_left_alone_however_that_ended() {
    let host = Host::new(Reply::Status(200));
    let crm = host.endpoint(URL).await;
    host.publish().await;
    host.engine.run_once().await.unwrap();
    host.transport.respond_always(URL, Reply::Status(500));
    host.publish().await;
    host.engine.run_once().await.unwrap();
    host.publish().await;
    let scheduled = host.deliveries().await.into_iter().find(|delivery| delivery.state() == State::Scheduled).unwrap();
    host.engine.deliveries().cancel(&mine(), &scheduled.id()).await.unwrap();
    let before = host.deliveries().await;
    assert_eq!(send_all(&host.engine, request(id(&crm), t0())).await.0, 0);
    assert_eq!(host.deliveries().await, before);
}

#[tokio::test]
async fn only_events_of_the_asked_time_are_sent() {
    let host = Host::new(Reply::Status(200));
    for _ in 0..3 {
        host.publish().await;
        host.clock.advance(hours(1));
    }
    let late = host.endpoint(URL).await;
    let mut first = request(id(&late), t0());
    // The end is not in it, the beginning is.
    first.until = Some(t0().saturating_add(hours(1)));
    assert_eq!(send_all(&host.engine, first).await.0, 1);
    let mut middle = request(id(&late), t0().saturating_add(hours(1)));
    middle.until = Some(t0().saturating_add(mins(90)));
    assert_eq!(send_all(&host.engine, middle).await.0, 1);
    assert_eq!(host.count(State::Scheduled).await, 2);
}

#[tokio::test]
async fn for_a_disabled_endpoint_it_is_held_until_it_is_enabled() {
    let host = Host::new(Reply::Status(200));
    host.publish().await;
    let late = host.endpoint(URL).await;
    host.engine.endpoints().disable(&mine(), id(&late), "ops").await.unwrap();
    assert_eq!(send_all(&host.engine, request(id(&late), t0())).await.0, 1);
    assert_eq!(host.state().await, State::Held);
    host.engine.endpoints().enable(&mine(), id(&late), Backlog::Resume).await.unwrap();
    host.engine.run_once().await.unwrap();
    assert_eq!(host.state().await, State::Delivered);
}

#[tokio::test]
async fn a_running_engine_sends_at_once_what_was_missing() {
    let host = Host::new(Reply::Status(200));
    host.publish().await;
    let late = host.endpoint(URL).await;
    let running = host.start();
    settle().await;
    send_all(&host.engine, request(id(&late), t0())).await;
    settle().await;
    assert_eq!(host.state().await, State::Delivered);
    running.stop().await;
}

#[tokio::test]
async fn what_is_pruned_is_not_there_to_be_sent() {
    let host = Host::new(Reply::Status(200));
    host.publish().await;
    let late = host.endpoint(URL).await;
    host.clock.advance(hours(1));
    assert_eq!(host.engine.history().prune(host.engine.now()).await.unwrap(), 1);
    assert_eq!(send_all(&host.engine, request(id(&late), t0())).await.0, 0);
}

#[tokio::test]
async fn another_tenant_s_endpoint_or_a_deleted_one_looks_missing_and_a_bad_request_is_named() {
    let host = Host::new(Reply::Status(200));
    host.publish().await;
    let late = host.endpoint(URL).await;
    let gone = host.endpoint(OTHER).await;
    host.engine.endpoints().delete(&mine(), id(&gone)).await.unwrap();
    let send = async |edit: &dyn Fn(&mut MissingRequest)| {
        let mut request = request(id(&late), t0());
        edit(&mut request);
        (host.engine.deliveries().send_missing(&request).await, host.engine.deliveries().missing(&request).await)
    };
    for (what, edit) in [
        ("theirs", &(|request: &mut MissingRequest| request.tenant = tenant("theirs")) as &dyn Fn(&mut MissingRequest)),
        ("deleted", &|request| request.endpoint = id(&gone).clone()),
    ] {
        let (sent, seen) = send(edit).await;
        assert!(matches!(sent, Err(ControlError::NotFound)), "{what}: {sent:?}");
        assert!(matches!(seen, Err(ControlError::NotFound)), "{what}: {seen:?}");
    }
    for (edit, field) in [
        (&(|request: &mut MissingRequest| request.page.limit = 0) as &dyn Fn(&mut MissingRequest), "limit"),
        (&|request| request.page.limit = 101, "limit"),
        (&|request| request.until = Some(t0()), "until"),
    ] {
        let (sent, seen) = send(edit).await;
        assert!(matches!(&sent, Err(ControlError::Invalid(invalid)) if invalid.field() == field), "{sent:?}");
        assert!(matches!(&seen, Err(ControlError::Invalid(invalid)) if invalid.field() == field), "{seen:?}");
    }
    assert!(host.deliveries().await.is_empty(), "nothing was sent");
}
