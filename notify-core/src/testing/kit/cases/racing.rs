//! Several workers, publishers and operators at once: on several threads, with the store's connections made before.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::delivery::{Start, State};
use crate::machine::Change;
use crate::store::ApplyOutcome::{Applied, Stale};
use crate::store::{InsertOutcome, Inserted, Store, SweepAction};

use super::super::race::race;
use super::super::sample::{
    self, batch, claim, delivered, delivery, event, failed, key, name, new_delivery, rows, t, with_key,
};
use super::insert::{duplicate_of, stored};
use super::{Done, Subject, answer};

const WORKERS: usize = 8;

fn is_new(outcome: &InsertOutcome) -> bool {
    *outcome == stored(&[Inserted::New])
}

pub(crate) async fn of_many_that_publish_one_id_at_once_exactly_one_is_new(store: &mut Subject) -> Done {
    for round in 0..10 {
        let id = format!("e{round}");
        let outcomes = race(store, WORKERS, |store, _| {
            let events = batch(0, vec![event(&id, 0, &["a", "b"], 0)]);
            async move { answer("insert", store.insert(&events).await) }
        })
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| is_new(outcome)).count(), 1, "{outcomes:?}");
        let again = stored(&[duplicate_of(&id, 2)]);
        assert!(outcomes.iter().all(|outcome| is_new(outcome) || *outcome == again), "{outcomes:?}");
    }
    Ok(())
}

pub(crate) async fn of_many_that_publish_with_one_key_at_once_exactly_one_is_new(store: &mut Subject) -> Done {
    for round in 0..10 {
        let outcomes = race(store, WORKERS, |store, n| {
            let events = batch(0, vec![with_key(event(&format!("e{round}-{n}"), 0, &["a"], 0), &format!("k{round}"))]);
            async move { answer("insert", store.insert(&events).await) }
        })
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| is_new(outcome)).count(), 1, "{outcomes:?}");
        let firsts: BTreeSet<String> = outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                InsertOutcome::Stored(answers) => answers.iter().find_map(|answer| match answer {
                    Inserted::Duplicate { first, .. } => Some(first.to_string()),
                    Inserted::New => None,
                }),
                InsertOutcome::Conflict { .. } => panic!("the same content is no conflict"),
            })
            .collect();
        assert_eq!(firsts.len(), 1, "all name the same first event: {firsts:?}");
    }
    assert_eq!(store.claim(0, 1).await.claimed.len(), 10, "one delivery for each key");
    Ok(())
}

pub(crate) async fn of_many_contents_under_one_id_at_once_one_is_stored_and_the_others_conflict(
    store: &mut Subject,
) -> Done {
    for round in 0..10 {
        let id = format!("e{round}");
        let outcomes = race(store, WORKERS, |store, n| {
            let endpoint = format!("ep{round}-{n}");
            let events = batch(0, vec![event(&id, n as u32, &[&endpoint], 0)]);
            async move { answer("insert", store.insert(&events).await) }
        })
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| is_new(outcome)).count(), 1, "{outcomes:?}");
        let conflicts = outcomes.iter().filter(|outcome| **outcome == super::insert::conflict(0, &id)).count();
        assert_eq!(conflicts, WORKERS - 1, "{outcomes:?}");
    }
    assert_eq!(store.claim(0, 1).await.claimed.len(), 10, "one delivery for each id");
    Ok(())
}

pub(crate) async fn batches_that_overlap_are_each_stored_whole(store: &mut Subject) -> Done {
    for round in 0..5 {
        race(store, WORKERS, |store, n| {
            let mut events: Vec<_> = (0..6).map(|e| event(&format!("e{round}-{e}"), 0, &["a", "b"], 0)).collect();
            // In another order each: what locks rows in the order of the batch meets itself.
            events.rotate_left(n % 6);
            let events = batch(0, events);
            async move { answer("insert", store.insert(&events).await) }
        })
        .await;
        let ids: Vec<_> =
            (0..6).flat_map(|e| ["a", "b"].map(|endpoint| delivery(&format!("e{round}-{e}"), endpoint))).collect();
        assert_eq!(store.loads(&ids).await.len(), 12);
    }
    Ok(())
}

