//! S6, S7, S8, S14 (sweep).

use notify_core::delivery::{Outcome, Reason, Start, State};
use notify_core::machine::{Gate, Input};
use notify_core::store::{ApplyOutcome, DeliveryLog, Store, SweepAction, SweepRequest};
use notify_store_sqlite::SqliteStore;

use crate::support::*;

#[tokio::test]
async fn a_change_writes_the_row_and_its_attempt_with_all_columns() {
    let (_dir, store) = in_file().await;
    publish(&store, "e1", &[("ep1", due(0))]).await;
    let row = claim(&store, 0, 1, 1).await.claimed.remove(0).delivery;
    let change = answered(&row, 503, 10, 77);
    assert_eq!(store.apply(std::slice::from_ref(&change)).await.unwrap(), [ApplyOutcome::Applied]);
    assert_eq!(load(&store, "e1", "ep1").await.as_stored(), change.next());
    assert_eq!(store.attempts(&row.id()).await.unwrap(), change.attempts());
    let row = claim(&store, 1_000_000, 2, 1).await.claimed.remove(0).delivery;
    let change = refused(&row, 1_000_000, 78);
    store.apply(std::slice::from_ref(&change)).await.unwrap();
    assert_eq!(load(&store, "e1", "ep1").await.as_stored(), change.next());
    assert_eq!(store.attempts(&row.id()).await.unwrap()[1..], *change.attempts());
}

#[tokio::test]
async fn a_change_is_stale_for_another_version_or_token_and_missing_without_a_row() {
    let store = SqliteStore::open_in_memory().unwrap();
    publish(&store, "e1", &[("ep1", due(0))]).await;
    let first = claim(&store, 0, 1, 1).await.claimed.remove(0).delivery;
    let second = claim(&store, 50_000, 2, 1).await.claimed.remove(0).delivery;
    let stale = ApplyOutcome::Stale { current: second.version() };
    assert_eq!(store.apply(&[answered(&first, 200, 1, 1)]).await.unwrap(), [stale]);
    // The same version under another token: a failover that lost the claim.
    let mut forged = second.as_stored().clone();
    forged.token = Some(notify_core::id::ClaimToken::new(3));
    let forged = notify_core::delivery::Delivery::restore(forged).unwrap();
    assert_eq!(store.apply(&[answered(&forged, 200, 1, 2)]).await.unwrap(), [stale]);
    let mut unknown = second.as_stored().clone();
    unknown.id = delivery("nobody", "ep1");
    let unknown = notify_core::delivery::Delivery::restore(unknown).unwrap();
    assert_eq!(store.apply(&[answered(&unknown, 200, 1, 3)]).await.unwrap(), [ApplyOutcome::Missing]);
    assert!(store.attempts(&second.id()).await.unwrap().is_empty());
    assert_eq!(load(&store, "e1", "ep1").await, second);
}

#[tokio::test]
async fn the_same_change_again_is_applied_without_a_second_attempt_row() {
    let store = SqliteStore::open_in_memory().unwrap();
    publish(&store, "e1", &[("ep1", due(0))]).await;
    let row = claim(&store, 0, 1, 1).await.claimed.remove(0).delivery;
    let change = answered(&row, 500, 1, 1);
    for _ in 0..2 {
        assert_eq!(store.apply(std::slice::from_ref(&change)).await.unwrap(), [ApplyOutcome::Applied]);
    }
    // Another change later: the first one is known by its attempt row alone.
    let row = claim(&store, 1_000_000, 2, 1).await.claimed.remove(0).delivery;
    let back = Input::HandBack;
    let hand_back = crate::support::change(&row, back, 1_000_001, 2);
    store.apply(std::slice::from_ref(&hand_back)).await.unwrap();
    assert_eq!(store.apply(std::slice::from_ref(&change)).await.unwrap(), [ApplyOutcome::Applied]);
    assert_eq!(store.attempts(&row.id()).await.unwrap().len(), 1);
    // A hand-back has no attempt row: once another change came, it cannot be told from a stale one.
    let row = claim(&store, 2_000_000, 3, 1).await.claimed.remove(0).delivery;
    store.apply(&[answered(&row, 200, 2_000_001, 3)]).await.unwrap();
    assert!(matches!(store.apply(&[hand_back]).await.unwrap()[..], [ApplyOutcome::Stale { .. }]));
}

