//! Reading and pruning.

use std::sync::Arc;

use async_trait::async_trait;
use notify_core::delivery::{Attempt, Delivery, Outcome, ResponseClass, State};
use notify_core::event::{EventKey, Purpose};
use notify_core::id::Round;
use notify_core::store::activity::{Activity, ActivityQuery};
use notify_core::store::{
    Cursor, DeliveryLog, DeliveryQuery, EventQuery, EventRecord, Page, PageRequest, Pruned, Stats, StoreError,
};
use notify_core::{DeliveryId, EndpointId, TenantId, Timestamp};

use super::endpoints::page;
use super::{EventRow, Fault, PlainStore, Row, Tables};

impl Tables {
    fn record(&self, row: &EventRow) -> EventRecord {
        let deliveries = self.rows.values().filter(|delivery| delivery.event.key == row.event.key);
        EventRecord {
            event: Arc::clone(&row.event),
            created_at: row.created_at,
            idempotency_key: row.idempotency_key.clone(),
            purpose: self.purpose(row.purpose),
            deliveries: {
                let mut deliveries: Vec<Delivery> = deliveries.map(|row| row.delivery.clone()).collect();
                if self.has(Fault::SortsDeliveriesByEndpoint) {
                    deliveries.sort_by(|a, b| a.endpoint().cmp(b.endpoint()));
                }
                deliveries
            },
        }
    }

    fn purpose(&self, purpose: Purpose) -> Purpose {
        if self.has(Fault::TakesTestsForLiveEvents) { Purpose::Live } else { purpose }
    }

    fn passes_last_attempt(&self, row: &Row, query: &DeliveryQuery) -> bool {
        let last = |row: &Row| {
            let stored = row.delivery.as_stored();
            let fresh = stored.round > Round::FIRST && stored.failures == 0 && stored.state.is_open();
            row.delivery.last_outcome().filter(|_| !(fresh && self.has(Fault::ForgetsTheAnswerWithTheRound)))
        };
        let class =
            if self.has(Fault::IgnoresTheClassBesideAState) && query.state.is_some() { None } else { query.class };
        let with_reason = |reason| {
            let failed = Outcome::Failure(reason);
            match self.has(Fault::FindsTheReasonOfAnyAttempt) {
                true => row.attempts.iter().any(|(_, attempt)| attempt.outcome == failed),
                false => row.delivery.last_outcome() == Some(failed),
            }
        };
        query.reason.is_none_or(with_reason)
            && class.is_none_or(|class| last(row).is_some_and(|outcome| ResponseClass::of(outcome) == class))
    }

    /// A wrong store takes the rows that it looks at for all that there are.
    fn looks_at<'t, T>(&self, rows: impl Iterator<Item = T> + 't) -> Box<dyn Iterator<Item = T> + 't> {
        if self.has(Fault::TakesTheRowsItLooksAtForAll) { Box::new(rows.take(100)) } else { Box::new(rows) }
    }

    fn is_of(&self, owner: &TenantId, asked: &TenantId) -> bool {
        if self.has(Fault::EscapesQuotesTwice) {
            return owner.as_str().replace('\'', "''") == asked.as_str();
        }
        owner == asked || (self.has(Fault::TheDefaultTenantSeesAll) && *asked == TenantId::default())
    }

    fn between(&self, at: Timestamp, since: Option<Timestamp>, until: Option<Timestamp>) -> bool {
        let exclusive = self.has(Fault::SinceIsExclusive);
        since.is_none_or(|since| if exclusive { at > since } else { at >= since })
            && until.is_none_or(|until| at < until)
    }

    fn prune(&mut self, before: Timestamp, limit: u32) -> Pruned {
        let inclusive = self.has(Fault::PrunesAMomentTooEarly);
        let is_old = |at: Timestamp| if inclusive { at <= before } else { at < before };
        let old = |row: &&EventRow| {
            let mut deliveries = self.rows.values().filter(|delivery| delivery.event.key == row.event.key);
            is_old(row.created_at) && deliveries.all(|row| row.delivery.as_stored().settled_at.is_some_and(is_old))
        };
        let gone: Vec<EventKey> = self
            .events
            .values()
            .filter(old)
            .take(limit as usize + usize::from(self.has(Fault::PrunesOneEventTooMany)))
            .map(|row| row.event.key.clone())
            .collect();
        for key in &gone {
            let row = self.event_numbers.remove(key).and_then(|number| self.events.remove(&number));
            if let Some(key) = row.and_then(|row| row.key).filter(|_| !self.has(Fault::KeepsTheKeysOfPrunedEvents)) {
                self.keys.remove(&key);
            }
            self.rows.retain(|_, row| row.event.key != *key);
            let rows = &self.rows;
            self.numbers.retain(|_, number| rows.contains_key(number));
        }
        Pruned { events: u32::try_from(gone.len()).unwrap() }
    }
}

#[async_trait]
impl DeliveryLog for PlainStore {
    async fn event(&self, key: &EventKey) -> Result<Option<EventRecord>, StoreError> {
        let tables = self.tables();
        let row = tables.event_numbers.get(key).and_then(|number| tables.events.get(number));
        Ok(row.map(|row| tables.record(row)))
    }

