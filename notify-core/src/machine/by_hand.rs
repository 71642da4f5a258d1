//! What a person may do to one delivery. Pure, and refused while a request of it may be under way.

use crate::delivery::{Delivery, State};
use crate::id::ChangeId;
use crate::time::Timestamp;

use super::{Change, Gate};

/// Why a delivery stays as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is leased: its request may be under way.
    #[error("the delivery is being sent")]
    InFlight,
    /// It has ended, so there is nothing to cancel.
    #[error("the delivery has ended: it is {}", .0.as_str())]
    Ended(State),
    /// Its endpoint is deleted.
    #[error("the delivery's endpoint is deleted")]
    EndpointGone,
}

/// Starts a new round: same id, same bytes, attempt numbers go on, a fresh retry budget, due at `now`. What was
/// logged stays. Where the endpoint is disabled the new round is held.
///
/// # Errors
/// [`Refusal::InFlight`] and [`Refusal::EndpointGone`].
pub fn resend(delivery: &Delivery, gate: Gate, now: Timestamp, change: ChangeId) -> Result<Change, Refusal> {
    let mut next = unleased(delivery)?.as_stored().clone();
    next.state = match gate {
        Gate::Open => State::Scheduled,
        Gate::Disabled => State::Held,
        Gate::Gone => return Err(Refusal::EndpointGone),
    };
    next.ready_at = Some(now);
    next.settled_at = None;
    next.round = next.round.next();
    if !planted!(NoFreshBudget) {
        next.failures = 0;
    }
    next.lost_leases = 0;
    next.lost_logged = 0;
    Ok(Change::new(change, delivery, next, Vec::new()))
}

/// Ends an open delivery as cancelled at `now`.
///
/// # Errors
/// [`Refusal::InFlight`] and [`Refusal::Ended`].
pub fn cancel(delivery: &Delivery, now: Timestamp, change: ChangeId) -> Result<Change, Refusal> {
    let mut next = unleased(delivery)?.as_stored().clone();
    if !next.state.is_open() {
        return Err(Refusal::Ended(next.state));
    }
    next.state = State::Cancelled;
    next.ready_at = None;
    next.settled_at = Some(now);
    Ok(Change::new(change, delivery, next, Vec::new()))
}

fn unleased(delivery: &Delivery) -> Result<&Delivery, Refusal> {
    if delivery.state() == State::InFlight { Err(Refusal::InFlight) } else { Ok(delivery) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::{NewDelivery, Reason, Start, StoredDelivery};
    use crate::event::EventKey;
    use crate::id::{ClaimToken, DeliveryId, Round, TenantId};

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    fn delivery(edit: impl FnOnce(&mut StoredDelivery)) -> Delivery {
        let event = EventKey { tenant: TenantId::default(), id: "evt_1".parse().unwrap() };
        let new = NewDelivery {
            id: DeliveryId::from_bytes([1; 20]),
            endpoint: "ep_1".parse().unwrap(),
            start: Start::Due(Timestamp::EPOCH),
        };
        let mut stored = Delivery::begin(event, &new, Timestamp::EPOCH).into_stored();
        edit(&mut stored);
        Delivery::restore(stored).unwrap()
    }

    fn ended(state: State) -> Delivery {
        delivery(|stored| {
            stored.state = state;
            stored.ready_at = None;
            stored.settled_at = Some(Timestamp::EPOCH);
            stored.attempts = 6;
            stored.failures = 6;
            stored.lost_leases = 2;
            stored.lost_logged = 2;
            stored.reason = Some(Reason::Status5xx);
        })
    }

    fn in_flight() -> Delivery {
        delivery(|_| {}).claimed(ClaimToken::new(9), NOW)
    }

    #[test]
    fn a_resend_is_a_new_round_with_a_fresh_budget_and_the_log_goes_on() {
        for state in [State::Failed, State::Delivered, State::Cancelled] {
            let before = ended(state);
            let change = resend(&before, Gate::Open, NOW, ChangeId::new(7)).unwrap();
            let next = change.next();
            assert_eq!((next.state, next.ready_at, next.settled_at), (State::Scheduled, Some(NOW), None));
            assert_eq!((next.round, next.failures, next.lost_leases), (Round::FIRST.next(), 0, 0));
            assert_eq!((next.attempts, next.id), (6, before.id()), "numbers go on, and it is the same delivery");
            assert_eq!((change.expected(), change.token()), (before.version(), None));
            assert!(change.attempts().is_empty());
            Delivery::restore(next.clone()).expect("a row that fits together");
        }
    }

    #[test]
    fn a_resend_of_what_waits_is_due_at_once() {
        let waiting = delivery(|stored| stored.ready_at = Some(Timestamp::MAX));
        assert_eq!(resend(&waiting, Gate::Open, NOW, ChangeId::new(7)).unwrap().next().ready_at, Some(NOW));
    }

    #[test]
    fn a_resend_to_a_disabled_endpoint_is_held_and_to_a_deleted_one_refused() {
        let failed = ended(State::Failed);
        assert_eq!(resend(&failed, Gate::Disabled, NOW, ChangeId::new(7)).unwrap().next().state, State::Held);
        assert_eq!(resend(&failed, Gate::Gone, NOW, ChangeId::new(7)), Err(Refusal::EndpointGone));
    }

    #[test]
    fn nothing_is_done_by_hand_to_a_leased_delivery() {
        assert_eq!(resend(&in_flight(), Gate::Open, NOW, ChangeId::new(7)), Err(Refusal::InFlight));
        assert_eq!(cancel(&in_flight(), NOW, ChangeId::new(7)), Err(Refusal::InFlight));
    }

    #[test]
    fn cancelling_ends_what_is_open_and_refuses_what_has_ended() {
        for state in [State::Scheduled, State::Held] {
            let change = cancel(&delivery(|stored| stored.state = state), NOW, ChangeId::new(7)).unwrap();
            let next = change.next();
            assert_eq!((next.state, next.ready_at, next.settled_at), (State::Cancelled, None, Some(NOW)));
            Delivery::restore(next.clone()).expect("a row that fits together");
        }
        for state in [State::Failed, State::Delivered, State::Cancelled] {
            assert_eq!(cancel(&ended(state), NOW, ChangeId::new(7)), Err(Refusal::Ended(state)));
        }
    }
}
