//! How many attempts may run: in all, and for each endpoint.

use rustc_hash::FxHashMap;

use crate::id::EndpointId;
use crate::store::Free;

/// Counts slots that are taken: by a reservation, or by a delivery from its claim to the end of its attempt.
#[derive(Debug)]
pub(super) struct Slots {
    max: u32,
    per_endpoint: u32,
    taken: u32,
    by_endpoint: FxHashMap<EndpointId, u32>,
}

impl Slots {
    pub(super) fn new(max: u32, per_endpoint: u32) -> Self {
        Self { max, per_endpoint, taken: 0, by_endpoint: FxHashMap::default() }
    }

    pub(super) fn take(&mut self, endpoint: &EndpointId) {
        self.taken += 1;
        match self.by_endpoint.get_mut(endpoint) {
            Some(count) => *count += 1,
            None => {
                self.by_endpoint.insert(endpoint.clone(), 1);
            }
        }
    }

    pub(super) fn release(&mut self, endpoint: &EndpointId) {
        if let Some(count) = self.by_endpoint.get_mut(endpoint) {
            self.taken -= 1;
            *count -= 1;
            if *count == 0 {
                self.by_endpoint.remove(endpoint);
            }
        }
    }

    pub(super) const fn free(&self) -> u32 {
        self.max.saturating_sub(self.taken)
    }

    pub(super) fn free_for(&self, endpoint: &EndpointId) -> u32 {
        self.per_endpoint.saturating_sub(self.by_endpoint.get(endpoint).copied().unwrap_or(0))
    }

    /// The same for a claim: endpoints in order of id.
    pub(super) fn as_free(&self) -> Free {
        let busy = self.by_endpoint.iter().map(|(id, count)| (id.clone(), self.per_endpoint.saturating_sub(*count)));
        let mut busy: Vec<_> = busy.collect();
        busy.sort_unstable();
        Free { default: self.per_endpoint, busy }
    }
}
