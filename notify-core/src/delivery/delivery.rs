//! One delivery: its row.

use crate::event::EventKey;
use crate::id::{ChangeId, ClaimToken, DeliveryId, EndpointId, Round, Version};
use crate::time::Timestamp;

use super::{NewDelivery, Outcome, Reason, Start, State};

/// One event for one endpoint, as it stands in a store.
///
/// It can be read but not changed: a [`Change`](crate::machine::Change) holds the next row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivery(StoredDelivery);

/// A delivery's columns. [`Delivery::restore`] checks that they fit together.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct StoredDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// Which event.
    pub event: EventKey,
    /// Where to.
    pub endpoint: EndpointId,
    /// Where it stands.
    pub state: State,
    /// When it may next be claimed: the due time while scheduled, the lease's end while in flight; while held,
    /// when it is due once released. `None` when it has ended.
    pub ready_at: Option<Timestamp>,
    /// The claim's token while in flight, else `None`.
    pub token: Option<ClaimToken>,
    /// Counts its writes.
    pub version: Version,
    /// Which round.
    pub round: Round,
    /// How many attempts are logged, over all rounds.
    pub attempts: u32,
    /// Known failures of this round: what the retry schedule counts.
    pub failures: u32,
    /// Leases lost in a row.
    pub lost_leases: u32,
    /// How many of those have their row in the log.
    pub lost_logged: u32,
    /// How the last attempt failed, over all rounds; `None` if it was a success, and before the first.
    pub reason: Option<Reason>,
    /// When the event was published.
    pub created_at: Timestamp,
    /// When it ended.
    pub settled_at: Option<Timestamp>,
    /// The last change, so that it can be told from another when it comes again (S6).
    pub last_change: Option<ChangeId>,
}

impl Delivery {
    /// The delivery that `new` begins, for a publish at `created_at`.
    #[must_use]
    pub fn begin(event: EventKey, new: &NewDelivery, created_at: Timestamp) -> Self {
        let (state, ready_at, token) = match new.start {
            Start::Due(at) => (State::Scheduled, at, None),
            Start::Leased { token, until } => (State::InFlight, until, Some(token)),
            Start::Held(at) => (State::Held, at, None),
        };
        Self(StoredDelivery {
            id: new.id,
            event,
            endpoint: new.endpoint.clone(),
            state,
            ready_at: Some(ready_at),
            token,
            version: Version::FIRST,
            round: Round::FIRST,
            attempts: 0,
            failures: 0,
            lost_leases: 0,
            lost_logged: 0,
            reason: None,
            created_at,
            settled_at: None,
            last_change: None,
        })
    }

    /// A delivery from a store's columns.
    ///
    /// # Errors
    /// The columns contradict each other: see [`CorruptDelivery`]. A store returns such a row as corrupt (S13).
    pub fn restore(stored: StoredDelivery) -> Result<Self, CorruptDelivery> {
        if stored.state.is_open() != stored.ready_at.is_some() {
            return Err(CorruptDelivery::ReadyAt);
        }
        if (stored.state == State::InFlight) != stored.token.is_some() {
            return Err(CorruptDelivery::Token);
        }
        if stored.state.is_open() == stored.settled_at.is_some() {
            return Err(CorruptDelivery::SettledAt);
        }
        if stored.lost_logged > stored.lost_leases {
            return Err(CorruptDelivery::LostLeases);
        }
        Ok(Self(stored))
    }

    /// Blank columns for a store to fill, settled at the epoch: so that a new column does not break stores.
    #[must_use]
    pub fn blank(id: DeliveryId, event: EventKey, endpoint: EndpointId) -> StoredDelivery {
        let new = NewDelivery { id, endpoint, start: Start::Due(Timestamp::EPOCH) };
        Self::begin(event, &new, Timestamp::EPOCH).into_stored()
    }

    /// The row after a claim at a time when it may be claimed (S3): leased, one version on, one lost lease more
    /// if it was in flight.
    #[must_use]
    pub fn claimed(&self, token: ClaimToken, until: Timestamp) -> Self {
        let mut next = self.0.clone();
        if next.state == State::InFlight && !planted!(LossNotCounted) {
            next.lost_leases = next.lost_leases.saturating_add(1);
        }
        next.state = State::InFlight;
        next.ready_at = Some(until);
        next.token = Some(token);
        next.version = next.version.next();
        Self(next)
    }

    /// The columns.
    #[must_use]
    pub const fn as_stored(&self) -> &StoredDelivery {
        &self.0
    }

    /// The columns, moved out.
    #[must_use]
    pub fn into_stored(self) -> StoredDelivery {
        self.0
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> DeliveryId {
        self.0.id
    }

    /// Which event.
    #[must_use]
    pub const fn event(&self) -> &EventKey {
        &self.0.event
    }

    /// Where to.
    #[must_use]
    pub const fn endpoint(&self) -> &EndpointId {
        &self.0.endpoint
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.0.state
    }

    /// When it may next be claimed; see [`StoredDelivery::ready_at`].
    #[must_use]
    pub const fn ready_at(&self) -> Option<Timestamp> {
        self.0.ready_at
    }

    /// Its version.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.0.version
    }

    /// The claim's token, while in flight.
    #[must_use]
    pub const fn token(&self) -> Option<ClaimToken> {
        self.0.token
    }

    /// How its last attempt ended, over all rounds; `None` before the first.
    #[must_use]
    pub const fn last_outcome(&self) -> Option<Outcome> {
        match (self.0.reason, self.0.attempts) {
            (Some(reason), _) => Some(Outcome::Failure(reason)),
            (None, 0) => None,
            (None, _) => Some(Outcome::Success),
        }
    }

    /// Lost leases that have no row in the log yet.
    #[must_use]
    pub const fn lost_unlogged(&self) -> u32 {
        self.0.lost_leases.saturating_sub(self.0.lost_logged)
    }
}

/// A row whose columns contradict each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CorruptDelivery {
    /// An open delivery has a time, an ended one has none.
    #[error("ready_at does not fit the state")]
    ReadyAt,
    /// A delivery has a token if and only if it is in flight.
    #[error("the claim token does not fit the state")]
    Token,
    /// A delivery has an end if and only if it has ended.
    #[error("settled_at does not fit the state")]
    SettledAt,
    /// More lost attempts are logged than leases were lost.
    #[error("more lost attempts are logged than leases were lost")]
    LostLeases,
}
