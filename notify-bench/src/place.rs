//! Where a store's data lie while it is measured.

use std::fs;
use std::path::Path;

use notify_test_servers::{AOF_EVERY_SECOND, RedisServer};
use tempfile::TempDir;

use crate::error::BenchError;
use crate::storage::Storage;

/// A directory, and for Redis a server that keeps its file in it. Dropped, both are gone.
#[derive(Debug)]
pub struct Place {
    address: String,
    // Before the directory, which the server writes to as long as it lives.
    server: Option<RedisServer>,
    directory: TempDir,
}

impl Place {
    /// A new place in `parent`, with nothing in it.
    ///
    /// # Errors
    /// The directory cannot be made, or the server does not start.
    pub fn new(storage: Storage, parent: &Path) -> Result<Self, BenchError> {
        let directory =
            tempfile::tempdir_in(parent).map_err(BenchError::io("cannot make a directory for the database"))?;
        let path = directory.path().display().to_string();
        let server = match storage {
            Storage::Memory | Storage::Sqlite { .. } => None,
            Storage::Redis => {
                let settings = [AOF_EVERY_SECOND, &[("dir", &path)]].concat();
                Some(RedisServer::start(&settings).map_err(BenchError::Server)?)
            }
        };
        let address = server.as_ref().map_or_else(|| format!("{path}/bench.db"), RedisServer::url);
        Ok(Self { address, server, directory })
    }

    /// SQLite's file, which does not exist yet, or the server's URL.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Size of all of SQLite's files; `None` for other stores.
    ///
    /// # Errors
    /// A size cannot be read.
    pub fn bytes(&self) -> Result<Option<u64>, BenchError> {
        let what = "cannot read the size of the store's files";
        let mut sum = 0;
        for entry in fs::read_dir(self.directory.path()).map_err(BenchError::io(what))? {
            sum += entry.and_then(|entry| entry.metadata()).map_err(BenchError::io(what))?.len();
        }
        Ok((sum > 0 && self.server.is_none()).then_some(sum))
    }
}
