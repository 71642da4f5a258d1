//! The transport against receivers on loopback that do what real ones should not.
#![expect(clippy::unwrap_used, reason = "tests")]

mod connections;
mod deadline;
mod dns;
mod engine;
mod environment;
mod fuzzed;
mod hostile;
mod leftover;
mod live;
mod memory;
mod names;
mod poison;
mod proxy;
mod receiver;
mod reply;
mod ssrf;
mod timing;
mod tls;
mod wire;
