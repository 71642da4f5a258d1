//! Endpoints.

use std::sync::Arc;

use crate::endpoint::{Disabled, Endpoint, EndpointStatus};
use crate::id::{EndpointId, EventType, TenantId, Version};
use crate::sign::{Secret, SecretSet};
use crate::store::{Cursor, EndpointQuery, Page, Replaced};
use crate::time::Timestamp;

use super::{EndpointRow, Model};

impl Model {
    pub(in super::super) fn subscribed(&self, tenant: &TenantId, event_type: &EventType) -> Vec<Arc<Endpoint>> {
        let live = self.endpoints.values().filter(|row| !row.deleted && row.endpoint.tenant == *tenant);
        live.filter(|row| row.endpoint.filter.matches(event_type)).map(|row| Arc::clone(&row.endpoint)).collect()
    }

    pub(in super::super) fn get(&self, ids: &[EndpointId]) -> Vec<Option<Arc<Endpoint>>> {
        let find = |id| self.endpoints.get(id).filter(|row| !row.deleted);
        ids.iter().map(|id| find(id).map(|row| Arc::clone(&row.endpoint))).collect()
    }

    pub(in super::super) fn disable(&mut self, id: &EndpointId, disabled: &Disabled) -> bool {
        let Some(row) = self.endpoints.get_mut(id).filter(|row| !row.deleted && row.endpoint.is_enabled()) else {
            return false;
        };
        let mut next = Endpoint::clone(&row.endpoint);
        next.status = EndpointStatus::Disabled(disabled.clone());
        next.updated_at = disabled.at;
        next.version = next.version.next();
        row.endpoint = Arc::new(next);
        self.writes += 1;
        true
    }

    pub(in super::super) fn create(&mut self, endpoint: &Endpoint) {
        if self.endpoints.contains_key(&endpoint.id) {
            return;
        }
        let number = self.next_number();
        self.endpoints_by_number.insert(number, endpoint.id.clone());
        let row = EndpointRow { number, endpoint: Arc::new(endpoint.clone()), deleted: false };
        self.endpoints.insert(endpoint.id.clone(), row);
        self.writes += 1;
    }

    pub(in super::super) fn replace(&mut self, expected: Version, next: &Endpoint) -> Replaced {
        let Some(row) = self.endpoints.get_mut(&next.id).filter(|row| !row.deleted) else { return Replaced::Missing };
        if row.endpoint.version != expected {
            return Replaced::Stale;
        }
        row.endpoint = Arc::new(next.clone());
        self.writes += 1;
        Replaced::Written
    }

    pub(in super::super) fn list(&self, query: &EndpointQuery) -> Page<Arc<Endpoint>> {
        let below = query.page.after.map_or(u64::MAX, |cursor| cursor.0);
        let limit = query.page.limit as usize;
        let newest_first = self.endpoints_by_number.range(..below).rev().filter_map(|(_, id)| self.endpoints.get(id));
        let mut rows = newest_first.filter(|row| !row.deleted && row.endpoint.tenant == query.tenant);
        let shown: Vec<&EndpointRow> = rows.by_ref().take(limit).collect();
        let next = rows.next().and(shown.last()).map(|row| Cursor(row.number));
        Page { items: shown.into_iter().map(|row| Arc::clone(&row.endpoint)).collect(), next }
    }

    pub(in super::super) fn delete(&mut self, tenant: &TenantId, id: &EndpointId, at: Timestamp) -> bool {
        let Some(row) = self.endpoints.get_mut(id).filter(|row| !row.deleted && row.endpoint.tenant == *tenant) else {
            return false;
        };
        let mut tombstone = Endpoint::clone(&row.endpoint);
        // Nothing signs for it any more: its secrets go, its name stays for the log.
        tombstone.secrets = SecretSet::new(Secret::generate(&[0; 32]), at);
        tombstone.headers.clear();
        tombstone.updated_at = at;
        row.endpoint = Arc::new(tombstone);
        row.deleted = true;
        self.writes += 1;
        true
    }
}
