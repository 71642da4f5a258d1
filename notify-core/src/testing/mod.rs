//! For tests of hosts, of stores, and of notify itself (feature `testing`): a clock that stands still until it is
//! moved, a transport that answers from a script, the timeline that a policy makes of a receiver, and the simulator. No
//! sockets, no sleeps.

mod manual_clock;
mod scripted_transport;
pub mod sim;
mod timeline;

pub use manual_clock::ManualClock;
pub use scripted_transport::{Reply, ScriptedTransport, SentRequest};
pub use timeline::{Behaviour, Timeline, drawn_receiver};
