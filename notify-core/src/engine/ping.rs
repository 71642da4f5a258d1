//! A test event to one endpoint, through the real engine.

use std::fmt;
use std::sync::Arc;

use crate::delivery::{NewDelivery, Start};
use crate::event::{NewEvent, Purpose};
use crate::fanout::delivery_id;
use crate::id::{EndpointId, EventType, TenantId};
use crate::store::{PublishBatch, PublishedEvent};

use super::endpoints::Endpoints;
use super::error::{ControlError, PublishError};
use super::publisher::{Publisher, Receipt, build_within_limit, only};

/// The type of a ping's event.
pub const PING: &str = "endpoint.ping";

/// Which test event to send. By default one of type [`PING`].
#[derive(Clone, Default, Eq, PartialEq)]
pub struct PingRequest {
    event_type: Option<EventType>,
    data: Option<String>,
}

impl PingRequest {
    /// A test event of this type: it looks like a real one to its receiver.
    #[must_use]
    pub const fn of(event_type: EventType) -> Self {
        Self { event_type: Some(event_type), data: None }
    }

    /// The same with this JSON text as its data, kept to the letter. It is checked when it is sent.
    #[must_use]
    pub fn with_data(self, data: impl Into<String>) -> Self {
        Self { data: Some(data.into()), ..self }
    }
}

impl fmt::Debug for PingRequest {
    /// Without the data: only how long it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.data.as_ref().map(String::len);
        f.debug_struct("PingRequest").field("event_type", &self.event_type).field("data_bytes", &bytes).finish()
    }
}

impl Endpoints {
    /// Publishes an event of type [`PING`] for this endpoint alone, whatever its filter says: it is signed, sent,
    /// retried and logged as any other, and the receiver can tell it by its type. The log keeps it as a
    /// [`Purpose::Test`]. Its data is the endpoint's id.
    ///
    /// # Errors
    /// As [`ping_with`](Self::ping_with).
    ///
    /// # Cancel safety
    /// A dropped call has published the ping or not.
    pub async fn ping(&self, tenant: &TenantId, id: &EndpointId) -> Result<Receipt, ControlError> {
        self.ping_with(tenant, id, &PingRequest::default()).await
    }

    /// Publishes a test event of the asked type for this endpoint alone, as [`ping`](Self::ping) does. Without
    /// [`data`](PingRequest::with_data) it has the example that the type was registered with, and the endpoint's id where
    /// it was not.
    ///
    /// # Errors
    /// [`ControlError::NotFound`]; [`ControlError::EndpointDisabled`]; [`ControlError::Invalid`] names the field `data`
    /// where that is not one JSON value; [`ControlError::Publish`] where it is too large, where the catalogue is closed
    /// and does not have the type, and where the store does not take it.
    ///
    /// # Cancel safety
    /// A dropped call has published the test event or not.
    pub async fn ping_with(
        &self,
        tenant: &TenantId,
        id: &EndpointId,
        request: &PingRequest,
    ) -> Result<Receipt, ControlError> {
        let endpoint = self.get(tenant, id).await?;
        if !endpoint.is_enabled() {
            return Err(ControlError::EndpointDisabled);
        }
        let event = self.test_event(id, request)?.for_tenant(tenant.clone());
        let now = self.shared.now();
        let built = build_within_limit(&self.shared, &event, now)?;
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

    fn test_event(&self, id: &EndpointId, request: &PingRequest) -> Result<NewEvent, ControlError> {
        let catalogue = &self.shared.catalogue;
        let of_endpoint = || serde_json::json!({ "endpoint_id": id.as_str() }).to_string();
        let (event_type, example) = match &request.event_type {
            None => (PING, None),
            // A closed catalogue does not list the ping's own type, and nobody publishes that one by another door.
            Some(asked) if asked.as_str() != PING && !catalogue.allows(asked) => {
                let nearest = catalogue.nearest(asked).cloned();
                return Err(PublishError::UnknownType { event_type: asked.clone(), nearest }.into());
            }
            Some(asked) => (asked.as_str(), catalogue.entries().find(|entry| entry.event_type == *asked)),
        };
        let data = request.data.clone().or_else(|| example.map(|entry| entry.example.clone()));
        Ok(NewEvent::new(event_type, &data.unwrap_or_else(of_endpoint))?)
    }
}
