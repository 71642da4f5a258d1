//! What the documents name exists.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_file_and_test_that_the_architecture_names_is_there() {
    let root = root();
    let text = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let sources = sources(&root);
    let (mut files, mut tests) = (0, 0);
    for name in text.split('`').skip(1).step_by(2) {
        if name.contains('/') && !name.contains(' ') {
            files += 1;
            assert!(root.join(name).exists(), "docs/architecture.md names {name}, which is gone");
        } else if name.len() > 20 && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')) {
            tests += 1;
            let definition = format!("fn {name}(");
            assert!(sources.contains(&definition), "docs/architecture.md names the test {name}, which is gone");
        }
    }
    assert!(
        files > 15 && tests > 40,
        "{files} files and {tests} tests were found: the reading of the document is wrong"
    );
}

#[test]
fn every_link_of_the_documents_leads_to_a_file() {
    let root = root();
    let guides = fs::read_dir(root.join("docs/guides")).unwrap();
    let mut documents: Vec<PathBuf> = guides.map(|entry| entry.unwrap().path()).collect();
    documents.extend(["README.md", "docs/architecture.md", "docs/security.md"].map(|name| root.join(name)));
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        let folder = document.parent().unwrap().to_owned();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !target.starts_with("https://") {
                assert!(folder.join(target).exists(), "{} links to {target}, which is gone", document.display());
            }
        }
    }
}

/// Outlined: at most 160 lines, and code by line 12.
#[test]
fn the_readme_is_short_and_begins_with_code() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(text.lines().count() <= 160);
    assert!(text.lines().take(12).any(|line| line.starts_with("```rust")));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All Rust source of the workspace's crates.
fn sources(root: &Path) -> String {
    let mut text = String::new();
    let crates = [
        "notify-core",
        "notify-http",
        "notify-http/providers",
        "notify-dashboard",
        "notify-store-redis",
        "notify-store-sqlite",
        "examples",
    ];
    let mut folders: Vec<PathBuf> =
        crates.iter().flat_map(|name| [root.join(name).join("src"), root.join(name).join("tests")]).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    text
}