pub(crate) async fn attaching_one_pair_at_once_adds_it_once(store: &mut Subject) -> Done {
    for round in 0..10 {
        let id = format!("e{round}");
        store.holds(&[&id], &[]).await;
        let added = race(store, WORKERS, |store, _| {
            let key = key(&id);
            let new = ["a", "b"].map(|endpoint| new_delivery(&key, endpoint, Start::Due(t(0))));
            async move { answer("attach", store.attach(&key, &new).await) }
        })
        .await;
        assert_eq!(added.iter().sum::<usize>(), 2, "{added:?}");
    }
    Ok(())
}

/// Claims of one row each until none is left; gives the rows that it got.
async fn drain(store: Arc<dyn Store>, worker: usize) -> Vec<crate::delivery::Delivery> {
    let mut got = Vec::new();
    for n in 0.. {
        let request = crate::store::ClaimRequest { limit: 3, ..claim(100, (worker as u128) << 32 | n) };
        let batch = answer("claim", store.claim(&request).await).claimed;
        if batch.is_empty() {
            break;
        }
        got.extend(batch.into_iter().map(|row| row.delivery));
    }
    got
}

pub(crate) async fn claimers_at_once_share_the_rows_and_each_goes_to_one(store: &mut Subject) -> Done {
    store.backlog("e", "a", 60).await;
    store.backlog("f", "b", 60).await;
    let got = race(store, WORKERS, drain).await.concat();
    let distinct: BTreeSet<String> = got.iter().map(name).collect();
    assert_eq!((got.len(), distinct.len()), (120, 120));
    Ok(())
}

pub(crate) async fn after_a_race_each_claimer_can_settle_all_that_it_got(store: &mut Subject) -> Done {
    store.backlog("e", "a", 60).await;
    store.backlog("f", "b", 60).await;
    for (worker, got) in race(store, WORKERS, drain).await.into_iter().enumerate() {
        let ids = (worker as u128) << 32..;
        let changes: Vec<Change> = ids.zip(&got).map(|(id, row)| delivered(row, id, 100)).collect();
        assert_eq!(store.apply(&changes).await, vec![Applied; got.len()], "claimer {worker}");
    }
    for (prefix, endpoint) in [("e", "a"), ("f", "b")] {
        for n in 0..60 {
            assert_eq!(store.load(&format!("{prefix}{n}"), endpoint).await.state(), State::Delivered);
        }
    }
    Ok(())
}

pub(crate) async fn claims_with_one_token_at_once_get_the_same_rows(store: &mut Subject) -> Done {
    store.backlog("e", "a", 20).await;
    for round in 1..=4 {
        let got = race(store, WORKERS, |store, _| async move {
            let request = crate::store::ClaimRequest { limit: 4, ..claim(100, round) };
            rows(&answer("claim", store.claim(&request).await))
        })
        .await;
        assert_eq!(got[0].len(), 4);
        assert!(got.iter().all(|rows| *rows == got[0]), "{got:?}");
    }
    Ok(())
}

pub(crate) async fn claimers_of_an_ended_lease_at_once_get_each_row_once(store: &mut Subject) -> Done {
    store.backlog("e", "a", 40).await;
    store.claim(100, 1).await;
    let got = race(store, WORKERS, |store, n| async move {
        answer("claim", store.claim(&claim(2_000, 10 + n as u128)).await).claimed
    })
    .await
    .concat();
    assert_eq!(got.len(), 40);
    assert!(got.iter().all(|row| row.delivery.as_stored().lost_leases == 1), "each has lost one lease");
    Ok(())
}

pub(crate) async fn of_many_changes_of_one_lease_at_once_exactly_one_is_applied(store: &mut Subject) -> Done {
    for round in 0..10 {
        let id = format!("e{round}");
        store.publish(event(&id, 0, &["a"], 0)).await;
        let row = store.claim_one(0, round + 1).await;
        let outcomes = race(store, WORKERS, |store, n| {
            let change = delivered(&row, n as u128, 5);
            async move { answer("apply", store.apply(&[change]).await)[0] }
        })
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Applied).count(), 1, "{outcomes:?}");
        assert_eq!(store.numbers(&id, "a").await?, [1]);
    }
    Ok(())
}

