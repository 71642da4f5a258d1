//! notify's Redis store: one node, Sentinel or Cluster, for several engines on one store.
//!
//! ```no_run
//! # async fn example() -> Result<(), notify_store_redis::OpenError> {
//! use notify_store_redis::{Durability, RedisStore};
//!
//! let store = RedisStore::builder("redis://localhost:6379")
//!     .namespace("shop")
//!     .durability(Durability::Replicas(1))
//!     .connect()
//!     .await?;
//! for warning in store.warnings() {
//!     eprintln!("{warning}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Needs Redis 7.0 or Valkey 7.2, `maxmemory-policy noeviction`, and an append-only file for anything that must
//! survive the server. What each setting loses is in the guide `docs/guides/redis.md`.

mod activity;
mod batch;
mod bell;
mod builder;
mod changed;
mod claim;
mod endpoints;
mod error;
mod keys;
mod link;
mod log;
mod open;
mod place;
mod publish;
mod reply;
mod rows;
mod script;
mod settle;
mod source;
mod store;
#[cfg(feature = "tls")]
mod tls;
mod verify;

pub use builder::{Durability, Eviction, RedisBuilder};
pub use error::OpenError;
pub use open::LAYOUT_VERSION;
pub use redis;
pub use store::RedisStore;
pub use verify::IndexFault;
