//! Reading what happened.

use std::sync::Arc;

use crate::delivery::{Attempt, Delivery, State};
use crate::event::EventKey;
use crate::id::{DeliveryId, EndpointId, TenantId};
use crate::retry::RetrySchedule;
use crate::store::activity::{Activity, ActivityQuery};
use crate::store::{DeliveryQuery, EventQuery, EventRecord, Operation, Page, Stats, StoreError};
use crate::time::Timestamp;

use super::error::ControlError;
use super::shared::{STORE_DEADLINE, Shared};

/// The delivery log of this engine's store. A cheap handle.
#[derive(Clone, Debug)]
pub struct History {
    shared: Arc<Shared>,
}

/// What is ahead of a delivery.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Outlook {
    /// When the next attempt is due; `None` while one runs, while it is held, and when it has ended.
    pub next_attempt_at: Option<Timestamp>,
    /// When the last attempt is due if all fail and take no time; `None` while it is held, and when it has ended.
    pub gives_up_at: Option<Timestamp>,
}

impl History {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// One event with its deliveries, or `None`.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn event(&self, key: &EventKey) -> Result<Option<EventRecord>, StoreError> {
        self.call(self.shared.log.event(key)).await
    }

    /// The attempts of a delivery, by number. The caller checks whose delivery it is.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn attempts(&self, delivery: &DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        self.call(self.shared.log.attempts(delivery)).await
    }

    /// A page of events, newest first. It may be short, even empty, and still have a [`next`](Page::next).
    ///
    /// # Errors
    /// [`EventQuery::validate`] refuses the query, or the store does not answer.
    pub async fn events(&self, query: &EventQuery) -> Result<Page<EventRecord>, ControlError> {
        query.validate()?;
        Ok(self.call(self.shared.log.events(query)).await?)
    }

    /// A page of deliveries, newest first. It may be short, even empty, and still have a [`next`](Page::next).
    ///
    /// # Errors
    /// [`DeliveryQuery::validate`] refuses the query, or the store does not answer.
    pub async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, ControlError> {
        query.validate()?;
        Ok(self.call(self.shared.log.deliveries(query)).await?)
    }

    /// How many deliveries stand where; over all tenants if `tenant` is `None`.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn stats(&self, tenant: Option<&TenantId>) -> Result<Stats, StoreError> {
        self.call(self.shared.log.stats(tenant, self.shared.now())).await
    }

    /// How many attempts ended when, and what they came to, oldest bucket first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn activity(&self, query: &ActivityQuery) -> Result<Vec<Activity>, StoreError> {
        self.call(self.shared.log.activity(query)).await
    }

    /// Since when each of these endpoints fails; `None` for one whose last known answer was a success, or that was
    /// never called.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn failing_since(&self, endpoints: &[EndpointId]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        self.call(self.shared.log.failing_since(endpoints)).await
    }

    /// What is ahead of each of these deliveries, by the policy their endpoint has now.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn outlook(&self, deliveries: &[Delivery]) -> Result<Vec<Outlook>, StoreError> {
        let mut ids: Vec<EndpointId> = deliveries.iter().map(|delivery| delivery.endpoint().clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let endpoints = self.call(self.shared.directory.get(&ids)).await?;
        let engine = &self.shared.config.policy.schedule;
        let now = self.shared.now();
        let schedule_of = |id: &EndpointId| {
            let endpoint = ids.binary_search(id).ok().and_then(|index| endpoints.get(index)?.as_ref());
            endpoint.and_then(|endpoint| endpoint.policy.schedule.as_ref()).unwrap_or(engine)
        };
        Ok(deliveries.iter().map(|delivery| outlook(delivery, schedule_of(delivery.endpoint()), now)).collect())
    }

    /// Removes events whose deliveries have all ended before `before`, with everything about them. Returns how many.
    ///
    /// # Errors
    /// The store does not answer: what was removed by then is.
    pub async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        const STEP: u32 = 500;
        let mut removed = 0;
        loop {
            let pruned = self.call(self.shared.log.prune(before, STEP)).await?;
            removed += u64::from(pruned.events);
            if pruned.events < STEP {
                return Ok(removed);
            }
        }
    }

    async fn call<T>(&self, work: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
        self.shared.within(STORE_DEADLINE, Operation::Log, work).await
    }
}

fn outlook(delivery: &Delivery, schedule: &RetrySchedule, now: Timestamp) -> Outlook {
    let failures = delivery.as_stored().failures;
    match (delivery.state(), delivery.ready_at()) {
        (State::Scheduled, Some(due)) => {
            Outlook { next_attempt_at: Some(due), gives_up_at: Some(schedule.gives_up_at(failures, due)) }
        }
        (State::InFlight, _) => {
            Outlook { next_attempt_at: None, gives_up_at: Some(schedule.gives_up_at(failures, now)) }
        }
        _ => Outlook::default(),
    }
}