    async fn attempts(&self, delivery: &DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        let tables = self.tables();
        let attempts = tables.row(delivery).into_iter().flat_map(|row| &row.attempts);
        let mut attempts: Vec<Attempt> = attempts.map(|(_, attempt)| attempt.clone()).collect();
        if self.has(Fault::ReadsAttemptsNewestFirst) {
            attempts.reverse();
        }
        Ok(attempts)
    }

    async fn events(&self, query: &EventQuery) -> Result<Page<EventRecord>, StoreError> {
        let tables = self.tables();
        let rows = tables.events.iter().rev().map(|(number, row)| (*number, tables.record(row)));
        let any = tables.has(Fault::FindsKeysOfAllTenants) && query.key.is_some();
        let rows = tables
            .looks_at(rows)
            .filter(|(_, record)| any || tables.is_of(&record.event.key.tenant, &query.tenant))
            .filter(|(_, record)| query.purpose.is_none_or(|wanted| wanted == record.purpose))
            .filter(|(_, record)| query.key.is_none() || record.idempotency_key == query.key)
            .filter(|(_, record)| query.event_type.as_ref().is_none_or(|wanted| *wanted == record.event.event_type))
            .filter(|(_, record)| tables.between(record.created_at, query.since, query.until))
            .filter(|(_, record)| query.status.is_none_or(|wanted| record.status() == wanted))
            .filter(|(_, record)| {
                let to = |wanted| record.deliveries.iter().any(|row| row.endpoint() == wanted);
                query.endpoint.as_ref().is_none_or(to)
            });
        if self.has(Fault::OrdersEventsByTheirTime) {
            let mut sorted: Vec<_> = rows.collect();
            sorted.sort_by_key(|(_, record)| std::cmp::Reverse(record.created_at));
            return Ok(tables.page_of(sorted.into_iter(), &query.page));
        }
        Ok(tables.page_of(rows, &query.page))
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError> {
        let tables = self.tables();
        let rows = tables.rows.iter().rev();
        let all = self.has(Fault::ListsDeliveriesOfAllTenants);
        let rows = tables
            .looks_at(rows)
            .filter(|(_, row)| tables.passes_last_attempt(row, query))
            .filter(|(_, row)| query.purpose.is_none_or(|wanted| wanted == tables.purpose(row.purpose)))
            .filter(|(_, row)| all || tables.is_of(&row.event.key.tenant, &query.tenant))
            .filter(|(_, row)| query.event_type.as_ref().is_none_or(|wanted| *wanted == row.event.event_type))
            .filter(|(_, row)| query.state.is_none_or(|wanted| wanted == row.delivery.state()))
            .filter(|(_, row)| query.endpoint.as_ref().is_none_or(|wanted| wanted == row.delivery.endpoint()))
            .filter(|(_, row)| tables.between(row.delivery.as_stored().created_at, query.since, query.until))
            .map(|(number, row)| (*number, row.delivery.clone()));
        Ok(tables.page_of(rows, &query.page))
    }

    async fn stats(&self, tenant: Option<&TenantId>, _now: Timestamp) -> Result<Stats, StoreError> {
        let tables = self.tables();
        let mut stats = Stats::default();
        (stats.kind, stats.schema_version) = ("plain", 1);
        for row in tables.rows.values().filter(|row| tenant.is_none_or(|tenant| *tenant == row.event.key.tenant)) {
            *stats.by_state.entry(row.delivery.state()).or_default() += 1;
            let due = row.delivery.ready_at().filter(|_| row.delivery.state() == State::Scheduled);
            stats.oldest_due = stats.oldest_due.into_iter().chain(due).min();
        }
        Ok(stats)
    }

    async fn activity(&self, query: &ActivityQuery) -> Result<Vec<Activity>, StoreError> {
        Ok(self.tables().activity.activity(query))
    }

    async fn failing_since(&self, endpoints: &[EndpointId]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        let mut tables = self.tables();
        let since = tables.activity.failing_since(endpoints);
        if !self.has(Fault::NeverSeesAnEndpointRecover) {
            return Ok(since);
        }
        let seen = endpoints.iter().zip(since).map(|(id, since)| {
            let first = tables.failed_once.get(id).copied().or(since);
            tables.failed_once.extend(first.map(|first| (id.clone(), first)));
            first
        });
        Ok(seen.collect())
    }

    async fn tenants_with_held(&self, page: PageRequest) -> Result<Page<TenantId>, StoreError> {
        let tables = self.tables();
        let held = tables.rows.iter().rev().filter(|(_, row)| row.delivery.state() == State::Held);
        let mut found = tables.page_of(held.map(|(number, row)| (*number, row.event.key.tenant.clone())), &page);
        if self.has(Fault::FindsHeldOnTheFirstPageAlone) {
            found.next = None;
        }
        Ok(found)
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<Pruned, StoreError> {
        Ok(self.tables().prune(before, limit))
    }
}

impl Tables {
    /// The page after the cursor: a row's number. A wrong one counts rows instead.
    fn page_of<T>(&self, rows: impl Iterator<Item = (u64, T)>, request: &PageRequest) -> Page<T> {
        let after = request.after.map(|cursor| cursor.0);
        if self.has(Fault::PagesByOffset) {
            let skipped = after.unwrap_or(0);
            let mut page = page(&mut rows.skip(skipped as usize), request.limit);
            page.next = page.next.map(|_| Cursor(skipped + u64::from(request.limit)));
            return page;
        }
        page(&mut rows.filter(|(number, _)| after.is_none_or(|after| *number < after)), request.limit)
    }
}
