//! The program as a whole, on runs that are too short to mean anything.
#![expect(clippy::unwrap_used, reason = "a test may panic; clippy knows tests only inside of modules")]

use std::process::{Command, Output};

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bench")).args(arguments).output().unwrap()
}

#[test]
fn the_bare_client_delivers_each_request_once_and_rightly_signed() {
    let output = bench(&["bare", "--bare-requests", "300", "--in-flight", "4", "--runs", "2", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["bench"], "bare");
    assert_eq!(report["runs"].as_array().unwrap().len(), 2);
    // The sink refuses a run with a wrong signature or too few distinct events.
    assert_eq!(report["bare"]["deliveries"], 300);
    assert_eq!(report["bare"]["duplicates"], 0);
    for figure in ["deliveries_per_second", "peak_memory_bytes"] {
        assert!(report["bare"][figure].as_f64().unwrap() > 0.0, "{figure}");
    }
}

#[test]
fn end_to_end_delivers_and_settles_each_event_on_every_store() {
    for store in [&["--store", "memory"][..], &["--store", "sqlite", "--sync", "normal"], &["--store", "redis"]] {
        let short = ["end-to-end", "--events", "200", "--publishers", "4", "--runs", "1", "--json"];
        let output = bench(&[&short[..], store].concat());
        assert!(output.status.success(), "{store:?}: {}", String::from_utf8_lossy(&output.stderr));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["store"], store[1]);
        assert_eq!(report["notify"]["deliveries"], 200, "{store:?}");
        assert_eq!(report["notify"]["duplicates"], 0, "{store:?}");
        assert!(report["ratio_to_bare"].as_f64().unwrap() > 0.0, "{store:?}");
    }
}

#[test]
fn an_idle_engine_asks_its_store_for_nothing_but_changes() {
    for store in [&["--store", "memory"][..], &["--store", "sqlite", "--sync", "normal"]] {
        let output = bench(&[&["idle", "--pending", "500", "--seconds", "2", "--json"][..], store].concat());
        assert!(output.status.success(), "{store:?}: {}", String::from_utf8_lossy(&output.stderr));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["pending"], 500, "{store:?}");
        let calls = report["store_calls"].as_object().unwrap();
        // The memory store answers at once, so the engine asks again; SQLite's answer comes when there is a change.
        let asked = calls["changed"].as_u64().unwrap() > 0;
        assert_eq!(asked, store[1] == "memory", "{store:?}: {calls:?}");
        for (call, count) in calls.iter().filter(|(call, _)| *call != "changed" && *call != "time") {
            assert_eq!(count, 0, "{store:?}: {call}");
        }
    }
}

#[test]
fn the_dashboard_s_pages_are_timed_over_deliveries_in_each_state() {
    let output = bench(&["dashboard", "--deliveries", "2000", "--requests", "2", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["deliveries"], 2000);
    for state in ["delivered", "failed", "scheduled"] {
        assert!(report["by_state"][state].as_u64().unwrap() > 0, "{state}");
    }
    for page in report["pages"].as_array().unwrap() {
        assert!(page["median_ms"].as_f64().unwrap() <= page["p99_ms"].as_f64().unwrap(), "{page}");
        assert!(page["bytes"].as_u64().unwrap() > 5_000, "{page}");
    }
}

#[test]
fn a_run_of_nothing_is_a_failure_and_not_a_figure() {
    for arguments in [
        &["bare", "--runs", "0"][..],
        &["bare", "--bare-requests", "0"],
        &["idle", "--pending", "0"],
        &["dashboard", "--deliveries", "1"],
    ] {
        let output = bench(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("nothing was measured"), "{arguments:?}");
    }
}
