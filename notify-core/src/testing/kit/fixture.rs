//! What the author of a store hands to the kit.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::id::DeliveryId;
use crate::store::{BoxError, DeliveryLog, EndpointAdmin, EndpointDirectory, Store};

/// Opens stores for the kit: one for each case.
#[async_trait]
pub trait StoreFixture: Debug + Send + Sync + 'static {
    /// A new, empty store of its own (its own file, schema or key prefix): cases run at the same time and never
    /// share one. Whatever it occupies may be freed when the opened store is dropped.
    ///
    /// # Errors
    /// [`FixtureError::Skipped`] where the server that it needs is missing; [`FixtureError::Failed`] for anything
    /// else.
    async fn open(&self) -> Result<Box<dyn OpenedStore>, FixtureError>;
}

/// One opened store, and what a case may need beside its methods.
///
/// What a store does not offer is answered with [`Offer::No`] and a reason: the cases that need it are then shown in
/// the report as not offered, neither passed nor failed.
#[async_trait]
pub trait OpenedStore: Debug + Send + Sync {
    /// The store.
    fn store(&self) -> Arc<dyn Store>;

    /// The directory that knows its endpoints: the store itself, in most cases.
    fn directory(&self) -> Arc<dyn EndpointDirectory>;

    /// Its administration of endpoints; `No` for a store whose host keeps them.
    fn admin(&self) -> Offer<Arc<dyn EndpointAdmin>>;

    /// Its log.
    fn log(&self) -> Offer<Arc<dyn DeliveryLog>>;

    /// Another handle on the same data, as another process has; `No` for a store of one process.
    ///
    /// # Errors
    /// It cannot be opened.
    async fn another(&self) -> Result<Offer<Arc<dyn Store>>, FixtureError>;

    /// Closes the store and opens the same data again, as a process does that restarts: the accessors then give
    /// the new handles. `No` for a store that is gone with its process.
    ///
    /// # Errors
    /// It cannot be opened again.
    async fn reopen(&mut self) -> Result<Offer<()>, FixtureError>;

    /// Makes the row of `delivery` unreadable behind the store's back: a column that is no word of the contract, a
    /// blob cut short. `No` where nobody can write past the store.
    ///
    /// # Errors
    /// The row could not be damaged.
    async fn corrupt(&self, delivery: &DeliveryId) -> Result<Offer<()>, FixtureError>;
}

/// Something that a store has or has not.
#[derive(Clone, Debug)]
pub enum Offer<T> {
    /// It has it.
    Yes(T),
    /// It has it not, for this reason: half a sentence for the report.
    No(&'static str),
}

/// Why there is no store to test.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FixtureError {
    /// What it needs is not there, such as a server. The cases are skipped, unless `NOTIFY_REQUIRE_SERVERS=1` says
    /// that it must be there.
    #[error("skipped: {0}")]
    Skipped(String),
    /// It could not be opened.
    #[error("the store under test cannot be opened")]
    Failed(#[source] BoxError),
}

impl FixtureError {
    /// It could not be opened, because of `source`.
    pub fn failed(source: impl Into<BoxError>) -> Self {
        Self::Failed(source.into())
    }
}
