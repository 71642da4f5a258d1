//! Events: what the host publishes, and the bytes that every attempt sends.

mod envelope;
mod new_event;
mod payload;
mod purpose;

use bytes::Bytes;

use crate::id::{EventId, EventType, TenantId};
use crate::time::Timestamp;

pub use envelope::envelope;
pub use new_event::{Fingerprint, NewEvent};
pub use payload::{ConnectionCreated, ConnectionUpdated, EventPayload};
pub use purpose::Purpose;

/// Names one event: ids are unique for their tenant only.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EventKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// Which one.
    pub id: EventId,
}

/// One published event. Its body was built once, and is what every attempt to every endpoint sends.
#[derive(Clone, Eq, PartialEq)]
pub struct Event {
    /// Tenant and id.
    pub key: EventKey,
    /// What happened.
    pub event_type: EventType,
    /// When it happened; the same on every attempt.
    pub timestamp: Timestamp,
    /// The envelope's bytes.
    pub body: Bytes,
}

impl std::fmt::Debug for Event {
    /// Without the body: payloads stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event")
            .field("key", &self.key)
            .field("event_type", &self.event_type)
            .field("timestamp", &self.timestamp)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}
