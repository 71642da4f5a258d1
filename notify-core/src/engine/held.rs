//! Deliveries that were written as held: is their endpoint still disabled?

use crate::dispatch::DispatchInput;
use crate::endpoint::Endpoint;
use crate::id::EndpointId;
use crate::store::{Operation, StoreError, SweepAction, SweepRequest};

use super::shared::{STORE_DEADLINE, Shared};

const SWEEP_STEP: u32 = 500;

/// Releases or cancels what was held for `endpoints` that are enabled or deleted by now.
///
/// Somebody may enable or delete an endpoint after it was read as disabled and before the held row is written; their
/// sweep cannot see a row that is not there yet. Whoever wrote one looks again after the write: then either the
/// sweep or this look finds it.
pub(super) async fn look_again(shared: &Shared, endpoints: Vec<EndpointId>) {
    if endpoints.is_empty() {
        return;
    }
    if let Err(error) = try_look_again(shared, &each_once(endpoints)).await {
        shared.store_failed(Operation::Sweep, &error);
    }
}

/// The same until it is done: for a run, which has nobody to tell, and with which it ends.
pub(super) async fn keep_looking(shared: &Shared, endpoints: Vec<EndpointId>) {
    let endpoints = each_once(endpoints);
    while let Err(error) = try_look_again(shared, &endpoints).await {
        shared.store_failed(Operation::Sweep, &error);
        shared.clock.sleep(shared.config.backoff.1).await;
    }
}

pub(super) fn each_once(mut endpoints: Vec<EndpointId>) -> Vec<EndpointId> {
    endpoints.sort_unstable();
    endpoints.dedup();
    endpoints
}

/// The same for whoever can tell its caller that it could not.
pub(super) async fn try_look_again(shared: &Shared, endpoints: &[EndpointId]) -> Result<(), StoreError> {
    let now = shared.within(STORE_DEADLINE, Operation::Endpoints, shared.directory.get(endpoints)).await?;
    for (id, endpoint) in endpoints.iter().zip(now) {
        let Some(action) = due_to_held(endpoint.as_deref()) else { continue };
        sweep(shared, id, action).await?;
        shared.push_if_running(DispatchInput::Wake);
    }
    Ok(())
}

/// What is due to deliveries that were held, given their endpoint as it is now (`None` = gone).
pub(crate) fn due_to_held(endpoint: Option<&Endpoint>) -> Option<SweepAction> {
    match endpoint {
        Some(endpoint) if !endpoint.is_enabled() => None,
        Some(_) => Some(SweepAction::Release),
        None => Some(SweepAction::Cancel),
    }
}

/// Moves all of an endpoint's open rows, in steps.
pub(super) async fn sweep(shared: &Shared, id: &EndpointId, action: SweepAction) -> Result<(), StoreError> {
    loop {
        let request = SweepRequest { endpoint: id.clone(), action, now: shared.now(), limit: SWEEP_STEP };
        let swept = shared.within(STORE_DEADLINE, Operation::Sweep, shared.store.sweep(&request)).await?;
        if swept.moved < SWEEP_STEP {
            return Ok(());
        }
    }
}
