//! The store against real servers.

mod kit;
