//! What the engine's time is compared with: the store's clock where it has one, else the wall clock.

use std::sync::Arc;

use crate::store::{Operation, StoreError};
use crate::time::Timestamp;

use super::shared::{STORE_DEADLINE, Shared, lock};
use super::timekeeper::{CORRECT_EVERY, Timekeeper};

/// Begins a run's time at the store's, also where this machine's clock is ahead: it would take rows before they are
/// due, and every other node would see its leases end late.
pub(super) async fn set_time(shared: Arc<Shared>) {
    let theirs = store_time(&shared).await;
    let monotonic = shared.clock.monotonic();
    match theirs {
        Ok(Some(theirs)) => *lock(&shared.time) = Timekeeper::by_store(theirs, monotonic),
        Ok(None) => lock(&shared.time).correct(shared.clock.wall(), monotonic),
        Err(error) => shared.store_failed(Operation::Poll, &error),
    }
}

/// Corrects the engine's time now and then; never ends.
pub(super) async fn keep_time(shared: Arc<Shared>) {
    loop {
        shared.clock.sleep(CORRECT_EVERY).await;
        match store_time(&shared).await {
            Ok(theirs) => {
                let reference = theirs.unwrap_or_else(|| shared.clock.wall());
                let monotonic = shared.clock.monotonic();
                lock(&shared.time).correct(reference, monotonic);
            }
            Err(error) => shared.store_failed(Operation::Poll, &error),
        }
    }
}

/// The store's time; it was told about half a round trip ago.
async fn store_time(shared: &Shared) -> Result<Option<Timestamp>, StoreError> {
    let asked_at = shared.clock.monotonic();
    let theirs = shared.within(STORE_DEADLINE, Operation::Poll, shared.store.time()).await?;
    let round_trip = shared.clock.monotonic().saturating_sub(asked_at);
    Ok(theirs.map(|theirs| theirs.saturating_add(round_trip / 2)))
}
