//! S1: all or nothing, duplicates, conflicts.

use crate::delivery::{Start, State};
use crate::store::{InsertOutcome, Inserted};

use super::super::sample::{event, key, named, new_delivery, rows, t, token};
use super::{Done, Subject};

pub(super) fn duplicate_of(first: &str, deliveries: usize) -> Inserted {
    Inserted::Duplicate { first: named(first), deliveries }
}

pub(super) fn conflict(index: usize, existing: &str) -> InsertOutcome {
    InsertOutcome::Conflict { index, existing: named(existing) }
}

pub(super) fn stored(answers: &[Inserted]) -> InsertOutcome {
    InsertOutcome::Stored(answers.to_vec())
}

pub(crate) async fn a_new_event_is_stored_with_its_deliveries(store: &mut Subject) -> Done {
    assert_eq!(store.insert(7, vec![event("e", 0, &["b", "a"], 9)]).await, stored(&[Inserted::New]));
    for endpoint in ["a", "b"] {
        let row = store.load("e", endpoint).await;
        assert_eq!((row.ready_at(), row.as_stored().created_at), (Some(t(9)), t(7)), "{endpoint}");
    }
    Ok(())
}

pub(crate) async fn an_event_that_matches_no_endpoint_is_stored(store: &mut Subject) -> Done {
    store.holds(&["e"], &[]).await;
    assert_eq!(store.insert(0, vec![event("e", 0, &[], 0)]).await, stored(&[duplicate_of("e", 0)]));
    Ok(())
}

pub(crate) async fn a_delivery_that_starts_due_is_born_scheduled(store: &mut Subject) -> Done {
    store.publish(event("e", 0, &["a"], 3)).await;
    let row = store.load("e", "a").await;
    assert_eq!((row.state(), row.ready_at(), row.token()), (State::Scheduled, Some(t(3)), None));
    Ok(())
}

pub(crate) async fn a_delivery_that_starts_leased_is_born_in_flight_under_its_token(store: &mut Subject) -> Done {
    store.publish(starting("e", Start::Leased { token: token(9), until: t(50) })).await;
    let row = store.load("e", "a").await;
    assert_eq!((row.state(), row.ready_at(), row.token()), (State::InFlight, Some(t(50)), Some(token(9))));
    Ok(())
}

pub(crate) async fn a_delivery_that_starts_held_is_born_held_with_its_due_time(store: &mut Subject) -> Done {
    store.publish(starting("e", Start::Held(t(4)))).await;
    let row = store.load("e", "a").await;
    assert_eq!((row.state(), row.ready_at(), row.token()), (State::Held, Some(t(4)), None));
    Ok(())
}

pub(crate) async fn a_pair_of_event_and_endpoint_that_comes_twice_is_one_delivery(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a", "a"]).await;
    assert_eq!(rows(&store.claim(0, 1).await), ["e/a"]);
    assert_eq!(store.insert(0, vec![event("e", 0, &["a"], 0)]).await, stored(&[duplicate_of("e", 1)]));
    Ok(())
}

/// A duplicate within one batch is told how many there are, not how many were asked for.
pub(crate) async fn a_pair_that_comes_twice_counts_once_for_a_duplicate_in_its_batch(store: &mut Subject) -> Done {
    let batch = vec![event("e", 0, &["a", "a"], 0), event("e", 0, &[], 0)];
    assert_eq!(store.insert(0, batch).await, stored(&[Inserted::New, duplicate_of("e", 1)]));
    Ok(())
}

pub(crate) async fn an_empty_batch_is_a_success(store: &mut Subject) -> Done {
    assert_eq!(store.insert(0, vec![]).await, stored(&[]));
    Ok(())
}

pub(crate) async fn answers_come_in_the_order_of_the_events(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    let batch = ["x", "f", "y", "e", "z"].map(|id| event(id, 0, &["a"], 0));
    let answers = [Inserted::New, duplicate_of("f", 1), Inserted::New, duplicate_of("e", 1), Inserted::New];
    assert_eq!(store.insert(0, batch.to_vec()).await, stored(&answers));
    Ok(())
}

pub(crate) async fn the_same_id_with_the_same_content_is_a_duplicate_that_names_the_first(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a", "b"]).await;
    assert_eq!(store.insert(5, vec![event("e", 0, &["c"], 5)]).await, stored(&[duplicate_of("e", 2)]));
    Ok(())
}

