//! The kit's cases, on a file and in memory.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use notify_core::DeliveryId;
use notify_core::store::{DeliveryLog, EndpointAdmin, EndpointDirectory, Store};
use notify_core::testing::kit::{self, FixtureError, Offer, OpenedStore, StoreFixture};
use notify_store_sqlite::SqliteStore;

#[derive(Debug)]
pub(crate) struct InFile;

#[derive(Debug)]
pub(crate) struct InMemory;

#[async_trait]
impl StoreFixture for InFile {
    async fn open(&self) -> Result<Box<dyn OpenedStore>, FixtureError> {
        let dir = tempfile::tempdir().map_err(FixtureError::failed)?;
        let store = open(dir.path().join("notify.db")).await?;
        Ok(Box::new(Opened { store, dir: Some(dir) }))
    }
}

#[async_trait]
impl StoreFixture for InMemory {
    async fn open(&self) -> Result<Box<dyn OpenedStore>, FixtureError> {
        let store = SqliteStore::open_in_memory().map_err(FixtureError::failed)?;
        Ok(Box::new(Opened { store, dir: None }))
    }
}

async fn open(path: PathBuf) -> Result<SqliteStore, FixtureError> {
    SqliteStore::open(path).await.map_err(FixtureError::failed)
}

/// A store, and the directory that holds its file.
#[derive(Debug)]
struct Opened {
    store: SqliteStore,
    dir: Option<tempfile::TempDir>,
}

impl Opened {
    fn file(&self) -> Option<PathBuf> {
        self.dir.as_ref().map(|dir| dir.path().join("notify.db"))
    }
}

#[async_trait]
impl OpenedStore for Opened {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    fn directory(&self) -> Arc<dyn EndpointDirectory> {
        Arc::new(self.store.clone())
    }

    fn admin(&self) -> Offer<Arc<dyn EndpointAdmin>> {
        Offer::Yes(Arc::new(self.store.clone()))
    }

    fn log(&self) -> Offer<Arc<dyn DeliveryLog>> {
        Offer::Yes(Arc::new(self.store.clone()))
    }

    async fn another(&self) -> Result<Offer<Arc<dyn Store>>, FixtureError> {
        let Some(file) = self.file() else { return Ok(Offer::No("a database in memory has one handle")) };
        Ok(Offer::Yes(Arc::new(open(file).await?)))
    }

    async fn reopen(&mut self) -> Result<Offer<()>, FixtureError> {
        let Some(file) = self.file() else { return Ok(Offer::No("a database in memory is gone with its process")) };
        // The old handle goes first: the next one finds what a process leaves behind.
        self.store = SqliteStore::open_in_memory().map_err(FixtureError::failed)?;
        self.store = open(file).await?;
        Ok(Offer::Yes(()))
    }

    async fn corrupt(&self, delivery: &DeliveryId) -> Result<Offer<()>, FixtureError> {
        let Some(file) = self.file() else { return Ok(Offer::No("nobody else can reach a database in memory")) };
        let conn = rusqlite::Connection::open(file).map_err(FixtureError::failed)?;
        conn.busy_timeout(std::time::Duration::from_secs(5)).map_err(FixtureError::failed)?;
        conn.execute_batch("PRAGMA ignore_check_constraints = ON").map_err(FixtureError::failed)?;
        let changed = conn
            .execute("UPDATE delivery SET reason = 'no such reason' WHERE uid = ?1", [delivery.as_bytes()])
            .map_err(FixtureError::failed)?;
        assert_eq!(changed, 1, "the row is there");
        Ok(Offer::Yes(()))
    }
}

mod in_a_file {
    notify_core::store_conformance!(super::InFile);
}

mod in_memory {
    notify_core::store_conformance!(super::InMemory);
}

#[test]
fn random_calls_to_a_file_have_the_answers_of_the_model() {
    kit::compare_with_model(&InFile, 100);
}

#[test]
fn random_calls_in_memory_have_the_answers_of_the_model() {
    kit::compare_with_model(&InMemory, 1_000);
}
