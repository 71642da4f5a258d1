//! The handle that a host holds.

use std::sync::Arc;

use crate::dispatch::StopReport;
use crate::event::{EventPayload, NewEvent};
use crate::retry::Policy;
use crate::store::{DeliveryLog, EndpointAdmin, EndpointDirectory, Store, StoreError};
use crate::time::Timestamp;

use super::builder::EngineBuilder;
use super::catalogue::Catalogue;
use super::deliveries::Deliveries;
use super::driver::{Driver, Round};
use super::endpoints::Endpoints;
use super::error::{PublishError, RunError};
use super::history::History;
use super::prepare::Prepared;
use super::publisher::{Publisher, Receipt};
use super::shared::{Shared, lock};

/// Sends webhooks from inside the host's service. A cheap handle: clones are the same engine.
///
/// Several engines can live in one process, and several processes can share one store.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(super) shared: Arc<Shared>,
}

/// How the engine does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// Whether `run` is being polled in this process.
    pub running: bool,
    /// How many attempts are in flight in this process.
    pub in_flight: u32,
}

impl Engine {
    /// Starts building an engine on `store`.
    pub fn builder<S>(store: S) -> EngineBuilder
    where
        S: Store + EndpointDirectory + EndpointAdmin + DeliveryLog,
    {
        EngineBuilder::new(store)
    }

    pub(super) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared) }
    }

    /// Sends what is due, until `shutdown` completes and the stop is over: no new claims, what was not sent goes
    /// back, attempts in flight may end within the grace period, what is left is cut off and due again at once.
    ///
    /// Nothing is sent unless this future is polled, in this process or in another on the same store. At its start and
    /// every ten minutes it looks for held deliveries whose endpoint is enabled or deleted: whoever wrote them may have
    /// died before it could see that.
    ///
    /// # Errors
    /// It is being polled already, or there is no randomness.
    ///
    /// # Cancel safety
    /// Dropping it cuts everything off at once. Nothing is lost: what was in flight is claimed again when its lease
    /// ends (by default 50 s after it was claimed), and the receiver may see it twice.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) -> Result<StopReport, RunError> {
        Ok(Driver::start(Arc::clone(&self.shared))?.run(shutdown).await)
    }

    /// Sends what is due now, and what becomes due meanwhile, and returns: for cron hosts and tests. Looks once at what
    /// is held, as [`run`](Self::run) does, at the newest 9,900 of it.
    ///
    /// # Errors
    /// As [`run`](Self::run), and [`RunError::StoreUnavailable`] once five claims in a row have failed and the grace
    /// period is over, so that a cron job ends.
    ///
    /// # Cancel safety
    /// As [`run`](Self::run).
    pub async fn run_once(&self) -> Result<Round, RunError> {
        Driver::start(Arc::clone(&self.shared))?.run_once().await
    }

    /// A handle that only publishes.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        Publisher { shared: Arc::clone(&self.shared) }
    }

    /// Publishes a typed event: see [`Publisher::publish`].
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn publish<P: EventPayload + Sync>(&self, payload: &P) -> Result<Receipt, PublishError> {
        self.publisher().publish(payload).await
    }

    /// Publishes one event: see [`Publisher::publish_event`].
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn publish_event(&self, event: NewEvent) -> Result<Receipt, PublishError> {
        self.publisher().publish_event(event).await
    }

    /// Publishes several events, all or nothing: see [`Publisher::publish_all`].
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn publish_all(&self, events: Vec<NewEvent>) -> Result<Vec<Receipt>, PublishError> {
        self.publisher().publish_all(events).await
    }

    /// Prepares events for an insert in the host's own transaction: see [`Publisher::prepare`].
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn prepare(&self, events: Vec<NewEvent>) -> Result<Prepared, PublishError> {
        self.publisher().prepare(events).await
    }

    /// Registers, reads and changes endpoints.
    #[must_use]
    pub fn endpoints(&self) -> Endpoints {
        Endpoints::new(Arc::clone(&self.shared))
    }

    /// Sends single deliveries again, or cancels them.
    #[must_use]
    pub fn deliveries(&self) -> Deliveries {
        Deliveries::new(Arc::clone(&self.shared))
    }

    /// Reads what happened.
    #[must_use]
    pub fn history(&self) -> History {
        History::new(Arc::clone(&self.shared))
    }

    /// The registered event types.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.shared.catalogue
    }

    /// The policy of endpoints that have none of their own.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.shared.config.policy
    }

    /// The engine's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.now()
    }

    /// Whether the store answers, and what this process does.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn health(&self) -> Result<Health, StoreError> {
        let shared = &self.shared;
        let ping = shared.store.changed(crate::store::Mark::default());
        shared.within(super::shared::STORE_DEADLINE, crate::store::Operation::Poll, ping).await?;
        let slot = lock(&shared.dispatcher);
        let in_flight = slot.as_ref().map_or(0, crate::dispatch::Dispatcher::in_flight);
        Ok(Health { running: slot.is_some(), in_flight })
    }
}