pub(crate) async fn a_duplicate_changes_nothing(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let before = store.load("e", "a").await;
    store.insert(5, vec![event("e", 0, &["a", "c"], 5)]).await;
    assert_eq!(store.load("e", "a").await, before);
    assert_eq!(store.find("e", "c").await, None, "a duplicate adds no delivery");
    Ok(())
}

pub(crate) async fn a_duplicate_of_a_delivered_event_is_not_sent_again(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.deliver_all(0, 1).await;
    assert_eq!(store.insert(5, vec![event("e", 0, &["a"], 5)]).await, stored(&[duplicate_of("e", 1)]));
    assert_eq!(rows(&store.claim(10, 2).await), [""; 0]);
    Ok(())
}

pub(crate) async fn a_duplicate_does_not_stop_the_others_of_its_batch(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let batch = vec![event("f", 1, &["a"], 0), event("e", 0, &["a"], 0), event("g", 2, &["a"], 0)];
    assert_eq!(store.insert(0, batch).await, stored(&[Inserted::New, duplicate_of("e", 1), Inserted::New]));
    assert_eq!(rows(&store.claim(0, 1).await), ["e/a", "f/a", "g/a"]);
    Ok(())
}

pub(crate) async fn the_same_event_twice_in_one_batch_is_stored_once(store: &mut Subject) -> Done {
    let batch = vec![event("e", 0, &["a", "b"], 0), event("e", 0, &["a", "b"], 0)];
    assert_eq!(store.insert(0, batch).await, stored(&[Inserted::New, duplicate_of("e", 2)]));
    assert_eq!(rows(&store.claim(0, 1).await), ["e/a", "e/b"]);
    Ok(())
}

pub(crate) async fn the_same_id_with_other_content_is_a_conflict(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    assert_eq!(store.insert(0, vec![event("e", 1, &["a"], 0)]).await, conflict(0, "e"));
    Ok(())
}

pub(crate) async fn a_conflict_leaves_nothing_of_its_batch(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let batch = vec![event("f", 0, &["a"], 0), event("e", 1, &["b"], 0), event("g", 0, &["a"], 0)];
    assert_eq!(store.insert(0, batch).await, conflict(1, "e"));
    assert_eq!(rows(&store.claim(0, 1).await), ["e/a"]);
    // Their ids are free: nothing of them was written.
    let others = vec![event("f", 8, &[], 0), event("g", 9, &[], 0)];
    assert_eq!(store.insert(0, others).await, stored(&[Inserted::New, Inserted::New]));
    Ok(())
}

pub(crate) async fn a_conflict_leaves_the_stored_event_as_it_is(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let before = store.load("e", "a").await;
    store.insert(5, vec![event("e", 1, &["a", "b"], 5)]).await;
    assert_eq!(store.load("e", "a").await, before);
    assert_eq!(store.insert(5, vec![event("e", 0, &[], 5)]).await, stored(&[duplicate_of("e", 1)]));
    Ok(())
}

pub(crate) async fn one_id_with_two_contents_in_one_batch_is_a_conflict(store: &mut Subject) -> Done {
    let batch = vec![event("e", 0, &["a"], 0), event("e", 1, &["a"], 0)];
    assert_eq!(store.insert(0, batch).await, conflict(1, "e"));
    assert_eq!(store.find("e", "a").await, None);
    Ok(())
}

pub(crate) async fn the_batch_after_a_conflict_is_whole(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.insert(0, vec![event("f", 0, &["a"], 0), event("e", 1, &["a"], 0)]).await;
    let batch = vec![event("f", 0, &["a"], 0), event("g", 0, &["a"], 0)];
    assert_eq!(store.insert(0, batch).await, stored(&[Inserted::New, Inserted::New]));
    assert_eq!(rows(&store.claim(0, 1).await), ["e/a", "f/a", "g/a"]);
    Ok(())
}

/// An event of one delivery, to `a`, that starts like this.
fn starting(id: &str, start: Start) -> crate::store::PublishedEvent {
    let mut event = event(id, 0, &[], 0);
    event.deliveries.push(new_delivery(&key(id), "a", start));
    event
}
