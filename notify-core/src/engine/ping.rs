//! A test event to one endpoint, through the real engine.

use std::sync::Arc;

use crate::delivery::{NewDelivery, Start};
use crate::event::{NewEvent, Purpose};
use crate::fanout::delivery_id;
use crate::id::{EndpointId, EventId, TenantId};
use crate::store::{PublishBatch, PublishedEvent};

use super::endpoints::Endpoints;
use super::error::ControlError;
use super::publisher::{Publisher, Receipt, only};

/// The type of a ping's event.
pub const PING: &str = "endpoint.ping";

impl Endpoints {
    /// Publishes an event of type [`PING`] for this endpoint alone, whatever its filter says: it is signed, sent,
    /// retried and logged as any other, and the receiver can tell it by its type. The log keeps it as a
    /// [`Purpose::Test`]. Its data is the endpoint's id.
    ///
    /// # Errors
    /// [`ControlError::NotFound`]; [`ControlError::EndpointDisabled`]; [`ControlError::Publish`].
    ///
    /// # Cancel safety
    /// A dropped call has published the ping or not.
    pub async fn ping(&self, tenant: &TenantId, id: &EndpointId) -> Result<Receipt, ControlError> {
        let endpoint = self.get(tenant, id).await?;
        if !endpoint.is_enabled() {
            return Err(ControlError::EndpointDisabled);
        }
        let data = serde_json::json!({ "endpoint_id": id.as_str() }).to_string();
        let event = NewEvent::new(PING, &data)?.for_tenant(tenant.clone());
        let now = self.shared.now();
        let built = event.build(EventId::from_xid(self.shared.xids.next(now)), now);
        let delivery = NewDelivery { id: delivery_id(&built.key, id), endpoint: id.clone(), start: Start::Due(now) };
        let published = PublishedEvent {
            deliveries: vec![delivery],
            event: Arc::new(built),
            fingerprint: event.fingerprint(),
            idempotency_key: None,
            purpose: Purpose::Test,
        };
        let publisher = Publisher { shared: Arc::clone(&self.shared) };
        Ok(only(publisher.insert(PublishBatch { now, events: vec![published] }).await?)?)
    }
}
