//! The memory store behind a door: it can be shut, or be shut for one call alone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use notify_core::MemoryStore;
use notify_core::store::StoreError;
use notify_core::testing::{Intercept, Intercepted, StoreCall};

/// What a driver says, and no page may.
pub(crate) const INTERNALS: &str = "tcp://cache.internal.example:6379 refused us";

/// The store that pages are made from.
pub(crate) type FaultStore = Intercepted<MemoryStore, Door>;

/// A new store behind an open door.
pub(crate) fn fault_store() -> FaultStore {
    Intercepted::new(MemoryStore::new(), Door::default())
}

/// What a call meets on its way to the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Door(Arc<Mutex<Way>>);

#[derive(Clone, Copy, Debug, Default)]
enum Way {
    #[default]
    Open,
    Shut,
    /// This many more calls pass, then one fails, and from then on all pass.
    After(u32),
}

impl Door {
    /// Every call fails from now on.
    pub(crate) fn shut(&self) {
        *self.way() = Way::Shut;
    }

    /// Of the calls that come now, only the one after `passing` others fails.
    pub(crate) fn fail_after(&self, passing: u32) {
        *self.way() = Way::After(passing);
    }

    /// Whether no call was left over to fail; every call passes from now on.
    #[allow(dead_code, reason = "the gallery shuts it for good")]
    pub(crate) fn open(&self) -> bool {
        matches!(std::mem::take(&mut *self.way()), Way::Open)
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Door {
    async fn around<T: Send>(
        &self,
        call: StoreCall,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let fails = {
            let mut way = self.way();
            match *way {
                Way::Open => false,
                Way::Shut => true,
                Way::After(0) => {
                    *way = Way::Open;
                    true
                }
                Way::After(passing) => {
                    *way = Way::After(passing - 1);
                    false
                }
            }
        };
        if fails { Err(StoreError::unavailable(call.operation(), INTERNALS)) } else { work.await }
    }
}
