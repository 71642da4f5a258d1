//! notify's embedded store: one SQLite file, one thread that writes, group commit.
//!
//! ```no_run
//! # async fn example() -> Result<(), notify_store_sqlite::OpenError> {
//! let store = notify_store_sqlite::SqliteStore::open("notify.db").await?;
//! if let Some(warning) = store.library_warning() {
//!     eprintln!("{warning}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A host whose own tables are in the same file publishes inside its own transaction with [`insert_in`].
//!
//! The file must be on a local disk: SQLite's write-ahead log needs memory that all its users share, which no network
//! file system offers. Never copy or open the live file by other means than SQLite: closing it would drop the locks of
//! this process. A process that forks must open the store after the fork.

mod builder;
mod error;
mod migrations;
mod open;
mod queue;
mod read;
mod rows;
mod store;
mod transaction;
mod watch;
mod write;

pub use builder::{OldLibrary, SqliteBuilder, Synchronous};
pub use error::OpenError;
pub use migrations::{APPLICATION_ID, MIGRATIONS, MigrationMode, SCHEMA_VERSION};
pub use rusqlite;
pub use store::SqliteStore;
pub use transaction::{InsertInError, insert_in};
