//! Black-box tests: the real `host` program, its own folder, a port of its own, receivers on loopback.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod api;
mod crash;
mod dashboard;
mod endpoints;
mod fixture;
mod http;
mod log;
mod node;
mod options;
mod receiver;
mod recover;
mod secrets;
mod shared_store;
mod ssrf;
mod stop;
mod wire;
