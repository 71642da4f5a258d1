//! Publishing inside the host's own transaction.

use notify_core::store::{InsertOutcome, PublishBatch};
use rusqlite::Connection;

use crate::migrations::APPLICATION_ID;
use crate::write::{Keys, Tx, insert};

/// Stores events with their deliveries in the transaction that is open on `conn` (S1): they are there if and only
/// if the host commits. `conn` is the host's own connection to the store's file, whose tables live beside notify's;
/// a [`Transaction`](rusqlite::Transaction) derefs to it. The batch comes from [`Engine::prepare`].
///
/// After the commit, [`Prepared::committed`] has this process's engine send at once; others see it within two seconds.
/// Begin with `BEGIN IMMEDIATE`: a transaction that reads first and
/// writes later fails at once when somebody wrote between.
///
/// [`Engine::prepare`]: notify_core::Engine::prepare
/// [`Prepared::committed`]: notify_core::engine::Prepared::committed
///
/// # Errors
/// [`InsertInError`]. The transaction stays open and usable, with nothing of the batch in it.
pub fn insert_in(conn: &Connection, batch: &PublishBatch) -> Result<InsertOutcome, InsertInError> {
    if conn.is_autocommit() {
        return Err(InsertInError::NoTransaction);
    }
    let application_id: i32 = conn.query_row("PRAGMA main.application_id", [], |row| row.get(0))?;
    if application_id.cast_unsigned() != APPLICATION_ID {
        return Err(InsertInError::NotAStore);
    }
    conn.execute_batch("SAVEPOINT notify_insert")?;
    let mut keys = Keys::default();
    let mut tx = Tx::new(conn, &mut keys);
    match insert(&mut tx, batch).and_then(|outcome| tx.finish().map(|_| outcome)) {
        Ok(outcome) => {
            conn.execute_batch("RELEASE notify_insert")?;
            Ok(outcome)
        }
        Err(error) => {
            // The first error tells more than one of the way back.
            let _ = conn.execute_batch("ROLLBACK TO notify_insert; RELEASE notify_insert");
            Err(error.into())
        }
    }
}

/// Why nothing was stored in the host's transaction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InsertInError {
    /// The connection is in no transaction: the event would be there without the host's own write, or the write
    /// without the event.
    #[error("cannot publish in the host's transaction: the connection is in none (NTF-STORE-NO-TRANSACTION)")]
    NoTransaction,
    /// The connection's main database is no notify store.
    #[error("cannot publish in the host's transaction: its database is no notify store (NTF-STORE-FOREIGN)")]
    NotAStore,
    /// SQLite's own error.
    #[error("cannot publish in the host's transaction (NTF-STORE-UNAVAILABLE)")]
    Sqlite(#[from] rusqlite::Error),
}
