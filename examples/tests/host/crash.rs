//! A host that is killed in the middle of its requests.

use crate::fixture::{Folder, PATIENCE, on_each_store};
use crate::receiver::{Receiver, Reply};

on_each_store! {
    kill_9_with_20_requests_open_loses_nothing,
}

const EVENTS: usize = 40;

/// The lease is the attempt's timeout + 20 s, here 22 s: so long after the kill, what was in flight is claimed again.
async fn kill_9_with_20_requests_open_loses_nothing(folder: &Folder) {
    let receiver = Receiver::start(Reply::Never).await;
    let options = ["--timeout", "2s", "--max-in-flight", "25", "--per-endpoint", "25"];
    let host = folder.host(&options).await;
    host.endpoint("crm", &receiver.url()).await;
    let mut published = std::collections::BTreeSet::new();
    for _ in 0..EVENTS {
        published.insert(host.publish().await);
    }
    receiver.wait_until("20 open", PATIENCE, |receiver| receiver.open() >= 20).await;
    assert!(receiver.open() >= 20);
    host.signal("KILL").await;
    let ended = host.ended().await;
    assert_eq!(ended.code, None, "it did not end by itself");

    receiver.answer(Reply::status(200));
    let host = folder.host(&options).await;
    let stats = host.read_until("/stats", |stats| stats["by_status"]["delivered"] == EVENTS).await;
    assert_eq!(stats["by_status"]["failed"], 0);
    assert_eq!(receiver.events(), published);
    // What was in flight came again: the log says that nobody knows what became of the first request.
    let lost = host.get("/deliveries?limit=100").await;
    let again = lost["deliveries"].as_array().unwrap().iter().filter(|delivery| delivery["attempt_count"] == 2).count();
    // At least what was being sent, and at most that and what waited in memory for its turn: all of it was leased.
    assert!((20..=EVENTS).contains(&again), "{again} deliveries were tried twice");
    // The receiver sees twice only what was being sent.
    let twice = receiver.counts().values().filter(|count| **count == 2).count();
    assert!((20..=25).contains(&twice), "{twice} events came twice");
    assert!(receiver.counts().values().all(|count| *count <= 2), "{:?}", receiver.counts());
}