pub(crate) async fn one_change_many_times_at_once_logs_its_attempt_once(store: &mut Subject) -> Done {
    for round in 0..10 {
        let id = format!("e{round}");
        store.publish(event(&id, 0, &["a"], round as i64)).await;
        let change = failed(&store.claim_one(round as i64, round + 1).await, round, 5);
        let outcomes = race(store, WORKERS, |store, _| {
            let change = change.clone();
            async move { answer("apply", store.apply(&[change]).await)[0] }
        })
        .await;
        assert_eq!(outcomes, [Applied; WORKERS]);
        assert_eq!(store.numbers(&id, "a").await?, [1]);
    }
    Ok(())
}

/// The old holder settles while another claims: one of them wins each row, and the row says which.
pub(crate) async fn of_a_late_worker_and_a_new_claim_at_once_one_wins_each_row(store: &mut Subject) -> Done {
    store.backlog("e", "a", 40).await;
    let held = store.claim(100, 1).await.claimed;
    let changes: Vec<Change> = (1..).zip(&held).map(|(id, row)| delivered(&row.delivery, id, 2_000)).collect();
    let [settled, claimed] = <[usize; 2]>::try_from(
        race(store, 2, |store, n| {
            let changes = changes.clone();
            async move {
                if n == 0 {
                    let mut applied = 0;
                    for change in &changes {
                        applied +=
                            usize::from(answer("apply", store.apply(std::slice::from_ref(change)).await) == [Applied]);
                    }
                    applied
                } else {
                    let mut got = 0;
                    for n in 0..20 {
                        let request = crate::store::ClaimRequest { limit: 2, ..claim(2_000, 10 + n) };
                        got += answer("claim", store.claim(&request).await).claimed.len();
                    }
                    got
                }
            }
        })
        .await,
    )
    .unwrap_or_else(|_| panic!("two tasks give two results"));
    assert_eq!(settled + claimed, 40, "{settled} settled by the late worker, {claimed} claimed anew");
    let ended = store.loads(&held.iter().map(|row| row.delivery.id()).collect::<Vec<_>>()).await;
    assert_eq!(ended.iter().filter(|row| row.state() == State::Delivered).count(), settled);
    Ok(())
}

pub(crate) async fn operators_and_workers_at_once_lose_no_attempt(store: &mut Subject) -> Done {
    store.backlog("e", "a", 80).await;
    let applied = race(store, WORKERS, |store, n| async move {
        let mut applied = Vec::new();
        for turn in 0..12_u128 {
            if n % 4 == 3 {
                // An operator who holds and releases the endpoint all the time.
                let action = if turn % 2 == 0 { SweepAction::Hold } else { SweepAction::Release };
                answer("sweep", store.sweep(&sample::sweep("a", action, 100, 30)).await);
                continue;
            }
            let request = crate::store::ClaimRequest { limit: 4, ..claim(100, (n as u128) << 32 | turn) };
            let batch = answer("claim", store.claim(&request).await).claimed;
            let ids = ((n as u128) << 40 | turn << 8)..;
            let changes: Vec<Change> = ids.zip(&batch).map(|(id, row)| failed(&row.delivery, id, 100)).collect();
            let outcomes = answer("apply", store.apply(&changes).await);
            assert!(outcomes.iter().all(|outcome| *outcome == Applied), "nobody else may write a leased row");
            applied.extend(changes.iter().map(Change::delivery));
        }
        applied
    })
    .await
    .concat();
    for id in &applied {
        assert_eq!(answer("attempts", store.log()?.attempts(id).await).len(), 1, "{id}");
    }
    // What is left is held, or due, and ends like any other row.
    store.sweep("a", SweepAction::Release, 100, 1000).await;
    assert_eq!(store.claim(100, u128::MAX).await.claimed.len() + applied.len(), 80);
    Ok(())
}

