//! The engine: the only clock, the only randomness, and the only loop that awaits.

mod answer;
mod attempt;
mod backlog;
mod builder;
mod catalogue;
mod clock;
mod crowd;
mod deliveries;
mod driver;
mod endpoints;
#[allow(clippy::module_inception, reason = "the handle that the folder is about")]
mod engine;
mod entropy;
mod error;
mod held;
mod history;
#[cfg(any(test, feature = "testing"))]
mod in_order;
mod left_held;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod parts;
mod ping;
mod prepare;
mod publisher;
mod recover;
mod reference;
mod reserved;
mod secrets;
mod send_missing;
mod shared;
mod stored;
mod subscriptions;
mod timekeeper;

pub use builder::EngineBuilder;
pub use catalogue::{Catalogue, CatalogueEntry};
pub use clock::{Clock, SystemClock};
pub use deliveries::Deliveries;
pub use driver::Round;
pub use endpoints::{Backlog, CreatedEndpoint, Endpoints};
pub use engine::{Engine, Health};
pub use entropy::Entropy;
#[cfg(feature = "os-rng")]
pub use entropy::OsEntropy;
pub use error::{BuildError, ControlError, PublishError, RunError};
pub use history::{History, Outlook};
pub use ping::{PING, PingRequest};
pub use prepare::Prepared;
pub use publisher::{Publisher, Receipt};
pub use recover::{RecoverEnded, RecoverRequest, Recovered};
pub use secrets::DEFAULT_OVERLAP;
pub use send_missing::{MissingRequest, SentMissing};
