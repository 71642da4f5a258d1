//! One file, several users: locks, bounds, marks.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use notify_core::NewEvent;
use notify_core::store::{ApplyOutcome, DeliveryLog, EndpointDirectory, Mark, Operation, Store, StoreError};
use notify_store_sqlite::SqliteStore;

use crate::support::*;

/// Takes the write lock, and gives it back when it is dropped.
struct Lock(Option<mpsc::Sender<()>>, Option<thread::JoinHandle<()>>);

impl Lock {
    fn hold(store: &SqliteStore) -> Self {
        let conn = outside(store);
        let (locked, wait) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let holder = thread::spawn(move || {
            conn.execute_batch("BEGIN IMMEDIATE").unwrap();
            locked.send(()).unwrap();
            let _ = released.recv();
            conn.execute_batch("COMMIT").unwrap();
        });
        wait.recv().unwrap();
        Self(Some(release), Some(holder))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        drop(self.0.take());
        self.1.take().unwrap().join().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publish_waits_for_another_process_s_write_lock_and_succeeds() {
    let (_dir, store) = in_file().await;
    let lock = Lock::hold(&store);
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move { publish(&store, "e1", &[("ep1", due(0))]).await })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished());
    // Readers are not in its way.
    assert!(store.event(&key("e1")).await.unwrap().is_none());
    drop(lock);
    waiting.await.unwrap();
    assert!(store.event(&key("e1")).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_never_ends_is_busy_with_nothing_done_and_the_words_of_sqlite_stay_inside() {
    let dir = tempfile::tempdir().unwrap();
    let builder = SqliteStore::builder(dir.path().join("notify.db")).lock_wait(Duration::from_millis(50));
    let store = builder.open().await.unwrap();
    let event = NewEvent::new("a.b", "1").unwrap();
    let lock = Lock::hold(&store);
    let error = store.insert(&batch(vec![published(&event, "e1", &[])])).await.unwrap_err();
    assert!(matches!(error, StoreError::Busy { operation: Operation::Insert }), "{error}");
    drop(lock);
    assert!(store.event(&key("e1")).await.unwrap().is_none());
    publish(&store, "e2", &[("ep1", due(0))]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_is_busy_after_the_admission_time_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify.db");
    for (calls, bytes) in [(1, 1_000_000), (1_000, 300)] {
        let builder = SqliteStore::builder(&path).queue(calls, bytes).admission(Duration::from_millis(50));
        let store = builder.open().await.unwrap();
        let lock = Lock::hold(&store);
        let first = {
            let (store, id) = (store.clone(), format!("first{calls}"));
            tokio::spawn(async move { publish(&store, &id, &[("ep1", due(0))]).await })
        };
        tokio::time::sleep(Duration::from_millis(20)).await;
        let event = NewEvent::new("a.b", "1").unwrap();
        let error = store.insert(&batch(vec![published(&event, "e2", &[])])).await.unwrap_err();
        assert_eq!(error.to_string(), "store busy during insert: its queue stayed full (NTF-STORE-BUSY)");
        drop(lock);
        first.await.unwrap();
        assert!(store.event(&key("e2")).await.unwrap().is_none());
        publish(&store, &format!("later{calls}"), &[("ep1", due(0))]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_caller_is_gone_before_its_turn_is_left_out() {
    let (_dir, store) = in_file().await;
    let lock = Lock::hold(&store);
    // The writer waits with the first; the second is still in the queue when its caller leaves.
    let first = {
        let store = store.clone();
        tokio::spawn(async move { publish(&store, "first", &[("ep1", due(0))]).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    let event = NewEvent::new("a.b", "1").unwrap();
    let events = batch(vec![published(&event, "dropped", &[("ep1", due(0))])]);
    let dropped = tokio::time::timeout(Duration::from_millis(50), store.insert(&events)).await;
    assert!(dropped.is_err());
    drop(lock);
    first.await.unwrap();
    // All or nothing (S11): `load` is answered behind it, so its word is final.
    assert!(store.load(&[delivery("dropped", "ep1")]).await.unwrap().is_empty());
    assert!(store.event(&key("dropped")).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_lock_error_reaches_anybody_while_two_stores_write_one_file() {
    // C22: "database is locked" at once, in spite of a long busy timeout, and the publish was lost.
    let (_dir, store) = in_file().await;
    let other = SqliteStore::open(store.path().unwrap()).await.unwrap();
    let start = Instant::now();
    let tasks: Vec<_> = (0..16_u128)
        .map(|task| {
            let store = if task % 2 == 0 { store.clone() } else { other.clone() };
            tokio::spawn(async move {
                let mut settled = 0;
                for round in 0..20_u128 {
                    let name = format!("ep{}", task % 3);
                    publish(&store, &format!("e{task}-{round}"), &[(&name, due(0))]).await;
                    let claimed = claim(&store, 0, task * 100 + round, 2).await.claimed;
                    let changes: Vec<_> =
                        claimed.iter().map(|row| answered(&row.delivery, 200, 1, task * 100 + round)).collect();
                    let outcomes = store.apply(&changes).await.unwrap();
                    assert!(outcomes.iter().all(|outcome| *outcome == ApplyOutcome::Applied));
                    settled += outcomes.len();
                }
                settled
            })
        })
        .collect();
    let mut settled = 0;
    for task in tasks {
        settled += task.await.unwrap();
    }
    settled += claim(&store, 0, 9_999, 1_000).await.claimed.len();
    assert_eq!(settled, 320, "after {:?}", start.elapsed());
}

/// Whether the store waits for a change: it has no answer yet.
async fn is_waiting(store: &SqliteStore, mark: Mark) -> bool {
    tokio::time::timeout(Duration::from_millis(50), store.changed(mark)).await.is_err()
}

#[tokio::test]
async fn a_mark_changes_when_another_handle_or_another_process_writes_and_only_then() {
    let (_dir, store) = in_file().await;
    let other = SqliteStore::open(store.path().unwrap()).await.unwrap();
    let first = store.changed(Mark::default()).await.unwrap();
    assert!(is_waiting(&store, first).await);
    // An idle claim is no news, or two idle engines would wake each other for ever.
    claim(&store, 0, 1, 10).await;
    claim(&other, 0, 2, 10).await;
    assert!(is_waiting(&store, first).await);
    publish(&other, "e1", &[("ep1", due(0))]).await;
    let second = store.changed(first).await.unwrap();
    assert_ne!(second, first);
    assert!(is_waiting(&store, second).await);
    publish(&store.clone(), "e2", &[("ep1", due(0))]).await;
    let third = store.changed(second).await.unwrap();
    assert_ne!(third, second);
    assert_eq!(store.time().await.unwrap(), None);
}

#[tokio::test]
async fn an_endpoint_written_through_one_handle_is_read_through_the_other_at_once() {
    let (_dir, store) = in_file().await;
    let other = SqliteStore::open(store.path().unwrap()).await.unwrap();
    for round in 0..20 {
        let id = format!("ep{round}");
        notify_core::store::EndpointAdmin::create(&store, &endpoint(&id, "k")).await.unwrap();
        assert!(store.get(&[endpoint_id(&id)]).await.unwrap()[0].is_some());
        assert!(other.get(&[endpoint_id(&id)]).await.unwrap()[0].is_some());
    }
}
