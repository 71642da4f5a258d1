//! The column that says where an attempt's time went: in files of older schemas, and damaged.

use std::time::Duration;

use notify_core::delivery::{ConnectionUse, Part, Response, Timing, TlsVersion};
use notify_core::machine::{Change, Gate, Input, classify};
use notify_core::retry::SuccessRule;
use notify_core::store::{DeliveryLog, Store};
use notify_store_sqlite::{APPLICATION_ID, MIGRATIONS, SqliteStore};

use crate::support::{at, change, claim, delivery, due, in_file, outside, publish};

fn timing() -> Timing {
    Timing::new(ConnectionUse::New).with_tls(TlsVersion::V1_3).with(Part::FirstByte, Duration::from_millis(140))
}

/// What the answer 500 makes of the one delivery that is due at `now`.
async fn answer(store: &SqliteStore, now: i64, id: u128) -> Change {
    let leased = claim(store, now, id, 1).await;
    let mut response = Response::new(500);
    response.timing = Some(timing());
    let input = Input::Finished {
        gate: Gate::Open,
        started_at: at(now),
        duration: Duration::from_millis(200),
        url: "https://example.com/hook".into(),
        verdict: Box::new(classify(Ok(response), SuccessRule::Exactly200)),
    };
    change(&leased.claimed[0].delivery, input, now, id)
}

#[tokio::test]
async fn the_attempts_of_an_older_file_are_kept_without_a_timing_and_the_next_has_one() {
    for version in 1..=3 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify.db");
        let conn = rusqlite::Connection::open(&path).unwrap();
        let id = delivery("e1", "ep1").as_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let print = "0".repeat(64);
        conn.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; BEGIN; {} PRAGMA application_id = {APPLICATION_ID};
             PRAGMA user_version = {version};
             INSERT INTO tenant(id, uid) VALUES (1, 'default');
             INSERT INTO queue(id, uid, tenant, head) VALUES (1, 'ep1', 1, 0);
             UPDATE counter SET last = 2;
             INSERT INTO event(id, tenant, uid, fingerprint, type, timestamp, created_at, body)
                 VALUES (1, 1, 'e1', X'{print}', 'a.b', 0, 0, X'7b7d');
             INSERT INTO delivery(id, uid, tenant, event, endpoint, state, ready_at, attempts, failures, reason)
                 VALUES (2, X'{id}', 1, 1, 1, 0, 0, 1, 1, 'status_5xx');
             INSERT INTO attempt(delivery, number, change, round, started_at, duration_nanos, outcome, status_code, peer)
                 VALUES (2, 1, X'{:032x}', 1, 0, 1500, 'status_5xx', 500, '192.0.2.1');
             COMMIT",
            MIGRATIONS[..version].concat(),
            7
        ))
        .unwrap();
        let store = SqliteStore::open(&path).await.unwrap();
        store.apply(&[answer(&store, 0, 1).await]).await.unwrap();
        let attempts = store.attempts(&delivery("e1", "ep1")).await.unwrap();
        let shown: Vec<_> = attempts.iter().map(|one| (one.number.get(), one.duration, one.timing)).collect();
        let [old, new] = [Duration::from_nanos(1500), Duration::from_millis(200)];
        assert_eq!(shown, [(1, old, None), (2, new, Some(timing()))], "version {version}");
    }
}

/// An older process beside us writes the columns that it knows.
#[tokio::test]
async fn an_attempt_that_was_written_without_the_column_has_no_timing() {
    let (_dir, store) = in_file().await;
    publish(&store, "e1", &[("ep1", due(0))]).await;
    store.apply(&[answer(&store, 0, 1).await]).await.unwrap();
    let older = "INSERT INTO attempt(delivery, number, change, round, started_at, duration_nanos, outcome)
                 SELECT delivery, 2, randomblob(16), round, started_at, duration_nanos, outcome FROM attempt";
    outside(&store).execute(older, []).unwrap();
    let attempts = store.attempts(&delivery("e1", "ep1")).await.unwrap();
    assert_eq!(attempts.iter().map(|one| one.timing).collect::<Vec<_>>(), [Some(timing()), None]);
}

#[tokio::test]
async fn an_unreadable_timing_is_a_corrupt_record_without_its_value() {
    let (_dir, store) = in_file().await;
    publish(&store, "e1", &[("ep1", due(0))]).await;
    store.apply(&[answer(&store, 0, 1).await]).await.unwrap();
    outside(&store).execute("UPDATE attempt SET timing = 'canary'", []).unwrap();
    let error = store.attempts(&delivery("e1", "ep1")).await.unwrap_err().to_string();
    let record = delivery("e1", "ep1");
    assert_eq!(error, format!("store holds an unreadable record {record}: timing is malformed (NTF-STORE-CORRUPT)"));
}
