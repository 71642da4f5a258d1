//! What can go wrong while measuring. A benchmark that met any of it has no figures.

use std::io;

/// A cause of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A failed benchmark.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The command line makes no sense.
    #[error("bad arguments; see bench --help")]
    Arguments(#[source] lexopt::Error),
    /// The operating system refused something.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// A file of `/proc` lacks a field.
    #[error("cannot find {field} in {file}: is this Linux?")]
    Proc {
        /// The file.
        file: &'static str,
        /// What is missing.
        field: &'static str,
    },
    /// A report or a job cannot be written or read.
    #[error("a report is not the JSON that was expected")]
    Json(#[source] serde_json::Error),
    /// A process that this one started failed; it has said why on standard error.
    #[error("the {what} process failed ({status})")]
    Child {
        /// Which one.
        what: &'static str,
        /// How it ended.
        status: String,
    },
    /// There is no server to measure.
    #[error("a server for the store cannot be started")]
    Server(#[source] notify_test_servers::StartError),
    /// A request to the sink failed.
    #[error("a request to the sink failed")]
    Request(#[source] BoxError),
    /// The sink answered something other than 200.
    #[error("the sink answered {0} instead of 200")]
    Status(u16),
    /// The sink did not get all of it in time.
    #[error("the sink did not have {expected} distinct events within {seconds} s")]
    Missing {
        /// How many it should have.
        expected: u64,
        /// How long was waited, in seconds.
        seconds: u64,
    },
    /// The sink refused requests.
    #[error("the sink refused {bad_signatures} wrong signatures and {malformed} malformed bodies")]
    Refused {
        /// Requests whose `x-notify-signature` is wrong or absent.
        bad_signatures: u64,
        /// Bodies without an event id.
        malformed: u64,
    },
    /// The store disagrees with what was published.
    #[error("the store counts {found} deliveries {state}, not {expected}")]
    Unsettled {
        /// The state that was counted.
        state: &'static str,
        /// How many there should be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// The run was empty.
    #[error("nothing was measured: there must be at least one run, one delivery and one task")]
    NothingMeasured,
    /// The engine or its store failed.
    #[error("cannot {what}")]
    Engine {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: BoxError,
    },
}

impl BenchError {
    /// For `map_err` on an IO result.
    pub fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }

    /// For `map_err` on a result of the engine or of a store.
    pub fn engine<E: Into<BoxError>>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Engine { what, source: source.into() }
    }

    /// For `map_err` on a request to the sink.
    pub fn request<E: Into<BoxError>>(source: E) -> Self {
        Self::Request(source.into())
    }

    /// The message with those of its causes, for people.
    #[must_use]
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
