//! The attempts of one process that run.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::endpoint::Endpoint;
use crate::id::{DeliveryId, EndpointId};
use crate::time::Timestamp;

use super::script::Meeting;

/// Counted as they come and go: at times there are thousands.
#[derive(Debug)]
pub(super) struct Flights {
    /// Boxed: a map moves its entries about.
    running: FxHashMap<DeliveryId, Box<Flight>>,
    by_endpoint: FxHashMap<EndpointId, usize>,
    alone: usize,
}

/// An attempt that runs.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) serial: u64,
    /// Its place among the delivery's requests.
    pub(super) index: usize,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) clock: Timestamp,
    pub(super) at: i64,
    pub(super) alone: bool,
    pub(super) meeting: Meeting,
}

impl Flights {
    pub(super) fn none() -> Self {
        Self { running: FxHashMap::default(), by_endpoint: FxHashMap::default(), alone: 0 }
    }

    pub(super) fn begin(&mut self, delivery: DeliveryId, flight: Flight) {
        match self.by_endpoint.get_mut(&flight.endpoint.id) {
            Some(count) => *count += 1,
            None => {
                self.by_endpoint.insert(flight.endpoint.id.clone(), 1);
            }
        }
        self.alone += usize::from(flight.alone);
        if let Some(before) = self.running.insert(delivery, Box::new(flight)) {
            self.count_off(&before);
        }
    }

    /// The attempt with this serial ends, unless it was cut off.
    pub(super) fn end(&mut self, delivery: DeliveryId, serial: u64) -> Option<Box<Flight>> {
        if !self.runs(delivery, serial) {
            return None;
        }
        let flight = self.running.remove(&delivery)?;
        self.count_off(&flight);
        Some(flight)
    }

    fn count_off(&mut self, flight: &Flight) {
        if let Some(count) = self.by_endpoint.get_mut(&flight.endpoint.id) {
            *count -= 1;
        }
        self.alone -= usize::from(flight.alone);
    }

    pub(super) fn runs(&self, delivery: DeliveryId, serial: u64) -> bool {
        self.running.get(&delivery).is_some_and(|flight| flight.serial == serial)
    }

    /// Those that would have ended by now, had their process not stood still.
    pub(super) fn overdue(&self, now: i64) -> Vec<(DeliveryId, u64)> {
        let over = |flight: &Flight| u128::from((now - flight.at).unsigned_abs()) > flight.meeting.after.as_millis();
        let flights = self.running.iter().filter(|(_, flight)| over(flight));
        let mut flights: Vec<_> = flights.map(|(delivery, flight)| (*delivery, flight.serial)).collect();
        flights.sort_unstable();
        flights
    }

    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    pub(super) fn to(&self, endpoint: &EndpointId) -> usize {
        self.by_endpoint.get(endpoint).copied().unwrap_or(0)
    }

    /// Whether one of them must go alone.
    pub(super) const fn goes_alone(&self) -> bool {
        self.alone > 0
    }
}
