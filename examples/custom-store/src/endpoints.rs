//! Endpoints: found by the engine, written by the host.

use std::sync::Arc;

use async_trait::async_trait;
use notify_core::endpoint::{Disabled, EndpointStatus};
use notify_core::id::Version;
use notify_core::store::{EndpointAdmin, EndpointDirectory, EndpointQuery, Page, Replaced, StoreError};
use notify_core::{Endpoint, EndpointId, EventType, TenantId, Timestamp};

use crate::log::page;
use crate::{MapStore, Tables};

#[async_trait]
impl EndpointDirectory for MapStore {
    async fn subscribed(&self, tenant: &TenantId, event_type: &EventType) -> Result<Vec<Arc<Endpoint>>, StoreError> {
        let tables = self.tables();
        let all = tables.endpoints.values().filter(|endpoint| endpoint.tenant == *tenant);
        Ok(all.filter(|endpoint| endpoint.filter.matches(event_type)).map(Arc::clone).collect())
    }

    async fn get(&self, ids: &[EndpointId]) -> Result<Vec<Option<Arc<Endpoint>>>, StoreError> {
        let mut tables = self.tables();
        Ok(ids.iter().map(|id| tables.endpoint_mut(id).map(|endpoint| Arc::clone(endpoint))).collect())
    }

    async fn disable(&self, id: &EndpointId, disabled: &Disabled) -> Result<bool, StoreError> {
        let mut tables = self.tables_to_write();
        let Some(endpoint) = tables.endpoint_mut(id).filter(|endpoint| endpoint.is_enabled()) else {
            return Ok(false);
        };
        let next = Arc::make_mut(endpoint);
        next.status = EndpointStatus::Disabled(disabled.clone());
        next.updated_at = disabled.at;
        next.version = next.version.next();
        Ok(true)
    }
}

#[async_trait]
impl EndpointAdmin for MapStore {
    async fn create(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        let mut tables = self.tables_to_write();
        if tables.endpoint_mut(&endpoint.id).is_none() && !tables.deleted.contains(&endpoint.id) {
            let number = tables.next_number();
            tables.endpoints.insert(number, Arc::new(endpoint.clone()));
        }
        Ok(())
    }

    /// Compare and set: of two writers that read the same version, one loses and tries again.
    async fn replace(&self, expected: Version, next: &Endpoint) -> Result<Replaced, StoreError> {
        let mut tables = self.tables_to_write();
        let Some(endpoint) = tables.endpoint_mut(&next.id) else { return Ok(Replaced::Missing) };
        if endpoint.version != expected {
            return Ok(Replaced::Stale);
        }
        *endpoint = Arc::new(next.clone());
        Ok(Replaced::Written)
    }

    async fn list(&self, query: &EndpointQuery) -> Result<Page<Arc<Endpoint>>, StoreError> {
        let tables = self.tables();
        let rows = tables.endpoints.iter().map(|(number, endpoint)| (*number, Arc::clone(endpoint)));
        Ok(page(rows.filter(|(_, endpoint)| endpoint.tenant == query.tenant), query.page))
    }

    /// The row goes, and its secrets with it. Its deliveries stay; the engine cancels those that are open.
    async fn delete(&self, tenant: &TenantId, id: &EndpointId, _at: Timestamp) -> Result<bool, StoreError> {
        let mut tables = self.tables_to_write();
        let before = tables.endpoints.len();
        tables.endpoints.retain(|_, endpoint| endpoint.id != *id || endpoint.tenant != *tenant);
        let existed = tables.endpoints.len() < before;
        if existed {
            tables.deleted.insert(id.clone());
        }
        Ok(existed)
    }
}

impl Tables {
    fn endpoint_mut(&mut self, id: &EndpointId) -> Option<&mut Arc<Endpoint>> {
        self.endpoints.values_mut().find(|endpoint| endpoint.id == *id)
    }
}
