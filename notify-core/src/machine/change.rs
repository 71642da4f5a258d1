//! What a store may write. Decided here; applied, unread, by stores.

use crate::delivery::{Attempt, Delivery, StoredDelivery};
use crate::id::{ChangeId, ClaimToken, DeliveryId, Version};

/// One fenced write to one delivery: the row it expects, the row it leaves, and the log rows that go with it.
///
/// Only the machine makes one, so neither a host nor a store can write an illegal state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    id: ChangeId,
    expected: Version,
    token: Option<ClaimToken>,
    next: StoredDelivery,
    attempts: Vec<Attempt>,
}

impl Change {
    /// A change of `from` to `next`; version, token, counter of attempts and change id are set here.
    pub(super) fn new(id: ChangeId, from: &Delivery, mut next: StoredDelivery, attempts: Vec<Attempt>) -> Self {
        next.version = if planted!(VersionNotRaised) { from.version() } else { from.version().next() };
        next.token = None;
        next.last_change = Some(id);
        next.attempts = attempts.last().map_or(next.attempts, |last| last.number.get());
        Self { id, expected: from.version(), token: from.token(), next, attempts }
    }

    /// Names this change, so that it may be applied again after a lost answer (S6).
    #[must_use]
    pub const fn id(&self) -> ChangeId {
        self.id
    }

    /// Which delivery.
    #[must_use]
    pub const fn delivery(&self) -> DeliveryId {
        self.next.id
    }

    /// The version the row must have.
    #[must_use]
    pub const fn expected(&self) -> Version {
        self.expected
    }

    /// The token the row must have: the claim's, or `None` for a row that is not leased.
    #[must_use]
    pub const fn token(&self) -> Option<ClaimToken> {
        self.token
    }

    /// The row as it is afterwards, all columns.
    #[must_use]
    pub const fn next(&self) -> &StoredDelivery {
        &self.next
    }

    /// The log rows to append in the same step, in order.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }
}
