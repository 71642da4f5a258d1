//! Events, claims and changes in one line each. A row is shown as `event/endpoint`.

use std::sync::Arc;
use std::time::Duration;

use crate::delivery::{Delivery, NewDelivery, Outcome, Reason, Start};
use crate::event::{Event, EventKey};
use crate::fanout::delivery_id;
use crate::id::{ChangeId, ClaimToken, DeliveryId, TenantId};
use crate::machine::{Change, Gate, Input, Step, Verdict, step};
use crate::retry::Policy;
use crate::store::{
    ApplyOutcome, ClaimBatch, ClaimRequest, Free, InsertOutcome, MemoryStore, PublishBatch, PublishedEvent, Store,
};
use crate::time::Timestamp;

/// Runs a future to its end.
pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub(super) const fn t(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(super) const fn token(n: u128) -> ClaimToken {
    ClaimToken::new(n)
}

pub(super) fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

pub(super) fn key(event: &str) -> EventKey {
    EventKey { tenant: TenantId::default(), id: event.parse().unwrap() }
}

pub(super) fn dlv(event: &str, endpoint: &str) -> DeliveryId {
    delivery_id(&key(event), &endpoint.parse().unwrap())
}

pub(super) fn new_delivery(event: &str, endpoint: &str, start: Start) -> NewDelivery {
    NewDelivery { id: dlv(event, endpoint), endpoint: endpoint.parse().unwrap(), start }
}

/// An event of type `a.b` with a delivery due at `due` to each of these endpoints. Its content is its `print`.
pub(super) fn publish(event: &str, print: u8, endpoints: &[&str], due: i64) -> PublishedEvent {
    let to = |endpoint: &&str| new_delivery(event, endpoint, Start::Due(t(due)));
    PublishedEvent {
        event: Arc::new(Event {
            key: key(event),
            event_type: "a.b".parse().unwrap(),
            timestamp: t(due),
            body: bytes::Bytes::from_static(b"{}"),
        }),
        fingerprint: [print; 32],
        idempotency_key: None,
        deliveries: endpoints.iter().map(to).collect(),
    }
}

pub(super) fn with_key(event: PublishedEvent, idempotency_key: &str) -> PublishedEvent {
    PublishedEvent { idempotency_key: Some(idempotency_key.parse().unwrap()), ..event }
}

pub(super) fn insert(store: &MemoryStore, now: i64, events: Vec<PublishedEvent>) -> InsertOutcome {
    run(store.insert(&PublishBatch { now: t(now), events })).unwrap()
}

/// A store with one event, published and due at 0, for each of these names, to each of these endpoints.
pub(super) fn holding(events: &[&str], endpoints: &[&str]) -> MemoryStore {
    let store = MemoryStore::new();
    for event in events {
        insert(&store, 0, vec![publish(event, 0, endpoints, 0)]);
    }
    store
}

/// Claims for one second; `busy` lists the endpoints with a free number of their own.
pub(super) fn claim_free(
    store: &MemoryStore,
    now: i64,
    n: u128,
    limit: u32,
    (default, busy): (u32, &[(&str, u32)]),
) -> ClaimBatch {
    let busy = busy.iter().map(|(endpoint, free)| (endpoint.parse().unwrap(), *free)).collect();
    let (now, lease_until) = (t(now), t(now + 1000));
    let request = ClaimRequest { now, lease_until, token: token(n), limit, free: Free { default, busy } };
    run(store.claim(&request)).unwrap()
}

/// Claims up to 100 rows for one second, without bounds for an endpoint.
pub(super) fn claim(store: &MemoryStore, now: i64, n: u128) -> ClaimBatch {
    claim_free(store, now, n, 100, (100, &[]))
}

/// The rows of a claim, in its order.
pub(super) fn rows(batch: &ClaimBatch) -> Vec<String> {
    let name = |delivery: &Delivery| format!("{}/{}", delivery.event().id, delivery.endpoint());
    batch.claimed.iter().map(|row| name(&row.delivery)).collect()
}

/// The same, sorted.
pub(super) fn sorted(batch: &ClaimBatch) -> Vec<String> {
    let mut rows = rows(batch);
    rows.sort_unstable();
    rows
}

pub(super) fn load(store: &MemoryStore, event: &str, endpoint: &str) -> Delivery {
    run(store.load(&[dlv(event, endpoint)])).unwrap().pop().unwrap()
}

/// What the machine makes of a leased row that was sent at `now`.
pub(super) fn finished(row: &Delivery, id: u128, now: i64, outcome: Outcome) -> Change {
    let verdict = Verdict::new(outcome);
    let input = Input::Finished {
        gate: Gate::Open,
        started_at: t(now),
        duration: Duration::ZERO,
        url: "https://h/x".into(),
        verdict: Box::new(verdict),
    };
    change(row, id, now, input)
}

pub(super) fn delivered(row: &Delivery, id: u128, now: i64) -> Change {
    finished(row, id, now, Outcome::Success)
}

pub(super) fn failed(row: &Delivery, id: u128, now: i64) -> Change {
    finished(row, id, now, Outcome::Failure(Reason::Status5xx))
}

pub(super) fn handed_back(row: &Delivery, id: u128, now: i64) -> Change {
    change(row, id, now, Input::HandBack)
}

fn change(row: &Delivery, id: u128, now: i64, input: Input) -> Change {
    match step(row, input, &Policy::default(), t(now), ChangeId::new(id)).unwrap() {
        Step::Write(change) => change,
        Step::Send(number) => panic!("attempt {number} starts instead of a write"),
    }
}

pub(super) fn apply(store: &MemoryStore, changes: &[Change]) -> Vec<ApplyOutcome> {
    run(store.apply(changes)).unwrap()
}

/// Claims all that is due at `now` and settles it as delivered.
pub(super) fn deliver_all(store: &MemoryStore, now: i64, n: u128) {
    let batch = claim(store, now, n);
    let changes: Vec<Change> =
        batch.claimed.iter().zip(1..).map(|(row, id)| delivered(&row.delivery, n * 1000 + id, now)).collect();
    assert!(apply(store, &changes).iter().all(|outcome| *outcome == ApplyOutcome::Applied));
}
