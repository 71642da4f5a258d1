//! What people read: lists by cursor, counts, and the end of what is old.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use notify_core::delivery::{Attempt, Delivery, State};
use notify_core::event::EventKey;
use notify_core::store::activity::{Activity, ActivityQuery};
use notify_core::store::{
    Cursor, DeliveryLog, DeliveryQuery, EventQuery, EventRecord, Page, PageRequest, Pruned, Stats, StoreError,
};
use notify_core::{DeliveryId, EndpointId, TenantId, Timestamp};

use crate::{EventRow, MapStore, Tables};

#[async_trait]
impl DeliveryLog for MapStore {
    async fn event(&self, key: &EventKey) -> Result<Option<EventRecord>, StoreError> {
        let tables = self.tables();
        Ok(tables.event(key).map(|(number, row)| tables.record(number, row)))
    }

    async fn attempts(&self, delivery: &DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        let tables = self.tables();
        let rows = tables.delivery(delivery).into_iter().flat_map(|row| &row.attempts);
        Ok(rows.map(|(_, attempt)| attempt.clone()).collect())
    }

    async fn events(&self, query: &EventQuery) -> Result<Page<EventRecord>, StoreError> {
        let tables = self.tables();
        let records = tables.events.iter().map(|(number, row)| (*number, tables.record(*number, row)));
        let wanted = records.filter(|(_, record)| query.wants(record));
        Ok(page(wanted, query.page))
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError> {
        let tables = self.tables();
        let rows = tables.deliveries.iter().filter_map(|(number, row)| {
            let event = tables.events.get(&row.event)?;
            let wanted = query.wants(&row.delivery, &event.event.event_type, event.purpose);
            wanted.then(|| (*number, row.delivery.clone()))
        });
        Ok(page(rows, query.page))
    }

    async fn stats(&self, tenant: Option<&TenantId>, _now: Timestamp) -> Result<Stats, StoreError> {
        let mut stats = Stats::default();
        (stats.kind, stats.schema_version) = ("map", 1);
        for row in self.tables().deliveries.values().map(|row| &row.delivery) {
            if tenant.is_none_or(|tenant| row.event().tenant == *tenant) {
                *stats.by_state.entry(row.state()).or_default() += 1;
                if row.state() == State::Scheduled {
                    stats.oldest_due = stats.oldest_due.into_iter().chain(row.ready_at()).min();
                }
            }
        }
        Ok(stats)
    }

    async fn activity(&self, query: &ActivityQuery) -> Result<Vec<Activity>, StoreError> {
        Ok(self.tables().activity.activity(query))
    }

    async fn failing_since(&self, endpoints: &[EndpointId]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        Ok(self.tables().activity.failing_since(endpoints))
    }

    /// By row: a tenant comes once for each held delivery, which is allowed.
    async fn tenants_with_held(&self, request: PageRequest) -> Result<Page<TenantId>, StoreError> {
        let tables = self.tables();
        let held = tables.deliveries.iter().filter(|(_, row)| row.delivery.state() == State::Held);
        Ok(page(held.map(|(number, row)| (*number, row.delivery.event().tenant.clone())), request))
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<Pruned, StoreError> {
        let mut tables = self.tables_to_write();
        let old = |number: u64, row: &EventRow| {
            let mut deliveries = tables.deliveries_of(number);
            row.created_at < before
                && deliveries.all(|row| row.delivery.as_stored().settled_at.is_some_and(|at| at < before))
        };
        let gone = tables.events.iter().filter(|(number, row)| old(**number, row)).map(|(number, _)| *number);
        let gone: BTreeSet<u64> = gone.take(limit as usize).collect();
        tables.events.retain(|number, _| !gone.contains(number));
        tables.deliveries.retain(|_, row| !gone.contains(&row.event));
        Ok(Pruned { events: u32::try_from(gone.len()).unwrap_or(u32::MAX) })
    }
}

impl Tables {
    fn record(&self, number: u64, row: &EventRow) -> EventRecord {
        EventRecord {
            event: Arc::clone(&row.event),
            created_at: row.created_at,
            idempotency_key: row.idempotency_key.clone(),
            purpose: row.purpose,
            deliveries: self.deliveries_of(number).map(|row| row.delivery.clone()).collect(),
        }
    }
}

/// A page of `rows`, which come in the order of their numbers: the newest first, from below the cursor on.
pub(crate) fn page<T>(rows: impl DoubleEndedIterator<Item = (u64, T)>, request: PageRequest) -> Page<T> {
    let below = request.after.map_or(u64::MAX, |cursor| cursor.0);
    let mut rows = rows.rev().filter(|(number, _)| *number < below);
    let shown: Vec<_> = rows.by_ref().take(request.limit as usize).collect();
    let next = rows.next().and(shown.last()).map(|(number, _)| Cursor(*number));
    Page { items: shown.into_iter().map(|(_, row)| row).collect(), next }
}
