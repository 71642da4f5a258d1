//! Proves any store: a case for each sentence of the contract ([`crate::store`]), a comparison with the model, and a
//! report that lists rules, cases, and what the store does not offer.
//!
//! The author of a store writes a [`StoreFixture`] and one line, which makes a named test of each case:
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use notify_core::MemoryStore;
//! use notify_core::id::DeliveryId;
//! use notify_core::store::{DeliveryLog, EndpointAdmin, EndpointDirectory, Store};
//! use notify_core::testing::kit::{FixtureError, Offer, OpenedStore, StoreFixture};
//!
//! #[derive(Debug)]
//! struct Memory;
//!
//! #[async_trait]
//! impl StoreFixture for Memory {
//!     async fn open(&self) -> Result<Box<dyn OpenedStore>, FixtureError> {
//!         Ok(Box::new(Opened(MemoryStore::new())))
//!     }
//! }
//!
//! #[derive(Debug)]
//! struct Opened(MemoryStore);
//!
//! #[async_trait]
//! impl OpenedStore for Opened {
//!     fn store(&self) -> Arc<dyn Store> {
//!         Arc::new(self.0.clone())
//!     }
//!     fn directory(&self) -> Arc<dyn EndpointDirectory> {
//!         Arc::new(self.0.clone())
//!     }
//!     fn admin(&self) -> Offer<Arc<dyn EndpointAdmin>> {
//!         Offer::Yes(Arc::new(self.0.clone()))
//!     }
//!     fn log(&self) -> Offer<Arc<dyn DeliveryLog>> {
//!         Offer::Yes(Arc::new(self.0.clone()))
//!     }
//!     async fn another(&self) -> Result<Offer<Arc<dyn Store>>, FixtureError> {
//!         Ok(Offer::Yes(Arc::new(self.0.clone())))
//!     }
//!     async fn reopen(&mut self) -> Result<Offer<()>, FixtureError> {
//!         Ok(Offer::No("it is gone with its process"))
//!     }
//!     async fn corrupt(&self, _: &DeliveryId) -> Result<Offer<()>, FixtureError> {
//!         Ok(Offer::No("nobody else can reach its memory"))
//!     }
//! }
//!
//! notify_core::store_conformance!(Memory);
//! # fn main() {}
//! ```
//!
//! The same cases as a plain list, for other test runners: [`cases`]. What a run found, for people: [`report`]. Random
//! calls whose answers are held against those of the model: `compare_with_model` (feature `testing-model`).

#[macro_use]
mod table;

mod case;
mod cases;
#[cfg(feature = "testing-model")]
mod compare;
mod conformance;
mod fixture;
mod list;
pub mod lived;
mod race;
mod report;
pub mod sample;
mod subject;

pub use case::{Case, CaseResult};
#[cfg(feature = "testing-model")]
pub use compare::compare_with_model;
pub use fixture::{FixtureError, Offer, OpenedStore, StoreFixture};
pub use list::cases;
pub use report::{Report, report};

use subject::Subject;

/// Runs a future on a runtime of its own, with threads enough for a race.
///
/// # Panics
/// The operating system gives no threads, or this is inside another runtime.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let runtime = built.expect("the operating system gives threads");
    let ended = runtime.block_on(future);
    // A store that blocks its thread for ever has failed its case; waiting for it would hang the whole run.
    runtime.shutdown_background();
    ended
}

/// Runs the case `name` of `group` as a test; for [`store_conformance!`](crate::store_conformance).
///
/// # Panics
/// The case fails, or there is none of this name.
#[doc(hidden)]
pub fn test(fixture: &dyn StoreFixture, group: &str, name: &str) {
    let case = cases().iter().find(|case| case.group() == group && case.name() == name);
    case.expect("the macro and the list are made of one table").test(fixture);
}
