//! What to list: the filters of the log.

use crate::delivery::{Delivery, EventStatus, Outcome, Reason, ResponseClass, State};
use crate::event::Purpose;
use crate::id::{EndpointId, EventType, IdempotencyKey, TenantId};
use crate::input::InvalidInput;
use crate::time::Timestamp;

use super::{Cursor, EventRecord};

/// Which events to list; `None` = any.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EventQuery {
    /// Whose.
    pub tenant: TenantId,
    /// With this status.
    pub status: Option<EventStatus>,
    /// Of this type.
    pub event_type: Option<EventType>,
    /// With a delivery to this endpoint.
    pub endpoint: Option<EndpointId>,
    /// Published with this key: one at most.
    pub key: Option<IdempotencyKey>,
    /// For this purpose.
    pub purpose: Option<Purpose>,
    /// Published at or after this.
    pub since: Option<Timestamp>,
    /// Published before this.
    pub until: Option<Timestamp>,
    /// Which page.
    pub page: PageRequest,
}

/// Which deliveries to list; `None` = any.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DeliveryQuery {
    /// Whose.
    pub tenant: TenantId,
    /// In this state.
    pub state: Option<State>,
    /// Whose last attempt failed for this reason.
    pub reason: Option<Reason>,
    /// Whose last attempt had such an answer.
    pub class: Option<ResponseClass>,
    /// Of an event of this type.
    pub event_type: Option<EventType>,
    /// To this endpoint.
    pub endpoint: Option<EndpointId>,
    /// Of an event for this purpose.
    pub purpose: Option<Purpose>,
    /// Published at or after this.
    pub since: Option<Timestamp>,
    /// Published before this.
    pub until: Option<Timestamp>,
    /// Which page.
    pub page: PageRequest,
}

/// Which page of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PageRequest {
    /// Where the last page ended; `None` = the first page.
    pub after: Option<Cursor>,
    /// How many rows at most, 1 to 100.
    pub limit: u32,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { after: None, limit: 50 }
    }
}

impl PageRequest {
    const MAX_LIMIT: u32 = 100;

    /// # Errors
    /// `limit` is not 1 to 100.
    pub(crate) fn validate(self) -> Result<(), InvalidInput> {
        if self.limit == 0 || self.limit > Self::MAX_LIMIT {
            return Err(InvalidInput::new("limit", "NTF-LIMIT", "is 1 to 100"));
        }
        Ok(())
    }
}

impl EventQuery {
    /// Refuses what no event can match.
    ///
    /// # Errors
    /// The field is `limit` where it is not 1 to 100, and `until` where it is not after `since`.
    pub fn validate(&self) -> Result<(), InvalidInput> {
        self.page.validate()?;
        validate_range(self.since, self.until)
    }

    /// Whether the list has this event: everything that the query says but the page. What a store may do by an index
    /// comes to the same.
    #[must_use]
    pub fn wants(&self, record: &EventRecord) -> bool {
        let to = |endpoint| record.deliveries.iter().any(|delivery| delivery.endpoint() == endpoint);
        record.event.key.tenant == self.tenant
            && passes(self.event_type.as_ref(), &record.event.event_type)
            && passes(self.purpose.as_ref(), &record.purpose)
            && self.key.as_ref().is_none_or(|key| record.idempotency_key.as_ref() == Some(key))
            && between(record.created_at, self.since, self.until)
            && self.endpoint.as_ref().is_none_or(to)
            && self.status.is_none_or(|wanted| wanted == record.status())
    }
}

impl DeliveryQuery {
    /// Refuses what no delivery can match.
    ///
    /// # Errors
    /// The field is `limit` where it is not 1 to 100, `until` where it is not after `since`, `reason` where no attempt
    /// that failed so has an answer of that class, or where the state is delivered, and `class` where the state is
    /// delivered and the class is no 2xx.
    pub fn validate(&self) -> Result<(), InvalidInput> {
        self.page.validate()?;
        validate_range(self.since, self.until)?;
        if let (Some(reason), Some(class)) = (self.reason, self.class)
            && ResponseClass::of(Outcome::Failure(reason)) != class
        {
            let why = format!("{} never comes with an answer of class {}", reason.as_str(), class.as_str());
            return Err(InvalidInput::new("reason", "NTF-REASON-CLASS", why).with_help("ask for one of the two"));
        }
        if self.state == Some(State::Delivered) {
            if self.reason.is_some() {
                return Err(InvalidInput::new("reason", "NTF-REASON-STATE", "is none where the state is delivered"));
            }
            if self.class.is_some_and(|class| class != ResponseClass::Status2xx) {
                return Err(InvalidInput::new("class", "NTF-CLASS-STATE", "is 2xx where the state is delivered"));
            }
        }
        Ok(())
    }

