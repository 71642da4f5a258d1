//! Deliveries that are held at an endpoint that somebody else enables or deletes at that moment: none stays held.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![expect(clippy::disallowed_methods, reason = "a test is the host, and a host spawns")]

mod common;

use common::{Fault, Host, Op, URL, id, secs, settle};
use notify_core::delivery::State;
use notify_core::endpoint::{DisableReason, Disabled, EndpointStatus};
use notify_core::engine::{Backlog, ControlError};
use notify_core::testing::Reply;
use notify_core::{EndpointId, TenantId};

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
    let operator = host.half_disabled(&created).await;
    host.store.between().fail_next(Op::Apply, [Fault::Fail]);
    let running = host.start();
    settle().await;
    assert_eq!((host.state().await, host.store.between().calls(Op::Apply)), (State::InFlight, 1));
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
    let operator = host.half_disabled(&created).await;
    host.store.between().fail_next(Op::Apply, [Fault::Fail]);
    host.store.between().fail_next(Op::Sweep, [Fault::Fail, Fault::FailAfter]);
    let running = host.start();
    settle().await;
    operator.engine.endpoints().enable(&mine(), id(&created), Backlog::Resume).await.unwrap();
    host.advance(secs(1)).await;
    assert_eq!((host.state().await, host.store.between().calls(Op::Sweep)), (State::Held, 1));
    host.pass(secs(12), secs(1)).await;
    assert_eq!((host.state().await, host.store.between().calls(Op::Sweep)), (State::Delivered, 3));
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
    host.store.between().fail_next(Op::Get, [Fault::Late, Fault::Fail]);
    let raced = disable_and_enable_before_its_sweep(&host, id(&created)).await;
    assert!(matches!(raced, Err(ControlError::Store(_))), "{raced:?}");
    let endpoints = host.engine.endpoints();
    let again = endpoints.disable(&mine(), id(&created), "ops").await.unwrap();
    assert_eq!((again.is_enabled(), host.state().await), (false, State::Held));
    endpoints.enable(&mine(), id(&created), Backlog::Resume).await.unwrap();
    assert_eq!(host.engine.run_once().await.unwrap().delivered, 1);
}

