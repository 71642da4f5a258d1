//! The dependency budget: what `notify-core` without features brings into a host's build. A new name is a visible
//! line of a review, in `scripts/deps/notify-core.txt`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const BUDGET: usize = 38;
const LIST: &str = include_str!("../../scripts/deps/notify-core.txt");

#[test]
fn the_dependencies_are_those_listed_and_within_the_budget() {
    let found = dependencies();
    let listed: BTreeSet<_> = LIST.lines().map(str::to_owned).collect();
    let added: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(added.is_empty() && gone.is_empty(), "scripts/deps/notify-core.txt lacks {added:?}, has still {gone:?}");
    assert!(found.len() <= BUDGET, "{} dependencies, the budget is {BUDGET}", found.len());
}

#[test]
fn the_list_is_sorted_so_that_a_new_line_has_one_place() {
    assert!(LIST.lines().is_sorted());
}

fn dependencies() -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let arguments = "tree -p notify-core -e normal --no-default-features --prefix none -f {p} --offline --locked";
    let output = Command::new(cargo)
        .args(arguments.split(' '))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty());
    names.filter(|name| *name != "notify-core").map(str::to_owned).collect()
}
