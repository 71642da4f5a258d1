//! `prune`: what goes, and exactly when.

use crate::delivery::State;
use crate::store::{EventQuery, Inserted, SweepAction};

use super::super::case::NotOffered;
use super::super::sample::{delivered, delivery, event, event_of, failed, rows, t, with_key};
use super::insert::stored;
use super::log::list_events;
use super::{Done, Subject, answer};

async fn prune(store: &Subject, before: i64, limit: u32) -> Result<u32, NotOffered> {
    Ok(answer("prune", store.log()?.prune(t(before), limit).await).events)
}

async fn delivers(store: &Subject, id: &str, now: i64) {
    let row = store.load(id, "a").await;
    store.applied(&[delivered(&row, now as u128, now)]).await;
}

pub(crate) async fn an_event_goes_once_its_delivery_ended_before_the_time_and_not_at_it(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.claim(0, 1).await;
    delivers(store, "e", 50).await;
    assert_eq!((prune(store, 50, 10).await?, prune(store, 51, 10).await?), (0, 1));
    Ok(())
}

pub(crate) async fn the_last_of_its_deliveries_decides(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a", "b"]).await;
    let batch = store.claim(0, 1).await.claimed;
    store.applied(&[delivered(&batch[0].delivery, 1, 50), delivered(&batch[1].delivery, 2, 60)]).await;
    assert_eq!((prune(store, 60, 10).await?, prune(store, 61, 10).await?), (0, 1));
    Ok(())
}

pub(crate) async fn an_event_with_an_open_delivery_stays(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a", "b"]).await;
    let batch = store.claim(0, 1).await.claimed;
    store.applied(&[delivered(&batch[0].delivery, 1, 50)]).await;
    assert_eq!(prune(store, 1_000_000, 10).await?, 0);
    assert!(store.record("e").await?.is_some());
    Ok(())
}

pub(crate) async fn a_held_delivery_keeps_its_event(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.sweep("a", SweepAction::Hold, 0, 10).await;
    assert_eq!(prune(store, 1_000_000, 10).await?, 0);
    Ok(())
}

pub(crate) async fn a_delivery_that_waits_for_its_retry_keeps_its_event(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.applied(&[failed(&store.claim_one(0, 1).await, 1, 5)]).await;
    assert_eq!(prune(store, 100_000_000, 10).await?, 0);
    assert_eq!(store.numbers("e", "a").await?, [1]);
    Ok(())
}

pub(crate) async fn a_cancelled_delivery_ended_when_it_was_cancelled(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.sweep("a", SweepAction::Cancel, 70, 10).await;
    assert_eq!((prune(store, 70, 10).await?, prune(store, 71, 10).await?), (0, 1));
    Ok(())
}

pub(crate) async fn an_event_without_deliveries_goes_by_the_time_of_its_publish(store: &mut Subject) -> Done {
    store.insert(100, vec![event("e", 0, &[], 0)]).await;
    assert_eq!((prune(store, 100, 10).await?, prune(store, 101, 10).await?), (0, 1));
    Ok(())
}

pub(crate) async fn with_an_event_go_its_deliveries_and_attempts(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a", "b"]).await;
    store.deliver_all(0, 1).await;
    assert_eq!(prune(store, 1, 10).await?, 1);
    assert_eq!(store.record("e").await?, None);
    assert_eq!(store.loads(&[delivery("e", "a"), delivery("e", "b")]).await, []);
    assert_eq!(store.attempts("e", "a").await?, []);
    assert_eq!(list_events(store, &EventQuery::default()).await?.0, [""; 0]);
    Ok(())
}

pub(crate) async fn a_pruned_event_s_id_and_key_are_free_again(store: &mut Subject) -> Done {
    store.publish(with_key(event("e", 0, &["a"], 0), "k")).await;
    store.deliver_all(0, 1).await;
    assert_eq!(prune(store, 1, 10).await?, 1);
    assert_eq!(store.insert(2, vec![with_key(event("e", 9, &["a"], 5), "k")]).await, stored(&[Inserted::New]));
    let row = store.claim_one(5, 2).await;
    assert_eq!((row.as_stored().attempts, row.version().get()), (0, 2), "nothing of the old one is left");
    Ok(())
}

pub(crate) async fn pruning_goes_in_steps_of_its_limit(store: &mut Subject) -> Done {
    store.backlog("e", "a", 25).await;
    store.deliver_all(100, 1).await;
    let mut pruned = Vec::new();
    for _ in 0..4 {
        pruned.push(prune(store, 1000, 10).await?);
    }
    assert_eq!(pruned, [10, 10, 5, 0]);
    Ok(())
}

pub(crate) async fn events_that_stay_do_not_use_up_the_limit(store: &mut Subject) -> Done {
    store.backlog("open", "b", 60).await;
    store.holds(&["e"], &["a"]).await;
    store.sweep("a", SweepAction::Cancel, 0, 10).await;
    assert_eq!(prune(store, 1000, 1).await?, 1);
    assert_eq!(store.record("e").await?, None);
    Ok(())
}

pub(crate) async fn other_events_stay_as_they_are(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    store.claim(0, 1).await;
    delivers(store, "e", 5).await;
    let before = store.load("f", "a").await;
    assert_eq!(prune(store, 1000, 10).await?, 1);
    assert_eq!(store.load("f", "a").await, before);
    delivers(store, "f", 7).await;
    assert_eq!(store.numbers("f", "a").await?, [1]);
    Ok(())
}

pub(crate) async fn events_of_all_tenants_are_pruned(store: &mut Subject) -> Done {
    store.insert(0, ["x", "y"].map(|tenant| event_of(tenant, "e", 0, &[], 0)).to_vec()).await;
    assert_eq!(prune(store, 1, 10).await?, 2);
    Ok(())
}

pub(crate) async fn pruning_an_empty_store_removes_nothing(store: &mut Subject) -> Done {
    assert_eq!(prune(store, 1_000_000, 10).await?, 0);
    Ok(())
}

pub(crate) async fn rows_that_are_left_are_claimed_after_a_prune(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.deliver_all(0, 1).await;
    store.publish(event("f", 0, &["a"], 10)).await;
    prune(store, 5, 10).await?;
    assert_eq!(rows(&store.claim(10, 2).await), ["f/a"]);
    assert_eq!(store.load("f", "a").await.state(), State::InFlight);
    Ok(())
}
