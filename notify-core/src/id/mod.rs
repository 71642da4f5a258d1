//! Words: ids, versions, tokens, event types. Each is checked once, where it is made.

mod event_type;
mod number;
mod text;
mod xid;

pub use event_type::{EventFilter, EventType, InvalidEventFilter, InvalidEventType};
pub use number::{AttemptNumber, ChangeId, ClaimToken, Round, Version};
pub use text::{DeliveryId, EndpointId, EventId, IdempotencyKey, InvalidId, TenantId};
pub use xid::{InvalidXid, Xid, XidSource};
