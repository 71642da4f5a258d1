//! Sending, in bulk, what was never sent to an endpoint.

use crate::delivery::NewDelivery;
use crate::dispatch::DispatchInput;
use crate::endpoint::Endpoint;
use crate::event::Purpose;
use crate::fanout::fan_out;
use crate::id::{EndpointId, TenantId};
use crate::store::{Cursor, EventQuery, EventRecord, Operation, Page, PageRequest, StoreError};
use crate::time::Timestamp;

use super::deliveries::Deliveries;
use super::error::ControlError;
use super::held::look_again;

/// Which events to send to an endpoint that never got them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MissingRequest {
    /// Whose.
    pub tenant: TenantId,
    /// To which endpoint.
    pub endpoint: EndpointId,
    /// Events that were published at or after this.
    pub since: Timestamp,
    /// Events that were published before this; `None` = until now.
    pub until: Option<Timestamp>,
    /// Which part: each call looks at one page of the log.
    pub page: PageRequest,
}

impl MissingRequest {
    /// What `endpoint` misses of the events that were published at or after `since`, from the newest on.
    #[must_use]
    pub fn new(tenant: TenantId, endpoint: EndpointId, since: Timestamp) -> Self {
        Self { tenant, endpoint, since, until: None, page: PageRequest { after: None, limit: 100 } }
    }

    fn query(&self) -> EventQuery {
        EventQuery {
            tenant: self.tenant.clone(),
            purpose: Some(Purpose::Live),
            since: Some(self.since),
            until: self.until,
            page: self.page,
            ..EventQuery::default()
        }
    }
}

/// What a call of [`Deliveries::send_missing`] did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SentMissing {
    /// How many events got a delivery.
    pub sent: u32,
    /// Where the next call goes on; `None` at the end, and only there.
    pub next: Option<Cursor>,
}

impl Deliveries {
    /// The events of the page that [`send_missing`](Self::send_missing) would send: those that the endpoint's filter
    /// wants now and that have no delivery to it. A page may be short, even empty, and still have a
    /// [`next`](Page::next).
    ///
    /// # Errors
    /// As [`send_missing`](Self::send_missing); nothing is changed.
    pub async fn missing(&self, request: &MissingRequest) -> Result<Page<EventRecord>, ControlError> {
        let query = request.query();
        query.validate()?;
        let endpoint = self.endpoint(&request.tenant, &request.endpoint).await?;
        let mut page = self.call(Operation::Log, self.shared.log.events(&query)).await?;
        page.items.retain(|record| due_to(record, &endpoint, self.shared.now()).is_some());
        Ok(page)
    }

    /// Sends what was never sent to this endpoint, for example since it did not exist yet: each event of the page that
    /// its filter wants now, and that has no delivery to it, gets one, as if it had been there when the event was
    /// published. It is due at once, whatever the event's `not_before` was; where the endpoint is disabled it is held.
    /// Tests are left alone, and so is what has a delivery already, however that ended: see
    /// [`recover`](Self::recover). What is pruned cannot be sent.
    ///
    /// To be repeated with `page.after` set to [`next`](SentMissing::next) until there is none; a call may send nothing
    /// and still have a `next`. The same call again, or two at once, send no event twice.
    ///
    /// # Errors
    /// [`ControlError::NotFound`] where this tenant has no such endpoint; [`ControlError::Invalid`] for `until` that is
    /// not after `since`, and for a limit that is not 1 to 100. After any [`StoreError`] some may have been sent: the
    /// same call again sends the others.
    ///
    /// # Cancel safety
    /// A dropped call has sent some, all or none; the same call again sends the others.
    pub async fn send_missing(&self, request: &MissingRequest) -> Result<SentMissing, ControlError> {
        let query = request.query();
        query.validate()?;
        let endpoint = self.endpoint(&request.tenant, &request.endpoint).await?;
        let page = self.call(Operation::Log, self.shared.log.events(&query)).await?;
        let mut sent = 0;
        let done = self.attach_each(&page.items, &endpoint, &mut sent).await;
        let endpoint_id = vec![request.endpoint.clone()];
        // Also where it broke off: what is stored by then is to be sent.
        if !endpoint.is_enabled() {
            // Somebody may have enabled it after it was read.
            look_again(&self.shared, endpoint_id).await;
        } else if sent > 0 {
            self.shared.push_if_running(DispatchInput::StoredDue(endpoint_id));
        }
        done?;
        Ok(SentMissing { sent, next: page.next })
    }

    async fn attach_each(
        &self,
        records: &[EventRecord],
        endpoint: &Endpoint,
        sent: &mut u32,
    ) -> Result<(), StoreError> {
        for record in records {
            let Some(new) = due_to(record, endpoint, self.shared.now()) else { continue };
            let work = self.shared.store.attach(&record.event.key, std::slice::from_ref(&new));
            match self.call(Operation::Attach, work).await {
                Ok(added) => *sent += u32::try_from(added).unwrap_or(0),
                // It was pruned since it was read.
                Err(StoreError::UnknownEvent) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The delivery that a publish at this moment would have for the endpoint, if the event has none to it.
fn due_to(record: &EventRecord, endpoint: &Endpoint, now: Timestamp) -> Option<NewDelivery> {
    if record.deliveries.iter().any(|delivery| *delivery.endpoint() == endpoint.id) {
        return None;
    }
    fan_out(&record.event.key, &record.event.event_type, [endpoint], now).pop()
}
