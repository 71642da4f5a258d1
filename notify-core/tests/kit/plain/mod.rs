//! A store without any art: rows in maps, each call looks at all of them. Right without a fault, and wrong in exactly
//! one way with one. Made of the public API alone.

mod claim;
mod endpoints;
mod fixture;
mod insert;
mod log;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use notify_core::delivery::{Attempt, Delivery, NewDelivery};
use notify_core::endpoint::Endpoint;
use notify_core::event::{Event, EventKey, Fingerprint, Purpose};
use notify_core::id::{ChangeId, ClaimToken, IdempotencyKey};
use notify_core::machine::Change;
use notify_core::store::activity::Tally;
use notify_core::store::{
    ApplyOutcome, ClaimBatch, ClaimRequest, InsertOutcome, Mark, PublishBatch, Store, StoreError, SweepRequest, Swept,
};
use notify_core::{DeliveryId, EndpointId, EventId, Timestamp};

use crate::faults::Fault;

pub(crate) use fixture::Plain;

#[derive(Clone, Debug)]
pub(crate) struct PlainStore {
    tables: Arc<Mutex<Tables>>,
    fault: Option<Fault>,
    /// How far this handle's clock is ahead, in milliseconds.
    ahead: i64,
}

#[derive(Debug, Default)]
struct Tables {
    /// Which of the faults it has, if any.
    fault: Option<Fault>,
    events: BTreeMap<u64, EventRow>,
    event_numbers: BTreeMap<EventKey, u64>,
    /// Idempotency keys, each with its tenant.
    keys: BTreeMap<Vec<String>, EventId>,
    rows: BTreeMap<u64, Row>,
    numbers: BTreeMap<DeliveryId, u64>,
    claims: BTreeMap<ClaimToken, (Timestamp, Vec<u64>)>,
    turns: BTreeMap<EndpointId, u64>,
    forgotten: BTreeSet<EndpointId>,
    endpoints: BTreeMap<u64, EndpointRow>,
    activity: Tally,
    failed_once: BTreeMap<EndpointId, Timestamp>,
    last_number: u64,
    writes: u64,
}

#[derive(Debug)]
struct EventRow {
    event: Arc<Event>,
    fingerprint: Fingerprint,
    /// As it is compared; a wrong store's may differ from what was given.
    key: Option<Vec<String>>,
    idempotency_key: Option<IdempotencyKey>,
    purpose: Purpose,
    created_at: Timestamp,
}

#[derive(Debug)]
struct Row {
    delivery: Delivery,
    event: Arc<Event>,
    purpose: Purpose,
    attempts: Vec<(ChangeId, Attempt)>,
    health: Health,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Health {
    Sound,
    Damaged,
    Reported,
}

#[derive(Debug)]
struct EndpointRow {
    endpoint: Arc<Endpoint>,
    deleted: bool,
}

impl PlainStore {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        Self { tables: Arc::new(Mutex::new(Tables { fault, ..Tables::default() })), fault, ahead: 0 }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap()
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// A place where others get in between.
    async fn pause(&self) {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

impl Tables {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    fn row(&self, id: &DeliveryId) -> Option<&Row> {
        self.rows.get(self.numbers.get(id)?)
    }

    fn row_mut(&mut self, id: &DeliveryId) -> Option<&mut Row> {
        self.rows.get_mut(self.numbers.get(id)?)
    }
}

#[async_trait]
impl Store for PlainStore {
    async fn insert(&self, batch: &PublishBatch) -> Result<InsertOutcome, StoreError> {
        let judged = self.tables().judge(batch);
        let answers = match judged {
            Ok(answers) => answers,
            Err((conflict, answers)) => {
                if self.has(Fault::WritesABatchInSteps) {
                    self.tables().write_batch(batch, &answers);
                }
                return Ok(conflict);
            }
        };
        if self.has(Fault::ChecksThenInserts) {
            self.pause().await;
        }
        let mut tables = self.tables();
        // Judged again in the step that writes: this is what a unique key does.
        let answers = match tables.judge(batch) {
            _ if self.has(Fault::ChecksThenInserts) => answers,
            Ok(answers) => answers,
            Err((conflict, _)) => return Ok(conflict),
        };
        tables.write_batch(batch, &answers);
        let mut answers = answers;
        if self.has(Fault::AnswersInReverse) {
            answers.reverse();
        }
        Ok(InsertOutcome::Stored(answers))
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimBatch, StoreError> {
        if !self.has(Fault::SelectsThenLeases) {
            return Ok(self.tables().claim(request));
        }
        let selected = self.tables().selected(request);
        self.pause().await;
        Ok(self.tables().claim_of(request, selected))
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<ApplyOutcome>, StoreError> {
        let mut outcomes = Vec::new();
        for change in changes {
            if self.has(Fault::StopsAtTheFirstStale)
                && let Some(stale @ (ApplyOutcome::Stale { .. } | ApplyOutcome::Missing)) = outcomes.last().copied()
            {
                outcomes.push(stale);
                continue;
            }
            let outcome = self.tables().write_row(change);
            if self.has(Fault::WritesTheAttemptLater) && !change.attempts().is_empty() {
                self.pause().await;
            }
            self.tables().log(change, outcome);
            outcomes.push(outcome.map_or_else(|refused| refused, |_| ApplyOutcome::Applied));
        }
        if self.has(Fault::ReordersOutcomes) {
            outcomes.sort_by_key(|outcome| *outcome != ApplyOutcome::Applied);
        }
        Ok(outcomes)
    }

    async fn load(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        let tables = self.tables();
        let most = if self.has(Fault::LoadsAHundredRowsAtMost) { 100 } else { ids.len() };
        let found = ids.iter().take(most).filter_map(|id| tables.row(id)).filter(|row| row.health == Health::Sound);
        Ok(found.map(|row| row.delivery.clone()).collect())
    }

    async fn attach(&self, event: &EventKey, deliveries: &[NewDelivery]) -> Result<usize, StoreError> {
        self.tables().attach(event, deliveries)
    }

    async fn sweep(&self, request: &SweepRequest) -> Result<Swept, StoreError> {
        Ok(self.tables().sweep(request))
    }

    async fn changed(&self, _since: Mark) -> Result<Mark, StoreError> {
        if self.has(Fault::ItsMarkStandsStill) {
            return Ok(Mark(7));
        }
        Ok(Mark(self.tables().writes))
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        if self.has(Fault::EachHandleHasAClockOfItsOwn) {
            return Ok(Some(Timestamp::from_millis(self.ahead)));
        }
        Ok(None)
    }
}
