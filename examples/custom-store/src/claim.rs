//! Handing out work: the one method that takes thought.

use std::collections::BTreeMap;
use std::sync::Arc;

use notify_core::EndpointId;
use notify_core::store::{ClaimBatch, ClaimRequest, Claimed};

use crate::Tables;

impl Tables {
    pub(crate) fn claim(&mut self, request: &ClaimRequest) -> ClaimBatch {
        self.claims.retain(|_, until| *until > request.now);
        // The same token again: what it got, as far as it still has it (S3).
        if !self.claims.contains_key(&request.token) {
            for number in self.choose(request) {
                self.lease(number, request);
            }
        }
        let leased = self.deliveries.values().filter(|row| row.delivery.token() == Some(request.token));
        let claimed: Vec<Claimed> = leased
            .filter_map(|row| {
                let event = Arc::clone(&self.events.get(&row.event)?.event);
                Some(Claimed { delivery: row.delivery.clone(), event })
            })
            .collect();
        // A store of bytes puts here the rows that it cannot read (S13).
        ClaimBatch { next_ready_at: self.next_ready_at(request, &claimed), claimed, corrupt: Vec::new() }
    }

    /// Which rows to lease: those that may be claimed (S2), in turns over the endpoints, so that no backlog keeps
    /// another endpoint waiting, and within an endpoint the one that is ready longest (S4).
    fn choose(&self, request: &ClaimRequest) -> Vec<u64> {
        let mut ready: Vec<_> = self
            .deliveries
            .iter()
            .filter(|(_, row)| row.delivery.state().is_claimable())
            .filter_map(|(number, row)| Some((row.delivery.ready_at()?, *number, row.delivery.endpoint())))
            .filter(|(at, ..)| *at <= request.now)
            .collect();
        ready.sort_unstable();
        let mut rounds: BTreeMap<&EndpointId, u32> = BTreeMap::new();
        let mut chosen = Vec::new();
        for (at, number, endpoint) in ready {
            let round = rounds.entry(endpoint).or_default();
            if *round < request.free.of(endpoint) {
                chosen.push((*round, self.turns.get(endpoint), at, number));
                *round += 1;
            }
        }
        chosen.sort_unstable();
        chosen.into_iter().take(request.limit as usize).map(|(.., number)| number).collect()
    }

    fn lease(&mut self, number: u64, request: &ClaimRequest) {
        let turn = self.next_number();
        if let Some(row) = self.deliveries.get_mut(&number) {
            // Counts a lease that was lost, and goes one version on.
            row.delivery = row.delivery.claimed(request.token, request.lease_until);
            self.turns.insert(row.delivery.endpoint().clone(), turn);
            self.claims.insert(request.token, request.lease_until);
        }
    }

    /// S5: the earliest row of an endpoint that could take one more.
    fn next_ready_at(&self, request: &ClaimRequest, claimed: &[Claimed]) -> Option<notify_core::Timestamp> {
        let got = |endpoint: &EndpointId| claimed.iter().filter(|row| row.delivery.endpoint() == endpoint).count();
        let rows = self.deliveries.values().map(|row| &row.delivery).filter(|row| row.state().is_claimable());
        rows.filter(|row| request.free.of(row.endpoint()) as usize > got(row.endpoint()))
            .filter_map(|row| row.ready_at())
            .min()
            .map(|at| at.max(request.now))
    }
}
