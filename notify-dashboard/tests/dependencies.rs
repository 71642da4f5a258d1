//! The dependency budget: at most 65 crates, this one included, no server among them. A new name is a visible line of a
//! review, in `scripts/deps/notify-dashboard.txt`.

use std::collections::BTreeSet;
use std::process::Command;

const BUDGET: usize = 64;
const LIST: &str = include_str!("../../scripts/deps/notify-dashboard.txt");

#[test]
fn the_dashboard_s_dependencies_are_those_listed_and_within_the_budget() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let arguments = "tree -p notify-dashboard -e normal --no-default-features --prefix none -f {p} --offline --locked";
    let output =
        Command::new(cargo).args(arguments.split(' ')).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty());
    let found: BTreeSet<&str> = names.filter(|name| *name != "notify-dashboard").collect();
    let listed: BTreeSet<&str> = LIST.lines().collect();
    assert_eq!(found, listed, "found on the left, scripts/deps/notify-dashboard.txt on the right");
    assert!(found.len() <= BUDGET, "{} dependencies, the budget is {BUDGET}", found.len());
    assert!(!found.contains("hyper") && !found.contains("hyper-util"), "a server came in");
}
