//! Whether somebody wrote: no transaction, no table, no other thread.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use notify_core::store::{Operation, StoreError};
use rusqlite::Connection;

/// Asked on the caller's thread, so it must not wait for a lock.
const PATIENCE: Duration = Duration::from_millis(10);

/// A connection that does nothing but look at the file's version: a few microseconds, and no wake-up of a thread.
/// Commits of any other connection change it, this store's own included; a claim that leases nothing writes nothing.
pub(crate) struct Watch(Mutex<Connection>);

impl Watch {
    pub(crate) fn new(conn: Connection) -> rusqlite::Result<Self> {
        conn.busy_timeout(PATIENCE)?;
        Ok(Self(Mutex::new(conn)))
    }

    pub(crate) fn version(&self) -> Result<u64, StoreError> {
        // Nothing panics while the lock is held; should it be poisoned all the same, the connection is intact.
        let conn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = conn
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get::<_, i64>(0)));
        found.map(i64::unsigned_abs).map_err(|error| StoreError::unavailable(Operation::Poll, error))
    }
}
