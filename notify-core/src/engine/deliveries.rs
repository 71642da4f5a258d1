//! What a person does to one delivery.

use std::sync::Arc;

use crate::delivery::{Delivery, State};
use crate::dispatch::DispatchInput;
use crate::endpoint::Endpoint;
use crate::id::{ChangeId, DeliveryId, EndpointId, TenantId};
use crate::machine::{Change, Gate, Refusal, cancel, resend};
use crate::store::{ApplyOutcome, Operation, StoreError};

use super::entropy::draw;
use super::error::ControlError;
use super::held::look_again;
use super::shared::{RACES, STORE_DEADLINE, Shared};

/// Deliveries of this engine's store. A cheap handle.
#[derive(Clone, Debug)]
pub struct Deliveries {
    pub(super) shared: Arc<Shared>,
}

#[derive(Clone, Copy)]
enum Wish {
    Resend,
    Cancel,
}

impl Deliveries {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// One delivery of this tenant.
    ///
    /// # Errors
    /// [`ControlError::NoSuchDelivery`], also for another tenant's.
    pub async fn get(&self, tenant: &TenantId, id: &DeliveryId) -> Result<Delivery, ControlError> {
        let found = self.call(Operation::Load, self.shared.store.load(std::slice::from_ref(id))).await?;
        let delivery = found.into_iter().next().filter(|delivery| delivery.event().tenant == *tenant);
        delivery.ok_or(ControlError::NoSuchDelivery)
    }

    /// Sends it again: a new round on the same delivery, with the same id and the same bytes. Attempt numbers go on,
    /// the retry schedule begins anew, and what was logged stays. One that waits is due at once; where the endpoint
    /// is disabled the new round is held.
    ///
    /// # Errors
    /// [`ControlError::NoSuchDelivery`]; [`ControlError::Refused`] while a request of it may be under way, and where
    /// its endpoint is deleted. After [`StoreError::Unavailable`] it may have been done.
    ///
    /// # Cancel safety
    /// A dropped call has done it or not: [`get`](Self::get) tells by the round.
    pub async fn resend(&self, tenant: &TenantId, id: &DeliveryId) -> Result<Delivery, ControlError> {
        let after = self.change(tenant, id, Wish::Resend).await?;
        let endpoint = vec![after.endpoint().clone()];
        match after.state() {
            // Somebody may have enabled it after it was read.
            State::Held => look_again(&self.shared, endpoint).await,
            _ => self.shared.push_if_running(DispatchInput::StoredDue(endpoint)),
        }
        Ok(after)
    }

    /// Ends an open delivery as cancelled: no attempt starts after this returned.
    ///
    /// # Errors
    /// [`ControlError::NoSuchDelivery`]; [`ControlError::Refused`] while a request of it may be under way, and where
    /// it has ended. After [`StoreError::Unavailable`] it may have been done: repeat it.
    ///
    /// # Cancel safety
    /// A dropped call has done it or not.
    pub async fn cancel(&self, tenant: &TenantId, id: &DeliveryId) -> Result<Delivery, ControlError> {
        match self.change(tenant, id, Wish::Cancel).await {
            // A repeated call, or a second operator: it is as was asked.
            Err(ControlError::Refused(Refusal::Ended(State::Cancelled))) => self.get(tenant, id).await,
            done => done,
        }
    }

    /// Compare-and-set until nobody else wrote in between.
    async fn change(&self, tenant: &TenantId, id: &DeliveryId, wish: Wish) -> Result<Delivery, ControlError> {
        for _ in 0..RACES {
            let before = self.get(tenant, id).await?;
            let change = self.decide(&before, wish).await?;
            let outcomes = self.call(Operation::Apply, self.shared.store.apply(std::slice::from_ref(&change))).await?;
            match outcomes.first() {
                Some(ApplyOutcome::Applied) => return self.get(tenant, id).await,
                Some(ApplyOutcome::Missing) => return Err(ControlError::NoSuchDelivery),
                // One answer for each change is the store's promise (S6).
                Some(ApplyOutcome::Stale { .. }) | None => {}
            }
        }
        Err(ControlError::Contended)
    }

    async fn decide(&self, delivery: &Delivery, wish: Wish) -> Result<Change, ControlError> {
        let name = ChangeId::from_bytes(draw(&*self.shared.entropy).map_err(ControlError::Entropy)?);
        let decided = match wish {
            Wish::Resend => resend(delivery, self.gate(delivery).await?, self.shared.now(), name),
            Wish::Cancel => cancel(delivery, self.shared.now(), name),
        };
        decided.map_err(ControlError::Refused)
    }

    async fn gate(&self, delivery: &Delivery) -> Result<Gate, ControlError> {
        let ids = std::slice::from_ref(delivery.endpoint());
        let found = self.call(Operation::Endpoints, self.shared.directory.get(ids)).await?;
        Ok(Gate::of(found.into_iter().next().flatten().as_deref()))
    }

    /// The endpoint of this tenant that something is to be sent to.
    pub(super) async fn endpoint(&self, tenant: &TenantId, id: &EndpointId) -> Result<Arc<Endpoint>, ControlError> {
        let found = self.call(Operation::Endpoints, self.shared.directory.get(std::slice::from_ref(id))).await?;
        let endpoint = found.into_iter().next().flatten().filter(|endpoint| endpoint.tenant == *tenant);
        endpoint.ok_or(ControlError::NotFound)
    }

    pub(super) async fn call<T>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.shared.within(STORE_DEADLINE, operation, work).await
    }
}
