//! The transport against receivers on loopback that do what real ones should not.
#![expect(clippy::unwrap_used, reason = "tests")]

mod certificates;
mod deadline;
mod dns;
mod environment;
mod fuzzed;
mod live;
mod names;
mod receiver;
mod reply;
mod ssrf;
mod tls;
mod wire;