#[tokio::test]
async fn changes_of_one_call_do_not_depend_on_each_other_and_answer_in_order() {
    let store = SqliteStore::open_in_memory().unwrap();
    publish(&store, "e1", &[("ep1", due(0)), ("ep2", due(0))]).await;
    let rows = claim(&store, 0, 1, 2).await.claimed;
    let first = answered(&rows[0].delivery, 200, 1, 1);
    let racing = answered(&rows[0].delivery, 500, 1, 2);
    let second = answered(&rows[1].delivery, 200, 1, 3);
    let outcomes = store.apply(&[first, racing, second]).await.unwrap();
    assert!(
        matches!(outcomes[..], [ApplyOutcome::Applied, ApplyOutcome::Stale { .. }, ApplyOutcome::Applied]),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn attempts_of_lost_leases_come_first_and_are_numbered_without_gaps() {
    let store = SqliteStore::open_in_memory().unwrap();
    publish(&store, "e1", &[("ep1", due(0))]).await;
    for (token, now) in [(1, 0), (2, 50_000), (3, 100_000)] {
        claim(&store, now, token, 1).await;
    }
    let row = load(&store, "e1", "ep1").await;
    store.apply(&[answered(&row, 200, 100_001, 1)]).await.unwrap();
    let attempts = store.attempts(&row.id()).await.unwrap();
    let outcomes: Vec<_> = attempts.iter().map(|attempt| (attempt.number.get(), attempt.outcome)).collect();
    let lost = Outcome::Failure(Reason::WorkerLost);
    assert_eq!(outcomes, [(1, lost), (2, lost), (3, Outcome::Success)]);
}

#[tokio::test]
async fn a_sweep_holds_releases_and_cancels_in_steps_and_skips_what_is_in_flight() {
    let store = SqliteStore::open_in_memory().unwrap();
    for index in 0..5 {
        publish(&store, &format!("e{index}"), &[("ep1", due(index)), ("other", due(100))]).await;
    }
    claim(&store, 0, 1, 1).await;
    let sweep = async |action, limit| {
        let request = SweepRequest { endpoint: endpoint_id("ep1"), action, now: at(7), limit };
        store.sweep(&request).await.unwrap().moved
    };
    assert_eq!(sweep(SweepAction::Hold, 3).await, 3);
    assert_eq!(sweep(SweepAction::Hold, 3).await, 1);
    assert_eq!(sweep(SweepAction::Hold, 3).await, 0);
    let held = load(&store, "e2", "ep1").await;
    assert_eq!((held.state(), held.ready_at(), held.version().get()), (State::Held, Some(at(2)), 2));
    assert_eq!(load(&store, "e0", "ep1").await.state(), State::InFlight);
    assert_eq!(claim(&store, 10, 2, 10).await.claimed.len(), 0);
    assert_eq!(sweep(SweepAction::Release, 2).await, 2);
    assert_eq!(claim(&store, 10, 3, 10).await.claimed.len(), 2);
    publish(&store, "e9", &[("ep1", due(1)), ("ep2", Start::Held(at(0)))]).await;
    assert_eq!(sweep(SweepAction::Cancel, 10).await, 3);
    let cancelled = load(&store, "e9", "ep1").await;
    assert_eq!((cancelled.state(), cancelled.as_stored().settled_at), (State::Cancelled, Some(at(7))));
    assert_eq!(load(&store, "e9", "ep2").await.state(), State::Held);
    let stats = store.stats(None, at(10)).await.unwrap();
    let count = |state| stats.by_state.get(&state).copied().unwrap_or_default();
    let all = [State::Scheduled, State::InFlight, State::Held, State::Cancelled].map(count);
    assert_eq!(all, [5, 3, 1, 3]);
}

#[tokio::test]
async fn a_row_that_is_held_at_its_claim_is_released_with_its_time() {
    let store = SqliteStore::open_in_memory().unwrap();
    publish(&store, "e1", &[("ep1", due(0))]).await;
    let row = claim(&store, 0, 1, 1).await.claimed.remove(0).delivery;
    let held = change(&row, Input::Start(Gate::Disabled), 5, 1);
    store.apply(&[held]).await.unwrap();
    assert_eq!(claim(&store, 10, 2, 1).await.next_ready_at, None);
    let release = SweepRequest { endpoint: endpoint_id("ep1"), action: SweepAction::Release, now: at(20), limit: 9 };
    assert_eq!(store.sweep(&release).await.unwrap().moved, 1);
    assert_eq!(claim(&store, 20, 3, 1).await.claimed.len(), 1);
}
