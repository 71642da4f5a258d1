//! Small makers of what the tests hand in.

use std::sync::Arc;
use std::time::Duration;

use notify_core::delivery::{Delivery, NewDelivery, Response, Start};
use notify_core::endpoint::{Endpoint, EndpointStatus, PolicyOverrides};
use notify_core::event::{EventKey, Purpose};
use notify_core::fanout::delivery_id;
use notify_core::id::{ChangeId, ClaimToken, EventFilter, Version};
use notify_core::machine::{Change, Gate, Input, Step, classify, step};
use notify_core::retry::{Policy, SuccessRule};
use notify_core::sign::{Secret, SecretSet};
use notify_core::store::{
    ClaimBatch, ClaimRequest, Free, InsertOutcome, Inserted, PublishBatch, PublishedEvent, Store,
};
use notify_core::{DeliveryId, EndpointId, NewEvent, TenantId, Timestamp};
use notify_store_sqlite::SqliteStore;

pub(crate) const BODY: &str = r#"{"connection_id":"con_1"}"#;

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + millis)
}

pub(crate) fn endpoint_id(name: &str) -> EndpointId {
    name.parse().unwrap()
}

pub(crate) fn key(id: &str) -> EventKey {
    EventKey { tenant: TenantId::default(), id: id.parse().unwrap() }
}

pub(crate) fn due(millis: i64) -> Start {
    Start::Due(at(millis))
}

pub(crate) fn leased(token: u128, until: i64) -> Start {
    Start::Leased { token: ClaimToken::new(token), until: at(until) }
}

pub(crate) fn published(event: &NewEvent, id: &str, deliveries: &[(&str, Start)]) -> PublishedEvent {
    let key = EventKey { tenant: event.tenant().clone(), id: id.parse().unwrap() };
    let deliveries = deliveries.iter().map(|(endpoint, start)| new_delivery(&key, endpoint, *start)).collect();
    PublishedEvent {
        event: Arc::new(event.build(key.id, at(0))),
        fingerprint: event.fingerprint(),
        idempotency_key: event.idempotency_key().cloned(),
        purpose: Purpose::Live,
        deliveries,
    }
}

pub(crate) fn new_delivery(key: &EventKey, endpoint: &str, start: Start) -> NewDelivery {
    let endpoint = endpoint_id(endpoint);
    NewDelivery { id: delivery_id(key, &endpoint), endpoint, start }
}

pub(crate) fn delivery(event: &str, endpoint: &str) -> DeliveryId {
    delivery_id(&key(event), &endpoint_id(endpoint))
}

pub(crate) fn batch(events: Vec<PublishedEvent>) -> PublishBatch {
    PublishBatch { now: at(0), events }
}

/// Publishes one event of the default tenant.
pub(crate) async fn publish(store: &SqliteStore, id: &str, deliveries: &[(&str, Start)]) {
    let event = NewEvent::new("connection.created", BODY).unwrap();
    let outcome = store.insert(&batch(vec![published(&event, id, deliveries)])).await.unwrap();
    assert_eq!(outcome, InsertOutcome::Stored(vec![Inserted::New]));
}

pub(crate) fn request(now: i64, token: u128, limit: u32) -> ClaimRequest {
    ClaimRequest {
        now: at(now),
        lease_until: at(now + 50_000),
        token: ClaimToken::new(token),
        limit,
        free: Free { default: 1_000_000, busy: vec![] },
    }
}

pub(crate) async fn claim(store: &SqliteStore, now: i64, token: u128, limit: u32) -> ClaimBatch {
    store.claim(&request(now, token, limit)).await.unwrap()
}

/// Which (event, endpoint) a claim got.
pub(crate) fn names(batch: &ClaimBatch) -> Vec<(String, String)> {
    let name =
        |row: &notify_core::store::Claimed| (row.delivery.event().id.to_string(), row.delivery.endpoint().to_string());
    batch.claimed.iter().map(name).collect()
}

pub(crate) async fn load(store: &SqliteStore, event: &str, endpoint: &str) -> Delivery {
    store.load(&[delivery(event, endpoint)]).await.unwrap().pop().expect("it exists")
}

/// The change that an answer with `status` makes.
pub(crate) fn answered(delivery: &Delivery, status: u16, now: i64, id: u128) -> Change {
    let mut response = Response::new(status);
    response.body = bytes::Bytes::from_static(b"ok\0\xff");
    response.truncated = true;
    response.peer = Some("192.0.2.1".parse().unwrap());
    let input = Input::Finished {
        gate: Gate::Open,
        started_at: at(now),
        duration: Duration::from_micros(1_500),
        url: Arc::from("https://example.com/hook"),
        verdict: Box::new(classify(Ok(response), SuccessRule::Exactly200)),
    };
    change(delivery, input, now, id)
}

pub(crate) fn change(delivery: &Delivery, input: Input, now: i64, id: u128) -> Change {
    match step(delivery, input, &Policy::default(), at(now), ChangeId::new(id)).unwrap() {
        Step::Write(change) => change,
        Step::Send(_) => panic!("no change"),
    }
}

pub(crate) fn endpoint(id: &str, secret: &str) -> Endpoint {
    Endpoint {
        id: endpoint_id(id),
        tenant: TenantId::default(),
        name: id.parse().unwrap(),
        url: "https://example.com/hook".parse().unwrap(),
        description: "a \"quoted\" description".to_owned(),
        filter: EventFilter::new(["connection.*"]).unwrap(),
        headers: vec![],
        status: EndpointStatus::Enabled,
        secrets: SecretSet::new(Secret::new(secret).unwrap(), at(0)),
        policy: PolicyOverrides { timeout: Some(Duration::from_secs(7)), ..PolicyOverrides::default() },
        version: Version::FIRST,
        created_at: at(0),
        updated_at: at(0),
    }
}

/// A store in a file of its own, and the directory that holds it.
pub(crate) async fn in_file() -> (tempfile::TempDir, SqliteStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path().join("notify.db")).await.unwrap();
    (dir, store)
}

/// Another program's hands on the file.
pub(crate) fn outside(store: &SqliteStore) -> rusqlite::Connection {
    let conn = rusqlite::Connection::open(store.path().unwrap()).unwrap();
    conn.busy_timeout(Duration::from_secs(5)).unwrap();
    conn
}
