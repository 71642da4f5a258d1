//! Where endpoints are kept: reading and writing, each its own trait.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::endpoint::{Disabled, Endpoint};
use crate::id::{EndpointId, EventType, TenantId, Version};
use crate::time::Timestamp;

use super::{Page, PageRequest, StoreError};

/// Finds endpoints. A host with an endpoints table of its own implements this over it.
#[async_trait]
pub trait EndpointDirectory: Debug + Send + Sync + 'static {
    /// The tenant's endpoints whose filter matches `event_type`, disabled ones included, deleted ones not.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn subscribed(&self, tenant: &TenantId, event_type: &EventType) -> Result<Vec<Arc<Endpoint>>, StoreError>;

    /// These endpoints as they are now, in the order of the input; `None` for one that does not exist or is deleted.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn get(&self, ids: &[EndpointId]) -> Result<Vec<Option<Arc<Endpoint>>>, StoreError>;

    /// Disables an endpoint, unless it is disabled already; says whether it was enabled.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: repeat it.
    async fn disable(&self, id: &EndpointId, disabled: &Disabled) -> Result<bool, StoreError>;
}

/// Writes endpoints. Not needed by a host that keeps them itself.
#[async_trait]
pub trait EndpointAdmin: Debug + Send + Sync + 'static {
    /// Stores a new endpoint. Doing it again with the same id changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: repeat it.
    async fn create(&self, endpoint: &Endpoint) -> Result<(), StoreError>;

    /// Writes all of `next`, if the stored version is `expected` (compare-and-set: racing writers lose cleanly and
    /// try again). `next.version` is what the row gets.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn replace(&self, expected: Version, next: &Endpoint) -> Result<Replaced, StoreError>;

    /// A page of endpoints, newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn list(&self, query: &EndpointQuery) -> Result<Page<Arc<Endpoint>>, StoreError>;

    /// Deletes the tenant's endpoint and wipes its secrets; its deliveries and their log stay. Says whether it
    /// existed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: repeat it.
    async fn delete(&self, tenant: &TenantId, id: &EndpointId, at: Timestamp) -> Result<bool, StoreError>;
}

/// Which endpoints to list.
#[derive(Clone, Debug)]
pub struct EndpointQuery {
    /// Whose.
    pub tenant: TenantId,
    /// Which page.
    pub page: PageRequest,
}

/// What became of a replacement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Replaced {
    /// It is written.
    Written,
    /// Somebody wrote first.
    Stale,
    /// There is no such endpoint.
    Missing,
}
