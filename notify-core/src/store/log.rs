//! Reading what happened: pages by cursor, newest first.

use std::fmt;
use std::fmt::Debug;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;

use crate::delivery::{Attempt, Delivery, EventStatus, State};
use crate::event::{Event, EventKey, Purpose};
use crate::id::{DeliveryId, EndpointId, IdempotencyKey, TenantId};
use crate::time::Timestamp;

use super::activity::{Activity, ActivityQuery};
use super::{DeliveryQuery, EventQuery, PageRequest, StoreError};

/// Reads events, deliveries and attempts.
#[async_trait]
pub trait DeliveryLog: Debug + Send + Sync + 'static {
    /// One event with its deliveries in the order of their creation, or `None`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn event(&self, key: &EventKey) -> Result<Option<EventRecord>, StoreError>;

    /// The attempts of a delivery, by number; none for one that does not exist.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn attempts(&self, delivery: &DeliveryId) -> Result<Vec<Attempt>, StoreError>;

    /// A page of the events that [`EventQuery::wants`], newest first. Rows that are inserted while somebody pages
    /// neither repeat nor hide others.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn events(&self, query: &EventQuery) -> Result<Page<EventRecord>, StoreError>;

    /// A page of the deliveries that [`DeliveryQuery::wants`], newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError>;

    /// How many deliveries stand where, and how late the store runs. All tenants if `tenant` is `None`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn stats(&self, tenant: Option<&TenantId>, now: Timestamp) -> Result<Stats, StoreError>;

    /// How many attempts ended when, and what they came to, oldest bucket first. Each attempt that
    /// the log has is counted once, in the step that logged it, as [`counted`](super::activity::counted) says; buckets
    /// are kept at least as long as [`Resolution::kept`](super::activity::Resolution::kept) says, also where the event is
    /// pruned.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn activity(&self, query: &ActivityQuery) -> Result<Vec<Activity>, StoreError>;

    /// Since when each of these endpoints fails, in the order of the input; `None` for one that does not, as
    /// [`sign`](super::activity::sign) says.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn failing_since(&self, endpoints: &[EndpointId]) -> Result<Vec<Option<Timestamp>>, StoreError>;

    /// Tenants with held deliveries, in any order: a page of them. One may come more than once; a page may be short, or
    /// empty and have a next one, and the limit is a hint. A tenant whose deliveries are held from before the first page until after the last
    /// is on one of them. A running engine asks every ten minutes, so what it costs must not grow with what is not
    /// held.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn tenants_with_held(&self, page: PageRequest) -> Result<Page<TenantId>, StoreError>;

    /// Removes up to `limit` events whose deliveries have all ended before `before` (with no delivery: that were
    /// published before it), with their deliveries, attempts and idempotency keys. May be repeated.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: repeat it.
    async fn prune(&self, before: Timestamp, limit: u32) -> Result<Pruned, StoreError>;
}

/// One event and where its deliveries stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventRecord {
    /// The event.
    pub event: Arc<Event>,
    /// When it was published.
    pub created_at: Timestamp,
    /// The host's key, if it gave one.
    pub idempotency_key: Option<IdempotencyKey>,
    /// What it is for.
    pub purpose: Purpose,
    /// Its deliveries.
    pub deliveries: Vec<Delivery>,
}

impl EventRecord {
    /// The roll-up of its deliveries.
    #[must_use]
    pub fn status(&self) -> EventStatus {
        EventStatus::of(self.deliveries.iter().map(Delivery::state))
    }
}

/// Some rows, and where to go on.
///
/// A page may have fewer rows than its limit, even none, and still a `next`: where a filter leaves most rows out, a
/// store looks at a bounded number of them a call. The end is where there is no `next`, and nowhere else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// For the next page; `None` at the end, and only there.
    pub next: Option<Cursor>,
}

/// A place in a list: the store's own number of the last row that was looked at. It names a row, not an offset, so
/// that new rows do not move it. Shown as text that only says which place it is; whose rows are listed is decided
/// by the query alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cursor(pub u64);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{:016x}", self.0)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let digits = text.strip_prefix('c').filter(|digits| digits.len() == 16).ok_or(InvalidCursor)?;
        if !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(InvalidCursor);
        }
        u64::from_str_radix(digits, 16).map(Self).map_err(|_| InvalidCursor)
    }
}

/// The text is no cursor.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a cursor: use the next_cursor of the page before (NTF-CURSOR)")]
pub struct InvalidCursor;

/// Counts over deliveries.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// How many deliveries are in each state.
    pub by_state: std::collections::BTreeMap<State, u64>,
    /// The earliest time at which a scheduled delivery is or was due.
    pub oldest_due: Option<Timestamp>,
    /// The layout's version.
    pub schema_version: u32,
    /// What kind of store it is: `memory`, `sqlite`, …
    pub kind: &'static str,
}

/// What a prune removed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pruned {
    /// How many events; fewer than the limit = none is left.
    pub events: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        for place in [0, 1, u64::MAX] {
            assert_eq!(Cursor(place).to_string().parse(), Ok(Cursor(place)));
        }
        for bad in [
            "",
            "c",
            "0",
            "c0",
            "c000000000000000G",
            "c00000000000000001",
            "C0000000000000001",
            "c+000000000000001",
            "c' OR 1=1 --   ",
        ] {
            assert_eq!(bad.parse::<Cursor>(), Err(InvalidCursor), "{bad:?}");
        }
    }
}
