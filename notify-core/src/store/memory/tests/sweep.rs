//! S14: one endpoint's rows, in bounded steps.

use crate::delivery::State;
use crate::id::Version;
use crate::store::{Mark, MemoryStore, Store, SweepAction, SweepRequest};

use super::fixture::*;

fn sweep(store: &MemoryStore, action: SweepAction, limit: u32) -> u32 {
    let request = SweepRequest { endpoint: "a".parse().unwrap(), action, now: t(77), limit };
    run(store.sweep(&request)).unwrap().moved
}

fn states(store: &MemoryStore, events: &[&str]) -> Vec<State> {
    events.iter().map(|event| load(store, event, "a").state()).collect()
}

#[test]
fn hold_keeps_the_due_time_and_release_brings_it_back() {
    let store = MemoryStore::new();
    insert(&store, 0, vec![publish("e", 0, &["a"], 500)]);
    assert_eq!(sweep(&store, SweepAction::Hold, 10), 1);
    let row = load(&store, "e", "a");
    assert_eq!((row.state(), row.ready_at(), row.version()), (State::Held, Some(t(500)), Version::new(2)));
    assert_eq!(claim(&store, 1000, 1).next_ready_at, None);
    assert_eq!(sweep(&store, SweepAction::Release, 10), 1);
    assert_eq!(claim(&store, 0, 2).next_ready_at, Some(t(500)));
    assert_eq!(rows(&claim(&store, 500, 3)), ["e/a"]);
}

#[test]
fn cancel_ends_scheduled_and_held_rows_now() {
    let store = holding(&["e"], &["a"]);
    sweep(&store, SweepAction::Hold, 10);
    insert(&store, 0, vec![publish("f", 0, &["a"], 0)]);
    assert_eq!(sweep(&store, SweepAction::Cancel, 10), 2);
    assert_eq!(states(&store, &["e", "f"]), [State::Cancelled, State::Cancelled]);
    let row = load(&store, "e", "a");
    assert_eq!((row.ready_at(), row.as_stored().settled_at), (None, Some(t(77))));
}

#[test]
fn rows_in_flight_are_skipped_and_do_not_use_up_the_limit() {
    let store = holding(&["e"], &["a"]);
    claim(&store, 0, 1);
    insert(&store, 0, vec![publish("f", 0, &["a"], 5)]);
    for action in [SweepAction::Hold, SweepAction::Release, SweepAction::Cancel] {
        assert_eq!(sweep(&store, action, 1), 1, "{action:?}");
        assert_eq!(load(&store, "e", "a").state(), State::InFlight, "{action:?}");
    }
    assert_eq!(load(&store, "f", "a").state(), State::Cancelled);
}

#[test]
fn a_sweep_goes_in_steps_and_fewer_than_the_limit_says_that_none_is_left() {
    let store = holding(&["e", "f", "g"], &["a"]);
    let moved: Vec<u32> = (0..3).map(|_| sweep(&store, SweepAction::Hold, 2)).collect();
    assert_eq!(moved, [2, 1, 0]);
    assert_eq!(states(&store, &["e", "f", "g"]), [State::Held; 3]);
}

#[test]
fn a_sweep_that_is_repeated_moves_nothing_twice() {
    let store = holding(&["e"], &["a"]);
    for action in [SweepAction::Hold, SweepAction::Release, SweepAction::Hold, SweepAction::Cancel] {
        assert_eq!((sweep(&store, action, 10), sweep(&store, action, 10)), (1, 0), "{action:?}");
    }
    assert_eq!(load(&store, "e", "a").version(), Version::new(5));
}

#[test]
fn other_endpoints_rows_stay_as_they_are() {
    let store = holding(&["e"], &["a", "b"]);
    sweep(&store, SweepAction::Cancel, 10);
    assert_eq!(rows(&claim(&store, 0, 1)), ["e/b"]);
}

#[test]
fn ended_rows_stay_as_they_are() {
    let store = holding(&["e"], &["a"]);
    deliver_all(&store, 0, 1);
    for action in [SweepAction::Hold, SweepAction::Release, SweepAction::Cancel] {
        assert_eq!(sweep(&store, action, 10), 0, "{action:?}");
    }
    assert_eq!(load(&store, "e", "a").state(), State::Delivered);
}

#[test]
fn an_endpoint_without_rows_has_nothing_to_move() {
    assert_eq!(sweep(&MemoryStore::new(), SweepAction::Cancel, 10), 0);
}

#[test]
fn the_mark_moves_with_a_publish_and_a_sweep_and_stands_still_otherwise() {
    let store = MemoryStore::new();
    let mark = |since| run(store.changed(since)).unwrap();
    let empty = mark(Mark::default());
    insert(&store, 0, vec![publish("e", 0, &["a"], 0)]);
    let published = mark(empty);
    assert_ne!(published, empty);
    assert_eq!(mark(published), published);
    claim_free(&store, 0, 1, 8, (0, &[]));
    assert_eq!(mark(published), published, "a claim that got nothing");
    sweep(&store, SweepAction::Hold, 10);
    assert_ne!(mark(published), published);
}
