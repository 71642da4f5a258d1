use notify_core::NewEvent;
use notify_core::delivery::Start;
use notify_core::event::Purpose;
use notify_core::fanout::delivery_id;
use notify_core::store::{Inserted, PublishedEvent};

use super::*;

fn batch(id: &str, body_bytes: usize) -> PublishBatch {
    let event = NewEvent::new("a.b", &format!("\"{}\"", "x".repeat(body_bytes))).unwrap();
    let key = EventKey { tenant: TenantId::default(), id: id.parse().unwrap() };
    let endpoint: EndpointId = "ep1".parse().unwrap();
    let delivery = NewDelivery { id: delivery_id(&key, &endpoint), endpoint, start: Start::Due(Timestamp::EPOCH) };
    let published = PublishedEvent {
        event: Arc::new(event.build(key.id, Timestamp::EPOCH)),
        fingerprint: event.fingerprint(),
        idempotency_key: None,
        purpose: Purpose::Live,
        deliveries: vec![delivery],
    };
    PublishBatch { now: Timestamp::EPOCH, events: vec![published] }
}

const NEW: [Inserted; 1] = [Inserted::New];

async fn in_file() -> (tempfile::TempDir, SqliteStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path().join("notify.db")).await.unwrap();
    (dir, store)
}

#[tokio::test]
async fn every_connection_has_the_same_pragmas() {
    // C28: pragmas were set on one connection only.
    let (_dir, store) = in_file().await;
    let read = |conn: &Connection| {
        let names = ["foreign_keys", "trusted_schema", "cell_size_check", "temp_store", "mmap_size", "busy_timeout"];
        let value = |name: &str| conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).unwrap();
        (names.map(value), value("query_only"))
    };
    let common = [1, 0, 1, 2, 0, 5000];
    let writer = store.write(Operation::Log, 0, move |tx| Ok(Ok(read(tx.conn())))).await.unwrap();
    assert_eq!(writer, (common, 0));
    // As many at once as there are readers, each kept until all have come.
    let all_here = Arc::new(std::sync::Barrier::new(READERS));
    let asked: Vec<_> = (0..READERS)
        .map(|_| {
            let (store, all_here) = (store.clone(), Arc::clone(&all_here));
            let work = move |conn: &Connection| {
                all_here.wait();
                Ok(Ok(read(conn)))
            };
            tokio::spawn(async move { store.read(Operation::Log, work).await.unwrap() })
        })
        .collect();
    for asked in asked {
        assert_eq!(asked.await.unwrap(), (common, 1));
    }
    let text = |name: &'static str| {
        store.write(Operation::Log, 0, move |tx| tx.conn().query_row(name, [], |row| row.get::<_, String>(0)).map(Ok))
    };
    assert_eq!(text("PRAGMA journal_mode").await.unwrap(), "wal");
    let full = store.write(Operation::Log, 0, |tx| {
        tx.conn().query_row("PRAGMA synchronous", [], |row| row.get::<_, i64>(0)).map(Ok)
    });
    assert_eq!(full.await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_fails_or_panics_spoils_nothing_for_the_others_of_its_batch() {
    let (_dir, store) = in_file().await;
    // Holds the writer until all of the batch wait behind it.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let held = {
        let store = store.clone();
        let wait = Mutex::new(wait);
        let work = move |_: &mut Tx<'_>| {
            let _ = wait.lock().unwrap().recv();
            Ok(Ok(()))
        };
        tokio::spawn(async move { store.write(Operation::Log, 0, work).await })
    };
    let (first, second) = (batch("e1", 1), batch("e2", 1));
    // Moved in, so that a second run of the held call finds the sender gone and does not wait again.
    let later = async move {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        go.send(()).unwrap();
    };
    let half_done = |tx: &mut Tx<'_>| {
        tx.conn().execute("INSERT INTO tenant(uid) VALUES ('half')", [])?;
        tx.conn().execute("INSERT INTO no_such_table VALUES (1)", []).map(Ok)
    };
    let panics = |_: &mut Tx<'_>| -> rusqlite::Result<Result<(), StoreError>> { panic!("on purpose") };
    let (one, failed, panicked, two, ()) = tokio::join!(
        store.insert(&first),
        store.write(Operation::Log, 0, half_done),
        store.write(Operation::Sweep, 0, panics),
        store.insert(&second),
        later
    );
    held.await.unwrap().unwrap();
    assert_eq!(one.unwrap(), InsertOutcome::Stored(NEW.to_vec()));
    assert_eq!(two.unwrap(), InsertOutcome::Stored(NEW.to_vec()));
    assert!(matches!(failed.unwrap_err(), StoreError::Unavailable { operation: Operation::Log, .. }));
    assert!(matches!(panicked.unwrap_err(), StoreError::Unavailable { operation: Operation::Sweep, .. }));
    let tenants = |tx: &mut Tx<'_>| {
        tx.conn().query_row("SELECT group_concat(uid) FROM tenant", [], |row| row.get::<_, String>(0)).map(Ok)
    };
    assert_eq!(store.write(Operation::Log, 0, tenants).await.unwrap(), "default");
    assert_eq!(store.stats(None, Timestamp::EPOCH).await.unwrap().by_state.values().sum::<u64>(), 2);
}

