//! The memory store.

use std::sync::Arc;

use async_trait::async_trait;
use notify_core::MemoryStore;
use notify_core::id::DeliveryId;
use notify_core::store::{DeliveryLog, EndpointAdmin, EndpointDirectory, Store};
use notify_core::testing::kit::{FixtureError, Offer, OpenedStore, StoreFixture};

#[derive(Debug)]
pub(crate) struct Memory;

#[async_trait]
impl StoreFixture for Memory {
    async fn open(&self) -> Result<Box<dyn OpenedStore>, FixtureError> {
        Ok(Box::new(Opened(MemoryStore::new())))
    }
}

#[derive(Debug)]
struct Opened(MemoryStore);

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
        Ok(Offer::No("its content is gone with its process"))
    }

    async fn corrupt(&self, _: &DeliveryId) -> Result<Offer<()>, FixtureError> {
        Ok(Offer::No("nobody else can reach its memory"))
    }
}

notify_core::store_conformance!(Memory);
