//! S14: one endpoint's rows, in bounded steps.

use crate::delivery::{Start, State};
use crate::id::Version;
use crate::store::SweepAction::{self, Cancel, Hold, Release};

use super::super::sample::{delivered, event, failed, handed_back, key, new_delivery, rows, t};
use super::{Done, Subject};

const ALL: [SweepAction; 3] = [Hold, Release, Cancel];

pub(crate) async fn hold_moves_scheduled_rows_to_held_and_keeps_their_due_time(store: &mut Subject) -> Done {
    store.publish(event("e", 0, &["a"], 500)).await;
    assert_eq!(store.sweep("a", Hold, 77, 10).await, 1);
    let row = store.load("e", "a").await;
    assert_eq!((row.state(), row.ready_at()), (State::Held, Some(t(500))));
    Ok(())
}

pub(crate) async fn hold_holds_what_is_overdue_too(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    assert_eq!(store.sweep("a", Hold, 9_000, 10).await, 1);
    assert_eq!(rows(&store.claim(9_000, 1).await), [""; 0]);
    Ok(())
}

pub(crate) async fn hold_holds_what_waits_for_its_retry_too(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.applied(&[failed(&store.claim_one(0, 1).await, 1, 5)]).await;
    assert_eq!(store.sweep("a", Hold, 77, 10).await, 1);
    let row = store.load("e", "a").await;
    assert_eq!((row.ready_at(), row.as_stored().failures, row.as_stored().attempts), (Some(t(300_005)), 1, 1));
    Ok(())
}

pub(crate) async fn release_moves_held_rows_to_scheduled_with_their_due_time(store: &mut Subject) -> Done {
    store.publish(event("e", 0, &["a"], 500)).await;
    store.sweep("a", Hold, 77, 10).await;
    assert_eq!(store.sweep("a", Release, 88, 10).await, 1);
    let row = store.load("e", "a").await;
    assert_eq!((row.state(), row.ready_at()), (State::Scheduled, Some(t(500))));
    assert_eq!(rows(&store.claim(499, 1).await), [""; 0]);
    assert_eq!(rows(&store.claim(500, 2).await), ["e/a"]);
    Ok(())
}

pub(crate) async fn release_frees_rows_that_were_born_held(store: &mut Subject) -> Done {
    let mut born = event("e", 0, &[], 0);
    born.deliveries.push(new_delivery(&key("e"), "a", Start::Held(t(4))));
    store.publish(born).await;
    assert_eq!(store.sweep("a", Release, 88, 10).await, 1);
    assert_eq!(rows(&store.claim(88, 1).await), ["e/a"]);
    Ok(())
}

pub(crate) async fn cancel_ends_scheduled_and_held_rows_at_now(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.sweep("a", Hold, 0, 10).await;
    store.publish(event("f", 0, &["a"], 5_000)).await;
    assert_eq!(store.sweep("a", Cancel, 77, 10).await, 2);
    for id in ["e", "f"] {
        let row = store.load(id, "a").await;
        assert_eq!((row.state(), row.ready_at()), (State::Cancelled, None), "{id}");
        assert_eq!(row.as_stored().settled_at, Some(t(77)), "{id}");
    }
    Ok(())
}

pub(crate) async fn rows_in_flight_are_skipped(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.claim_one(0, 1).await;
    for action in ALL {
        assert_eq!(store.sweep("a", action, 5, 10).await, 0, "{action:?}");
        assert_eq!(store.load("e", "a").await, row, "{action:?}");
    }
    store.applied(&[delivered(&row, 1, 5)]).await;
    Ok(())
}

pub(crate) async fn rows_in_flight_whose_lease_has_ended_are_skipped_too(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.claim_one(0, 1).await;
    assert_eq!(store.sweep("a", Cancel, 5_000, 10).await, 0);
    assert_eq!(store.load("e", "a").await, row);
    Ok(())
}