#[tokio::test]
async fn a_full_disk_is_full_with_nothing_done_and_the_store_goes_on_when_there_is_room() {
    let (_dir, store) = in_file().await;
    let pages = |limit: &'static str| {
        store.write(Operation::Log, 0, move |tx| {
            tx.conn().query_row(&format!("PRAGMA max_page_count = {limit}"), [], |_| Ok(Ok(())))
        })
    };
    // SQLite never goes below the pages that are in use.
    pages("1").await.unwrap();
    let error = store.insert(&batch("e1", 100_000)).await.unwrap_err();
    assert!(matches!(error, StoreError::Full { operation: Operation::Insert }), "{error}");
    pages("100000").await.unwrap();
    let key = batch("e1", 1).events[0].event.key.clone();
    assert_eq!(store.event(&key).await.unwrap(), None);
    assert_eq!(store.insert(&batch("e1", 100_000)).await.unwrap(), InsertOutcome::Stored(NEW.to_vec()));
}

#[tokio::test]
async fn the_log_is_cut_back_once_it_is_long_and_nobody_reads() {
    let (_dir, store) = in_file().await;
    for index in 0..120 {
        store.insert(&batch(&format!("e{index}"), 20_000)).await.unwrap();
    }
    let state = |tx: &mut Tx<'_>| {
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        drop(tx.conn().execute_batch("COMMIT"));
        let state = tx.conn().query_row("PRAGMA wal_checkpoint(PASSIVE)", [], row)?;
        tx.conn().execute_batch("BEGIN IMMEDIATE")?;
        Ok(Ok(state))
    };
    let (pages, moved) = store.write(Operation::Log, 0, state).await.unwrap();
    assert_eq!(pages, moved);
    assert!(pages < 900, "{pages} pages of the log wait, of more than 1000 that were written");
}

#[tokio::test]
async fn no_claim_sweep_prune_or_page_scans_a_table_or_sorts() {
    let (_dir, store) = in_file().await;
    let plans = store.write(Operation::Log, 0, |tx| plans(tx.conn()).map(Ok)).await.unwrap();
    assert!(plans.len() > 40, "{}", plans.len());
    let bad: Vec<_> = plans.iter().filter(|(_, step)| step.contains("SCAN") || step.contains("TEMP B-TREE")).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    // The one that carries a claim: the partial index in its own order.
    let due = plans
        .iter()
        .any(|(_, step)| step.starts_with("SEARCH d USING INDEX delivery_claim (endpoint=? AND ready_at<?)"));
    assert!(due, "{plans:#?}");
}

#[tokio::test]
async fn each_list_is_led_by_its_own_index() {
    let (_dir, store) = in_file().await;
    let plans = store.write(Operation::Log, 0, |tx| plans(tx.conn()).map(Ok)).await.unwrap();
    for (condition, index) in [
        ("d.reason = :reason", "SEARCH d USING INDEX delivery_reason (tenant=? AND reason=? AND rowid>? AND rowid<?)"),
        (
            ":tenant) AND d.reason IS NOT NULL",
            "SEARCH d USING INDEX delivery_troubled (tenant=? AND rowid>? AND rowid<?)",
        ),
        ("WHERE d.test = 1", "SEARCH d USING INDEX delivery_test (tenant=? AND rowid>? AND rowid<?)"),
        ("d.state > 2", "SEARCH d USING INDEX delivery_ended (tenant=? AND state=? AND rowid>? AND rowid<?)"),
        (
            "e.idempotency_key = :key",
            "SEARCH e USING INDEX event_key (tenant=? AND idempotency_key=? AND rowid>? AND rowid<?)",
        ),
        ("WHERE e.test = 1", "SEARCH e USING INDEX event_test (tenant=? AND rowid>? AND rowid<?)"),
    ] {
        let rows = |sql: &str| sql.contains(condition) && sql.contains(":floor");
        let steps: Vec<_> = plans.iter().filter(|(sql, _)| rows(sql)).map(|(_, step)| step).collect();
        assert!(steps.iter().any(|step| *step == index), "{condition}: {steps:#?}");
    }
}

/// Each step of the plan of each statement.
fn plans(conn: &Connection) -> rusqlite::Result<Vec<(&'static str, String)>> {
    let mut plans = Vec::new();
    for sql in write::STATEMENTS.into_iter().chain(read::STATEMENTS).flatten() {
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let steps = statement.raw_query().mapped(|row| row.get(3)).collect::<rusqlite::Result<Vec<String>>>()?;
        plans.extend(steps.into_iter().map(|step| (*sql, step)));
    }
    Ok(plans)
}
