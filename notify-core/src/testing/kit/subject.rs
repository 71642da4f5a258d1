//! The store under test, as cases see it: each call in one line, a failed call is a failed case.

use std::sync::Arc;

use crate::delivery::{Attempt, Delivery};
use crate::event::EventKey;
use crate::id::DeliveryId;
use crate::machine::Change;
use crate::store::{
    ApplyOutcome, ClaimBatch, ClaimRequest, DeliveryLog, EndpointAdmin, EndpointDirectory, EventRecord, InsertOutcome,
    Inserted, PublishedEvent, Store, StoreError, SweepAction,
};

use super::case::{NotOffered, chain};
use super::sample::{self, batch, delivered, delivery, named};
use super::{FixtureError, Offer, OpenedStore};

/// One opened store. Its methods panic where the store fails: no case expects that.
#[derive(Debug)]
pub(super) struct Subject {
    opened: Box<dyn OpenedStore>,
}

impl Subject {
    pub(super) fn new(opened: Box<dyn OpenedStore>) -> Self {
        Self { opened }
    }

    pub(super) fn store(&self) -> Arc<dyn Store> {
        self.opened.store()
    }

    pub(super) fn directory(&self) -> Arc<dyn EndpointDirectory> {
        self.opened.directory()
    }

    pub(super) fn admin(&self) -> Result<Arc<dyn EndpointAdmin>, NotOffered> {
        offered("administration of endpoints", self.opened.admin())
    }

    pub(super) fn log(&self) -> Result<Arc<dyn DeliveryLog>, NotOffered> {
        offered("delivery log", self.opened.log())
    }

    pub(super) async fn another(&self) -> Result<Arc<dyn Store>, NotOffered> {
        offered("second handle", opened(self.opened.another().await))
    }

    pub(super) async fn reopen(&mut self) -> Result<(), NotOffered> {
        offered("reopening", opened(self.opened.reopen().await))
    }

    pub(super) async fn corrupt(&self, event: &str, endpoint: &str) -> Result<(), NotOffered> {
        offered("damaging a row", opened(self.opened.corrupt(&delivery(event, endpoint)).await))
    }

    pub(super) async fn insert(&self, now: i64, events: Vec<PublishedEvent>) -> InsertOutcome {
        answer("insert", self.store().insert(&batch(now, events)).await)
    }

    /// Publishes one event that is new.
    pub(super) async fn publish(&self, event: PublishedEvent) {
        let outcome = self.insert(0, vec![event]).await;
        assert_eq!(outcome, InsertOutcome::Stored(vec![Inserted::New]), "a new event is stored");
    }

    /// Publishes an event of each of these names to each of these endpoints, due at 0.
    pub(super) async fn holds(&self, events: &[&str], endpoints: &[&str]) {
        for event in events {
            self.publish(sample::event(event, 0, endpoints, 0)).await;
        }
    }

    /// Publishes `count` events `prefix0`, `prefix1`, … to `endpoint`, due at 0, 1, …
    pub(super) async fn backlog(&self, prefix: &str, endpoint: &str, count: i64) {
        let one = |n| sample::event(&format!("{prefix}{n}"), 0, &[endpoint], n);
        let all: Vec<PublishedEvent> = (0..count).map(one).collect();
        for part in all.chunks(500) {
            self.insert(0, part.to_vec()).await;
        }
    }

    pub(super) async fn claims(&self, request: &ClaimRequest) -> ClaimBatch {
        answer("claim", self.store().claim(request).await)
    }

    /// Claims up to 100 rows; see [`sample::claim`].
    pub(super) async fn claim(&self, now: i64, n: u128) -> ClaimBatch {
        self.claims(&sample::claim(now, n)).await
    }

    /// Claims up to `limit` rows.
    pub(super) async fn claim_up_to(&self, limit: u32, now: i64, n: u128) -> ClaimBatch {
        self.claims(&ClaimRequest { limit, ..sample::claim(now, n) }).await
    }

