//! The schema's versions, and how a file gets from one to the next.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use crate::OpenError;

/// `application_id` of a notify store: the bytes `ntfy`. Tells our files from those of other applications.
pub const APPLICATION_ID: u32 = 0x6e74_6679;

/// The migrations in order: the first makes version 1. For hosts that run them with their own tool, which must then
/// also set `application_id` to [`APPLICATION_ID`] and `user_version` to the number of the last one, in the same
/// transaction.
pub const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/001_initial.sql"),
    include_str!("../migrations/002_activity.sql"),
    include_str!("../migrations/003_finding.sql"),
    include_str!("../migrations/004_timing.sql"),
];

/// The newest schema this release knows.
pub const SCHEMA_VERSION: u32 = MIGRATIONS.len() as u32;

/// What to do with a file whose schema is older than this release's.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MigrationMode {
    /// Migrate it, in one transaction.
    #[default]
    Apply,
    /// Refuse it ([`OpenError::OlderSchema`]): the host migrates with a tool of its own, see [`MIGRATIONS`].
    Check,
}

/// What a file says about itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    /// No table and no mark: ours to fill.
    Empty,
    /// Ours, with this version.
    Version(u32),
}

/// Reads the marks, and refuses what is not ours or too new. Writes nothing.
pub(crate) fn inspect(conn: &Connection, path: &Path) -> Result<Found, OpenError> {
    let failed = |error| OpenError::sqlite(path, error);
    // One statement, so one snapshot: another process may be filling the file just now, and its tables without its
    // mark would look like a stranger's.
    let (application_id, found, tables): (i32, i32, i64) = conn
        .query_row(
            "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
                    (SELECT count(*) FROM sqlite_schema)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .map_err(failed)?;
    let application_id = application_id.cast_unsigned();
    if application_id != APPLICATION_ID {
        if application_id == 0 && tables == 0 && found == 0 {
            return Ok(Found::Empty);
        }
        return Err(OpenError::Foreign { path: path.to_owned(), application_id });
    }
    let found = u32::try_from(found).unwrap_or(u32::MAX);
    if found > SCHEMA_VERSION && !may_work_on(conn, found) {
        return Err(OpenError::NewerSchema { path: path.to_owned(), found, known: SCHEMA_VERSION });
    }
    Ok(Found::Version(found))
}

/// Brings the file to [`SCHEMA_VERSION`]. The marks are read again under the write lock, so that of several
/// processes that open a new file at once one migrates and the others find it done.
pub(crate) fn migrate(conn: &Connection, path: &Path, mode: MigrationMode) -> Result<(), OpenError> {
    let failed = |error| OpenError::sqlite(path, error);
    conn.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    let migrated = inspect(conn, path).and_then(|found| {
        let version = match found {
            Found::Empty => 0,
            Found::Version(version) => version,
        };
        if version >= SCHEMA_VERSION {
            return Ok(());
        }
        if mode == MigrationMode::Check {
            return Err(OpenError::OlderSchema { path: path.to_owned(), found: version, needed: SCHEMA_VERSION });
        }
        for sql in &MIGRATIONS[version as usize..] {
            conn.execute_batch(sql).map_err(failed)?;
        }
        let marks = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};");
        conn.execute_batch(&marks).map_err(failed)
    });
    match migrated {
        Ok(()) => conn.execute_batch("COMMIT").map_err(failed),
        Err(error) => {
            // The first error tells more than one of the rollback, which ends with the connection anyway.
            let _ = conn.execute_batch("ROLLBACK");
            Err(error)
        }
    }
}

/// Whether the file's own version says that code of this release may still work on it: additive changes run side
/// by side, so that a rolling deploy works.
fn may_work_on(conn: &Connection, version: u32) -> bool {
    conn.query_row("SELECT lowest_code FROM layout WHERE version = ?1", [version], |row| row.get::<_, u32>(0))
        .optional()
        .ok()
        .flatten()
        .is_some_and(|lowest| lowest <= SCHEMA_VERSION)
}
