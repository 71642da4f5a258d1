//! The plain store for the kit.

use std::sync::Arc;

use async_trait::async_trait;
use notify_core::DeliveryId;
use notify_core::store::{DeliveryLog, EndpointAdmin, EndpointDirectory, Store};
use notify_core::testing::kit::{FixtureError, Offer, OpenedStore, StoreFixture};

use super::{Fault, Health, PlainStore};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain(pub(crate) Option<Fault>);

#[async_trait]
impl StoreFixture for Plain {
    async fn open(&self) -> Result<Box<dyn OpenedStore>, FixtureError> {
        Ok(Box::new(PlainStore::new(self.0)))
    }
}

#[async_trait]
impl OpenedStore for PlainStore {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.clone())
    }

    fn directory(&self) -> Arc<dyn EndpointDirectory> {
        Arc::new(self.clone())
    }

    fn admin(&self) -> Offer<Arc<dyn EndpointAdmin>> {
        Offer::Yes(Arc::new(self.clone()))
    }

    fn log(&self) -> Offer<Arc<dyn DeliveryLog>> {
        Offer::Yes(Arc::new(self.clone()))
    }

    async fn another(&self) -> Result<Offer<Arc<dyn Store>>, FixtureError> {
        Ok(Offer::Yes(Arc::new(Self { ahead: 60_000, ..self.clone() })))
    }

    /// Its maps are the disk: what a restart loses is what a fault keeps beside them.
    async fn reopen(&mut self) -> Result<Offer<()>, FixtureError> {
        let mut tables = self.tables();
        match self.fault {
            Some(Fault::ForgetsKeysOnReopen) => tables.keys.clear(),
            Some(Fault::ForgetsClaimsOnReopen) => tables.claims.clear(),
            _ => {}
        }
        Ok(Offer::Yes(()))
    }

    async fn corrupt(&self, delivery: &DeliveryId) -> Result<Offer<()>, FixtureError> {
        self.tables().row_mut(delivery).expect("the row is there").health = Health::Damaged;
        Ok(Offer::Yes(()))
    }
}
