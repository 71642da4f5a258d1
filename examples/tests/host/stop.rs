//! A graceful stop.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::fixture::{Folder, PATIENCE, on_each_store, text};
use crate::receiver::{Receiver, Reply};

on_each_store! {
    sigterm_with_50_in_flight_and_1000_due_loses_nothing_and_ends_in_time,
}

const DUE: usize = 1000;
const IN_FLIGHT: usize = 50;

async fn sigterm_with_50_in_flight_and_1000_due_loses_nothing_and_ends_in_time(folder: &Folder) {
    // Slow enough that the first 50 are in flight when the signal comes, fast enough to end within the grace period.
    let receiver = Receiver::start(Reply::After(Duration::from_secs(3), 200, Vec::new())).await;
    let caps = ["--max-in-flight", "50", "--per-endpoint", "50"];
    let host = folder.host(&caps).await;
    host.endpoint("crm", &receiver.url()).await;
    let mut published = std::collections::BTreeSet::new();
    for _ in 0..(DUE + IN_FLIGHT) / 350 {
        let batch = vec![json!({ "event": "a.b", "data": 1 }); 350];
        let receipts = host.call("POST /events/batch", json!(batch)).await.expect(202);
        published.extend(receipts.as_array().unwrap().iter().map(|receipt| text(&receipt["event_id"])));
    }
    assert_eq!(published.len(), DUE + IN_FLIGHT);
    receiver.wait_until("50 open", PATIENCE, |receiver| receiver.open() == IN_FLIGHT).await;

    let started = Instant::now();
    let ended = host.stop().await;
    assert!(started.elapsed() < Duration::from_secs(25), "the stop took {:?}", started.elapsed());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report = ended.stderr.lines().last().unwrap();
    assert!(report.starts_with("stopped: ") && report.ends_with(" 0 interrupted, 0 unsettled"), "{report}");
    let before = receiver.counts();
    assert!(before.len() < 3 * IN_FLIGHT, "{} were begun although the host stopped", before.len());

    receiver.answer(Reply::status(200));
    let host = folder.host(&caps).await;
    receiver.wait_until("all", 2 * PATIENCE, |receiver| receiver.events() == published).await;
    host.read_until("/stats", |stats| stats["by_status"]["delivered"] == DUE + IN_FLIGHT).await;
    assert_eq!(receiver.received().len(), DUE + IN_FLIGHT, "a graceful stop sends nothing twice");
}
