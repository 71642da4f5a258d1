//! Fresh deliveries that publishers hand over in memory: a place while they are stored and wait, then a slot.

use crate::id::EndpointId;
use crate::store::Claimed;
use crate::time::Timestamp;

use super::config::DispatchConfig;
use super::dispatcher::{Dispatcher, Item, Reservation, Stage};

impl Dispatcher {
    /// A place for a fresh delivery to `endpoint`, unless all are taken, older deliveries wait, the store or the
    /// directory is away, or the engine stops.
    ///
    /// Places let the next deliveries be stored while the ones before are sent. Each reservation must be followed by `Handed`, `Released` or `Doubtful`.
    pub fn reserve(&mut self, now: Timestamp, endpoint: &EndpointId) -> Option<Reservation> {
        if !self.takes_fresh(now, endpoint) || !self.has_place(endpoint) {
            return None;
        }
        self.places.take(endpoint);
        self.reserved += 1;
        Some(Reservation { token: self.tokens.claim(), until: now.saturating_add(self.config.lease()) })
    }

    /// Whether a reservation at `endpoint` is refused only because all places are taken just now.
    #[must_use]
    pub fn is_crowded(&self, now: Timestamp, endpoint: &EndpointId) -> bool {
        self.takes_fresh(now, endpoint) && !self.has_place(endpoint)
    }

    /// How many places are free over all endpoints.
    #[must_use]
    pub const fn free_places(&self) -> u32 {
        self.places.free()
    }

    fn takes_fresh(&self, now: Timestamp, endpoint: &EndpointId) -> bool {
        self.drain.is_running()
            && self.may_take_more()
            && self.outage.pause(now).is_none()
            && self.directory.pause(now).is_none()
            && self.claims.allow_reservation(now, endpoint)
    }

    fn has_place(&self, endpoint: &EndpointId) -> bool {
        self.places.free() > 0 && self.places.free_for(endpoint) > 0
    }

    /// Reserved deliveries that are stored now: each keeps its place until a slot is free.
    pub(super) fn handed(&mut self, claimed: Vec<Claimed>) {
        for claimed in claimed {
            self.reserved = self.reserved.saturating_sub(1);
            let id = claimed.delivery.id();
            if self.items.contains_key(&id) {
                // Claimed before it was handed over, the clock having jumped: the later lease counts.
                self.places.release(claimed.delivery.endpoint());
                continue;
            }
            self.parked.push_back(id);
            self.items.insert(id, Box::new(Item { claimed, stage: Stage::Parked }));
        }
    }

    /// A reservation that came to nothing.
    pub(super) fn release_place(&mut self, endpoint: &EndpointId) {
        self.reserved = self.reserved.saturating_sub(1);
        self.places.release(endpoint);
    }

    /// Gives free slots to those that wait longest, and hands back what waited too long for its lease. Not while a
    /// claim runs: the slots that are free then are the ones it was asked for.
    pub(super) fn unpark(&mut self, now: Timestamp) {
        if self.parked.is_empty() || self.claims.is_running() {
            return;
        }
        // Those whose endpoint is full, in order: they go back to the front.
        let mut skipped = Vec::new();
        while let Some(id) = self.parked.pop_front() {
            let Some(item) = self.items.get_mut(&id).filter(|item| matches!(item.stage, Stage::Parked)) else {
                continue;
            };
            let endpoint = item.claimed.delivery.endpoint();
            if self.slots.free() > 0 && self.slots.free_for(endpoint) > 0 {
                self.places.release(endpoint);
                self.slots.take(endpoint);
                item.stage = Stage::Unread;
                self.unread.push(id);
            } else if self.config.latest_start(item.claimed.delivery.ready_at()).is_none_or(|latest| now > latest) {
                self.places.release(endpoint);
                if let Some(item) = self.items.remove(&id) {
                    self.hand_back(now, &item.claimed.delivery);
                }
            } else {
                skipped.push(id);
                // Without a free slot the others wait as well, and not as long as this one.
                if self.slots.free() == 0 {
                    break;
                }
            }
        }
        skipped.into_iter().rev().for_each(|id| self.parked.push_front(id));
    }

    /// When the one that waits longest must be handed back.
    pub(super) fn unpark_at(&self) -> Option<Timestamp> {
        let item = self.parked.front().and_then(|id| self.items.get(id))?;
        let latest = self.config.latest_start(item.claimed.delivery.ready_at())?;
        Some(latest.saturating_add(std::time::Duration::from_millis(1)))
    }
}

impl DispatchConfig {
    /// The last moment at which the longest attempt still fits into a lease that ends at `lease_until`.
    fn latest_start(&self, lease_until: Option<Timestamp>) -> Option<Timestamp> {
        Some(lease_until?.saturating_sub(self.policy.timeout).saturating_sub(Self::MARGIN))
    }
}
