//! For tests of hosts, of stores, and of notify itself (feature `testing`). No sockets, no sleeps.
//!
//! A host's test takes [`TestNotify`]: an engine whose clock stands still until it is moved, whose receivers answer by
//! script, and which can say what was published and delivered. Its pieces, [`ManualClock`] and [`ScriptedTransport`],
//! can be used alone, and so can a store that is [`Intercepted`]. [`Timeline`] tells what a policy makes of a receiver. The
//! author of a store takes the [`kit`]; [`sim`] is notify's own simulator.

mod behaviour;
mod host;
mod intercepted;
#[cfg(feature = "testing")]
pub mod kit;
mod manual_clock;
mod pace;
mod replies;
mod scripted_transport;
pub mod sim;
mod store_call;
mod timeline;

pub use behaviour::{Behaviour, InvalidBehaviour, drawn_receiver, in_turn};
pub use host::{Delivered, TestNotify, TestNotifyBuilder, TestWebhook};
pub use intercepted::{Intercept, Intercepted};
pub use manual_clock::ManualClock;
pub use replies::{answer, in_hours, in_minutes, in_seconds, refused, status, timeout};
pub use scripted_transport::{Reply, ScriptedTransport, SentRequest};
pub use store_call::StoreCall;
pub use timeline::Timeline;
