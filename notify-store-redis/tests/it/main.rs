//! The store against real servers: the kit's cases, and what it makes of a server's settings.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod activity;
mod finding;
mod kit;
mod server;
