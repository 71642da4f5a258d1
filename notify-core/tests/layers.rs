//! Modules import downward only, decisions stay pure, files stay short. Held by reading the source, since the
//! compiler allows every circle within a crate.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};

/// From the bottom up; neighbours in a row do not import each other.
const ROWS: &[&[&str]] = &[
    &["planted", "time", "input"],
    &["id"],
    &["retry", "sign"],
    &["event", "endpoint"],
    &["delivery"],
    &["fanout", "machine"],
    &["store", "transport", "observe"],
    &["dispatch"],
    &["engine"],
    &["testing"],
];

/// These decide, so they neither wait nor depend on an order that differs from run to run.
const PURE: &[&str] =
    &["time", "input", "id", "retry", "sign", "event", "endpoint", "delivery", "fanout", "machine", "dispatch"];
const IMPURE_WORDS: &[&str] = &["async", "await", "tokio", "HashMap", "HashSet"];

const MAX_LINES: usize = 400;

#[derive(Debug, Eq, PartialEq)]
struct Import {
    from: String,
    to: String,
}

#[test]
fn no_module_imports_its_own_row_or_one_above() {
    let climbs: Vec<_> = sources().iter().flat_map(|source| source.imports()).filter(climbs).collect();
    assert!(climbs.is_empty(), "imports that climb: {climbs:#?}");
}

#[test]
fn every_module_has_its_row() {
    for source in sources() {
        assert!(row(&source.module).is_some(), "{} has no row in this file", source.module);
        for Import { from, to } in source.imports() {
            assert!(row(&to).is_some(), "{from} imports crate::{to}, which is no module: name the module it is in");
        }
    }
}

#[test]
fn decisions_neither_wait_nor_depend_on_hash_order() {
    for source in sources().iter().filter(|source| PURE.contains(&source.module.as_str())) {
        assert_eq!(impure_words(&source.code), Vec::<&str>::new(), "in {}", source.module);
    }
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let long = files().into_iter().filter(|path| fs::read_to_string(path).unwrap().lines().count() > MAX_LINES);
    assert_eq!(long.collect::<Vec<_>>(), Vec::<PathBuf>::new());
}

#[test]
fn the_checker_finds_an_import_that_climbs_and_only_that() {
    let code = r##"
        //! See [`crate::engine`].
        use crate::time::Timestamp;
        use crate::{event::{Event, EventKey}, store::{self, Store}};
        /* crate::engine /* crate::engine */ */
        const TEXT: &str = "crate::engine \" crate::engine";
        const RAW: &str = r#"crate::engine " "#;
        const QUOTE: (char, char) = ('"', '\'');
        fn f<'a>(x: &'a super::super::dispatch::Command) -> machine::Step { tokio_like(x, "async") }
        #[cfg(test)]
        use crate::engine::Clock;
        #[cfg(test)]
        mod tests { use crate::engine::Engine; fn g() { async { }; } }
        fn after() -> crate::retry::Policy { todo() }
    "##;
    let source = Source::read("fanout", 2, code);
    let names: Vec<_> = source.imports().into_iter().map(|import| import.to).collect();
    assert_eq!(names, ["time", "event", "store", "dispatch", "retry"]);
    let climbing: Vec<_> = source.imports().into_iter().filter(climbs).map(|import| import.to).collect();
    assert_eq!(climbing, ["store", "dispatch"]);
    assert!(impure_words(&source.code).is_empty());
    assert_eq!(impure_words(&code_of("async fn f() { x.await; tokio::spawn(HashMap::new()) }")).len(), 4);
}

#[test]
fn a_neighbour_in_the_row_counts_as_a_climb_and_one_s_own_module_does_not() {
    let import = |from: &str, to: &str| Import { from: from.into(), to: to.into() };
    assert!(climbs(&import("event", "endpoint")));
    assert!(climbs(&import("fanout", "machine")));
    assert!(!climbs(&import("machine", "machine")));
    assert!(!climbs(&import("dispatch", "store")));
}

struct Source {
    module: String,
    /// How many `super::` lead from this file to the crate's root.
    depth: usize,
    code: String,
}

impl Source {
    fn read(module: &str, depth: usize, text: &str) -> Self {
        Self { module: module.into(), depth, code: code_of(text) }
    }

    fn imports(&self) -> Vec<Import> {
        let climb = "super::".repeat(self.depth);
        let mut starts: Vec<_> = ["crate::", &climb]
            .iter()
            .flat_map(|root| self.code.match_indices(root).map(|(at, _)| (at, at + root.len())))
            .filter(|(at, _)| {
                !self.code[..*at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '$'))
            })
            .collect();
        starts.sort_unstable();
        let names = starts.into_iter().flat_map(|(_, end)| first_names(&self.code[end..]));
        names.map(|to| Import { from: self.module.clone(), to }).collect()
    }
}

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

fn climbs(import: &Import) -> bool {
    import.from != import.to && row(&import.to) >= row(&import.from)
}

fn impure_words(code: &str) -> Vec<&str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| IMPURE_WORDS.contains(word)).collect()
}

/// The first path segment, or those of each branch of `{a::b, c}`.
fn first_names(path: &str) -> Vec<String> {
    let name =
        |text: &str| -> String { text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut names, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(name(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// All source files but the crate's root, which shows every module, and the files of tests.
fn sources() -> Vec<Source> {
    let all = files().into_iter().filter_map(|path| {
        let inside = path.strip_prefix(src()).unwrap().with_extension("");
        let mut parts: Vec<_> = inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if parts == ["lib"] || parts.iter().any(|part| part == "tests") {
            return None;
        }
        parts.retain(|part| part != "mod");
        Some(Source::read(&parts[0], parts.len(), &fs::read_to_string(&path).unwrap()))
    });
    let all: Vec<_> = all.collect();
    assert!(all.len() > 30, "the source was not found");
    all
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files() -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![src()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The text without comments, literals, and what is compiled for tests only.
fn code_of(text: &str) -> String {
    without_tests(&without_literals(text))
}

fn without_literals(text: &str) -> String {
    let (mut code, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(c) = rest.chars().next() {
        let literal = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = raw_string(rest) {
            length
        } else if c == '"' {
            quoted(rest, '"')
        } else if c == '\'' && (rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'')) {
            quoted(rest, '\'')
        } else {
            // An identifier goes whole, so that the r of `for` begins no raw string.
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let length = word.max(c.len_utf8());
            code.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        };
        code.push(' ');
        rest = &rest[literal..];
    }
    code
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 || at >= text.len() {
            return at.min(text.len());
        }
    }
}

fn raw_string(text: &str) -> Option<usize> {
    let start = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = start.len() - start.trim_start_matches('#').len();
    let body = start[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    Some(text.len() - body.len() + body.find(&close).map_or(body.len(), |at| at + close.len()))
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Drops each item under `#[cfg(test)]`: to its semicolon or its closing brace.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let (mut kept, mut rest) = (String::new(), code);
    while let Some(at) = rest.find(MARK) {
        kept.push_str(&rest[..at]);
        let item = &rest[at + MARK.len()..];
        let mut depth = 0;
        let end = item.char_indices().find(|(_, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            depth == 0 && matches!(c, ';' | '}')
        });
        rest = end.map_or("", |(end, _)| &item[end + 1..]);
    }
    kept.push_str(rest);
    kept
}
