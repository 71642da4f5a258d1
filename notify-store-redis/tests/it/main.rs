//! The store against real servers.

mod kit;
mod server;
