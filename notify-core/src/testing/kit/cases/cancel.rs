//! S11: a dropped future leaves all or nothing.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use crate::delivery::State;
use crate::machine::Change;
use crate::store::SweepAction;

use super::super::sample::{self, batch, delivered, delivery, event, key, new_delivery};
use super::{Done, Subject};

/// After how many polls each call is dropped: at each of its first places to wait.
const POLLS: std::ops::Range<usize> = 1..6;

/// Polls `call` up to `polls` times, then drops it. Then lets the store do what it does after that.
async fn dropped<T>(store: &Subject, polls: usize, call: impl Future<Output = T>) {
    {
        let mut call = pin!(call);
        for _ in 0..polls {
            let ended = poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready())).await;
            if ended {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    // Whatever the dropped call left in a queue is done before this one is answered.
    store.insert(0, vec![event(&format!("flush{polls}"), 0, &[], 0)]).await;
}

fn assert_all_or_nothing(what: &str, polls: usize, done: usize, all: usize) {
    assert!(done == 0 || done == all, "{what}, dropped after {polls} polls, did {done} of {all}");
}

pub(crate) async fn a_dropped_insert_stores_all_or_nothing(store: &mut Subject) -> Done {
    for polls in POLLS {
        let ids = ["x", "y", "z"].map(|name| format!("{name}{polls}"));
        let events = batch(0, ids.iter().map(|id| event(id, 0, &["a", "b"], 0)).collect());
        dropped(store, polls, store.store().insert(&events)).await;
        let rows: Vec<_> = ids.iter().flat_map(|id| [delivery(id, "a"), delivery(id, "b")]).collect();
        assert_all_or_nothing("insert", polls, store.loads(&rows).await.len(), 6);
        // Repeating it ends in the same place either way.
        store.insert(0, events.events).await;
        assert_eq!(store.loads(&rows).await.len(), 6);
    }
    Ok(())
}

pub(crate) async fn a_dropped_insert_that_is_repeated_is_new_or_a_duplicate(store: &mut Subject) -> Done {
    for polls in POLLS {
        let events = batch(0, vec![event(&format!("e{polls}"), 0, &["a", "b"], 0)]);
        dropped(store, polls, store.store().insert(&events)).await;
        match store.insert(0, events.events).await {
            crate::store::InsertOutcome::Stored(answers) if answers == [crate::store::Inserted::New] => {}
            again => assert_eq!(again, super::insert::stored(&[super::insert::duplicate_of(&format!("e{polls}"), 2)])),
        }
    }
    Ok(())
}

pub(crate) async fn a_dropped_claim_leases_whole_rows_or_none(store: &mut Subject) -> Done {
    for polls in POLLS {
        store.publish(event(&format!("e{polls}"), 0, &["a", "b", "c"], 0)).await;
        let now = polls as i64 * 10_000;
        let request = sample::claim(now, polls as u128);
        dropped(store, polls, store.store().claim(&request)).await;
        let rows = ["a", "b", "c"].map(|endpoint| delivery(&format!("e{polls}"), endpoint));
        let leased = store.loads(&rows).await.iter().filter(|row| row.state() == State::InFlight).count();
        assert_all_or_nothing("claim", polls, leased, 3);
        // The same token brings them, or leases them now.
        let claimed = store.claims(&request).await.claimed;
        assert_eq!(claimed.len(), 3, "after {polls} polls");
        let changes: Vec<Change> =
            (0..).zip(&claimed).map(|(id, row)| delivered(&row.delivery, polls as u128 * 10 + id, now)).collect();
        store.applied(&changes).await;
    }
    Ok(())
}

pub(crate) async fn a_dropped_apply_writes_row_and_attempt_or_neither(store: &mut Subject) -> Done {
    for polls in POLLS {
        let id = format!("e{polls}");
        store.publish(event(&id, 0, &["a"], 0)).await;
        let change = delivered(&store.claim_one(0, polls as u128).await, polls as u128, 5);
        dropped(store, polls, store.store().apply(std::slice::from_ref(&change))).await;
        let written = usize::from(store.load(&id, "a").await.state() == State::Delivered);
        let logged = store.numbers(&id, "a").await?.len();
        assert_all_or_nothing("apply", polls, written + logged, 2);
        store.applied(std::slice::from_ref(&change)).await;
        assert_eq!(store.numbers(&id, "a").await?, [1]);
    }
    Ok(())
}

pub(crate) async fn a_dropped_sweep_leaves_sound_rows_and_may_be_repeated(store: &mut Subject) -> Done {
    for polls in POLLS {
        let endpoint = format!("a{polls}");
        store.holds(&[&format!("e{polls}"), &format!("f{polls}")], &[&endpoint]).await;
        let request = sample::sweep(&endpoint, SweepAction::Cancel, 7, 10);
        dropped(store, polls, store.store().sweep(&request)).await;
        let done = 2 - store.sweep(&endpoint, SweepAction::Cancel, 7, 10).await as usize;
        assert_all_or_nothing("sweep", polls, done, 2);
        for id in ["e", "f"] {
            let row = store.load(&format!("{id}{polls}"), &endpoint).await;
            assert_eq!((row.state(), row.version().get()), (State::Cancelled, 2), "after {polls} polls");
        }
    }
    Ok(())
}

pub(crate) async fn a_dropped_attach_adds_all_or_nothing(store: &mut Subject) -> Done {
    for polls in POLLS {
        let id = format!("e{polls}");
        store.holds(&[&id], &[]).await;
        let new = ["a", "b", "c"]
            .map(|endpoint| new_delivery(&key(&id), endpoint, crate::delivery::Start::Due(sample::t(0))));
        dropped(store, polls, store.store().attach(&key(&id), &new)).await;
        let ids = new.each_ref().map(|new| new.id);
        assert_all_or_nothing("attach", polls, store.loads(&ids).await.len(), 3);
        super::answer("attach", store.store().attach(&key(&id), &new).await);
        assert_eq!(store.loads(&ids).await.len(), 3);
    }
    Ok(())
}
