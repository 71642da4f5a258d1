//! For tests of hosts, of stores, and of notify itself (feature `testing`): a clock that stands still until it is
//! moved, a transport that answers from a script, and the [`kit`] that proves a store. No sockets, no sleeps.

#[cfg(feature = "testing")]
pub mod kit;
mod manual_clock;
mod scripted_transport;

pub use manual_clock::ManualClock;
pub use scripted_transport::{Reply, ScriptedTransport, SentRequest};
