//! Which deliveries an event has. Pure, and the same again: ids are derived.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::delivery::{NewDelivery, Start};
use crate::endpoint::Endpoint;
use crate::event::EventKey;
use crate::id::{DeliveryId, EndpointId, EventType};
use crate::time::Timestamp;

/// One delivery for each of `endpoints` that belongs to the event's tenant and wants its type; born held where
/// the endpoint is disabled, else due at `due_at`. An endpoint that a directory lists twice gets one delivery.
pub fn fan_out<'a>(
    event: &EventKey,
    event_type: &EventType,
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
    due_at: Timestamp,
) -> Vec<NewDelivery> {
    let mut seen = BTreeSet::new();
    endpoints
        .into_iter()
        .filter(|endpoint| {
            endpoint.tenant == event.tenant && (endpoint.filter.matches(event_type) || planted!(FilterIgnored))
        })
        .map(|endpoint| NewDelivery {
            id: delivery_id(event, &endpoint.id),
            endpoint: endpoint.id.clone(),
            start: if endpoint.is_enabled() || planted!(BornDue) { Start::Due(due_at) } else { Start::Held(due_at) },
        })
        .filter(|new| seen.insert(new.id))
        .collect()
}

/// The id of the delivery of `event` to `endpoint`: 20 bytes of the SHA-256 over tenant, event and endpoint, each
/// with its length before it.
#[must_use]
pub fn delivery_id(event: &EventKey, endpoint: &EndpointId) -> DeliveryId {
    let mut hash = Sha256::new();
    let endpoint = if planted!(IdWithoutEndpoint) { "" } else { endpoint.as_str() };
    for part in [event.tenant.as_str(), event.id.as_str(), endpoint] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&digest[..20]);
    DeliveryId::from_bytes(bytes)
}

#[cfg(test)]
mod tests;
