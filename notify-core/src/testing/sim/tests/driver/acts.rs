//! What the host's publishers and operators do, and what goes wrong for all.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::endpoint::EndpointPatch;
use crate::engine::{Backlog, ControlError, PublishError};
use crate::event::NewEvent;
use crate::store::EndpointAdmin;
use crate::time::Timestamp;

use super::super::super::fixture;
use super::super::super::scenario::{Action, Content, Operation, Publish, Trouble};
use super::super::super::world::START;
use super::World;
use super::receivers::tenant;

impl World {
    /// One publish, by a caller that goes on until it is told what became of it.
    pub(super) async fn publish(self: Arc<Self>, index: usize, content: Content, at: i64) {
        self.clock.until(at).await;
        let plan = &self.scenario.publishes[index];
        let process = plan.by.unwrap_or(self.scenario.processes);
        let event = new_event(plan, index, content);
        loop {
            let engine = self.engine_of(process);
            let publish = engine.publish_event(event.clone());
            let answer = if plan.dropped && self.faults_are_on() {
                // The caller goes away; what it began may be stored or not.
                match timeout(self.pause(1, 2 * self.scenario.latency.max(1)), publish).await {
                    Ok(answer) => answer,
                    Err(_) => return,
                }
            } else {
                publish.await
            };
            match answer {
                Ok(receipt) => {
                    self.shared().accepted.insert(receipt.event_id);
                    return;
                }
                Err(PublishError::Conflict { .. }) => return,
                Err(_) => sleep(self.pause(100, 60_000)).await,
            }
        }
    }

    /// One act of an operator, who repeats it until it is done or refused.
    pub(super) async fn operate(self: Arc<Self>, action: Action) {
        self.clock.until(action.at).await;
        while let Err(ControlError::Store(_)) = self.act(&action).await {
            sleep(self.pause(1000, 30_000)).await;
        }
    }

    async fn act(&self, action: &Action) -> Result<(), ControlError> {
        let Some(id) = fixture::endpoint_id(action.endpoint) else { return Ok(()) };
        let engine = self.engine_of(action.by);
        let (endpoints, tenant) = (engine.endpoints(), tenant());
        match action.what {
            Operation::Create => self.create(action.endpoint).await,
            Operation::EditUrl => {
                let url = format!("https://receiver{}.example/hook/{}", action.endpoint, self.clock.elapsed());
                let patch = EndpointPatch { url: Some(url), ..EndpointPatch::default() };
                endpoints.update(&tenant, &id, &patch).await?;
            }
            Operation::Disable => {
                endpoints.disable(&tenant, &id, "simulated").await?;
            }
            Operation::EnableAndResume => {
                endpoints.enable(&tenant, &id, Backlog::Resume).await?;
            }
            Operation::EnableAndCancel => {
                endpoints.enable(&tenant, &id, Backlog::Cancel).await?;
            }
            Operation::Delete => {
                endpoints.delete(&tenant, &id).await?;
                self.receivers.got().deleted.insert(action.endpoint, self.clock.elapsed());
            }
            Operation::Rotate => {
                endpoints.rotate_secret(&tenant, &id, Duration::from_secs(3600)).await?;
                self.receivers.learn_secrets(action.endpoint).await;
            }
            Operation::Resend | Operation::Cancel => {
                let all = self.deliveries().await;
                let ids: Vec<_> = all.iter().filter(|row| *row.endpoint() == id).map(|row| row.id()).collect();
                if ids.is_empty() {
                    return Ok(());
                }
                let id = ids[self.shared().rng.index(ids.len())];
                let deliveries = engine.deliveries();
                if action.what == Operation::Resend {
                    deliveries.resend(&tenant, &id).await?;
                } else {
                    deliveries.cancel(&tenant, &id).await?;
                }
            }
        }
        Ok(())
    }

    /// Not through an engine, which would draw an id of its own.
    pub(super) async fn create(&self, index: usize) {
        self.receivers.got().deleted.remove(&index);
        let endpoint = fixture::endpoint(index, &self.scenario.endpoints[index], self.clock.true_time());
        self.memory.create(&endpoint.expect("it is sound")).await.expect("memory takes it");
    }

    /// The troubles that are nobody's own.
    pub(super) async fn disturb(self: Arc<Self>, at: i64, what: Trouble) {
        self.clock.until(at).await;
        let left = (self.scenario.span - at).max(0);
        match what {
            Trouble::Outage { millis } => self.door.outage(millis.min(left).unsigned_abs()).await,
            Trouble::DirectoryOutage { millis } => self.door.directory_outage(millis.min(left).unsigned_abs()).await,
            _ => {}
        }
    }
}

fn new_event(plan: &Publish, index: usize, content: Content) -> NewEvent {
    let data = match content {
        Content::Same => format!("{{\"n\":{index}}}"),
        Content::Other => format!("{{\"n\":{index},\"other\":true}}"),
    };
    let event = NewEvent::new(plan.event_type, &data).expect("it is sound");
    let again = plan.keyed && content == Content::Other;
    let id = if again { format!("e{index}-again") } else { format!("e{index}") };
    let mut event = event.with_id(&id).expect("it is an id");
    if plan.keyed {
        event = event.with_idempotency_key(&format!("key {index}")).expect("it is a key");
    }
    if let Some(later) = plan.not_before {
        event = event.not_before(Timestamp::from_millis(START + plan.at + later));
    }
    event
}
