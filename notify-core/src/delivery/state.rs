//! Where a delivery stands, and the roll-up of an event's deliveries.

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum State {
    /// Waits for its first or next attempt.
    Scheduled,
    /// Leased to a worker.
    InFlight,
    /// Ended: an attempt succeeded.
    Delivered,
    /// Ended: no attempt is left; the delivery's reason says what went wrong last.
    Failed,
    /// Ended: its endpoint is gone, or somebody cancelled it.
    Cancelled,
    /// Kept while its endpoint is disabled.
    Held,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Scheduled, Self::InFlight, Self::Delivered, Self::Failed, Self::Cancelled, Self::Held];

    /// The word for stores, APIs and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::InFlight => "in_flight",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Held => "held",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote; `None` for another word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether more will happen by itself, or once the endpoint is enabled.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Scheduled | Self::InFlight | Self::Held)
    }

    /// Whether a row in this state may be claimed once its `ready_at` has come (S2).
    #[must_use]
    pub const fn is_claimable(self) -> bool {
        matches!(self, Self::Scheduled | Self::InFlight)
    }
}

/// An event's status: the roll-up of its deliveries.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum EventStatus {
    /// At least one delivery is open.
    Pending,
    /// All were delivered.
    Delivered,
    /// Some were delivered, the others not.
    Partial,
    /// None was delivered and at least one failed.
    Failed,
    /// All were cancelled.
    Cancelled,
    /// No endpoint matched.
    NoEndpoint,
}

impl EventStatus {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Delivered, Self::Partial, Self::Failed, Self::Cancelled, Self::NoEndpoint];

    /// The status of an event whose deliveries are in these states.
    pub fn of(states: impl IntoIterator<Item = State>) -> Self {
        let (mut delivered, mut failed, mut cancelled) = (false, false, false);
        for state in states {
            match state {
                State::Scheduled | State::InFlight | State::Held => return Self::Pending,
                State::Delivered => delivered = true,
                State::Failed => failed = true,
                State::Cancelled => cancelled = true,
            }
        }
        match (delivered, failed, cancelled) {
            (true, false, false) => Self::Delivered,
            (true, _, _) => Self::Partial,
            (false, true, _) => Self::Failed,
            (false, false, true) => Self::Cancelled,
            (false, false, false) => Self::NoEndpoint,
        }
    }

    /// The word for APIs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::NoEndpoint => "no_endpoint",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote; `None` for another word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        for status in EventStatus::ALL {
            assert_eq!(EventStatus::parse(status.as_str()), Some(status));
        }
        assert_eq!(State::parse("Scheduled"), None);
    }

    #[test]
    fn an_event_is_pending_while_any_delivery_is_open() {
        for open in [State::Scheduled, State::InFlight, State::Held] {
            assert_eq!(EventStatus::of([State::Delivered, State::Failed, open]), EventStatus::Pending);
        }
    }

    #[test]
    fn settled_deliveries_roll_up() {
        use State::{Cancelled, Delivered, Failed};
        assert_eq!(EventStatus::of([]), EventStatus::NoEndpoint);
        assert_eq!(EventStatus::of([Delivered, Delivered]), EventStatus::Delivered);
        assert_eq!(EventStatus::of([Delivered, Failed]), EventStatus::Partial);
        assert_eq!(EventStatus::of([Delivered, Cancelled]), EventStatus::Partial);
        assert_eq!(EventStatus::of([Failed, Cancelled]), EventStatus::Failed);
        assert_eq!(EventStatus::of([Cancelled]), EventStatus::Cancelled);
    }
}
