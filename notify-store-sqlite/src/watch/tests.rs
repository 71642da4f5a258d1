use std::time::Duration;

use super::*;

fn connection(path: &std::path::Path) -> Connection {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS t(x)").unwrap();
    conn
}

#[tokio::test]
async fn a_mark_that_is_past_is_answered_at_once_and_a_commit_ends_a_wait() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.db");
    let writer = connection(&path);
    let watch = Watch::start(connection(&path)).unwrap();
    let now = watch.changed(Mark::default()).await.unwrap();
    assert_ne!(now, Mark::default(), "no version is the default mark, so the first answer comes at once");
    let mut wait = std::pin::pin!(watch.changed(now));
    let early = tokio::time::timeout(Duration::from_millis(50), &mut wait).await;
    assert!(early.is_err(), "nobody wrote: {early:?}");
    writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
    assert_ne!(wait.await.unwrap(), now);
}

#[tokio::test]
async fn a_wait_that_is_given_up_leaves_the_next_one_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.db");
    let writer = connection(&path);
    let watch = Watch::start(connection(&path)).unwrap();
    let now = watch.changed(Mark::default()).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(20), watch.changed(now)).await.is_err());
    writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
    assert_ne!(watch.changed(now).await.unwrap(), now);
}

/// What one process publishes is sent by another within two seconds: the look, and then a claim and a request.
#[test]
fn a_look_leaves_time_for_the_claim_within_two_seconds() {
    assert!(PERIOD <= Duration::from_millis(1700), "{PERIOD:?}");
}
