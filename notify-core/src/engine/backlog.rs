//! Enabling an endpoint without what was held for it.

use std::sync::Arc;
use std::time::Duration;

use crate::delivery::{Delivery, State};
use crate::endpoint::{DisableReason, Disabled, Endpoint, EndpointStatus};
use crate::id::{ChangeId, EndpointId, TenantId};
use crate::machine::{Change, cancel};
use crate::store::{DeliveryQuery, Operation, PageRequest, SweepAction};

use super::endpoints::Endpoints;
use super::entropy::draw;
use super::error::ControlError;
use super::held::{sweep, try_look_again};
use super::shared::STORE_DEADLINE;

/// Rows of one page of held deliveries, and so of one write.
const PAGE: u32 = 100;

impl Endpoints {
    /// Cancels what was held before now, and then enables the endpoint. Where it is enabled already (a repeated call)
    /// there is no backlog: what is scheduled is to be sent.
    ///
    /// A sweep would not do: between the look at the endpoint and the sweep somebody may enable it, and what they
    /// released, or what was published since, would be cancelled. So the decision is written down first, and each row
    /// is cancelled by compare-and-set: only as it was read, held, before the decision was seen to stand still.
    pub(super) async fn enable_without_backlog(
        &self,
        tenant: &TenantId,
        id: &EndpointId,
    ) -> Result<Arc<Endpoint>, ControlError> {
        let now = self.shared.now();
        let decided = self
            .replace(tenant, id, |endpoint| {
                if let EndpointStatus::Disabled(before) = &endpoint.status {
                    let (reason, by) = (DisableReason::Cancelling, before.by.clone());
                    endpoint.status = EndpointStatus::Disabled(Disabled { reason, at: now, by });
                }
                Ok(())
            })
            .await?;
        let EndpointStatus::Disabled(decision) = &decided.status else { return Ok(decided) };
        let done = self.cancel_and_enable(tenant, id, decision).await;
        if let Err(ControlError::Contended | ControlError::NotFound) = done {
            // What was held here after they enabled or deleted it was not there for their sweep.
            try_look_again(&self.shared, std::slice::from_ref(id)).await?;
        }
        done
    }

    async fn cancel_and_enable(
        &self,
        tenant: &TenantId,
        id: &EndpointId,
        decision: &Disabled,
    ) -> Result<Arc<Endpoint>, ControlError> {
        // What a disabling that failed half-way left scheduled is backlog too.
        sweep(&self.shared, id, SweepAction::Hold).await?;
        self.cancel_held(tenant, id, decision).await?;
        self.replace(tenant, id, |endpoint| {
            stands(&endpoint.status, decision)?;
            endpoint.status = EndpointStatus::Enabled;
            Ok(())
        })
        .await
    }

    /// Cancels what is held for this endpoint and was published before the decision.
    async fn cancel_held(&self, tenant: &TenantId, id: &EndpointId, decision: &Disabled) -> Result<(), ControlError> {
        // The tenant's held deliveries and not the endpoint's: of the two lists it is the one without all that ended.
        let mut query = DeliveryQuery {
            tenant: tenant.clone(),
            state: Some(State::Held),
            until: Some(decision.at.saturating_add(Duration::from_millis(1))),
            page: PageRequest { after: None, limit: PAGE },
            ..DeliveryQuery::default()
        };
        loop {
            let log = &self.shared.log;
            let page = self.shared.within(STORE_DEADLINE, Operation::Log, log.deliveries(&query)).await?;
            let held: Vec<&Delivery> = page.items.iter().filter(|held| held.endpoint() == id).collect();
            if !held.is_empty() {
                // After the rows were read: if it stands now, all of them were held before anybody enabled it.
                stands(&self.get(tenant, id).await?.status, decision)?;
                self.cancel_each(&held).await?;
            }
            query.page.after = page.next;
            if page.next.is_none() {
                return Ok(());
            }
        }
    }

    /// Cancels these, but those that somebody else wrote since they were read.
    async fn cancel_each(&self, held: &[&Delivery]) -> Result<(), ControlError> {
        let shared = &self.shared;
        let mut changes: Vec<Change> = Vec::with_capacity(held.len());
        for delivery in held {
            let name = ChangeId::from_bytes(draw(&*shared.entropy).map_err(ControlError::Entropy)?);
            changes.push(cancel(delivery, shared.now(), name).map_err(ControlError::Refused)?);
        }
        shared.within(STORE_DEADLINE, Operation::Apply, shared.store.apply(&changes)).await?;
        Ok(())
    }
}

/// Nobody enabled the endpoint, disabled it anew or began to cancel its backlog since.
pub(crate) fn stands(status: &EndpointStatus, decision: &Disabled) -> Result<(), ControlError> {
    match status {
        EndpointStatus::Disabled(disabled) if disabled == decision => Ok(()),
        _ => Err(ControlError::Contended),
    }
}
