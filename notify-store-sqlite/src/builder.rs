//! How a store is opened.

use std::path::PathBuf;
use std::time::Duration;

use crate::{MigrationMode, OpenError, SqliteStore};

/// What survives what. A crash of the process loses nothing in either mode.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Synchronous {
    /// Each commit is on disk before it is answered: after a power cut everything that was answered is there.
    #[default]
    Full,
    /// A power cut or a crash of the operating system may lose the last commits, never the file's integrity: an
    /// event whose publish was answered may be gone, a delivered one may be sent again, and one that failed for
    /// good may get one attempt more.
    Normal,
}

impl Synchronous {
    pub(crate) const fn pragma(self) -> &'static str {
        match self {
            Self::Full => "PRAGMA synchronous = FULL",
            Self::Normal => "PRAGMA synchronous = NORMAL",
        }
    }
}

/// What to do with a SQLite library that has the WAL-reset bug (before 3.51.3), which can corrupt a file that two
/// connections write.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OldLibrary {
    /// Open, and say so in [`SqliteStore::library_warning`].
    #[default]
    Warn,
    /// Refuse: [`OpenError::OldLibrary`].
    Refuse,
}

/// Settings of a store. Made by [`SqliteStore::builder`].
#[derive(Clone, Debug)]
pub struct SqliteBuilder {
    pub(crate) path: PathBuf,
    pub(crate) synchronous: Synchronous,
    pub(crate) migrations: MigrationMode,
    pub(crate) old_library: OldLibrary,
    pub(crate) queue_ops: usize,
    pub(crate) queue_bytes: usize,
    pub(crate) admission: Duration,
    pub(crate) lock_wait: Duration,
}

impl SqliteBuilder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            synchronous: Synchronous::default(),
            migrations: MigrationMode::default(),
            old_library: OldLibrary::default(),
            queue_ops: 4096,
            queue_bytes: 32 * 1024 * 1024,
            admission: Duration::from_secs(5),
            lock_wait: Duration::from_secs(30),
        }
    }

    /// What survives a power cut. Default: [`Synchronous::Full`].
    #[must_use]
    pub const fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// What to do with an older schema. Default: [`MigrationMode::Apply`].
    #[must_use]
    pub const fn migrations(mut self, mode: MigrationMode) -> Self {
        self.migrations = mode;
        self
    }

    /// Refuses a SQLite library with the WAL-reset bug instead of warning. The bundled one has it not.
    #[must_use]
    pub const fn strict(mut self) -> Self {
        self.old_library = OldLibrary::Refuse;
        self
    }

    /// How many calls may wait to be written, and how many bytes they may hold together. Who comes then waits, see
    /// [`admission`](Self::admission). Default: 4096 calls, 32 MiB. At least 1 each.
    #[must_use]
    pub fn queue(mut self, calls: usize, bytes: usize) -> Self {
        self.queue_ops = calls.max(1);
        self.queue_bytes = bytes.max(1);
        self
    }

    /// How long a call waits for a place in the queue before it is answered
    /// [`Busy`](notify_core::store::StoreError::Busy), nothing done. Default: 5 s.
    #[must_use]
    pub const fn admission(mut self, wait: Duration) -> Self {
        self.admission = wait;
        self
    }

    /// How long the store tries again while another process holds the write lock, before the waiting calls are
    /// answered [`Busy`](notify_core::store::StoreError::Busy), nothing done. Default: 30 s.
    #[must_use]
    pub const fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// Opens the file, and makes it (mode 0600) if there is none.
    ///
    /// # Errors
    /// See [`OpenError`]. A file that is refused is not changed.
    ///
    /// # Cancel safety
    /// A dropped call may have made or migrated the file; both may be repeated.
    pub async fn open(self) -> Result<SqliteStore, OpenError> {
        SqliteStore::open_with(self).await
    }
}
