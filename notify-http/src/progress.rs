//! How far an attempt has come and how long that took, so that a missed deadline can say where it was missed.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use notify_core::delivery::{ConnectionUse, Part, Reason, SendFailure, Timing};
use tokio::sync::Semaphore;
use tokio::time::Instant;

tokio::task_local! {
    // The pooled client hands its connector nothing but the URI; the attempt that asked for the connection is the
    // task that polls it.
    static CURRENT: Arc<Progress>;
}

/// One attempt's progress towards a connection.
#[derive(Debug)]
pub(crate) struct Progress {
    phase: AtomicU8,
    known: Mutex<Known>,
    /// The places for connections to this attempt's host.
    pub(crate) connections: Arc<Semaphore>,
}

/// What is known of the connection that it makes.
#[derive(Debug)]
struct Known {
    peer: Option<IpAddr>,
    timing: Timing,
}

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
    /// The proxy's tunnel.
    Proxy,
    /// TLS.
    Handshake,
}

impl Progress {
    pub(crate) fn new(connections: Arc<Semaphore>) -> Self {
        let known = Known { peer: None, timing: Timing::new(ConnectionUse::New) };
        Self { phase: AtomicU8::new(Phase::Place as u8), known: Mutex::new(known), connections }
    }

    /// Runs `future` with this as its attempt.
    pub(crate) fn scope<F: Future>(self: Arc<Self>, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }

    /// The attempt of the running task.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Goes to `phase` with an address: the first to be tried, or the one that is connected.
    pub(crate) fn enter_at(&self, phase: Phase, peer: IpAddr) {
        self.known().peer = Some(peer);
        self.enter(phase);
    }

    /// Takes one step towards a connection, and keeps its length if it leads on.
    pub(crate) async fn timed<T, E>(&self, part: Part, step: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let since = Instant::now();
        let done = step.await?;
        let mut known = self.known();
        known.timing = known.timing.with(part, since.elapsed());
        Ok(done)
    }

    /// The parts that ended, of a connection of its own.
    pub(crate) fn timing(&self) -> Timing {
        self.known().timing
    }

    /// The failure of an attempt that got no connection within `limit`.
    pub(crate) fn missed(&self, limit: Duration) -> SendFailure {
        self.phase().missed(limit).at(self.peer())
    }

    /// The address that was tried or connected.
    pub(crate) fn peer(&self) -> Option<IpAddr> {
        self.known().peer
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn phase(&self) -> Phase {
        let phase = self.phase.load(Ordering::Relaxed);
        Phase::ALL.into_iter().find(|known| *known as u8 == phase).unwrap_or(Phase::Place)
    }
}

impl Phase {
    const ALL: [Self; 6] = [Self::Place, Self::Connection, Self::Lookup, Self::Connect, Self::Proxy, Self::Handshake];

    fn missed(self, limit: Duration) -> SendFailure {
        let (reason, what) = match self {
            Self::Place => (Reason::Local, "no place among the connections to this host"),
            Self::Connection => (Reason::ConnectTimeout, "no connection"),
            Self::Lookup => (Reason::Dns, "no answer from the name server"),
            Self::Connect => (Reason::ConnectTimeout, "no tcp connection"),
            // It may have waited for the receiver, but nobody can tell.
            Self::Proxy => (Reason::Local, "no tunnel through the proxy"),
            Self::Handshake => (Reason::ConnectTimeout, "no end of the tls handshake"),
        };
        SendFailure::new(reason, format!("{what} within {limit:?}"))
    }
}
