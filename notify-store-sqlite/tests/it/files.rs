//! The file: what is opened, what is refused, and what survives.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use notify_core::NewEvent;
use notify_core::store::{DeliveryLog, InsertOutcome, Inserted, Store};
use notify_store_sqlite::{
    APPLICATION_ID, MIGRATIONS, MigrationMode, OpenError, SCHEMA_VERSION, SqliteStore, Synchronous,
};

use crate::support::*;

#[tokio::test]
async fn what_was_answered_is_there_for_the_next_process_that_opens_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify.db");
    for (round, mode) in [Synchronous::Full, Synchronous::Normal, Synchronous::Full].into_iter().enumerate() {
        let store = SqliteStore::builder(&path).synchronous(mode).open().await.unwrap();
        let id = format!("e{round}");
        publish(&store, &id, &[("ep1", due(0))]).await;
        // Read past the store: from the files alone, as after a crash.
        let seen: i64 = outside(&store).query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap();
        assert_eq!(seen, round as i64 + 1);
    }
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(claim(&store, 0, 1, 10).await.claimed.len(), 3);
    let again = published(&NewEvent::new("connection.created", BODY).unwrap(), "e1", &[]);
    let first = "e1".parse().unwrap();
    let outcome = store.insert(&batch(vec![again])).await.unwrap();
    assert_eq!(outcome, InsertOutcome::Stored(vec![Inserted::Duplicate { first, deliveries: 1 }]));
}

#[tokio::test]
async fn the_file_and_its_companions_are_for_their_owner_only() {
    let (dir, store) = in_file().await;
    publish(&store, "e1", &[("ep1", due(0))]).await;
    let mut modes = Vec::new();
    for entry in fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        modes.push((name, entry.metadata().unwrap().permissions().mode() & 0o777));
    }
    modes.sort();
    let expected = ["notify.db", "notify.db-shm", "notify.db-wal"].map(|name| (name.to_owned(), 0o600));
    assert_eq!(modes, expected);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_the_file_is_not_touched() {
    let (_dir, path) = closed_with(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 7"));
    let before = fs::read(&path).unwrap();
    let error = SqliteStore::open(&path).await.unwrap_err();
    let expected = format!(
        "sqlite store at {} has schema 7, this version of notify knows up to {SCHEMA_VERSION} (NTF-SCHEMA-NEWER)",
        path.display()
    );
    assert_eq!(error.to_string(), expected);
    assert!(matches!(error, OpenError::NewerSchema { found: 7, known: SCHEMA_VERSION, .. }));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_newer_schema_that_allows_this_code_is_opened() {
    let (_dir, path) = closed_with(&format!(
        "{} INSERT INTO layout VALUES (7, {SCHEMA_VERSION});
         PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 7",
        MIGRATIONS.concat()
    ));
    let store = SqliteStore::open(&path).await.unwrap();
    publish(&store, "e1", &[("ep1", due(0))]).await;
}

#[tokio::test]
async fn a_file_of_another_application_is_refused_and_not_touched() {
    for (sql, id) in [("CREATE TABLE theirs(x)", 0), ("PRAGMA application_id = 5", 5)] {
        let (_dir, path) = closed_with(sql);
        let before = fs::read(&path).unwrap();
        let error = SqliteStore::open(&path).await.unwrap_err();
        assert!(matches!(error, OpenError::Foreign { application_id, .. } if application_id == id), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.txt");
    fs::write(&path, "dear diary, ".repeat(500)).unwrap();
    let error = SqliteStore::open(&path).await.unwrap_err();
    assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "dear diary, ".repeat(500));
    let error = SqliteStore::open(dir.path()).await.unwrap_err();
    assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
}

#[tokio::test]
async fn a_missing_directory_is_named_and_not_made() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().join("no/notify.db"), dir.path().join("file/notify.db")] {
        fs::write(dir.path().join("file"), "").unwrap();
        let error = SqliteStore::open(&path).await.unwrap_err();
        assert!(matches!(error, OpenError::MissingDirectory { .. }), "{error:?}");
    }
    assert!(!dir.path().join("no").exists());
}

#[tokio::test]
async fn check_mode_refuses_an_older_file_and_takes_one_that_the_host_has_migrated() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify.db");
    let check = || SqliteStore::builder(&path).migrations(MigrationMode::Check).open();
    assert!(matches!(check().await.unwrap_err(), OpenError::OlderSchema { found: 0, needed: SCHEMA_VERSION, .. }));
    assert!(!path.exists());
    fs::write(&path, "").unwrap();
    assert!(matches!(check().await.unwrap_err(), OpenError::OlderSchema { found: 0, .. }));
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute_batch(&format!(
        "BEGIN; {} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT",
        MIGRATIONS.concat()
    ))
    .unwrap();
    publish(&check().await.unwrap(), "e1", &[("ep1", due(0))]).await;
}

#[tokio::test]
async fn a_file_of_each_older_version_is_brought_up_to_date_with_its_content() {
    for version in 1..MIGRATIONS.len() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify.db");
        let conn = rusqlite::Connection::open(&path).unwrap();
        conn.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; BEGIN; {} PRAGMA application_id = {APPLICATION_ID};
             PRAGMA user_version = {version}; INSERT INTO tenant(uid) VALUES ('kept'); COMMIT",
            MIGRATIONS[..version].concat()
        ))
        .unwrap();
        let store = SqliteStore::open(&path).await.unwrap();
        publish(&store, "e1", &[("ep1", due(0))]).await;
        let read = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
        assert_eq!(read("PRAGMA user_version"), SCHEMA_VERSION);
        assert_eq!(read("SELECT count(*) FROM tenant WHERE uid = 'kept'"), 1);
        assert_eq!(read("SELECT max(version) FROM layout"), SCHEMA_VERSION);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_that_open_a_new_file_at_once_all_get_the_same_store() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify.db");
    let opening: Vec<_> = (0..8)
        .map(|index| {
            let path = path.clone();
            tokio::spawn(async move {
                let store = SqliteStore::open(&path).await.unwrap();
                publish(&store, &format!("e{index}"), &[("ep1", due(0))]).await;
                store
            })
        })
        .collect();
    let mut stores = Vec::new();
    for opening in opening {
        stores.push(opening.await.unwrap());
    }
    assert_eq!(stores[0].events(&Default::default()).await.unwrap().items.len(), 8);
}

#[tokio::test]
async fn the_bundled_library_needs_no_warning() {
    let (_dir, store) = in_file().await;
    assert_eq!(store.library_warning(), None);
    let strict = SqliteStore::builder(store.path().unwrap()).strict().open().await;
    assert!(strict.is_ok());
}

/// A database that somebody made and closed.
fn closed_with(sql: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify.db");
    make(&path, sql);
    (dir, path)
}

fn make(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}
