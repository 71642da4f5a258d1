//! Files and connections.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::migrations::{inspect, migrate};
use crate::{MigrationMode, OpenError, SqliteBuilder, Synchronous};

/// The first release without the WAL-reset bug.
const SOUND_LIBRARY: i32 = 3_051_003;

/// How long SQLite waits for a lock within one statement.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const STATEMENTS: usize = 128;

/// On every connection, whatever it is for.
const COMMON: &str = "
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA mmap_size = 0;";

/// Automatic checkpoints are off because the writer makes them between its batches. Deleted secrets are overwritten.
const WRITER: &str = "
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA secure_delete = FAST;
    PRAGMA cache_size = -32768;";

/// What is wrong with the SQLite library, if anything.
pub(crate) fn library_warning() -> Option<String> {
    (rusqlite::version_number() < SOUND_LIBRARY).then(|| {
        format!("sqlite library {} can corrupt a database in WAL mode; 3.51.3 or newer is needed", rusqlite::version())
    })
}

/// Makes, checks and migrates the file, and returns the connection that writes.
pub(crate) fn open_writer(builder: &SqliteBuilder) -> Result<Connection, OpenError> {
    let path = builder.path.as_path();
    let failed = |error| OpenError::sqlite(path, error);
    if make_file(path, builder.migrations)? == Place::Existed {
        // Read-only first: a file that is not ours must not even be checkpointed.
        let probe =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
                .map_err(|error| cannot_open(path, error))?;
        probe.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        inspect(&probe, path)?;
    }
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| cannot_open(path, error))?;
    prepare_writer(&conn, path, builder.synchronous, builder.migrations)?;
    Ok(conn)
}

/// A database in memory, with one connection for everything.
pub(crate) fn open_memory() -> Result<Connection, OpenError> {
    let path = Path::new(":memory:");
    let failed = |error| OpenError::sqlite(path, error);
    let conn = Connection::open_in_memory().map_err(failed)?;
    conn.execute_batch(COMMON).map_err(failed)?;
    keep_plans(&conn).map_err(failed)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    migrate(&conn, path, MigrationMode::Apply)?;
    Ok(conn)
}

/// A connection that can only read.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    let failed = |error| OpenError::sqlite(path, error);
    // Not opened read-only: the last one to leave a WAL file tidies up, and a reader may be the last.
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(failed)?;
    conn.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    conn.execute_batch(COMMON).map_err(failed)?;
    keep_plans(&conn).map_err(failed)?;
    conn.execute_batch("PRAGMA query_only = ON").map_err(failed)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(conn)
}

/// Without this a statement is planned anew each time a bound value changes, in case another plan were better for it:
/// that costs more than most of our statements take.
fn keep_plans(conn: &Connection) -> rusqlite::Result<bool> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
}

pub(crate) fn prepare_writer(
    conn: &Connection,
    path: &Path,
    synchronous: Synchronous,
    mode: MigrationMode,
) -> Result<(), OpenError> {
    let failed = |error| OpenError::sqlite(path, error);
    conn.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    conn.execute_batch(COMMON).map_err(failed)?;
    keep_plans(conn).map_err(failed)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // Before the switch below, which is the first write: whoever owns the file, it must be told now.
    inspect(conn, path)?;
    enter_wal(conn, path)?;
    conn.execute_batch(synchronous.pragma()).map_err(failed)?;
    conn.execute_batch(WRITER).map_err(failed)?;
    migrate(conn, path, mode)
}

/// SQLite does not use the busy timeout for this switch, and several processes may open a new file at once.
fn enter_wal(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            // Where the switch is impossible SQLite says so by naming the old mode.
            Ok(_) => return Err(OpenError::ReadOnly { path: path.to_owned() }),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(OpenError::sqlite(path, error)),
        }
    }
}

#[derive(Debug, Eq, PartialEq)]
enum Place {
    Made,
    Existed,
}

/// Makes the file with mode 0600 before SQLite sees it: SQLite would use the umask, and `-wal` and `-shm` take the
/// mode of the file. An existing file is never opened here: closing it would drop the locks that other stores of
/// this process hold on it.
fn make_file(path: &Path, mode: MigrationMode) -> Result<Place, OpenError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(OpenError::NotADatabase { path: path.to_owned() }),
        Ok(_) => return Ok(Place::Existed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(OpenError::io(path, error)),
    }
    if mode == MigrationMode::Check {
        let needed = crate::SCHEMA_VERSION;
        return Err(OpenError::OlderSchema { path: path.to_owned(), found: 0, needed });
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(Place::Made),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Place::Existed),
        Err(error) => Err(OpenError::io(path, error)),
    }
}

/// SQLite says only that it cannot; the system says why.
fn cannot_open(path: &Path, error: rusqlite::Error) -> OpenError {
    if error.sqlite_error_code() != Some(ErrorCode::CannotOpen) {
        return OpenError::sqlite(path, error);
    }
    match fs::metadata(path) {
        Ok(_) => OpenError::Permission { path: path.to_owned() },
        Err(why) => OpenError::io(path, why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_is_read_only() {
        // By the open flag: whoever runs the tests may be allowed to write anything.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify.db");
        fs::write(&path, "").unwrap();
        let conn = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let error = prepare_writer(&conn, &path, Synchronous::Full, MigrationMode::Apply).unwrap_err();
        assert!(matches!(error, OpenError::ReadOnly { .. }), "{error:?}");
    }
}