/// What the disabling came to.
async fn disable_and_enable_before_its_sweep(host: &Host, endpoint: &EndpointId) -> Result<(), ControlError> {
    let operator = host.stranger();
    host.store.between().forget_calls();
    host.store.between().fail_next(Op::Sweep, [Fault::Late]);
    let (engine, disabled) = (host.engine.clone(), endpoint.clone());
    let disabling = tokio::spawn(async move { engine.endpoints().disable(&mine(), &disabled, "ops").await });
    while host.store.between().calls(Op::Sweep) == 0 {
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
    let operator = host.half_disabled(&created).await;
    host.store.between().fail_next(Op::Apply, [Fault::Fail]);
    host.store.between().fail_next(Op::Get, [Fault::Late; 2]);
    let engine = host.engine.clone();
    let round = tokio::spawn(async move { engine.run_once().await.unwrap() });
    settle().await;
    assert_eq!((host.state().await, host.store.between().calls(Op::Apply)), (State::InFlight, 1));
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

/// A disabled endpoint with one held delivery, and somebody who enables it without its backlog: in a task of its own,
/// which the test lets come to the call that it has made late.
struct Enabling {
    host: Host,
    other: Host,
    endpoint: EndpointId,
}

impl Enabling {
    async fn new() -> Self {
        let host = Host::new(Reply::Status(200));
        let created = host.endpoint(URL).await;
        host.publish().await;
        let endpoint = id(&created).clone();
        host.engine.endpoints().disable(&mine(), &endpoint, "ops").await.unwrap();
        host.advance(secs(2)).await;
        host.store.between().forget_calls();
        let other = host.stranger();
        Self { host, other, endpoint }
    }

    /// Begins, and returns once call `number` of `op` is made and not yet carried out.
    async fn until(&self, op: Op, number: usize) -> tokio::task::JoinHandle<Result<(), ControlError>> {
        self.host.store.between().fail_next(op, vec![Fault::Late; number]);
        let (engine, endpoint) = (self.host.engine.clone(), self.endpoint.clone());
        let enabling =
            tokio::spawn(async move { engine.endpoints().enable(&mine(), &endpoint, Backlog::Cancel).await.map(drop) });
        while self.host.store.between().calls(op) < number {
            tokio::task::yield_now().await;
        }
        enabling
    }

    async fn resume(&self) {
        self.other.engine.endpoints().enable(&mine(), &self.endpoint, Backlog::Resume).await.unwrap();
    }

    async fn status(&self) -> EndpointStatus {
        self.host.engine.endpoints().get(&mine(), &self.endpoint).await.unwrap().status.clone()
    }
}

/// It looked whether the endpoint was disabled, and then cancelled all that was open, though somebody had enabled it
/// in between: released deliveries and fresh ones were lost.
#[tokio::test]
async fn what_another_operator_resumed_before_the_backlog_is_swept_is_sent_and_so_is_what_was_published_since() {
    let race = Enabling::new().await;
    let enabling = race.until(Op::Sweep, 1).await;
    race.resume().await;
    race.other.publish().await;
    assert_eq!(race.host.count(State::Scheduled).await, 2, "the sweep is still to come");
    let done = enabling.await.unwrap();
    assert!(matches!(done, Err(ControlError::Contended)), "{done:?}");
    assert_eq!(race.status().await, EndpointStatus::Enabled);
    assert_eq!(race.host.engine.run_once().await.unwrap().delivered, 2);
}

/// The same between the page of held deliveries and the look whether the decision stands, and between that look and
/// the write.
#[tokio::test]
async fn what_another_operator_resumed_after_it_was_read_as_held_is_sent() {
    for (op, number) in [(Op::Get, 2), (Op::Apply, 1)] {
        let race = Enabling::new().await;
        let enabling = race.until(op, number).await;
        assert_eq!(race.host.state().await, State::Held);
        race.resume().await;
        let done = enabling.await.unwrap();
        assert!(matches!(done, Err(ControlError::Contended)), "{op:?}: {done:?}");
        assert_eq!(race.host.state().await, State::Scheduled, "{op:?}");
        assert_eq!(race.host.engine.run_once().await.unwrap().delivered, 1, "{op:?}");
    }
}

#[tokio::test]
async fn what_is_published_after_the_decision_is_sent_and_no_part_of_the_backlog() {
    let race = Enabling::new().await;
    let enabling = race.until(Op::Sweep, 1).await;
    assert!(matches!(
        race.status().await,
        EndpointStatus::Disabled(Disabled { reason: DisableReason::Cancelling, by, .. }) if by == "ops"
    ));
    race.host.clock.advance(std::time::Duration::from_millis(1));
    race.other.publish().await;
    assert_eq!(race.host.count(State::Held).await, 2);
    enabling.await.unwrap().unwrap();
    assert_eq!((race.host.count(State::Cancelled).await, race.host.count(State::Scheduled).await), (1, 1));
    assert_eq!(race.host.engine.run_once().await.unwrap().delivered, 1);
}

#[tokio::test]
async fn who_disables_an_endpoint_while_its_backlog_is_cancelled_keeps_what_is_left_of_it() {
    let race = Enabling::new().await;
    let enabling = race.until(Op::Get, 2).await;
    race.other.engine.endpoints().disable(&mine(), &race.endpoint, "boss").await.unwrap();
    let done = enabling.await.unwrap();
    assert!(matches!(done, Err(ControlError::Contended)), "{done:?}");
    assert!(matches!(
        race.status().await,
        EndpointStatus::Disabled(Disabled { reason: DisableReason::Operator, by, .. }) if by == "boss"
    ));
    assert_eq!(race.host.state().await, State::Held);
}

#[tokio::test]
async fn of_two_who_cancel_a_backlog_the_later_one_ends_it() {
    let race = Enabling::new().await;
    let enabling = race.until(Op::Get, 2).await;
    race.host.clock.advance(secs(1));
    race.other.engine.endpoints().enable(&mine(), &race.endpoint, Backlog::Cancel).await.unwrap();
    let done = enabling.await.unwrap();
    assert!(matches!(done, Err(ControlError::Contended)), "{done:?}");
    assert_eq!((race.status().await, race.host.state().await), (EndpointStatus::Enabled, State::Cancelled));
}

#[tokio::test]
async fn who_deletes_an_endpoint_while_its_backlog_is_cancelled_leaves_nothing_held() {
    let race = Enabling::new().await;
    let enabling = race.until(Op::Apply, 1).await;
    race.other.engine.endpoints().delete(&mine(), &race.endpoint).await.unwrap();
    let done = enabling.await.unwrap();
    assert!(matches!(done, Err(ControlError::NotFound)), "{done:?}");
    assert_eq!(race.host.state().await, State::Cancelled);
}

/// Each call may fail, before the work or after it, and the caller may go away at each: the same call again does it.
#[tokio::test]
async fn a_cancelled_backlog_that_broke_off_anywhere_can_be_repeated() {
    let calls =
        [(Op::Get, 1), (Op::Admin, 1), (Op::Sweep, 1), (Op::Get, 2), (Op::Apply, 1), (Op::Get, 3), (Op::Admin, 2)];
    for (op, number) in calls {
        for fault in [Fault::Fail, Fault::FailAfter, Fault::Hang, Fault::HangAfter] {
            let race = Enabling::new().await;
            race.host.store.between().fail_next(op, vec![Fault::Late; number - 1]);
            race.host.store.between().fail_next(op, [fault]);
            let (engine, endpoint) = (race.host.engine.clone(), race.endpoint.clone());
            let enabling =
                tokio::spawn(async move { engine.endpoints().enable(&mine(), &endpoint, Backlog::Cancel).await });
            settle().await;
            assert!(race.host.store.between().calls(op) >= number, "{op:?} {number} was made");
            // It failed, or hangs and is dropped.
            enabling.abort();
            assert!(!matches!(enabling.await, Ok(Ok(_))), "{op:?} {number} {fault:?}");
            race.host.engine.endpoints().enable(&mine(), &race.endpoint, Backlog::Cancel).await.unwrap();
            let ended = (race.status().await, race.host.state().await);
            assert_eq!(ended, (EndpointStatus::Enabled, State::Cancelled), "{op:?} {number} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_backlog_of_many_pages_is_cancelled_and_no_other_endpoint_s() {
    let host = Host::new(Reply::Status(200));
    let (first, second) = (host.endpoint(URL).await, host.endpoint("https://other.example/hook").await);
    let endpoints = host.engine.endpoints();
    for created in [&first, &second] {
        endpoints.disable(&mine(), id(created), "ops").await.unwrap();
    }
    for _ in 0..230 {
        host.publish().await;
    }
    endpoints.enable(&mine(), id(&first), Backlog::Cancel).await.unwrap();
    assert_eq!((host.count(State::Cancelled).await, host.count(State::Held).await), (230, 230));
    let held = host.deliveries().await.into_iter().filter(|delivery| delivery.state() == State::Held);
    assert!(held.into_iter().all(|delivery| delivery.endpoint() == id(&second)));
}
