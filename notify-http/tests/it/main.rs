//! The transport against receivers on loopback that do what real ones should not.
#![expect(clippy::unwrap_used, reason = "tests")]

mod connections;
mod deadline;
mod engine;
mod environment;
mod hostile;
mod memory;
mod names;
mod proxy;
mod receiver;
mod reply;
mod tls;
mod wire;
