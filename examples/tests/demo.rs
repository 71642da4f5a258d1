//! The demo, as its README shows it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::Command;

#[tokio::test]
async fn once_and_plain_it_ends_as_expected_with_one_line_for_each_change() {
    let started = Instant::now();
    let demo = Command::new(env!("CARGO_BIN_EXE_demo"))
        .args(["--once", "--plain"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(60), demo).await.expect("it ends").unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(started.elapsed() > Duration::from_secs(15), "the retries take 1 + 2 + 3 + 4 + 5 s: {text}");

    let mut lines = text.lines();
    let first = lines.next().unwrap();
    assert!(first.starts_with("notify demo   store: sqlite /"), "{first}");
    assert!(first.ends_with("notify.db   retries shortened: 1, 2, 3, 4, 5 s"), "{first}");
    // Other programs may have taken the ports.
    let mut lines = lines.skip_while(|line| line.starts_with("port "));
    assert_eq!(lines.next(), Some("   TIME  WEBHOOK  EVENT               STATUS       TRY  CODE  NEXT     SIGNATURE"));
    let last = text.lines().last().unwrap();
    assert!(
        last.starts_with("4 delivered, 2 failed, all 20 requests had a valid signature: as expected, after 1"),
        "{last}"
    );

    let changes: Vec<&str> = lines.map(|line| line.get(9..).unwrap_or_default()).collect();
    for event in ["connection.created", "connection.updated"] {
        let of = |webhook: &str| -> Vec<&str> {
            let begin = format!("{webhook:<8} {event}  ");
            changes.iter().filter_map(|line| line.strip_prefix(&begin)).collect()
        };
        assert_eq!(of("steady"), ["✓ delivered  1/6  200   –        verified"]);
        assert_eq!(
            of("flaky"),
            [
                "↻ retrying   1/6  503   in 1 s   –",
                "↻ retrying   2/6  503   in 2 s   –",
                "✓ delivered  3/6  200   –        verified"
            ]
        );
        assert_eq!(
            of("down"),
            [
                "↻ retrying   1/6  500   in 1 s   –",
                "↻ retrying   2/6  500   in 2 s   –",
                "↻ retrying   3/6  500   in 3 s   –",
                "↻ retrying   4/6  500   in 4 s   –",
                "↻ retrying   5/6  500   in 5 s   –",
                "✗ failed     6/6  500   –        –         gave up after 6 attempts",
            ]
        );
    }
    assert!(!std::path::Path::new(first.split(' ').nth(7).unwrap_or_default()).exists(), "its folder is gone");
}
