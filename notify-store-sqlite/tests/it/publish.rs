//! S1, S14 (attach), and what is stored.

use std::sync::Arc;

use notify_core::store::{DeliveryLog, InsertOutcome, Inserted, Store, StoreError};
use notify_core::{NewEvent, TenantId};
use notify_store_sqlite::SqliteStore;

use crate::support::*;

#[tokio::test]
async fn an_event_reads_back_byte_for_byte_with_nul_and_line_separator() {
    // C13: U+2028 or NUL inside strings made the insert fail or cut the body.
    let (_dir, store) = in_file().await;
    let data = "{\"s\":\"a\u{2028}b\\u0000c\u{7f}\u{feff}\",\"k\\u0000ey\":1}";
    let event = published(&NewEvent::new("a.b", data).unwrap(), "e1", &[("ep1", due(0))]);
    store.insert(&batch(vec![event.clone()])).await.unwrap();
    let record = store.event(&key("e1")).await.unwrap().unwrap();
    assert_eq!(*record.event, *event.event);
    assert_eq!(record.created_at, at(0));
    assert_eq!(record.deliveries.len(), 1);
    let claimed = claim(&store, 0, 1, 10).await;
    assert_eq!(claimed.claimed[0].event.body, event.event.body);
}

#[tokio::test]
async fn the_same_event_again_is_a_duplicate_and_changes_nothing() {
    let store = SqliteStore::open_in_memory().unwrap();
    let event = NewEvent::new("a.b", "1").unwrap();
    publish_two(&store, &event).await;
    let again = store.insert(&batch(vec![published(&event, "e1", &[("ep3", due(0))])])).await.unwrap();
    let first = "e1".parse().unwrap();
    assert_eq!(again, InsertOutcome::Stored(vec![Inserted::Duplicate { first, deliveries: 2 }]));
    assert_eq!(store.event(&key("e1")).await.unwrap().unwrap().deliveries.len(), 2);
}

async fn publish_two(store: &SqliteStore, event: &NewEvent) {
    let stored = store.insert(&batch(vec![published(event, "e1", &[("ep1", due(0)), ("ep2", due(0))])])).await;
    assert_eq!(stored.unwrap(), InsertOutcome::Stored(vec![Inserted::New]));
}

#[tokio::test]
async fn an_idempotency_key_names_the_first_event_whatever_id_comes_later() {
    let store = SqliteStore::open_in_memory().unwrap();
    let event = NewEvent::new("a.b", "1").unwrap().with_idempotency_key("k").unwrap();
    publish_two(&store, &event).await;
    let again = store.insert(&batch(vec![published(&event, "e2", &[("ep1", due(0))])])).await.unwrap();
    let first: notify_core::EventId = "e1".parse().unwrap();
    assert_eq!(again, InsertOutcome::Stored(vec![Inserted::Duplicate { first: first.clone(), deliveries: 2 }]));
    let other = NewEvent::new("a.b", "2").unwrap().with_idempotency_key("k").unwrap();
    let conflict = store.insert(&batch(vec![published(&other, "e3", &[])])).await.unwrap();
    assert_eq!(conflict, InsertOutcome::Conflict { index: 0, existing: first });
    let elsewhere = other.for_tenant("t2".parse().unwrap());
    let stored = store.insert(&batch(vec![published(&elsewhere, "e1", &[])])).await.unwrap();
    assert_eq!(stored, InsertOutcome::Stored(vec![Inserted::New]));
}

#[tokio::test]
async fn a_conflict_leaves_nothing_of_its_batch_and_the_next_batch_is_whole() {
    let (_dir, store) = in_file().await;
    publish(&store, "taken", &[("ep1", due(0))]).await;
    let tenant: TenantId = "new-tenant".parse().unwrap();
    let fresh = NewEvent::new("a.b", "1").unwrap().for_tenant(tenant.clone());
    let other = NewEvent::new("a.b", "other").unwrap_or_else(|_| NewEvent::new("a.b", "2").unwrap());
    let mixed = vec![published(&fresh, "fresh", &[("new-ep", due(-5))]), published(&other, "taken", &[])];
    let outcome = store.insert(&batch(mixed)).await.unwrap();
    assert_eq!(outcome, InsertOutcome::Conflict { index: 1, existing: "taken".parse().unwrap() });
    let lost = notify_core::event::EventKey { tenant: tenant.clone(), id: "fresh".parse().unwrap() };
    assert_eq!(store.event(&lost).await.unwrap(), None);
    assert!(store.stats(Some(&tenant), at(0)).await.unwrap().by_state.is_empty());
    // The keys that the lost batch made must not be remembered.
    let whole = store.insert(&batch(vec![published(&fresh, "fresh", &[("new-ep", due(0))])])).await.unwrap();
    assert_eq!(whole, InsertOutcome::Stored(vec![Inserted::New]));
    assert_eq!(claim(&store, 0, 1, 10).await.claimed.len(), 2);
}

#[tokio::test]
async fn a_duplicate_does_not_stop_the_others_and_twice_in_one_batch_is_a_duplicate() {
    let store = SqliteStore::open_in_memory().unwrap();
    let event = NewEvent::new("a.b", "1").unwrap();
    let events = ["e1", "e1", "e2"].map(|id| published(&event, id, &[("ep1", due(0))]));
    let outcome = store.insert(&batch(events.to_vec())).await.unwrap();
    let duplicate = Inserted::Duplicate { first: "e1".parse().unwrap(), deliveries: 1 };
    assert_eq!(outcome, InsertOutcome::Stored(vec![Inserted::New, duplicate, Inserted::New]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_publish_one_id_at_once_exactly_one_is_new() {
    let (_dir, store) = in_file().await;
    let other = SqliteStore::open(store.path().unwrap()).await.unwrap();
    let event = Arc::new(NewEvent::new("a.b", "1").unwrap().with_idempotency_key("k").unwrap());
    let tasks: Vec<_> = (0..32)
        .map(|index| {
            let (store, event) = (if index % 2 == 0 { store.clone() } else { other.clone() }, Arc::clone(&event));
            tokio::spawn(async move {
                let id = format!("e{index}");
                store.insert(&batch(vec![published(&event, &id, &[("ep1", due(0))])])).await.unwrap()
            })
        })
        .collect();
    let mut new = 0;
    for task in tasks {
        match task.await.unwrap() {
            InsertOutcome::Stored(answers) => new += usize::from(answers == [Inserted::New]),
            InsertOutcome::Conflict { .. } => panic!("same content"),
        }
    }
    assert_eq!(new, 1);
    assert_eq!(claim(&store, 0, 1, 100).await.claimed.len(), 1);
}

#[tokio::test]
async fn attach_adds_what_is_missing_once_and_refuses_an_unknown_event() {
    let store = SqliteStore::open_in_memory().unwrap();
    publish(&store, "e1", &[("ep1", due(0))]).await;
    let more: Vec<_> = ["ep1", "ep2", "ep3"].map(|name| new_delivery(&key("e1"), name, due(5))).to_vec();
    assert_eq!(store.attach(&key("e1"), &more).await.unwrap(), 2);
    assert_eq!(store.attach(&key("e1"), &more).await.unwrap(), 0);
    assert_eq!(load(&store, "e1", "ep2").await.as_stored().created_at, at(0));
    assert!(matches!(store.attach(&key("e9"), &more).await, Err(StoreError::UnknownEvent)));
    assert_eq!(claim(&store, 5, 1, 10).await.claimed.len(), 3);
}
