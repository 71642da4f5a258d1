//! Publishing inside the host's own transaction: everything of a publish but the insert.

use std::sync::Arc;

use crate::store::{InsertOutcome, PublishBatch};

use super::error::PublishError;
use super::publisher::Receipt;
use super::reserved::Reserved;
use super::shared::Shared;
use super::stored::{announce, receipts};

/// Events that are checked, built and matched with their endpoints, for the host to insert in a transaction of its
/// own: with the adapter's `insert_in`, such as `notify_store_sqlite::insert_in`. Made by
/// [`Engine::prepare`](super::Engine::prepare).
///
/// Nothing is stored, and dropping it has no effect. Every delivery is due at once (or at the event's
/// [`not_before`](crate::NewEvent::not_before)), none is leased: until the host commits, no engine sees it. An
/// endpoint that is created after the preparation gets nothing; one that is disabled or deleted after it is caught
/// before the first attempt.
#[derive(Clone, Debug)]
#[must_use = "nothing is stored: give its batch to the adapter's insert_in"]
pub struct Prepared {
    shared: Arc<Shared>,
    batch: PublishBatch,
}

impl Prepared {
    pub(super) const fn new(shared: Arc<Shared>, batch: PublishBatch) -> Self {
        Self { shared, batch }
    }

    /// What to insert.
    #[must_use]
    pub const fn batch(&self) -> &PublishBatch {
        &self.batch
    }

    /// What the insert's outcome means: one receipt for each event, in order. They hold once the host has committed.
    ///
    /// # Errors
    /// [`PublishError::Conflict`]: nothing of the batch is in the transaction, which is still the host's to commit or
    /// to roll back.
    pub fn receipts(&self, outcome: InsertOutcome) -> Result<Vec<Receipt>, PublishError> {
        match outcome {
            InsertOutcome::Stored(answers) => Ok(receipts(&self.batch, answers)),
            InsertOutcome::Conflict { index, existing } => Err(PublishError::Conflict { index, existing }),
        }
    }

    /// Tells this process's engine that the host has committed, so that it sends at once. To be called **after** the
    /// commit: before it, there is nothing to see yet.
    ///
    /// Without this call nothing is lost: a running engine finds the commit by itself, in about two seconds at most.
    /// But a delivery that was born held, because its endpoint was disabled then, stays held if the endpoint was
    /// enabled before the commit; this call looks after that as well.
    ///
    /// # Cancel safety
    /// A dropped call has told the engine or not; see above for what is then left to itself.
    pub async fn committed(self, receipts: &[Receipt]) {
        announce(&self.shared, &self.batch, receipts, Reserved::none(&self.shared)).await;
        #[cfg(any(test, feature = "testing"))]
        super::in_order::deliver_inline(&self.shared).await;
    }
}
