//! What failed for an endpoint is sent again in bulk, once it is well.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use common::{Host, URL, event, hours, id, mins, secs, t0, tenant};
use notify_core::delivery::{Reason, State};
use notify_core::engine::{Backlog, ControlError, RecoverEnded, RecoverRequest, Recovered};
use notify_core::retry::{Policy, RetrySchedule};
use notify_core::testing::Reply;
use notify_core::{EndpointId, TenantId, Timestamp};

const OTHER: &str = "https://other.example.com/hook";

/// An engine that tries once, and a receiver that fails.
fn failing() -> Host {
    let mut once = Policy::default();
    once.schedule = RetrySchedule::never();
    Host::with(Reply::Status(500), |builder| builder.policy(once))
}

fn request(endpoint: &EndpointId, since: Timestamp) -> RecoverRequest {
    RecoverRequest::new(TenantId::default(), endpoint.clone(), since)
}

/// How many were resent by all calls, and by how many calls.
async fn recover_all(host: &Host, mut request: RecoverRequest) -> (u32, usize) {
    let mut resent = 0;
    for calls in 1..100 {
        let Recovered { resent: more, next, .. } = host.engine.deliveries().recover(&request).await.unwrap();
        resent += more;
        request.page.after = next;
        if next.is_none() {
            return (resent, calls);
        }
    }
    panic!("the calls end")
}

#[tokio::test]
async fn all_that_failed_for_an_endpoint_is_sent_again_page_by_page_and_nothing_else() {
    let host = failing();
    let crm = host.endpoint(URL).await;
    host.endpoint(OTHER).await;
    for _ in 0..5 {
        host.publish().await;
    }
    host.engine.endpoints().ping(&TenantId::default(), id(&crm)).await.unwrap();
    host.engine.run_once().await.unwrap();
    host.transport.respond_always(URL, Reply::Status(200));
    host.transport.respond_always(OTHER, Reply::Status(200));
    assert_eq!(host.count(State::Failed).await, 11);

    let mut pages = request(id(&crm), t0());
    pages.page.limit = 2;
    let (resent, calls) = recover_all(&host, pages.clone()).await;
    assert_eq!((resent, calls >= 3), (5, true));
    assert_eq!(host.count(State::Scheduled).await, 5);
    host.engine.run_once().await.unwrap();
    assert_eq!((host.count(State::Delivered).await, host.count(State::Failed).await), (5, 6), "a ping and the other's");
    let delivered = host.deliveries().await.into_iter().find(|row| row.state() == State::Delivered).unwrap();
    assert_eq!((delivered.as_stored().round.get(), delivered.as_stored().attempts), (2, 2));
    assert_eq!(recover_all(&host, pages).await.0, 0, "nothing is left");
}

#[tokio::test]
async fn only_events_of_the_asked_time_are_sent_again() {
    let host = failing();
    let crm = host.endpoint(URL).await;
    for _ in 0..3 {
        host.publish().await;
        host.engine.run_once().await.unwrap();
        host.clock.advance(hours(1));
    }
    let mut middle = request(id(&crm), t0().saturating_add(mins(30)));
    middle.until = Some(t0().saturating_add(mins(90)));
    assert_eq!(recover_all(&host, middle).await.0, 1);
    assert_eq!(recover_all(&host, request(id(&crm), t0().saturating_add(hours(2)))).await.0, 1);
    assert_eq!((host.count(State::Scheduled).await, host.count(State::Failed).await), (2, 1));
}

#[tokio::test]
async fn what_is_sent_again_to_a_disabled_endpoint_is_held_until_it_is_enabled() {
    let host = failing();
    let crm = host.endpoint(URL).await;
    host.publish().await;
    host.engine.run_once().await.unwrap();
    let endpoints = host.engine.endpoints();
    endpoints.disable(&TenantId::default(), id(&crm), "ops").await.unwrap();
    assert_eq!(recover_all(&host, request(id(&crm), t0())).await.0, 1);
    assert_eq!(host.count(State::Held).await, 1);
    endpoints.enable(&TenantId::default(), id(&crm), Backlog::Resume).await.unwrap();
    host.transport.respond_always(URL, Reply::Status(200));
    host.engine.run_once().await.unwrap();
    assert_eq!(host.count(State::Delivered).await, 1);
}

#[tokio::test]
async fn a_running_engine_sends_at_once_what_is_recovered() {
    let host = failing();
    let crm = host.endpoint(URL).await;
    host.publish().await;
    let running = host.start();
    common::settle().await;
    assert_eq!(host.count(State::Failed).await, 1);
    host.transport.respond_always(URL, Reply::Status(200));
    recover_all(&host, request(id(&crm), t0())).await;
    common::settle().await;
    assert_eq!(host.count(State::Delivered).await, 1);
    running.stop().await;
}

