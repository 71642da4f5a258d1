//! Publishing inside the host's transaction.

use notify_core::NewEvent;
use notify_core::store::{DeliveryLog, InsertOutcome, Inserted, Mark, Store};
use notify_store_sqlite::{InsertInError, insert_in};

use crate::support::*;

#[tokio::test]
async fn an_event_is_there_if_and_only_if_the_host_commits() {
    let (_dir, store) = in_file().await;
    let mut conn = outside(&store);
    conn.execute_batch("CREATE TABLE host_orders(id INTEGER)").unwrap();
    let mark = store.changed(Mark::default()).await.unwrap();
    let event = NewEvent::new("order.paid", "1").unwrap();
    for (id, commit) in [("kept", true), ("undone", false)] {
        let tx = conn.transaction().unwrap();
        tx.execute("INSERT INTO host_orders VALUES (1)", []).unwrap();
        let outcome = insert_in(&tx, &batch(vec![published(&event, id, &[("ep1", due(0))])])).unwrap();
        assert_eq!(outcome, InsertOutcome::Stored(vec![Inserted::New]));
        assert!(store.event(&key(id)).await.unwrap().is_none());
        if commit {
            tx.commit().unwrap()
        } else {
            tx.rollback().unwrap()
        }
        assert_eq!(store.event(&key(id)).await.unwrap().is_some(), commit, "{id}");
    }
    assert_ne!(store.changed(mark).await.unwrap(), mark);
    publish(&store, "undone", &[("ep1", due(0))]).await;
    assert_eq!(claim(&store, 0, 1, 10).await.claimed.len(), 2);
    let stats = store.stats(None, at(0)).await.unwrap();
    assert_eq!(stats.by_state.values().sum::<u64>(), 2);
}

#[tokio::test]
async fn a_connection_without_a_transaction_or_with_another_file_is_refused() {
    let (_dir, store) = in_file().await;
    let event = batch(vec![published(&NewEvent::new("a.b", "1").unwrap(), "e1", &[])]);
    assert!(matches!(insert_in(&outside(&store), &event), Err(InsertInError::NoTransaction)));
    let mut other = rusqlite::Connection::open_in_memory().unwrap();
    let tx = other.transaction().unwrap();
    assert!(matches!(insert_in(&tx, &event), Err(InsertInError::NotAStore)));
}

#[tokio::test]
async fn a_conflict_leaves_the_host_s_own_writes_in_its_transaction() {
    let (_dir, store) = in_file().await;
    publish(&store, "taken", &[]).await;
    let mut conn = outside(&store);
    conn.execute_batch("CREATE TABLE host_orders(id INTEGER)").unwrap();
    let tx = conn.transaction().unwrap();
    tx.execute("INSERT INTO host_orders VALUES (1)", []).unwrap();
    let other = NewEvent::new("a.b", "2").unwrap();
    let mixed = batch(vec![published(&other, "fresh", &[("ep9", due(0))]), published(&other, "taken", &[])]);
    assert!(matches!(insert_in(&tx, &mixed).unwrap(), InsertOutcome::Conflict { index: 1, .. }));
    tx.commit().unwrap();
    assert!(store.event(&key("fresh")).await.unwrap().is_none());
    let orders: i64 = conn.query_row("SELECT count(*) FROM host_orders", [], |row| row.get(0)).unwrap();
    assert_eq!(orders, 1);
}
