//! What the store's log says of a test's events and deliveries.

use std::sync::Arc;

use crate::delivery::{Attempt, Delivery};
use crate::engine::{ControlError, Engine};
use crate::event::Event;
use crate::id::TenantId;
use crate::sign::Secret;
use crate::store::{EventQuery, EventRecord};
use crate::time::Timestamp;

use super::TestWebhook;
use super::wait::wait;

/// One delivery with all that is known of it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) event: Arc<Event>,
    pub(super) delivery: Delivery,
    pub(super) attempts: Vec<Attempt>,
}

/// What can be seen of one webhook at one moment.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) url: String,
    /// Its deliveries, the oldest first.
    pub(super) found: Vec<Found>,
    /// All events of its tenant, the oldest first.
    pub(super) published: Vec<Published>,
    /// How many attempts a round has.
    pub(super) attempts: u32,
    /// Its secrets, and the one it had when the test met it.
    pub(super) secrets: Vec<Secret>,
    pub(super) time: Time,
}

/// One published event.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) event: Arc<Event>,
    pub(super) at: Timestamp,
}

/// When the test began, and what its clock shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    pub(super) began: Timestamp,
    pub(super) now: Timestamp,
}

/// All events of `tenant`, the oldest first.
#[track_caller]
pub(super) fn published(engine: &Engine, tenant: &TenantId) -> Vec<Published> {
    let records = answered(wait(records(engine, tenant)));
    records.into_iter().map(|record| Published { event: record.event, at: record.created_at }).collect()
}

/// What there is to say of `webhook`.
#[track_caller]
pub(super) fn scene(engine: &Engine, webhook: &TestWebhook, time: Time) -> Scene {
    answered(wait(read_scene(engine, webhook, time)))
}

#[track_caller]
fn answered<T>(answer: Result<T, ControlError>) -> T {
    answer.unwrap_or_else(|error| panic!("the store does not answer: {error}"))
}

async fn read_scene(engine: &Engine, webhook: &TestWebhook, time: Time) -> Result<Scene, ControlError> {
    let (mut found, mut published) = (Vec::new(), Vec::new());
    for record in records(engine, webhook.tenant()).await? {
        for delivery in record.deliveries.into_iter().filter(|delivery| delivery.endpoint() == webhook.id()) {
            let attempts = engine.history().attempts(&delivery.id()).await?;
            found.push(Found { event: Arc::clone(&record.event), delivery, attempts });
        }
        published.push(Published { event: record.event, at: record.created_at });
    }
    let endpoint = match engine.endpoints().get(webhook.tenant(), webhook.id()).await {
        Ok(endpoint) => Some(endpoint),
        Err(ControlError::NotFound) => None,
        Err(error) => return Err(error),
    };
    let schedule = endpoint.as_ref().and_then(|endpoint| endpoint.policy.schedule.as_ref());
    let attempts = schedule.unwrap_or(&engine.policy().schedule).attempts();
    let kept = endpoint.iter().flat_map(|endpoint| endpoint.secrets.iter()).map(|stored| stored.secret.clone());
    let secrets = kept.chain([webhook.secret().clone()]).collect();
    Ok(Scene { url: webhook.url().to_owned(), found, published, attempts, secrets, time })
}

async fn records(engine: &Engine, tenant: &TenantId) -> Result<Vec<EventRecord>, ControlError> {
    let mut query = EventQuery { tenant: tenant.clone(), ..EventQuery::default() };
    query.page.limit = 100;
    let mut records = Vec::new();
    loop {
        let page = engine.history().events(&query).await?;
        records.extend(page.items);
        query.page.after = page.next;
        if query.page.after.is_none() {
            records.reverse();
            return Ok(records);
        }
    }
}
