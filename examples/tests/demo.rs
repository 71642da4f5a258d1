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
    let file = first.split(' ').find(|word| word.ends_with("notify.db")).expect("its file is named");
    assert!(!std::path::Path::new(file).parent().unwrap().exists(), "its folder is gone");
    for shown in shown_in_the_readme() {
        assert!(text.lines().any(|line| without_times(line) == shown), "the README shows {shown:?}, the demo {text}");
    }
}

/// The lines of the README's example after its first, without times and without what is left out.
fn shown_in_the_readme() -> Vec<String> {
    let readme = include_str!("../../README.md");
    let block =
        readme.split("```text\n").find(|block| block.starts_with("notify demo ")).expect("the example is there");
    let lines = block.split("```").next().unwrap_or_default().lines().skip(1);
    let shown: Vec<String> = lines.filter(|line| line.trim() != "...").map(without_times).collect();
    assert!(shown.len() > 5, "{shown:?}");
    shown
}

/// `  1.1s  down …` without its time, and `…, after 15 s` without its seconds.
fn without_times(line: &str) -> String {
    let line =
        line.split_once("s  ").filter(|(time, _)| time.trim().parse::<f32>().is_ok()).map_or(line, |(_, rest)| rest);
    line.split(", after ").next().unwrap_or_default().to_owned()
}
