//! Starting, and refusing to start.

use crate::fixture::{Folder, run};

#[tokio::test]
async fn what_cannot_be_started_is_one_line_and_exit_2() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let nowhere = format!("sqlite:{}", folder.path().join("missing/notify.db").display());
    std::fs::write(folder.path().join("no.pem"), "no certificate").unwrap();
    let pem = folder.path().join("no.pem").display().to_string();
    for options in [
        &["--frobnicate"][..],
        &["--store", "redis://127.0.0.1:1"],
        &["--store", "redis-cluster://127.0.0.1:1"],
        &["--store", "postgres://127.0.0.1/db"],
        &["--store", &nowhere],
        &["--store", "memory:", "--listen", &taken],
        &["--store", "memory:", "--allow", "everything"],
        &["--store", "memory:", "--allow", "169.254.0.0/16"],
        &["--store", "memory:", "--timeout", "1h"],
        &["--store", "memory:", "--per-endpoint", "0"],
        &["--store", "memory:", "--extra-root", &pem],
        &["--store", "memory:", "--extra-root", "missing.pem"],
    ] {
        let ended = run(options).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{options:?}: {ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{options:?}: {ended:?}");
        assert!(ended.stderr.starts_with("host: "), "{options:?}: {ended:?}");
    }
}

#[tokio::test]
async fn standard_output_is_one_line_and_sigint_ends_it_as_sigterm_does() {
    let folder = Folder::new();
    let host = folder.host(&["--json-log"]).await;
    host.signal("INT").await;
    let ended = host.ended().await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""));
    assert!(ended.stderr.ends_with("stopped: 0 finished, 0 handed back, 0 interrupted, 0 unsettled\n"), "{ended:?}");
}
