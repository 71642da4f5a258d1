//! Why a file was not opened.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// A store that could not be opened: a variant for each thing a host can do. A file that is refused is not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A newer release has migrated the file. Upgrade this process, or restore the backup taken at the upgrade.
    #[error("sqlite store at {} has schema {found}, this version of notify knows up to {known} (NTF-SCHEMA-NEWER)", .path.display())]
    NewerSchema {
        /// Which file.
        path: PathBuf,
        /// The file's version.
        found: u32,
        /// The newest version this release knows.
        known: u32,
    },
    /// The file has to be migrated first, and [`MigrationMode::Check`](crate::MigrationMode::Check) forbids it.
    #[error("sqlite store at {} has schema {found}, this version of notify needs {needed} (NTF-SCHEMA-OLDER)", .path.display())]
    OlderSchema {
        /// Which file.
        path: PathBuf,
        /// The file's version; 0 = there is none yet.
        found: u32,
        /// The version it must have.
        needed: u32,
    },
    /// It is an SQLite database of another application.
    #[error("sqlite database at {} belongs to another application: its application_id is {application_id:#010x} (NTF-STORE-FOREIGN)", .path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// The id it carries; 0 = it carries none but has tables.
        application_id: u32,
    },
    /// It is no SQLite database at all.
    #[error("file {} is not a sqlite database (NTF-STORE-NOT-A-DATABASE)", .path.display())]
    NotADatabase {
        /// Which file.
        path: PathBuf,
    },
    /// The file or its directory cannot be written.
    #[error("sqlite store at {} is read-only: the file and its directory must be writable (NTF-STORE-READ-ONLY)", .path.display())]
    ReadOnly {
        /// Which file.
        path: PathBuf,
    },
    /// The directory does not exist. It is not created, since a mistyped path would go unnoticed.
    #[error("directory of sqlite store {} does not exist (NTF-STORE-DIRECTORY)", .path.display())]
    MissingDirectory {
        /// Which file.
        path: PathBuf,
    },
    /// This process may not open the file.
    #[error("no permission to open sqlite store at {} (NTF-STORE-PERMISSION)", .path.display())]
    Permission {
        /// Which file.
        path: PathBuf,
    },
    /// The SQLite library has the WAL-reset bug (before 3.51.3), and the builder is strict.
    #[error("sqlite library {version} can corrupt a database in WAL mode; 3.51.3 or newer is needed (NTF-SQLITE-OLD)")]
    OldLibrary {
        /// The library's version.
        version: String,
    },
    /// Another process kept the file locked for the whole time that was waited.
    #[error("sqlite store at {} stayed locked by another process (NTF-STORE-LOCKED)", .path.display())]
    Locked {
        /// Which file.
        path: PathBuf,
    },
    /// Anything else that SQLite reports.
    #[error("sqlite store at {} cannot be opened (NTF-STORE-OPEN)", .path.display())]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// Anything else that the operating system reports.
    #[error("sqlite store at {} cannot be opened (NTF-STORE-OPEN)", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl OpenError {
    pub(crate) fn sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            Some(ErrorCode::PermissionDenied) => Self::Permission { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            _ => Self::Sqlite { path, source },
        }
    }

    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::MissingDirectory { path },
            io::ErrorKind::PermissionDenied => Self::Permission { path },
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            _ => Self::Io { path, source },
        }
    }
}
