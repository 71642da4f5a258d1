//! Publishing: from the host's event to rows that are durable.

use std::sync::Arc;
use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::event::{Event, EventPayload, NewEvent, Purpose};
use crate::fanout::fan_out;
use crate::id::EventId;
use crate::store::{InsertOutcome, Operation, PublishBatch, PublishedEvent, StoreError};
use crate::time::Timestamp;

use super::crowd::Places;
use super::error::PublishError;
use super::prepare::Prepared;
use super::reserved::Reserved;
use super::shared::Shared;
use super::stored::{announce, receipts};

/// An insert may wait for a slow disk; after this long nobody knows whether it is stored.
const INSERT_DEADLINE: Duration = Duration::from_secs(30);

/// Publishes events. A cheap handle: clone it into handlers.
#[derive(Clone, Debug)]
pub struct Publisher {
    pub(super) shared: Arc<Shared>,
}

/// What became of one published event. It is durable.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Receipt {
    /// The event's id; for a duplicate, that of the first.
    pub event_id: EventId,
    /// How many deliveries it has.
    pub deliveries: usize,
    /// Whether it had been published before: then nothing is sent again.
    pub duplicate: bool,
}

impl Publisher {
    /// Publishes a typed event for the default tenant. Returns once it is durable; each matching endpoint then gets
    /// it at least once, or its log says why not.
    ///
    /// # Errors
    /// See [`PublishError`]. After [`StoreError::Unavailable`] it may be stored all the same.
    ///
    /// # Cancel safety
    /// A dropped call has published the event or not. To find out, publish again with the same id or key.
    pub async fn publish<P: EventPayload + Sync>(&self, payload: &P) -> Result<Receipt, PublishError> {
        self.publish_event(NewEvent::of(payload)?).await
    }

