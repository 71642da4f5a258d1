//! Webhooks from inside your own service. **notify** keeps every event, signs it, delivers it, retries it on a
//! published schedule, and shows what happened. There is no server to run: the host picks a store, registers
//! endpoints, calls [`Engine::publish`], and polls [`Engine::run`].

pub mod delivery;
pub mod dispatch;
pub mod endpoint;
pub mod engine;
pub mod event;
pub mod fanout;
pub mod id;
mod input;
pub mod machine;
pub mod observe;
pub mod retry;
pub mod sign;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod time;
pub mod transport;

pub use dispatch::StopReport;
pub use endpoint::{Endpoint, EndpointPatch, NewEndpoint};
pub use engine::{Engine, EngineBuilder, Publisher, Receipt};
pub use event::{ConnectionCreated, ConnectionUpdated, Event, EventPayload, NewEvent};
pub use id::{DeliveryId, EndpointId, EventId, EventType, TenantId};
pub use input::InvalidInput;
pub use retry::{Policy, RetrySchedule, SuccessRule};
pub use sign::{Secret, Verifier};
pub use store::MemoryStore;
pub use time::{InvalidTimestamp, Timestamp};
