//! Endpoints.

use std::sync::Arc;

use async_trait::async_trait;
use notify_core::endpoint::{Disabled, Endpoint, EndpointStatus};
use notify_core::id::Version;
use notify_core::store::{Cursor, EndpointAdmin, EndpointDirectory, EndpointQuery, Page, Replaced, StoreError};
use notify_core::{EndpointId, EventType, TenantId, Timestamp};

use super::{EndpointRow, Fault, PlainStore, Tables};

impl Tables {
    fn endpoint(&mut self, id: &EndpointId) -> Option<&mut EndpointRow> {
        self.endpoints.values_mut().find(|row| row.endpoint.id == *id && !row.deleted)
    }
}

#[async_trait]
impl EndpointDirectory for PlainStore {
    async fn subscribed(&self, tenant: &TenantId, event_type: &EventType) -> Result<Vec<Arc<Endpoint>>, StoreError> {
        let hides_disabled = self.has(Fault::SubscribedHidesDisabledEndpoints);
        let tables = self.tables();
        let rows = tables.endpoints.values().filter(|row| !row.deleted && row.endpoint.tenant == *tenant);
        let rows = rows.filter(|row| row.endpoint.is_enabled() || !hides_disabled);
        Ok(rows.filter(|row| row.endpoint.filter.matches(event_type)).map(|row| Arc::clone(&row.endpoint)).collect())
    }

    async fn get(&self, ids: &[EndpointId]) -> Result<Vec<Option<Arc<Endpoint>>>, StoreError> {
        let mut tables = self.tables();
        Ok(ids.iter().map(|id| tables.endpoint(id).map(|row| Arc::clone(&row.endpoint))).collect())
    }

    async fn disable(&self, id: &EndpointId, disabled: &Disabled) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let Some(row) = tables.endpoint(id).filter(|row| row.endpoint.is_enabled()) else { return Ok(false) };
        row.endpoint = Arc::new(Endpoint {
            status: EndpointStatus::Disabled(disabled.clone()),
            version: row.endpoint.version.next(),
            updated_at: disabled.at,
            ..Endpoint::clone(&row.endpoint)
        });
        Ok(true)
    }
}

#[async_trait]
impl EndpointAdmin for PlainStore {
    async fn create(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let mut endpoint = endpoint.clone();
        if tables.has(Fault::CutsLongDescriptions) {
            endpoint.description = endpoint.description.chars().take(255).collect();
        }
        if let (Some(row), true) = (tables.endpoint(&endpoint.id), self.has(Fault::CreatesOverWhatExists)) {
            row.endpoint = Arc::new(endpoint.clone());
        }
        if !tables.endpoints.values().any(|row| row.endpoint.id == endpoint.id) {
            let number = tables.next_number();
            tables.endpoints.insert(number, EndpointRow { endpoint: Arc::new(endpoint), deleted: false });
        }
        Ok(())
    }

    async fn replace(&self, expected: Version, next: &Endpoint) -> Result<Replaced, StoreError> {
        let compares = !self.has(Fault::ReplacesWithoutComparing);
        let mut tables = self.tables();
        let Some(row) = tables.endpoint(&next.id) else { return Ok(Replaced::Missing) };
        if compares && row.endpoint.version != expected {
            return Ok(Replaced::Stale);
        }
        row.endpoint = Arc::new(next.clone());
        Ok(Replaced::Written)
    }

    async fn list(&self, query: &EndpointQuery) -> Result<Page<Arc<Endpoint>>, StoreError> {
        let below = query.page.after.map_or(u64::MAX, |cursor| cursor.0);
        let tables = self.tables();
        let rows = tables.endpoints.range(..below).rev();
        let rows = rows.filter(|(_, row)| !row.deleted && row.endpoint.tenant == query.tenant);
        let mut rows = rows.map(|(number, row)| (*number, Arc::clone(&row.endpoint)));
        if self.has(Fault::ListsEndpointsByTheirNames) {
            let mut sorted: Vec<_> = rows.collect();
            sorted.sort_by(|(_, a), (_, b)| a.name.as_str().cmp(b.name.as_str()));
            return Ok(page(&mut sorted.into_iter(), query.page.limit));
        }
        Ok(page(&mut rows, query.page.limit))
    }

    async fn delete(&self, tenant: &TenantId, id: &EndpointId, _at: Timestamp) -> Result<bool, StoreError> {
        let any_tenant = self.has(Fault::DeletesForAnyTenant);
        let mut tables = self.tables();
        let Some(row) = tables.endpoint(id).filter(|row| any_tenant || row.endpoint.tenant == *tenant) else {
            return Ok(false);
        };
        row.deleted = true;
        if self.has(Fault::DeletesDeliveriesWithTheirEndpoint) {
            tables.rows.retain(|_, row| row.delivery.endpoint() != id);
        }
        Ok(true)
    }
}

pub(super) fn page<T>(rows: &mut impl Iterator<Item = (u64, T)>, limit: u32) -> Page<T> {
    let shown: Vec<(u64, T)> = rows.by_ref().take(limit as usize).collect();
    let next = rows.next().and(shown.last()).map(|(number, _)| Cursor(*number));
    Page { items: shown.into_iter().map(|(_, row)| row).collect(), next }
}
