//! The trait.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::delivery::{Delivery, NewDelivery};
use crate::event::EventKey;
use crate::id::DeliveryId;
use crate::machine::Change;
use crate::time::Timestamp;

use super::{
    ApplyOutcome, ClaimBatch, ClaimRequest, InsertOutcome, Mark, PublishBatch, StoreError, SweepRequest, Swept,
};

/// Keeps events and deliveries, and hands deliveries out under leases.
///
/// # Contract
/// Rules for all methods:
/// - **S9** What a method did is durable when it returns, to the level that the adapter's documentation states.
/// - **S10** No method but [`time`](Self::time) reads a clock; `now` going backwards is harmless.
/// - **S11** A dropped future has done all of its work or nothing.
/// - **S12** After [`StoreError::Unavailable`] the work may have been done: the caller finds out with
///   [`load`](Self::load), or repeats a method that may be repeated.
///
/// The methods have no defaults, so that a wrapper cannot forget one.
#[async_trait]
pub trait Store: Debug + Send + Sync + 'static {
    /// Stores events with their deliveries.
    ///
    /// - **S1** All or nothing for one batch, with an answer for each event. An event whose id (or idempotency
    ///   key) its tenant already has is a duplicate if the fingerprints are equal: it changes nothing and does
    ///   not stop the others. With another fingerprint it is a conflict: nothing of the batch is written. This
    ///   holds under concurrency: a unique key decides, not a check before the insert.
    ///
    /// # Errors
    /// [`StoreError::Busy`] and [`StoreError::Full`]: nothing was written. [`StoreError::Unavailable`]: S12.
    async fn insert(&self, batch: &PublishBatch) -> Result<InsertOutcome, StoreError>;

    /// Leases up to `request.limit` rows.
    ///
    /// - **S2** A row may be claimed if and only if its state is scheduled or in flight and `ready_at <= now`.
    /// - **S3** Atomic for each row, and repeatable: the same token again returns the same rows and leases no
    ///   more. A claimed row is in flight, its `ready_at` is `lease_until`, its version is one higher, and if it
    ///   was in flight before, it has lost one lease more: [`Delivery::claimed`]. No row goes to two claims at one
    ///   version.
    /// - **S4** Roughly in order of `ready_at`; never more than `limit`, never more for an endpoint than
    ///   [`Free`](super::Free) says; at least one row if any is eligible, however deep another endpoint's backlog.
    /// - **S5** `next_ready_at` is `now` if eligible rows remain, else never later than the earliest row of an
    ///   endpoint with a free number left; `None` if there is none. Rows beyond an endpoint's number do not count.
    /// - **S13** A row that cannot be read is returned as corrupt, and never blocks the batch.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: rows may be leased all the same; the same token again returns them.
    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimBatch, StoreError>;

    /// Writes changes.
    ///
    /// - **S6** Row and log rows are written in one atomic step if and only if the version, and for a leased row
    ///   the token, are those that the change expects; else [`ApplyOutcome::Stale`]. Outcomes come in the order of
    ///   the input. The same change again answers `Applied` if it is the row's last change or its log row exists
    ///   already, else `Stale`.
    /// - **S7** The changes of one call do not depend on each other: one that is stale does not stop the next.
    /// - **S8** Log rows are append-only, numbered 1..n without gaps.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: the same call may be repeated.
    async fn apply(&self, changes: &[Change]) -> Result<Vec<ApplyOutcome>, StoreError>;

    /// The deliveries with these ids, in any order; those that do not exist are left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn load(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError>;

    /// Adds deliveries to a stored event and says how many are new.
    ///
    /// - **S14** Pairs of event and endpoint that exist are skipped, so it may be repeated.
    ///
    /// # Errors
    /// [`StoreError::UnknownEvent`]; [`StoreError::Unavailable`]: repeat it.
    async fn attach(&self, event: &EventKey, deliveries: &[NewDelivery]) -> Result<usize, StoreError>;

    /// Moves one endpoint's open rows in bounded steps.
    ///
    /// - **S14** [`Hold`](super::SweepAction::Hold) moves scheduled rows to held, keeping their due time;
    ///   [`Release`](super::SweepAction::Release) held rows to scheduled; [`Cancel`](super::SweepAction::Cancel)
    ///   scheduled and held rows to cancelled, ended at `now`. Rows in flight are skipped: they end at their settle
    ///   or at the next claim. Each moved row is one version on. At most `limit` rows a call; it may be repeated.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: repeat it.
    async fn sweep(&self, request: &SweepRequest) -> Result<Swept, StoreError>;

    /// A hint whether somebody else may have written since `since`: equal marks = nobody. It answers at once if the
    /// mark is another by now; if not, it may answer at once as well (an idle engine then asks again after 1.5 s), or
    /// wait for a change, up to half a minute. Must be cheap: an engine always waits for one answer.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    ///
    /// # Cancel safety
    /// Dropping it has no effect.
    async fn changed(&self, since: Mark) -> Result<Mark, StoreError>;

    /// The store's own clock, if it has one that its users share (S10). The driver alone asks.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn time(&self) -> Result<Option<Timestamp>, StoreError>;
}
