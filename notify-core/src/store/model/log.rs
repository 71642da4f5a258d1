//! Reading and pruning.

use std::sync::Arc;

use crate::delivery::{Attempt, Delivery, State};
use crate::event::EventKey;
use crate::id::{DeliveryId, TenantId};
use crate::store::{Cursor, DeliveryQuery, EventQuery, EventRecord, Page, PageRequest, Pruned, Stats};
use crate::time::Timestamp;

use super::{EventRow, Model};

impl Model {
    pub(in super::super) fn event(&self, key: &EventKey) -> Option<EventRecord> {
        self.events.get(key).map(|row| self.record(row))
    }

    pub(in super::super) fn attempts(&self, delivery: &DeliveryId) -> Vec<Attempt> {
        let row = self.deliveries.get(delivery);
        row.map(|row| row.attempts.iter().map(|(_, attempt)| attempt.clone()).collect()).unwrap_or_default()
    }

    pub(in super::super) fn events(&self, query: &EventQuery) -> Page<EventRecord> {
        let below = query.page.after.map_or(u64::MAX, |cursor| cursor.0);
        let newest_first = self.events_by_number.range(..below).rev().filter_map(|(_, key)| self.events.get(key));
        let mut records = newest_first
            .filter(|row| row.event.key.tenant == query.tenant)
            .map(|row| (row.number, self.record(row)))
            .filter(|(_, record)| query.wants(record));
        page(&mut records, query.page.limit)
    }

    pub(in super::super) fn deliveries(&self, query: &DeliveryQuery) -> Page<Delivery> {
        let below = query.page.after.map_or(u64::MAX, |cursor| cursor.0);
        let newest_first = self.deliveries_by_number.range(..below).rev().filter_map(|(_, id)| self.deliveries.get(id));
        let mut rows = newest_first
            .filter(|row| query.wants(&row.delivery, &row.event.event_type, row.purpose))
            .map(|row| (row.number, row.delivery.clone()));
        page(&mut rows, query.page.limit)
    }

    pub(in super::super) fn stats(&self, tenant: Option<&TenantId>) -> Stats {
        let mut stats =
            Stats { kind: "memory", schema_version: 1, oldest_due: self.oldest_due(tenant), ..Stats::default() };
        let counts = self.index.tally.iter().filter(|(owner, _)| tenant.is_none_or(|tenant| tenant == *owner));
        let counts = counts.flat_map(|(_, counts)| State::ALL.into_iter().zip(counts));
        for (state, count) in counts.filter(|(_, count)| **count > 0) {
            *stats.by_state.entry(state).or_default() += count;
        }
        stats
    }

    /// The cursor is a place among all tenants, which only become more: one that came in between makes another come
    /// again, and hides none.
    pub(in super::super) fn tenants_with_held(&self, page: PageRequest) -> Page<TenantId> {
        let after = usize::try_from(page.after.map_or(0, |cursor| cursor.0)).unwrap_or(usize::MAX);
        let held = |counts: &[u64; State::ALL.len()]| counts[State::Held as usize] > 0;
        let places = self.index.tally.iter().zip(1..).skip(after);
        let mut found = places.filter(|((_, counts), _)| held(counts)).map(|((tenant, _), place)| (place, tenant));
        let shown: Vec<(u64, &TenantId)> = found.by_ref().take(page.limit as usize).collect();
        let next = shown.last().filter(|_| found.next().is_some()).map(|(place, _)| Cursor(*place));
        Page { items: shown.into_iter().map(|(_, tenant)| tenant.clone()).collect(), next }
    }

    pub(in super::super) fn prune(&mut self, before: Timestamp, limit: u32) -> Pruned {
        let old = |row: &EventRow| {
            let ended = |id| {
                self.deliveries
                    .get(id)
                    .is_none_or(|row| row.delivery.as_stored().settled_at.is_some_and(|at| at < before))
            };
            row.created_at < before && (row.deliveries.iter().all(ended) || planted!(RetentionTooEarly))
        };
        let oldest_first = self.events_by_number.values().filter_map(|key| self.events.get(key));
        let gone: Vec<EventKey> =
            oldest_first.filter(|row| old(row)).take(limit as usize).map(|row| row.event.key.clone()).collect();
        for key in &gone {
            self.remove_event(key);
        }
        Pruned { events: u32::try_from(gone.len()).unwrap_or(u32::MAX) }
    }

    fn remove_event(&mut self, key: &EventKey) {
        let Some(row) = self.events.remove(key) else { return };
        self.events_by_number.remove(&row.number);
        if let Some(idempotency_key) = row.idempotency_key {
            self.events_by_key.remove(&(key.tenant.clone(), idempotency_key));
        }
        for id in row.deliveries {
            if let Some(row) = self.deliveries.remove(&id) {
                self.deliveries_by_number.remove(&row.number);
                self.index.leave(row.number, &row.delivery);
            }
        }
    }

    fn record(&self, row: &EventRow) -> EventRecord {
        let deliveries = row.deliveries.iter().filter_map(|id| self.deliveries.get(id));
        EventRecord {
            event: Arc::clone(&row.event),
            created_at: row.created_at,
            idempotency_key: row.idempotency_key.clone(),
            purpose: row.purpose,
            deliveries: deliveries.map(|row| row.delivery.clone()).collect(),
        }
    }
}

fn page<T>(rows: &mut impl Iterator<Item = (u64, T)>, limit: u32) -> Page<T> {
    let mut shown: Vec<(u64, T)> = rows.by_ref().take(limit as usize).collect();
    let next = rows.next().and(shown.last()).map(|(number, _)| Cursor(*number));
    Page { items: shown.drain(..).map(|(_, row)| row).collect(), next }
}
