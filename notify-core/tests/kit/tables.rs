//! The tables that stand in the documents: printed, and held against the files.
//!
//! `NOTIFY_UPDATE_DOCS=1 cargo test -p notify-core --test kit tables` writes them.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use notify_core::testing::kit;

use crate::faults::WRONG;

/// Sentences that no wrong store stands for, and why.
const NO_WRONG_STORE: &[(&str, &str, &str)] = &[(
    "S3",
    "No row goes to two claims at one version",
    "two claims one after the other share a row only in a store that does not write its leases, which most cases find",
)];

#[test]
fn the_guide_lists_the_wrong_stores_with_the_case_that_found_each() {
    let mut table = String::from("| a store that … | is rejected by |\n| --- | --- |\n");
    for (_, text, cases) in WRONG {
        let more = match cases.len() {
            1 => String::new(),
            count => format!(", and {} more", count - 1),
        };
        writeln!(table, "| {text} | `{}`{more} |", cases[0]).unwrap();
    }
    stands_in("docs/guides/write-your-own-store.md", "wrong-stores", &table);
}

#[test]
fn the_reference_lists_each_sentence_with_its_cases_and_the_wrong_stores_that_fail_them() {
    let mut sentences: Vec<(&str, &str)> = Vec::new();
    for case in kit::cases() {
        if !sentences.contains(&(case.rule(), case.sentence())) {
            sentences.push((case.rule(), case.sentence()));
        }
    }
    // S1 to S14, then the other promises in the order of the cases.
    sentences.sort_by_key(|(rule, _)| rule.strip_prefix('S').and_then(|n| n.parse().ok()).unwrap_or(u8::MAX));
    let mut table =
        String::from("| rule | sentence | cases | a wrong store that fails one |\n| --- | --- | --- | --- |\n");
    for (rule, sentence) in sentences {
        let cases = kit::cases().iter().filter(|case| (case.rule(), case.sentence()) == (rule, sentence));
        let names: Vec<String> = cases.map(|case| format!("{}::{}", case.group(), case.name())).collect();
        let found = WRONG.iter().filter(|(_, _, found)| found.iter().any(|case| names.iter().any(|name| name == case)));
        let wrong: Vec<&str> = found.map(|(_, text, _)| *text).collect();
        let reason = NO_WRONG_STORE.iter().find(|(r, s, _)| (*r, *s) == (rule, sentence)).map(|(_, _, why)| *why);
        let wrong = match reason {
            Some(why) => {
                assert_eq!(wrong, [""; 0], "{rule} \"{sentence}\" has a wrong store, and a reason why it has none");
                format!("none: {why}")
            }
            None => {
                assert!(!wrong.is_empty(), "{rule} \"{sentence}\" has no wrong store, and no reason why");
                wrong.join("; ")
            }
        };
        writeln!(table, "| {rule} | {sentence} | `{}` | {wrong} |", names.join("`<br>`")).unwrap();
    }
    stands_in("docs/reference/store-rules.md", "store-rules", &table);
}

/// Prints the table, and holds it against the one between the marks in `file`.
fn stands_in(file: &str, mark: &str, table: &str) {
    println!("{table}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- begin {mark} -->\n"), format!("<!-- end {mark} -->"));
    let (head, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{file} has the mark {begin}"));
    let (stands, tail) = rest.split_once(&end).unwrap_or_else(|| panic!("{file} has the mark {end}"));
    if std::env::var_os("NOTIFY_UPDATE_DOCS").is_some_and(|value| value == "1") {
        fs::write(&path, format!("{head}{begin}{table}{end}{tail}")).unwrap();
        return;
    }
    assert!(stands == table, "the table in {file} is old: NOTIFY_UPDATE_DOCS=1 writes it");
}