pub(crate) async fn sweeps_at_once_move_each_row_once(store: &mut Subject) -> Done {
    store.backlog("e", "a", 60).await;
    let moved = race(store, WORKERS, |store, _| async move {
        let mut moved = 0;
        loop {
            let step = answer("sweep", store.sweep(&sample::sweep("a", SweepAction::Cancel, 5, 7)).await).moved;
            moved += step;
            if step == 0 {
                break moved;
            }
        }
    })
    .await;
    assert_eq!(moved.iter().sum::<u32>(), 60, "{moved:?}");
    assert_eq!(store.load("e7", "a").await.version().get(), 2);
    Ok(())
}

pub(crate) async fn a_cancel_and_a_claim_at_once_leave_each_row_to_one(store: &mut Subject) -> Done {
    store.backlog("e", "a", 60).await;
    let counts = race(store, 2, |store, n| async move {
        let mut count = 0;
        for turn in 0..20 {
            count += if n == 0 {
                answer("sweep", store.sweep(&sample::sweep("a", SweepAction::Cancel, 100, 3)).await).moved as usize
            } else {
                let request = crate::store::ClaimRequest { limit: 3, ..claim(100, turn + 1) };
                answer("claim", store.claim(&request).await).claimed.len()
            };
        }
        count
    })
    .await;
    assert_eq!(counts.iter().sum::<usize>(), 60, "cancelled, claimed: {counts:?}");
    Ok(())
}

/// A row that is settled while it is loaded is seen before or after, never in between.
pub(crate) async fn a_row_is_never_read_half_written(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let seen = race(store, 3, |store, n| async move {
        let mut versions = Vec::new();
        for turn in 0..40_u128 {
            if n == 0 {
                let claimed = answer("claim", store.claim(&claim(turn as i64, turn + 1)).await).claimed;
                for row in claimed {
                    let back = sample::handed_back(&row.delivery, turn, turn as i64);
                    assert_eq!(answer("apply", store.apply(&[back]).await), [Applied]);
                }
            } else {
                for row in answer("load", store.load(&[delivery("e", "a")]).await) {
                    versions.push(row.version().get());
                    // Two writes a turn, the first leases: odd versions are scheduled, even ones leased.
                    assert_eq!(row.state() == State::InFlight, row.version().get() % 2 == 0, "{row:?}");
                }
            }
        }
        versions
    })
    .await;
    assert!(seen[1..].iter().all(|versions| versions.is_sorted()), "no reader sees a row go back");
    assert_eq!(store.load("e", "a").await.version().get(), 81);
    Ok(())
}

pub(crate) async fn publishers_and_claimers_at_once_miss_no_row(store: &mut Subject) -> Done {
    let got = race(store, WORKERS, |store, n| async move {
        if n % 2 == 0 {
            for turn in 0..15 {
                let events = batch(0, vec![event(&format!("e{n}-{turn}"), 0, &[&format!("ep{n}")], 0)]);
                answer("insert", store.insert(&events).await);
            }
            return Vec::new();
        }
        let mut got = Vec::new();
        for turn in 0..15 {
            let request = claim(100, (n as u128) << 32 | turn);
            got.extend(rows(&answer("claim", store.claim(&request).await)));
        }
        got
    })
    .await
    .concat();
    let rest = rows(&store.claim(100, u128::MAX).await);
    let all: BTreeSet<&String> = got.iter().chain(&rest).collect();
    assert_eq!((got.len() + rest.len(), all.len()), (60, 60));
    Ok(())
}

pub(crate) async fn a_stale_outcome_names_a_version_that_the_row_had(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.claim_one(0, 1).await;
    let outcomes = race(store, WORKERS, |store, n| {
        let change = sample::handed_back(&row, n as u128, 5);
        async move { answer("apply", store.apply(&[change]).await)[0] }
    })
    .await;
    let winner = |outcome: &&crate::store::ApplyOutcome| **outcome == Applied;
    assert_eq!(outcomes.iter().filter(winner).count(), 1, "{outcomes:?}");
    let loser = Stale { current: crate::id::Version::new(3) };
    assert!(outcomes.iter().all(|outcome| *outcome == Applied || *outcome == loser), "{outcomes:?}");
    Ok(())
}