    /// How the last attempt of a wanted delivery ended: what `reason` and `class` come to. `None` = in any way, or
    /// there was none.
    #[must_use]
    pub fn outcomes(&self) -> Option<Vec<Outcome>> {
        let of_class = |outcome: &Outcome| self.class.is_none_or(|class| class == ResponseClass::of(*outcome));
        match (self.reason, self.class) {
            (None, None) => None,
            (Some(reason), _) => Some([Outcome::Failure(reason)].into_iter().filter(of_class).collect()),
            (None, Some(class)) => Some(class.outcomes().collect()),
        }
    }

    /// Whether the list has this delivery, whose event has this type and purpose: everything that the query says but
    /// the page. What a store may do by an index comes to the same.
    #[must_use]
    pub fn wants(&self, delivery: &Delivery, event_type: &EventType, purpose: Purpose) -> bool {
        let last = delivery.last_outcome();
        delivery.event().tenant == self.tenant
            && self.state.is_none_or(|wanted| wanted == delivery.state())
            && self.reason.is_none_or(|wanted| Some(wanted) == delivery.as_stored().reason)
            && self.class.is_none_or(|wanted| last.is_some_and(|outcome| ResponseClass::of(outcome) == wanted))
            && passes(self.event_type.as_ref(), event_type)
            && passes(self.endpoint.as_ref(), delivery.endpoint())
            && passes(self.purpose.as_ref(), &purpose)
            && between(delivery.as_stored().created_at, self.since, self.until)
    }
}

fn passes<T: PartialEq>(wanted: Option<&T>, found: &T) -> bool {
    wanted.is_none_or(|wanted| wanted == found)
}

fn between(at: Timestamp, since: Option<Timestamp>, until: Option<Timestamp>) -> bool {
    since.is_none_or(|since| at >= since) && until.is_none_or(|until| at < until)
}

fn validate_range(since: Option<Timestamp>, until: Option<Timestamp>) -> Result<(), InvalidInput> {
    if let (Some(since), Some(until)) = (since, until)
        && until <= since
    {
        return Err(InvalidInput::new("until", "NTF-RANGE", "is not after since"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(edit: impl FnOnce(&mut DeliveryQuery)) -> Option<&'static str> {
        let mut query = DeliveryQuery::default();
        edit(&mut query);
        query.validate().err().map(|error| error.field())
    }

    #[test]
    fn a_query_that_nothing_can_match_is_refused_by_the_name_of_a_field() {
        let at = |millis| Some(Timestamp::from_millis(millis));
        assert_eq!(refused(|_| {}), None);
        assert_eq!(refused(|query| query.page.limit = 0), Some("limit"));
        assert_eq!(refused(|query| query.page.limit = 101), Some("limit"));
        assert_eq!(refused(|query| (query.since, query.until) = (at(5), at(5))), Some("until"));
        assert_eq!(refused(|query| (query.since, query.until) = (at(5), at(6))), None);
        let (dns, delivered) = (Some(Reason::Dns), Some(State::Delivered));
        let (server, none) = (Some(ResponseClass::Status5xx), Some(ResponseClass::NoAnswer));
        assert_eq!(refused(|query| (query.reason, query.class) = (dns, server)), Some("reason"));
        assert_eq!(refused(|query| (query.reason, query.class) = (dns, none)), None);
        assert_eq!(refused(|query| (query.reason, query.state) = (dns, delivered)), Some("reason"));
        assert_eq!(refused(|query| (query.class, query.state) = (server, delivered)), Some("class"));
        assert_eq!(refused(|query| (query.class, query.state) = (Some(ResponseClass::Status2xx), delivered)), None);
        let events = EventQuery { since: at(5), until: at(4), ..EventQuery::default() };
        assert_eq!(events.validate().unwrap_err().field(), "until");
    }

    #[test]
    fn reason_and_class_come_to_outcomes() {
        let of = |reason, class| DeliveryQuery { reason, class, ..DeliveryQuery::default() }.outcomes();
        let dns = Outcome::Failure(Reason::Dns);
        assert_eq!(of(None, None), None);
        assert_eq!(of(Some(Reason::Dns), None), Some(vec![dns]));
        assert_eq!(of(Some(Reason::Dns), Some(ResponseClass::NoAnswer)), Some(vec![dns]));
        assert_eq!(of(Some(Reason::Dns), Some(ResponseClass::Status5xx)), Some(vec![]));
        assert_eq!(of(None, Some(ResponseClass::Status4xx)), Some(vec![Outcome::Failure(Reason::Status4xx)]));
        let success = vec![Outcome::Success, Outcome::Failure(Reason::Status2xxNot200)];
        assert_eq!(of(None, Some(ResponseClass::Status2xx)), Some(success));
    }
}
