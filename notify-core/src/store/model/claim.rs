//! Claiming, in turns over the endpoints.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::delivery::{Delivery, State};
use crate::id::{DeliveryId, EndpointId};
use crate::store::{ClaimBatch, ClaimRequest, Claimed};
use crate::time::Timestamp;

use super::{Model, Queue};

impl Model {
    pub(in super::super) fn claim(&mut self, request: &ClaimRequest) -> ClaimBatch {
        while let Some((until, token)) = self.claims_by_end.first().copied().filter(|(until, _)| *until <= request.now)
        {
            self.claims_by_end.remove(&(until, token));
            self.claims.remove(&token);
        }
        let claimed = match self.claims.get(&request.token) {
            // The same token again: the same rows, as far as they are still leased under it (S3).
            Some(rows) if !planted!(ClaimNotRepeatable) => self.still_leased(rows, request),
            _ => self.lease(request),
        };
        ClaimBatch { next_ready_at: self.next_ready_at(request, &claimed), claimed, corrupt: Vec::new() }
    }

    fn still_leased(&self, rows: &[DeliveryId], request: &ClaimRequest) -> Vec<Claimed> {
        let rows = rows.iter().filter_map(|id| self.deliveries.get(id));
        rows.filter(|row| row.delivery.token() == Some(request.token))
            .map(|row| Claimed { delivery: row.delivery.clone(), event: Arc::clone(&row.event) })
            .collect()
    }

    fn lease(&mut self, request: &ClaimRequest) -> Vec<Claimed> {
        // (last turn, endpoint, rows it may still get)
        let mut runnable: Vec<(u64, EndpointId, u32)> = self
            .index
            .queues
            .iter()
            .filter(|(_, queue)| queue.first().is_some_and(|at| at <= claimable_until(request)))
            .map(|(id, queue)| (if planted!(Starves) { 0 } else { queue.turn }, id.clone(), request.free.of(id)))
            .filter(|(_, _, free)| *free > 0)
            .collect();
        runnable.sort_unstable();
        let mut claimed = Vec::new();
        // One row an endpoint and round, the longest waiting endpoint first: no backlog starves another (S4).
        while !runnable.is_empty() && claimed.len() < request.limit as usize {
            runnable.retain_mut(|(_, endpoint, free)| {
                if claimed.len() >= request.limit as usize {
                    return false;
                }
                if planted!(FreeIgnored) {
                    *free = request.limit;
                }
                match self.lease_next(endpoint, request) {
                    Some(row) => claimed.push(row),
                    None => return false,
                }
                *free -= 1;
                while planted!(Starves) && *free > 0 && claimed.len() < request.limit as usize {
                    let Some(row) = self.lease_next(endpoint, request) else { break };
                    claimed.push(row);
                    *free -= 1;
                }
                *free > 0
            });
        }
        if !claimed.is_empty() {
            let rows = claimed.iter().map(|row| row.delivery.id()).collect();
            self.claims_by_end.insert((request.lease_until, request.token));
            self.claims.insert(request.token, rows);
        }
        claimed
    }

    fn lease_next(&mut self, endpoint: &EndpointId, request: &ClaimRequest) -> Option<Claimed> {
        self.last_turn += 1;
        let queue = self.index.queues.get_mut(endpoint)?;
        let (_, id) = queue.claimable.first_key_value().filter(|((at, _), _)| *at <= claimable_until(request))?;
        queue.turn = if planted!(TurnKept) { queue.turn } else { self.last_turn };
        let row = self.deliveries.get_mut(id)?;
        let delivery: Delivery = row.delivery.claimed(request.token, request.lease_until);
        row.put(delivery.clone(), &mut self.index);
        self.writes += 1;
        Some(Claimed { delivery, event: Arc::clone(&row.event) })
    }

    /// S5: rows beyond an endpoint's number do not count.
    fn next_ready_at(&self, request: &ClaimRequest, claimed: &[Claimed]) -> Option<Timestamp> {
        let mut taken: FxHashMap<&EndpointId, u32> = FxHashMap::default();
        for row in claimed {
            *taken.entry(row.delivery.endpoint()).or_default() += 1;
        }
        let mut next: Option<Timestamp> = None;
        for (id, queue) in &self.index.queues {
            let leased = |id| self.deliveries.get(id).is_some_and(|row| row.delivery.state() == State::InFlight);
            let mut rows = queue.claimable.iter().filter(|(_, id)| !(planted!(LeaseEndForgotten) && leased(id)));
            let Some(((at, _), _)) = rows.next() else { continue };
            let earlier = next.is_none_or(|next| *at < next);
            if earlier && request.free.of(id) > taken.get(id).copied().unwrap_or(0) {
                next = Some(*at);
            }
        }
        next.map(|at| at.max(request.now))
    }

    pub(in super::super) fn oldest_due(&self, tenant: Option<&crate::id::TenantId>) -> Option<Timestamp> {
        let mut oldest: Option<Timestamp> = None;
        for queue in self.index.queues.values() {
            // The first scheduled row; leased ones before it are at most as many as are in flight.
            let due = queue.claimable.iter().find_map(|((at, _), id)| {
                let row = self.deliveries.get(id)?;
                let wanted = tenant.is_none_or(|tenant| *tenant == row.delivery.event().tenant);
                (wanted && row.delivery.state() == State::Scheduled).then_some(*at)
            });
            oldest = oldest.into_iter().chain(due).min();
        }
        oldest
    }
}

impl Queue {
    /// When its first row may be claimed.
    fn first(&self) -> Option<Timestamp> {
        self.claimable.first_key_value().map(|((at, _), _)| *at)
    }
}

/// The last due time that a claim takes.
fn claimable_until(request: &ClaimRequest) -> Timestamp {
    let early = if planted!(ClaimedEarly) { 5 } else { 0 };
    request.now.saturating_add(std::time::Duration::from_secs(early))
}
