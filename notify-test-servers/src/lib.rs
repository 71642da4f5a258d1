//! Real servers for the tests and benchmarks of this workspace: each on free ports of loopback, in a temporary folder of
//! its own, ended with the process that started it. Whatever goes wrong once a server runs is a panic.
//!
//! All functions block. A test that is async runs them on a multi-thread runtime, or before anything else.

mod error;
mod port;
mod process;
mod redis;

pub use error::{StartError, require};
pub use redis::{AOF_ALWAYS, AOF_EVERY_SECOND, Cut, CuttingProxy, FREE_PORT, RedisCluster, RedisServer, SentinelSet};
