//! Webhooks from inside your own service. **notify** keeps every event, signs it, delivers it, retries it on a
//! published schedule, and shows what happened. There is no server to run: the host picks a store, registers
//! endpoints, calls [`Engine::publish`], and polls [`Engine::run`].
//!
//! ```
//! use notify_core::testing::{Reply, ScriptedTransport}; // a host takes notify_http::HttpTransport
//! use notify_core::{ConnectionCreated, Engine, EventPayload, MemoryStore, NewEndpoint};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::builder(MemoryStore::new())
//!     .transport(ScriptedTransport::new(Reply::Status(200)))
//!     .build()?;
//! let crm = engine.endpoints().create(NewEndpoint::new("crm", "https://crm.example.com/hook")).await?;
//! println!("give this to the receiver, once: {}", crm.secret.expose());
//!
//! engine.publish(&ConnectionCreated::example()).await?; // durable when it returns
//! let round = engine.run_once().await?;                 // a service polls engine.run(shutdown) instead
//! assert_eq!(round.delivered, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # The house, from the bottom
//! Words ([`id`], [`Timestamp`]); rules on words ([`retry`], [`sign`]); nouns ([`event`], [`endpoint`],
//! [`delivery`]); decisions ([`fanout`], [`machine`]), all pure; promises ([`store`], [`transport`], [`observe`]);
//! the pure conductor ([`dispatch`]); and the hands ([`engine`]), which alone hold a clock, randomness and a loop
//! that awaits.
//!
//! # Features
//! - `os-rng` (on): randomness from the operating system. Without it the builder needs an
//!   [`Entropy`](engine::Entropy).
//! - `tracing`: `observe::TracingObserver`, what happens as tracing events.
//! - `testing`: `testing`, for the tests of hosts (`TestNotify`) and of stores (the kit). Turns `os-rng` on.
//! - `testing-model`: the kit's comparison with the model too; brings `proptest`.

#[macro_use]
mod planted;

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
