//! What the handles and the driver share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::dispatch::{DispatchConfig, DispatchInput, Dispatcher};
use crate::endpoint::Endpoint;
use crate::event::NewEvent;
use crate::id::XidSource;
use crate::observe::{Observation, Observer};
use crate::store::{DeliveryLog, EndpointAdmin, EndpointDirectory, Operation, Store, StoreError};
use crate::time::Timestamp;
use crate::transport::Transport;

use super::catalogue::Catalogue;
use super::clock::Clock;
use super::crowd::Crowd;
use super::entropy::Entropy;
use super::secrets::Reveal;
use super::subscriptions::Subscriptions;
use super::timekeeper::Timekeeper;

/// A store call that takes longer has failed, as far as the engine is concerned.
pub(super) const STORE_DEADLINE: Duration = Duration::from_secs(5);

/// So often a write is tried again after somebody else wrote first. Of those who race one gets through each time, so
/// as many as this may race and all land.
pub(super) const RACES: usize = 256;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Arc<dyn Store>,
    pub(super) directory: Arc<dyn EndpointDirectory>,
    pub(super) admin: Arc<dyn EndpointAdmin>,
    pub(super) log: Arc<dyn DeliveryLog>,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) config: DispatchConfig,
    pub(super) max_payload: usize,
    pub(super) grace: Duration,
    pub(super) reveal: Reveal,
    pub(super) catalogue: Catalogue,
    pub(super) xids: XidSource,
    pub(super) time: Mutex<Timekeeper>,
    pub(super) subscriptions: Mutex<Subscriptions>,
    /// There while `run` is polled. Publishers reserve slots in it.
    pub(super) dispatcher: Mutex<Option<Dispatcher>>,
    pub(super) inbox: Mutex<Inbox>,
    pub(super) bell: Notify,
    /// Publishers that wait for a place.
    pub(super) crowd: Crowd,
    /// Whether a publish sends what is due before it returns: one at a time, and only in tests.
    #[cfg(any(test, feature = "testing"))]
    pub(super) inline: Option<tokio::sync::Mutex<()>>,
}

/// Which run of this engine.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct RunNumber(u64);

/// What the dispatcher has not heard yet. An answer to an earlier run (a call that came back late, an attempt that
/// was cut off, a slot reserved there) must not reach the next one, which would take it for an answer to a question
/// of its own: an endpoint that was not asked for would count as deleted.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    run: RunNumber,
    inputs: Vec<DispatchInput>,
}

impl Inbox {
    /// Begins the next run, with nothing in the inbox.
    pub(super) fn begin(&mut self) -> RunNumber {
        self.run.0 += 1;
        self.inputs.clear();
        self.run
    }

    pub(super) const fn run(&self) -> RunNumber {
        self.run
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    pub(super) fn take(&mut self) -> Vec<DispatchInput> {
        std::mem::take(&mut self.inputs)
    }
}

impl Shared {
    /// The engine's time: see [`Timekeeper`].
    pub(super) fn now(&self) -> Timestamp {
        let monotonic = self.clock.monotonic();
        let mut time = lock(&self.time);
        if time.is_neglected(monotonic) {
            time.correct(self.clock.wall(), monotonic);
        }
        time.now(monotonic)
    }

    /// Gives the driver an input that belongs to `run`; if that run is over, it is dropped.
    pub(super) fn push(&self, run: RunNumber, input: DispatchInput) {
        {
            let mut inbox = lock(&self.inbox);
            if inbox.run != run {
                return;
            }
            inbox.inputs.push(input);
        }
        self.bell.notify_one();
    }

    /// The same, for a hint that is worth nothing while no driver lives.
    pub(super) fn push_if_running(&self, input: DispatchInput) {
        if self.is_running() {
            lock(&self.inbox).inputs.push(input);
            self.bell.notify_one();
        }
    }

    pub(super) fn is_running(&self) -> bool {
        lock(&self.dispatcher).is_some()
    }

    pub(super) fn observe(&self, observation: &Observation<'_>) {
        if let Some(observer) = &self.observer {
            // A host's observer that panics must neither end the run nor, from a drop, the process.
            let heard = catch_unwind(AssertUnwindSafe(|| observer.observe(observation)));
            drop(heard);
        }
    }

    pub(super) fn store_failed(&self, operation: Operation, error: &StoreError) {
        let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
        self.observe(&Observation::StoreFailed { operation: operation.as_str(), error: &format!("{error}{source}") });
    }

    /// The endpoints that want this event, at most a second old.
    pub(super) async fn subscribed(&self, event: &NewEvent) -> Result<Arc<[Arc<Endpoint>]>, StoreError> {
        let of = (event.tenant().clone(), event.event_type().clone());
        let read_at = self.clock.monotonic();
        let generation = {
            let cache = lock(&self.subscriptions);
            if let Some(endpoints) = cache.get(&of, read_at) {
                return Ok(endpoints);
            }
            cache.generation()
        };
        let endpoints =
            self.within(STORE_DEADLINE, Operation::Endpoints, self.directory.subscribed(&of.0, &of.1)).await?;
        let endpoints: Arc<[Arc<Endpoint>]> = endpoints.into();
        lock(&self.subscriptions).put(of, &endpoints, read_at, generation);
        Ok(endpoints)
    }

    /// `work`, or [`StoreError::Unavailable`] after `deadline`.
    pub(super) async fn within<T>(
        &self,
        deadline: Duration,
        operation: Operation,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        tokio::select! {
            biased;
            answer = work => answer,
            () = self.clock.sleep(deadline) => {
                Err(StoreError::unavailable(operation, format!("no answer within {} s", deadline.as_secs())))
            }
        }
    }
}

/// A lock whose holder panicked is taken all the same: what it guards is replaced as a whole, never half.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
