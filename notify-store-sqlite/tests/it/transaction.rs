//! Publishing inside the host's transaction.

use notify_core::engine::PublishError;
use notify_core::store::{DeliveryLog, InsertOutcome, Inserted, Mark, Store};
use notify_core::testing::{ManualClock, Reply, ScriptedTransport};
use notify_core::{Engine, NewEndpoint, NewEvent, Receipt};
use notify_store_sqlite::{InsertInError, SqliteStore, insert_in};
use rusqlite::{Connection, TransactionBehavior};

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
    let mut other = Connection::open_in_memory().unwrap();
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

#[tokio::test]
async fn what_the_engine_prepared_is_delivered_if_and_only_if_the_host_commits() {
    let (_dir, store) = in_file().await;
    let transport = ScriptedTransport::new(Reply::Status(200));
    let engine = engine(&store, &transport).await;
    let mut conn = outside(&store);
    conn.execute_batch("CREATE TABLE host_orders(id TEXT)").unwrap();
    order(&engine, &mut conn, "undone", Host::RollsBack).await.unwrap();
    assert_eq!(engine.run_once().await.unwrap().delivered, 0);
    let receipt = order(&engine, &mut conn, "kept", Host::Commits).await.unwrap();
    assert_eq!((receipt.deliveries, receipt.duplicate), (1, false));
    assert_eq!(engine.run_once().await.unwrap().delivered, 1);
    let [request] = &transport.sent()[..] else { panic!("one request") };
    let begin = format!(r#"{{"event_id":"{}","event":"order.paid","#, receipt.event_id);
    assert!(request.body.starts_with(begin.as_bytes()));
    assert!(request.body.ends_with(br#""data":{"order":"kept"}}"#));
}

#[tokio::test]
async fn the_same_order_again_is_a_duplicate_and_another_under_its_key_a_conflict() {
    let (_dir, store) = in_file().await;
    let engine = engine(&store, &ScriptedTransport::new(Reply::Status(200))).await;
    let mut conn = outside(&store);
    conn.execute_batch("CREATE TABLE host_orders(id TEXT)").unwrap();
    let first = order(&engine, &mut conn, "o-1", Host::Commits).await.unwrap();
    let again = order(&engine, &mut conn, "o-1", Host::Commits).await.unwrap();
    assert_eq!((&again.event_id, again.duplicate), (&first.event_id, true));
    let other = NewEvent::new("order.paid", "0").unwrap().with_idempotency_key("order o-1").unwrap();
    let prepared = engine.prepare(vec![other]).await.unwrap();
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    let refused = prepared.receipts(insert_in(&tx, prepared.batch()).unwrap());
    assert!(matches!(refused, Err(PublishError::Conflict { index: 0, existing }) if existing == first.event_id));
}

#[derive(Clone, Copy)]
enum Host {
    Commits,
    RollsBack,
}

async fn engine(store: &SqliteStore, transport: &ScriptedTransport) -> Engine {
    let builder = Engine::builder(store.clone()).transport(transport.clone());
    let engine = builder.clock(ManualClock::at(at(0))).build().unwrap();
    engine.endpoints().create(NewEndpoint::new("crm", "https://crm.test/hook")).await.unwrap();
    engine
}

/// What a host does: its own row and the event, together or not at all.
async fn order(engine: &Engine, conn: &mut Connection, id: &str, host: Host) -> Result<Receipt, PublishError> {
    let event = NewEvent::new("order.paid", &format!(r#"{{"order":"{id}"}}"#))?;
    let prepared = engine.prepare(vec![event.with_idempotency_key(&format!("order {id}"))?]).await?;
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    tx.execute("INSERT INTO host_orders VALUES (?1)", [id]).unwrap();
    let mut receipts = prepared.receipts(insert_in(&tx, prepared.batch()).unwrap())?;
    match host {
        Host::RollsBack => tx.rollback().unwrap(),
        Host::Commits => {
            tx.commit().unwrap();
            prepared.committed(&receipts).await;
        }
    }
    Ok(receipts.remove(0))
}
