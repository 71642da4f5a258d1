//! Deliveries that are held at an endpoint that somebody else enables or deletes at that moment: none stays held.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![expect(clippy::disallowed_methods, reason = "a test is the host, and a host spawns")]

mod common;

use common::{Fault, Host, Op, URL, id, secs, settle};
use notify_core::TenantId;
use notify_core::delivery::State;
use notify_core::engine::{Backlog, ControlError};
use notify_core::testing::Reply;

fn mine() -> TenantId {
    TenantId::default()
}

/// Another engine remembers for a second who wants an event. It took an endpoint that had just been enabled for
/// disabled, and the delivery was born held with nobody left to release it.
#[tokio::test]
async fn an_event_published_by_an_engine_that_has_not_seen_the_enabling_is_not_held_for_ever() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    host.engine.endpoints().disable(&mine(), id(&created), "ops").await.unwrap();
    let other = host.sibling();
    other.publish().await;
    host.engine.endpoints().enable(&mine(), id(&created), Backlog::Resume).await.unwrap();
    other.publish().await;
    assert_eq!(host.count(State::Held).await, 0);
    assert_eq!(host.engine.run_once().await.unwrap().delivered, 2);
}

/// The same in a worker: it read the endpoint as disabled, and wrote that the delivery is held after the endpoint had
/// been enabled and its held deliveries released.
#[tokio::test]
async fn a_worker_that_holds_a_delivery_too_late_releases_it_again() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    host.publish().await;
    let operator = host.stranger();
    operator.store.fail_next(Op::Sweep, [Fault::Fail]);
    assert!(operator.engine.endpoints().disable(&mine(), id(&created), "ops").await.is_err());
    host.store.fail_next(Op::Apply, [Fault::Fail]);
    let running = host.start();
    settle().await;
    assert_eq!((host.state().await, host.store.calls(Op::Apply)), (State::InFlight, 1));
    operator.engine.endpoints().enable(&mine(), id(&created), Backlog::Resume).await.unwrap();
    host.pass(secs(2), secs(1)).await;
    assert_eq!((host.state().await, host.sent()), (State::Delivered, 1));
    running.stop().await;
}

/// The same where the store did not answer as it looked again: it looked once, and the row stayed held.
#[tokio::test]
async fn a_worker_looks_again_until_the_store_answers() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    host.publish().await;
    let operator = host.stranger();
    operator.store.fail_next(Op::Sweep, [Fault::Fail]);
    assert!(operator.engine.endpoints().disable(&mine(), id(&created), "ops").await.is_err());
    host.store.fail_next(Op::Apply, [Fault::Fail]);
    host.store.fail_next(Op::Sweep, [Fault::Fail, Fault::FailAfter]);
    let running = host.start();
    settle().await;
    operator.engine.endpoints().enable(&mine(), id(&created), Backlog::Resume).await.unwrap();
    host.advance(secs(1)).await;
    assert_eq!((host.state().await, host.store.calls(Op::Sweep)), (State::Held, 1));
    host.pass(secs(12), secs(1)).await;
    assert_eq!((host.state().await, host.store.calls(Op::Sweep)), (State::Delivered, 3));
    running.stop().await;
}

/// The same in a disabling whose sweep was slow: another operator enabled the endpoint meanwhile, and what was held
/// after that stayed held for ever.
#[tokio::test]
async fn a_disabling_that_another_operator_undoes_before_its_sweep_holds_nothing() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    host.publish().await;
    disable_and_enable_before_its_sweep(&host, id(&created)).await.unwrap();
    assert_eq!(host.state().await, State::Scheduled);
    assert_eq!(host.engine.run_once().await.unwrap().delivered, 1);
}

/// It said that all was well, though nobody knew whether what it had held still had to be.
#[tokio::test]
async fn a_disabling_that_cannot_look_again_says_so_and_can_be_repeated() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    host.publish().await;
    host.store.fail_next(Op::Get, [Fault::Late, Fault::Fail]);
    let raced = disable_and_enable_before_its_sweep(&host, id(&created)).await;
    assert!(matches!(raced, Err(ControlError::Store(_))), "{raced:?}");
    let endpoints = host.engine.endpoints();
    let again = endpoints.disable(&mine(), id(&created), "ops").await.unwrap();
    assert_eq!((again.is_enabled(), host.state().await), (false, State::Held));
    endpoints.enable(&mine(), id(&created), Backlog::Resume).await.unwrap();
    assert_eq!(host.engine.run_once().await.unwrap().delivered, 1);
}

/// What the disabling came to.
async fn disable_and_enable_before_its_sweep(
    host: &Host,
    endpoint: &notify_core::EndpointId,
) -> Result<(), ControlError> {
    let operator = host.stranger();
    host.store.forget_calls();
    host.store.fail_next(Op::Sweep, [Fault::Late]);
    let (engine, disabled) = (host.engine.clone(), endpoint.clone());
    let disabling = tokio::spawn(async move { engine.endpoints().disable(&mine(), &disabled, "ops").await });
    while host.store.calls(Op::Sweep) == 0 {
        tokio::task::yield_now().await;
    }
    operator.engine.endpoints().enable(&mine(), endpoint, Backlog::Resume).await.unwrap();
    assert_eq!(host.state().await, State::Scheduled, "the sweep is still to come");
    disabling.await.unwrap().map(drop)
}

/// The same in `run_once`, which returned before it had looked again.
#[tokio::test]
async fn run_once_does_not_return_before_it_released_what_it_held_too_late() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    host.publish().await;
    let operator = host.stranger();
    operator.store.fail_next(Op::Sweep, [Fault::Fail]);
    assert!(operator.engine.endpoints().disable(&mine(), id(&created), "ops").await.is_err());
    host.store.fail_next(Op::Apply, [Fault::Fail]);
    host.store.fail_next(Op::Get, [Fault::Late; 2]);
    let engine = host.engine.clone();
    let round = tokio::spawn(async move { engine.run_once().await.unwrap() });
    settle().await;
    assert_eq!((host.state().await, host.store.calls(Op::Apply)), (State::InFlight, 1));
    operator.engine.endpoints().enable(&mine(), id(&created), Backlog::Resume).await.unwrap();
    host.pass(secs(2), secs(1)).await;
    assert_eq!(round.await.unwrap().withheld, 1);
    assert_ne!(host.state().await, State::Held);
}

/// The same, deleted: the row would have been held for an endpoint that is gone.
#[tokio::test]
async fn an_event_published_by_an_engine_that_has_not_seen_the_deletion_is_cancelled() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    host.engine.endpoints().disable(&mine(), id(&created), "ops").await.unwrap();
    let other = host.sibling();
    other.publish().await;
    host.engine.endpoints().delete(&mine(), id(&created)).await.unwrap();
    other.publish().await;
    assert_eq!(host.count(State::Cancelled).await, 2);
}
