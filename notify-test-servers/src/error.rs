//! Why there is no server.

use std::path::PathBuf;

/// Why a server could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Its program is not installed: the test is skipped, see [`require`].
    #[error("{program} is not installed")]
    Missing {
        /// Which program.
        program: &'static str,
    },
    /// The machine does not let it run.
    #[error("{program} cannot be started in {}", folder.display())]
    Io {
        /// Which program.
        program: &'static str,
        /// In this folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It was started, and does not answer.
    #[error("{program} does not get ready; the end of its log: {log}")]
    NotReady {
        /// Which program.
        program: &'static str,
        /// Its last lines.
        log: String,
    },
}

/// What was started; `None`, with a line that says so, where its program is not installed.
///
/// # Panics
/// If it could not be started for any other reason, and if `NOTIFY_REQUIRE_SERVERS=1` says that it must be there.
#[must_use]
pub fn require<T>(started: Result<T, StartError>) -> Option<T> {
    match started {
        Ok(server) => Some(server),
        Err(error @ StartError::Missing { .. }) if std::env::var_os("NOTIFY_REQUIRE_SERVERS").is_none() => {
            println!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}: {error:?}"),
    }
}
