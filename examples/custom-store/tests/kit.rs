//! The proof: one fixture, one macro, a named test for each case of the kit.
//!
//! `cargo test -p custom-store --test kit report -- --nocapture` prints rules, cases, and what this store does not
//! offer.

use std::sync::Arc;

use async_trait::async_trait;
use custom_store::MapStore;
use notify_core::DeliveryId;
use notify_core::store::{DeliveryLog, EndpointAdmin, EndpointDirectory, Store};
use notify_core::testing::kit::{self, FixtureError, Offer, OpenedStore, StoreFixture};

#[derive(Debug)]
struct Maps;

#[async_trait]
impl StoreFixture for Maps {
    async fn open(&self) -> Result<Box<dyn OpenedStore>, FixtureError> {
        Ok(Box::new(Opened(MapStore::new())))
    }
}

#[derive(Debug)]
struct Opened(MapStore);

#[async_trait]
impl OpenedStore for Opened {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.0.clone())
    }

    fn directory(&self) -> Arc<dyn EndpointDirectory> {
        Arc::new(self.0.clone())
    }

    fn admin(&self) -> Offer<Arc<dyn EndpointAdmin>> {
        Offer::Yes(Arc::new(self.0.clone()))
    }

    fn log(&self) -> Offer<Arc<dyn DeliveryLog>> {
        Offer::Yes(Arc::new(self.0.clone()))
    }

    async fn another(&self) -> Result<Offer<Arc<dyn Store>>, FixtureError> {
        Ok(Offer::Yes(Arc::new(self.0.clone())))
    }

    async fn reopen(&mut self) -> Result<Offer<()>, FixtureError> {
        Ok(Offer::No("maps are gone with their process"))
    }

    async fn corrupt(&self, _: &DeliveryId) -> Result<Offer<()>, FixtureError> {
        Ok(Offer::No("nobody writes to a map past its store"))
    }
}

notify_core::store_conformance!(Maps);

#[test]
fn the_report_is_green() {
    let report = kit::report(&Maps);
    println!("{report}");
    assert!(report.is_green());
}

/// Random calls, whose answers and rows must be those of the contract as a plain struct.
#[test]
fn random_calls_are_answered_as_the_model_answers_them() {
    kit::compare_with_model(&Maps, 1_000);
}
