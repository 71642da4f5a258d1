//! The fuzz targets' functions, with made inputs: near the forms that they take, and far from them.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

#[expect(unreachable_pub, reason = "it is a crate of its own for the fuzzer")]
#[path = "../../../fuzz/src/lib.rs"]
mod checks;

/// Every URL of the vectors, refused ones and controls.
static URLS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/ssrf.json")).unwrap();
    ["refused", "accepted"]
        .iter()
        .flat_map(|list| vectors[list].as_array().unwrap())
        .map(|vector| vector["url"].as_str().unwrap().to_owned())
        .filter(|url| url.len() < 200)
        .collect()
});

/// What separates parts, spells digits otherwise, or shows nothing.
const PIECES: &[&str] = &[
    "/",
    "//",
    "\\",
    "@",
    ":",
    "::",
    "?",
    "#",
    "%",
    "%00",
    "%2e",
    ".",
    "..",
    "[",
    "]",
    "0",
    "0x",
    "00",
    "127.0.0.1",
    "[::1]",
    "localhost",
    "\t",
    "\n",
    "\0",
    " ",
    "\u{ad}",
    "\u{200b}",
    "\u{fe0f}",
    "。",
    "．",
    "／",
    "＠",
    "：",
    "①",
    "ⓐ",
    "ß",
    "é",
    "xn--",
    "-",
    "_",
    ",",
    ";",
    "&",
    "'",
    "a",
    "A",
    "1",
    "ffff:",
    "https://",
    "http:",
];

/// A known URL with a few pieces put in or characters taken out, at any place.
fn edited_url() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), prop::option::of(select(PIECES)));
    // The controls stand last: most edits of a refused URL leave it refused.
    let url = prop_oneof![0..URLS.len(), URLS.len() - 60..URLS.len()];
    (url, prop::collection::vec(edit, 0..5)).prop_map(|(url, edits)| {
        let mut url: Vec<char> = URLS[url].chars().collect();
        for (place, piece) in edits {
            let place = place.index(url.len() + 1);
            match piece {
                Some(piece) => drop(url.splice(place..place, piece.chars())),
                None if place < url.len() => drop(url.remove(place)),
                None => {}
            }
        }
        url.into_iter().collect()
    })
}

fn made_url() -> impl Strategy<Value = String> {
    prop_oneof![
        edited_url(),
        "https://[0-9a-fx.:\\[\\]]{1,24}/",
        "https?://[a-z0-9.-]{1,20}(:[0-9]{0,6})?(/[ -~]{0,20})?",
        prop::collection::vec(select(PIECES), 0..12).prop_map(|pieces| format!("https://{}", pieces.concat())),
        any::<String>(),
    ]
}

fn joined(parts: [&str; 4]) -> Vec<u8> {
    parts.map(str::as_bytes).join(&0xff)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100_000))]

    #[test]
    fn a_url_that_is_taken_reads_alike_to_two_parsers_and_leads_nowhere_inside(url in made_url()) {
        checks::url_policy(url.as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn a_header_that_is_taken_is_one_line_of_its_owner(
        header in prop_oneof![
            "[A-Za-z-]{1,16}:[ -~]{0,30}",
            "(x-notify|webhook|proxy|content|transfer|x)-[a-z]{1,12}:[a-z]{0,5}",
            "(Host|TE|Expect|Upgrade|Trailer|Connection|authorization|x):[ -~\\r\\n\\t\0é]{0,10}",
            any::<String>(),
        ]
    ) {
        checks::header(header.as_bytes());
    }

    #[test]
    fn a_cursor_has_one_spelling(
        text in prop_oneof!["c[0-9a-f]{16}", "[cC][0-9a-fA-F+ ]{14,18}", any::<String>()]
    ) {
        checks::cursor(text.as_bytes());
    }

    #[test]
    fn no_retry_after_makes_a_retry_earlier_than_the_schedule_or_later_than_the_cap(
        text in prop_oneof![
            "[ \t]?[0-9]{1,30}[ \t]?",
            "[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,6} [0-9:]{1,9} GMT",
            "[A-Z][a-z]{5}, [0-9]{2}-[A-Z][a-z]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
            any::<String>(),
        ]
    ) {
        checks::retry_after(text.as_bytes());
    }
}

proptest! {
    // Each computes a few dozen MACs without optimisation.
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_signature_verifies_but_the_right_one(
        signature in prop_oneof!["[0-9a-f]{64}", "(v1,[A-Za-z0-9+/]{43}= ?){0,10}", "[ -~]{0,80}", any::<String>()],
        id in prop_oneof!["[a-z0-9_]{0,24}", "[ -~]{0,10}"],
        timestamp in prop_oneof!["[0-9]{0,20}", "[+-]?[0-9]{1,12}", "[ -~]{0,8}"],
        body: String,
    ) {
        checks::verifier(&joined([&signature, &id, &timestamp, &body]));
    }
}

#[test]
fn every_vector_goes_through_the_fuzzer_s_check() {
    for url in URLS.iter() {
        checks::url_policy(url.as_bytes());
    }
}
