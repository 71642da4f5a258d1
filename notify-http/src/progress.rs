//! How far an attempt has come, so that a missed deadline can say where it was missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

tokio::task_local! {
    // The pooled client hands its connector nothing but the URI; the attempt that asked for the connection is the
    // task that polls it.
    static CURRENT: Arc<Progress>;
}

/// One attempt's progress towards a connection.
#[derive(Debug, Default)]
pub(crate) struct Progress(AtomicU8);

/// What the attempt waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// A place among the connections to this host.
    Place,
    /// A connection, its own or another attempt's.
    Connection,
    /// The name.
    Lookup,
    /// TCP.
    Connect,
    /// TLS.
    Handshake,
}

impl Progress {
    /// Runs `future` with this as its attempt.
    pub(crate) fn scope<F: Future>(self: Arc<Self>, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }

    /// The attempt of the running task.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    pub(crate) fn phase(&self) -> Phase {
        [Phase::Place, Phase::Connection, Phase::Lookup, Phase::Connect, Phase::Handshake]
            .into_iter()
            .find(|phase| *phase as u8 == self.0.load(Ordering::Relaxed))
            .unwrap_or(Phase::Place)
    }
}