pub(crate) async fn rows_in_flight_do_not_use_up_the_limit(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.claim(0, 1).await;
    store.publish(event("f", 0, &["a"], 5_000)).await;
    for action in ALL {
        assert_eq!(store.sweep("a", action, 5, 1).await, 1, "{action:?}");
    }
    assert_eq!(store.load("f", "a").await.state(), State::Cancelled);
    Ok(())
}

pub(crate) async fn ended_rows_stay_as_they_are(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.deliver_all(0, 1).await;
    let before = store.load("e", "a").await;
    for action in ALL {
        assert_eq!(store.sweep("a", action, 5, 10).await, 0, "{action:?}");
    }
    assert_eq!(store.load("e", "a").await, before);
    Ok(())
}

pub(crate) async fn rows_of_other_endpoints_stay_as_they_are(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a", "ab", "b"]).await;
    assert_eq!(store.sweep("a", Cancel, 5, 10).await, 1);
    assert_eq!(rows(&store.claim(5, 1).await), ["e/ab", "e/b"]);
    Ok(())
}

pub(crate) async fn each_moved_row_is_one_version_on(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    for (action, version) in [(Hold, 2), (Release, 3), (Hold, 4), (Cancel, 5)] {
        store.sweep("a", action, 0, 10).await;
        assert_eq!(store.load("e", "a").await.version(), Version::new(version), "{action:?}");
    }
    Ok(())
}

pub(crate) async fn a_sweep_moves_at_most_its_limit(store: &mut Subject) -> Done {
    store.holds(&["e", "f", "g"], &["a"]).await;
    assert_eq!(store.sweep("a", Hold, 0, 2).await, 2);
    let mut held = 0;
    for id in ["e", "f", "g"] {
        held += usize::from(store.load(id, "a").await.state() == State::Held);
    }
    assert_eq!(held, 2);
    Ok(())
}

pub(crate) async fn fewer_than_the_limit_says_that_none_is_left(store: &mut Subject) -> Done {
    store.backlog("e", "a", 25).await;
    for action in [Hold, Release, Cancel] {
        let mut moved = Vec::new();
        for _ in 0..4 {
            moved.push(store.sweep("a", action, 0, 10).await);
        }
        assert_eq!(moved, [10, 10, 5, 0], "{action:?}");
    }
    Ok(())
}

pub(crate) async fn a_repeated_sweep_moves_nothing(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    for action in [Hold, Release, Hold, Cancel] {
        let moved = (store.sweep("a", action, 0, 10).await, store.sweep("a", action, 0, 10).await);
        assert_eq!(moved, (2, 0), "{action:?}");
    }
    Ok(())
}

pub(crate) async fn an_endpoint_without_rows_has_nothing_to_move(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    for action in ALL {
        assert_eq!(store.sweep("b", action, 0, 10).await, 0, "{action:?}");
    }
    Ok(())
}

pub(crate) async fn a_swept_row_keeps_its_attempts(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.applied(&[failed(&store.claim_one(0, 1).await, 1, 5)]).await;
    store.sweep("a", Hold, 6, 10).await;
    store.sweep("a", Release, 7, 10).await;
    store.applied(&[delivered(&store.claim_one(400_000, 2).await, 2, 400_000)]).await;
    assert_eq!(store.numbers("e", "a").await?, [1, 2]);
    Ok(())
}

pub(crate) async fn what_comes_after_a_sweep_is_not_swept(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.sweep("a", Cancel, 0, 10).await;
    store.publish(event("f", 0, &["a"], 0)).await;
    assert_eq!(rows(&store.claim(0, 1).await), ["f/a"]);
    Ok(())
}

pub(crate) async fn a_row_that_was_handed_back_is_swept_like_any_other(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.applied(&[handed_back(&store.claim_one(0, 1).await, 1, 5)]).await;
    assert_eq!(store.sweep("a", Cancel, 6, 10).await, 1);
    assert_eq!(store.load("e", "a").await.as_stored().settled_at, Some(t(6)));
    Ok(())
}
