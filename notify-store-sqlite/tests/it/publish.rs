//! S1, where what the writer remembers or another handle could come in between.

use std::sync::Arc;

use notify_core::store::{DeliveryLog, InsertOutcome, Inserted, Store};
use notify_core::{NewEvent, TenantId};
use notify_store_sqlite::SqliteStore;

use crate::support::*;

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
