//! Sending again, in bulk, what an endpoint missed.

use crate::delivery::State;
use crate::dispatch::DispatchInput;
use crate::event::Purpose;
use crate::id::{ChangeId, EndpointId, TenantId};
use crate::machine::{Gate, resend};
use crate::store::{ApplyOutcome, Cursor, DeliveryQuery, Operation, PageRequest};
use crate::time::Timestamp;

use super::deliveries::Deliveries;
use super::entropy::draw;
use super::error::ControlError;
use super::held::look_again;

/// Which deliveries of one endpoint to send again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecoverRequest {
    /// Whose.
    pub tenant: TenantId,
    /// To which endpoint.
    pub endpoint: EndpointId,
    /// Of events that were published at or after this.
    pub since: Timestamp,
    /// Of events that were published before this; `None` = until now.
    pub until: Option<Timestamp>,
    /// Which part: each call sends again what one page of the log has.
    pub page: PageRequest,
}

impl RecoverRequest {
    /// What failed for `endpoint` of the events that were published at or after `since`, from the newest on.
    #[must_use]
    pub fn new(tenant: TenantId, endpoint: EndpointId, since: Timestamp) -> Self {
        Self { tenant, endpoint, since, until: None, page: PageRequest { after: None, limit: 100 } }
    }
}

/// What a call of [`Deliveries::recover`] did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Recovered {
    /// How many deliveries began a new round.
    pub resent: u32,
    /// Where the next call goes on; `None` at the end, and only there.
    pub next: Option<Cursor>,
}

impl Deliveries {
    /// Sends again what failed for good: each delivery of the page whose state is failed begins a new round, as with
    /// [`resend`](Self::resend). Tests are left alone, and so is what somebody else resends meanwhile. Where the
    /// endpoint is disabled the new rounds are held. To be repeated with `page.after` set to
    /// [`next`](Recovered::next) until there is none; a call may resend nothing and still have a `next`.
    ///
    /// # Errors
    /// [`ControlError::NotFound`] where this tenant has no such endpoint; [`ControlError::Invalid`] for `until` that is
    /// not after `since`, and for a limit that is not 1 to 100. After
    /// [`StoreError::Unavailable`](crate::store::StoreError::Unavailable) some may have been resent: the same call
    /// again resends those that were not.
    ///
    /// # Cancel safety
    /// A dropped call has resent some or none; the same call again resends those that were not.
    pub async fn recover(&self, request: &RecoverRequest) -> Result<Recovered, ControlError> {
        let query = DeliveryQuery {
            tenant: request.tenant.clone(),
            state: Some(State::Failed),
            endpoint: Some(request.endpoint.clone()),
            purpose: Some(Purpose::Live),
            since: Some(request.since),
            until: request.until,
            page: request.page,
            ..DeliveryQuery::default()
        };
        query.validate()?;
        let gate = Gate::of(Some(&*self.endpoint(&request.tenant, &request.endpoint).await?));
        let page = self.call(Operation::Log, self.shared.log.deliveries(&query)).await?;
        let now = self.shared.now();
        let mut changes = Vec::with_capacity(page.items.len());
        for delivery in &page.items {
            let name = ChangeId::from_bytes(draw(&*self.shared.entropy).map_err(ControlError::Entropy)?);
            changes.push(resend(delivery, gate, now, name).map_err(ControlError::Refused)?);
        }
        if changes.is_empty() {
            return Ok(Recovered { resent: 0, next: page.next });
        }
        let outcomes = self.call(Operation::Apply, self.shared.store.apply(&changes)).await?;
        let applied = outcomes.iter().filter(|outcome| **outcome == ApplyOutcome::Applied).count();
        let endpoint = vec![request.endpoint.clone()];
        match gate {
            // Somebody may have enabled it after it was read.
            Gate::Disabled => look_again(&self.shared, endpoint).await,
            Gate::Open | Gate::Gone => self.shared.push_if_running(DispatchInput::StoredDue(endpoint)),
        }
        Ok(Recovered { resent: u32::try_from(applied).unwrap_or(u32::MAX), next: page.next })
    }
}