    /// Publishes one event. See [`publish`](Self::publish) for errors and cancel safety.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn publish_event(&self, event: NewEvent) -> Result<Receipt, PublishError> {
        only(self.publish_all(vec![event]).await?)
    }

    /// Publishes several events, all or nothing; receipts come in their order.
    ///
    /// # Errors
    /// See [`PublishError`]: a conflict of one stores none.
    ///
    /// # Cancel safety
    /// A dropped call has published all of them or none.
    pub async fn publish_all(&self, events: Vec<NewEvent>) -> Result<Vec<Receipt>, PublishError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        self.insert(self.build_all(&events).await?).await
    }

    /// Stores a batch, and hands over in memory what it may.
    pub(super) async fn insert(&self, mut batch: PublishBatch) -> Result<Vec<Receipt>, PublishError> {
        let shared = &self.shared;
        let reserved = self.reserve(&mut batch).await;
        match shared.within(INSERT_DEADLINE, Operation::Insert, shared.store.insert(&batch)).await {
            Ok(InsertOutcome::Stored(answers)) => {
                let receipts = receipts(&batch, answers);
                announce(shared, &batch, &receipts, reserved).await;
                #[cfg(any(test, feature = "testing"))]
                super::in_order::deliver_inline(shared).await;
                if shared.is_running() {
                    // A task that publishes in a loop must not keep the engine, or other publishers, from their turn.
                    tokio::task::yield_now().await;
                }
                Ok(receipts)
            }
            Ok(InsertOutcome::Conflict { index, existing }) => {
                reserved.release_all();
                Err(PublishError::Conflict { index, existing })
            }
            Err(error) => {
                if !matches!(error, StoreError::Unavailable { .. }) {
                    reserved.release_all();
                }
                shared.store_failed(Operation::Insert, &error);
                Err(error.into())
            }
        }
    }

    /// Prepares events for an insert in the host's own transaction; see [`Prepared`]. To be called before the
    /// transaction begins: it reads the endpoints through a connection of the store's own.
    ///
    /// ```
    /// # async fn example(engine: notify_core::Engine, store: notify_core::MemoryStore)
    /// # -> Result<(), Box<dyn std::error::Error>> {
    /// use notify_core::NewEvent;
    /// use notify_core::store::Store as _;
    ///
    /// let event = NewEvent::new("invoice.paid", r#"{"invoice_id":"inv_1"}"#)?;
    /// let prepared = engine.prepare(vec![event]).await?;
    /// // Here the host's transaction begins, and its own writes happen.
    /// let outcome = store.insert(prepared.batch()).await?; // a host calls its adapter's insert_in(&tx, prepared.batch())
    /// let receipts = prepared.receipts(outcome)?;
    /// // Here the host commits.
    /// prepared.committed(&receipts).await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`publish_all`](Self::publish_all), without conflicts: those are found by the insert.
    ///
    /// # Cancel safety
    /// Dropping it has no effect.
    pub async fn prepare(&self, events: Vec<NewEvent>) -> Result<Prepared, PublishError> {
        Ok(Prepared::new(Arc::clone(&self.shared), self.build_all(&events).await?))
    }

    /// Finds places for what is due now. An engine that keeps up has some in a moment, and waiting for one costs less
    /// than a claim later; one that does not keep up refuses at once from then on.
    async fn reserve(&self, batch: &mut PublishBatch) -> Reserved {
        let shared = &self.shared;
        let mut reserved = Reserved::none(shared);
        if reserved.take(batch) == Places::Crowded {
            shared.crowd.wait(|| reserved.take(batch)).await;
        }
        reserved
    }

    async fn build_all(&self, events: &[NewEvent]) -> Result<PublishBatch, PublishError> {
        let now = self.shared.now();
        let mut batch = PublishBatch { now, events: Vec::with_capacity(events.len()) };
        for event in events {
            batch.events.push(self.build(event, now).await?);
        }
        Ok(batch)
    }

    async fn build(&self, event: &NewEvent, now: Timestamp) -> Result<PublishedEvent, PublishError> {
        let shared = &self.shared;
        let event_type = event.event_type();
        if !shared.catalogue.allows(event_type) {
            let nearest = shared.catalogue.nearest(event_type).cloned();
            return Err(PublishError::UnknownType { event_type: event_type.clone(), nearest });
        }
        let built = build_within_limit(shared, event, now)?;
        let endpoints = shared.subscribed(event).await?;
        Ok(fanned_out(event, built, &endpoints, now))
    }
}

/// The event as it is sent, if it is no larger than this engine allows.
pub(super) fn build_within_limit(shared: &Shared, event: &NewEvent, now: Timestamp) -> Result<Event, PublishError> {
    let limit = shared.max_payload;
    if event.data_len() > limit {
        return Err(PublishError::TooLarge { bytes: event.data_len(), limit });
    }
    let id = event.id().cloned().unwrap_or_else(|| EventId::from_xid(shared.xids.next(now)));
    let built = event.build(id, now);
    if built.body.len() > limit {
        return Err(PublishError::TooLarge { bytes: built.body.len(), limit });
    }
    Ok(built)
}

/// The event with a delivery for each of these endpoints that wants it.
pub(crate) fn fanned_out(
    event: &NewEvent,
    built: Event,
    endpoints: &[Arc<Endpoint>],
    now: Timestamp,
) -> PublishedEvent {
    let endpoints = endpoints.iter().map(|endpoint| &**endpoint);
    PublishedEvent {
        deliveries: fan_out(&built.key, event.event_type(), endpoints, event.due_at(now)),
        event: Arc::new(built),
        fingerprint: event.fingerprint(),
        idempotency_key: event.idempotency_key().cloned(),
        purpose: Purpose::Live,
    }
}

/// The receipt of the one event that was published.
pub(super) fn only(mut receipts: Vec<Receipt>) -> Result<Receipt, PublishError> {
    // One answer for each event is the store's promise (S1).
    receipts.pop().ok_or_else(|| StoreError::unavailable(Operation::Insert, "the store gave no answer").into())
}