    /// Claims at `now` and gives the one row it got.
    pub(super) async fn claim_one(&self, now: i64, n: u128) -> Delivery {
        let mut claimed = self.claim(now, n).await.claimed;
        assert_eq!(claimed.len(), 1, "one row may be claimed at {now}");
        claimed.remove(0).delivery
    }

    pub(super) async fn apply(&self, changes: &[Change]) -> Vec<ApplyOutcome> {
        answer("apply", self.store().apply(changes).await)
    }

    pub(super) async fn applied(&self, changes: &[Change]) {
        let outcomes = self.apply(changes).await;
        assert_eq!(outcomes, vec![ApplyOutcome::Applied; changes.len()], "each change is applied");
    }

    /// Claims all that is due at `now` and settles it as delivered.
    pub(super) async fn deliver_all(&self, now: i64, n: u128) {
        let claimed = self.claim(now, n).await.claimed;
        let changes: Vec<Change> =
            claimed.iter().zip(1..).map(|(row, id)| delivered(&row.delivery, n * 1_000 + id, now)).collect();
        self.applied(&changes).await;
    }

    pub(super) async fn loads(&self, ids: &[DeliveryId]) -> Vec<Delivery> {
        answer("load", self.store().load(ids).await)
    }

    pub(super) async fn find(&self, event: &str, endpoint: &str) -> Option<Delivery> {
        self.loads(&[delivery(event, endpoint)]).await.pop()
    }

    pub(super) async fn load(&self, event: &str, endpoint: &str) -> Delivery {
        self.find(event, endpoint).await.unwrap_or_else(|| panic!("{event}/{endpoint} is stored"))
    }

    /// How many rows of `endpoint` it moved.
    pub(super) async fn sweep(&self, endpoint: &str, action: SweepAction, now: i64, limit: u32) -> u32 {
        answer("sweep", self.store().sweep(&sample::sweep(endpoint, action, now, limit)).await).moved
    }

    /// The attempts of the default tenant's `event` to `endpoint`.
    pub(super) async fn attempts(&self, event: &str, endpoint: &str) -> Result<Vec<Attempt>, NotOffered> {
        Ok(answer("attempts", self.log()?.attempts(&delivery(event, endpoint)).await))
    }

    /// Their numbers.
    pub(super) async fn numbers(&self, event: &str, endpoint: &str) -> Result<Vec<u32>, NotOffered> {
        Ok(self.attempts(event, endpoint).await?.iter().map(|attempt| attempt.number.get()).collect())
    }

    pub(super) async fn record_of(&self, key: &EventKey) -> Result<Option<EventRecord>, NotOffered> {
        Ok(answer("event", self.log()?.event(key).await))
    }

    /// The default tenant's event `id`.
    pub(super) async fn record(&self, id: &str) -> Result<Option<EventRecord>, NotOffered> {
        self.record_of(&sample::key(id)).await
    }

    /// Stores these endpoints.
    pub(super) async fn registers(&self, endpoints: &[crate::endpoint::Endpoint]) -> Result<(), NotOffered> {
        for endpoint in endpoints {
            answer("create", self.admin()?.create(endpoint).await);
        }
        Ok(())
    }

    pub(super) async fn endpoint(&self, id: &str) -> Option<Arc<crate::endpoint::Endpoint>> {
        answer("get", self.directory().get(&[named(id)]).await).pop().flatten()
    }
}

/// What the store answered.
///
/// # Panics
/// It failed.
pub(super) fn answer<T>(what: &str, result: Result<T, StoreError>) -> T {
    result.unwrap_or_else(|error| panic!("{what} failed: {}", chain(&error)))
}

fn opened<T>(result: Result<T, FixtureError>) -> T {
    result.unwrap_or_else(|error| panic!("{}", chain(&error)))
}

fn offered<T>(what: &'static str, offer: Offer<T>) -> Result<T, NotOffered> {
    match offer {
        Offer::Yes(value) => Ok(value),
        Offer::No(why) => Err(NotOffered { what, why }),
    }
}
