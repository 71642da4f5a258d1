//! Sending again, in bulk, what ended for an endpoint.

use crate::delivery::{Delivery, Reason, ResponseClass, State};
use crate::dispatch::DispatchInput;
use crate::event::Purpose;
use crate::id::{ChangeId, EndpointId, TenantId};
use crate::input::InvalidInput;
use crate::machine::{Gate, resend};
use crate::store::{ApplyOutcome, Cursor, DeliveryQuery, Operation, Page, PageRequest};
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
    /// Those that ended how.
    pub ended: RecoverEnded,
    /// Those whose last attempt failed for this reason; `None` = whatever the reason.
    pub reason: Option<Reason>,
    /// Those whose last attempt was answered with this status, 100 to 999; `None` = with any, or none. The log of each
    /// is read for it.
    pub status: Option<u16>,
    /// Which part: each call sends again what one page of the log has.
    pub page: PageRequest,
}

impl RecoverRequest {
    /// What failed for `endpoint` of the events that were published at or after `since`, from the newest on.
    #[must_use]
    pub fn new(tenant: TenantId, endpoint: EndpointId, since: Timestamp) -> Self {
        let page = PageRequest { after: None, limit: 100 };
        Self { tenant, endpoint, since, until: None, ended: RecoverEnded::Failed, reason: None, status: None, page }
    }

    fn query(&self) -> Result<DeliveryQuery, InvalidInput> {
        if self.status.is_some_and(|status| !(100..=999).contains(&status)) {
            return Err(InvalidInput::new("status", "NTF-STATUS", "is 100 to 999"));
        }
        let query = DeliveryQuery {
            tenant: self.tenant.clone(),
            state: (self.ended == RecoverEnded::Failed).then_some(State::Failed),
            reason: self.reason,
            class: self.status.map(ResponseClass::of_status),
            endpoint: Some(self.endpoint.clone()),
            purpose: Some(Purpose::Live),
            since: Some(self.since),
            until: self.until,
            page: self.page,
            ..DeliveryQuery::default()
        };
        query.validate()?;
        Ok(query)
    }
}

/// Deliveries that ended how are sent again.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum RecoverEnded {
    /// Those that failed for good.
    #[default]
    Failed,
    /// Those that were delivered too: for a receiver that lost what it got.
    FailedOrDelivered,
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

impl RecoverEnded {
    /// Whether a delivery that stands so is one of them.
    const fn has(self, state: State) -> bool {
        match state {
            State::Failed => true,
            State::Delivered => matches!(self, Self::FailedOrDelivered),
            State::Scheduled | State::InFlight | State::Held | State::Cancelled => false,
        }
    }
}

impl Deliveries {
    /// The deliveries of the page that [`recover`](Self::recover) would send again. A page may be short, even empty, and
    /// still have a [`next`](Page::next).
    ///
    /// # Errors
    /// As [`recover`](Self::recover); nothing is changed.
    pub async fn recoverable(&self, request: &RecoverRequest) -> Result<Page<Delivery>, ControlError> {
        let query = request.query()?;
        self.endpoint(&request.tenant, &request.endpoint).await?;
        self.page(request, &query).await
    }

    /// Sends again what ended: each delivery of the page that the request wants, by default each that failed for good,
    /// begins a new round, as with [`resend`](Self::resend). Tests are left alone, and so is what somebody else resends
    /// meanwhile. Where the endpoint is disabled the new rounds are held. To be repeated with `page.after` set to
    /// [`next`](Recovered::next) until there is none; a call may resend nothing and still have a `next`.
    ///
    /// # Errors
    /// [`ControlError::NotFound`] where this tenant has no such endpoint; [`ControlError::Invalid`] for `until` that is
    /// not after `since`, for a limit that is not 1 to 100, for a status that there is not, and for a reason that never
    /// comes with such a status. After [`StoreError::Unavailable`](crate::store::StoreError::Unavailable) some may have
    /// been resent: the same call again resends those that were not, and those that have ended again by then.
    ///
    /// # Cancel safety
    /// A dropped call has resent some or none; for the same call again that holds too.
    pub async fn recover(&self, request: &RecoverRequest) -> Result<Recovered, ControlError> {
        let query = request.query()?;
        let gate = Gate::of(Some(&*self.endpoint(&request.tenant, &request.endpoint).await?));
        let page = self.page(request, &query).await?;
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

    async fn page(&self, request: &RecoverRequest, query: &DeliveryQuery) -> Result<Page<Delivery>, ControlError> {
        let mut page = self.call(Operation::Log, self.shared.log.deliveries(query)).await?;
        page.items.retain(|delivery| request.ended.has(delivery.state()));
        let Some(status) = request.status else { return Ok(page) };
        let mut answered = Vec::with_capacity(page.items.len());
        for delivery in page.items {
            let attempts = self.call(Operation::Log, self.shared.log.attempts(&delivery.id())).await?;
            if attempts.last().is_some_and(|last| last.status_code == Some(status)) {
                answered.push(delivery);
            }
        }
        Ok(Page { items: answered, next: page.next })
    }
}
