//! S1: all or nothing, duplicates, conflicts.

use crate::store::{InsertOutcome, Inserted};

use super::super::sample::{event, named, rows, t};
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

pub(crate) async fn an_empty_batch_is_a_success(store: &mut Subject) -> Done {
    assert_eq!(store.insert(0, vec![]).await, stored(&[]));
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

pub(crate) async fn a_duplicate_does_not_stop_the_others_of_its_batch(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let batch = vec![event("f", 1, &["a"], 0), event("e", 0, &["a"], 0), event("g", 2, &["a"], 0)];
    assert_eq!(store.insert(0, batch).await, stored(&[Inserted::New, duplicate_of("e", 1), Inserted::New]));
    assert_eq!(rows(&store.claim(0, 1).await), ["e/a", "f/a", "g/a"]);
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
    Ok(())
}
