//! For tests of hosts, of stores, and of notify itself (feature `testing`): a clock that stands still until it is
//! moved, and a transport that answers from a script. No sockets, no sleeps.

mod manual_clock;
mod scripted_transport;

pub use manual_clock::ManualClock;
pub use scripted_transport::{Reply, ScriptedTransport, SentRequest};