/// How many pages say would be sent again.
async fn recoverable(host: &Host, mut request: RecoverRequest) -> usize {
    let mut found = 0;
    loop {
        let page = host.engine.deliveries().recoverable(&request).await.unwrap();
        found += page.items.len();
        request.page.after = page.next;
        if page.next.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn what_was_delivered_is_sent_again_too_where_that_is_asked_and_what_is_open_or_cancelled_is_not() {
    let host = Host::new(Reply::Status(200));
    let crm = host.endpoint(URL).await;
    for reply in [Reply::Status(200), Reply::Status(200), Reply::Status(500)] {
        host.transport.respond_always(URL, reply);
        host.publish().await;
        host.engine.run_once().await.unwrap();
    }
    let failing = host.deliveries().await.into_iter().find(|row| row.state() == State::Scheduled).unwrap();
    let later = host.engine.now().saturating_add(hours(50));
    let cancelled = host.engine.publish_event(event().not_before(later)).await.unwrap();
    let record = host.engine.history().event(&common::key(&cancelled)).await.unwrap().unwrap();
    host.engine.deliveries().cancel(&TenantId::default(), &record.deliveries[0].id()).await.unwrap();

    let mut all = request(id(&crm), t0());
    all.ended = RecoverEnded::FailedOrDelivered;
    all.page.limit = 1;
    assert_eq!(recover_all(&host, request(id(&crm), t0())).await.0, 0, "nothing failed for good");
    assert_eq!(recoverable(&host, all.clone()).await, 2);
    assert_eq!(recover_all(&host, all.clone()).await.0, 2);
    assert_eq!(recover_all(&host, all.clone()).await.0, 0, "they are open now");
    let after = host.engine.deliveries().get(&TenantId::default(), &failing.id()).await.unwrap();
    assert_eq!(after, failing, "it is still being tried");
    assert_eq!((host.count(State::Scheduled).await, host.count(State::Cancelled).await), (3, 1));
    host.transport.respond_always(URL, Reply::Status(200));
    host.engine.run_once().await.unwrap();
    assert_eq!((host.count(State::Delivered).await, host.sent()), (2, 5));
}

#[tokio::test]
async fn a_reason_or_a_status_of_the_last_attempt_chooses_among_them() {
    let host = failing();
    let crm = host.endpoint(URL).await;
    let replies =
        [Reply::Status(500), Reply::Status(503), Reply::Status(503), Reply::Status(404), Reply::Failure(Reason::Dns)];
    for reply in replies {
        host.transport.respond_always(URL, reply);
        host.publish().await;
        host.engine.run_once().await.unwrap();
    }
    let with = |reason, status| {
        let mut request = request(id(&crm), t0());
        (request.reason, request.status) = (reason, status);
        request.page.limit = 2;
        request
    };
    for (reason, status, count) in [
        (None, Some(503), 2),
        (None, Some(404), 1),
        (None, Some(502), 0),
        (None, Some(200), 0),
        (Some(Reason::Dns), None, 1),
        (Some(Reason::Status5xx), None, 3),
        (Some(Reason::Status5xx), Some(500), 1),
        (None, None, 5),
    ] {
        assert_eq!(recoverable(&host, with(reason, status)).await, count, "{reason:?} {status:?}");
    }
    assert_eq!(recover_all(&host, with(None, Some(503))).await.0, 2);
    assert_eq!((host.count(State::Scheduled).await, host.count(State::Failed).await), (2, 3));
    assert_eq!(recover_all(&host, with(Some(Reason::Dns), None)).await.0, 1);
    assert_eq!(host.count(State::Scheduled).await, 3);
}

#[tokio::test]
async fn another_tenant_s_endpoint_looks_missing_and_a_bad_request_is_named() {
    let host = failing();
    let crm = host.endpoint(URL).await;
    host.engine.publish_event(event()).await.unwrap();
    host.engine.run_once().await.unwrap();
    let recover = async |edit: fn(&mut RecoverRequest)| {
        let mut request = request(id(&crm), t0());
        edit(&mut request);
        host.engine.deliveries().recover(&request).await
    };
    let theirs = recover(|request| request.tenant = tenant("theirs")).await;
    assert!(matches!(theirs, Err(ControlError::NotFound)), "{theirs:?}");
    let gone = recover(|request| request.endpoint = "ep_none".parse().unwrap()).await;
    assert!(matches!(gone, Err(ControlError::NotFound)), "{gone:?}");
    for (edit, field) in [
        ((|request| request.page.limit = 0) as fn(&mut RecoverRequest), "limit"),
        (|request| request.until = Some(t0()), "until"),
        (|request| request.status = Some(99), "status"),
        (|request| request.status = Some(1000), "status"),
        (|request| (request.status, request.reason) = (Some(404), Some(Reason::Dns)), "reason"),
        (|request| request.until = Some(t0().saturating_sub(secs(1))), "until"),
    ] {
        let refused = recover(edit).await;
        assert!(matches!(&refused, Err(ControlError::Invalid(invalid)) if invalid.field() == field), "{refused:?}");
    }
    assert_eq!(host.count(State::Failed).await, 1, "nothing was sent again");
}
