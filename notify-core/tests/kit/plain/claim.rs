//! Claims.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use notify_core::delivery::{Delivery, State};
use notify_core::store::{ClaimBatch, ClaimRequest, Claimed, CorruptRecord};
use notify_core::{EndpointId, Timestamp};

use super::{Fault, Health, Row, Tables};

impl Tables {
    pub(super) fn claim(&mut self, request: &ClaimRequest) -> ClaimBatch {
        let selected = self.selected(request);
        self.claim_of(request, selected)
    }

    /// The rows that a claim would lease.
    pub(super) fn selected(&mut self, request: &ClaimRequest) -> Vec<u64> {
        self.select(&self.in_its_time(request))
    }

    /// Leases these rows, unless the token has rows already.
    pub(super) fn claim_of(&mut self, request: &ClaimRequest, selected: Vec<u64>) -> ClaimBatch {
        let request = &self.in_its_time(request);
        self.claims.retain(|_, (until, _)| *until > request.now);
        let corrupt = self.report_damaged(request.now);
        if self.has(Fault::StopsAtACorruptRow) && !corrupt.is_empty() {
            return ClaimBatch { corrupt, ..ClaimBatch::default() };
        }
        let again = self.claims.get(&request.token).map(|(_, rows)| rows.clone());
        let numbers = match again {
            Some(rows) if !self.has(Fault::ForgetsWhatATokenGot) => {
                let leased =
                    |number: &u64| self.rows.get(number).is_some_and(|row| row.delivery.token() == Some(request.token));
                rows.into_iter().filter(leased).collect()
            }
            _ => self.lease(request, selected),
        };
        let claimed: Vec<Claimed> = numbers
            .iter()
            .filter_map(|number| self.rows.get(number))
            .map(|row| Claimed { delivery: row.delivery.clone(), event: Arc::clone(&row.event) })
            .collect();
        ClaimBatch { next_ready_at: self.next_ready_at(request, &claimed), claimed, corrupt }
    }

    #[expect(clippy::disallowed_methods, reason = "that is the fault")]
    fn in_its_time(&self, request: &ClaimRequest) -> ClaimRequest {
        let mut request = request.clone();
        if self.has(Fault::ReadsTheClock) {
            let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            request.now = request.now.max(Timestamp::EPOCH.saturating_add(clock));
        }
        request
    }

    fn report_damaged(&mut self, now: Timestamp) -> Vec<CorruptRecord> {
        let (again, hides) = (self.has(Fault::ReportsACorruptRowAgain), self.has(Fault::HidesACorruptRow));
        if hides {
            return Vec::new();
        }
        let damaged = self.rows.values_mut().filter(|row| row.health == Health::Damaged);
        let due = damaged.filter(|row| row.delivery.ready_at().is_some_and(|at| at <= now));
        due.map(|row| {
            row.health = if again { Health::Damaged } else { Health::Reported };
            CorruptRecord { record: row.delivery.id().to_string(), problem: "reason is unknown".to_owned() }
        })
        .collect()
    }

    fn may_be_claimed(&self, row: &Row) -> bool {
        if self.has(Fault::LeavesAnOpenedRowOut) && row.delivery.as_stored().round.get() > 1 {
            return false;
        }
        let hidden = self.has(Fault::HidesExpiredLeases) && row.delivery.state() == State::InFlight;
        row.health == Health::Sound
            && row.delivery.state().is_claimable()
            && !hidden
            && !self.forgotten.contains(row.delivery.endpoint())
    }

    fn eligible(&self, now: Timestamp) -> Vec<(Timestamp, u64, EndpointId)> {
        let rows = self.rows.iter().filter(|(_, row)| self.may_be_claimed(row));
        let due = rows.filter_map(|(number, row)| {
            let at = row.delivery.ready_at().filter(|at| *at <= now)?;
            Some((at, *number, row.delivery.endpoint().clone()))
        });
        let mut due: Vec<_> = due.collect();
        due.sort_unstable();
        due
    }

    fn select(&mut self, request: &ClaimRequest) -> Vec<u64> {
        let limit = request.limit as usize;
        let mut queues: BTreeMap<EndpointId, Vec<u64>> = BTreeMap::new();
        let due = self.eligible(request.now);
        for (_, number, endpoint) in &due {
            queues.entry(endpoint.clone()).or_default().push(*number);
        }
        if self.has(Fault::DropsAnExcludedEndpoint) {
            let excluded = queues.keys().filter(|endpoint| request.free.of(endpoint) == 0).cloned();
            self.forgotten.extend(excluded);
        }
        // One row an endpoint and round, the longest waiting endpoint first.
        let mut order: Vec<(usize, u64, EndpointId, u64)> = Vec::new();
        for (endpoint, numbers) in &queues {
            let turn = self.turns.get(endpoint).copied().unwrap_or(0);
            let free = if self.has(Fault::IgnoresTheListOfBusyEndpoints) {
                request.free.default
            } else {
                request.free.of(endpoint)
            };
            let free = if self.has(Fault::DropsFullEndpointsAfterTheLimit) { u32::MAX } else { free };
            let rounds = numbers.iter().take(free as usize).enumerate();
            order.extend(rounds.map(|(round, number)| (round, turn, endpoint.clone(), *number)));
        }
        order.sort_unstable();
        let mut taken: Vec<u64> = order.into_iter().map(|(_, _, _, number)| number).collect();
        if self.has(Fault::ClaimsByDueTimeAlone) {
            let may = |number: &u64| taken.contains(number);
            taken = due.iter().map(|(_, number, _)| *number).filter(may).collect();
        }
        taken.truncate(if self.has(Fault::ClaimsOneRowTooMany) { limit + 1 } else { limit });
        if self.has(Fault::DropsFullEndpointsAfterTheLimit) {
            let mut counts: BTreeMap<EndpointId, u32> = BTreeMap::new();
            taken.retain(|number| {
                let endpoint = self.rows[number].delivery.endpoint().clone();
                let count = counts.entry(endpoint.clone()).or_default();
                *count += 1;
                *count <= request.free.of(&endpoint)
            });
        }
        taken
    }

    fn lease(&mut self, request: &ClaimRequest, taken: Vec<u64>) -> Vec<u64> {
        for number in &taken {
            let turn = self.turns.values().max().copied().unwrap_or(0) + 1;
            let Some(row) = self.rows.get_mut(number) else { continue };
            let mut next = row.delivery.claimed(request.token, request.lease_until);
            if self.fault == Some(Fault::CountsLostLeasesTwice) && next.as_stored().lost_leases > 0 {
                let mut twice = next.into_stored();
                twice.lost_leases += 1;
                next = Delivery::restore(twice).unwrap();
            }
            self.turns.insert(next.endpoint().clone(), turn);
            row.delivery = next;
        }
        if !taken.is_empty() {
            self.claims.insert(request.token, (request.lease_until, taken.clone()));
            self.writes += 1;
        }
        taken
    }

    fn next_ready_at(&self, request: &ClaimRequest, claimed: &[Claimed]) -> Option<Timestamp> {
        let left = |endpoint: &EndpointId| {
            let got = claimed.iter().filter(|row| row.delivery.endpoint() == endpoint).count();
            request.free.of(endpoint) as usize > got || self.has(Fault::CountsRowsBeyondTheNumber)
        };
        let mut known: BTreeMap<&EndpointId, bool> = BTreeMap::new();
        let rows = self.rows.values().filter(|row| self.may_be_claimed(row));
        let counted = rows.filter(|row| {
            let endpoint = row.delivery.endpoint();
            *known.entry(endpoint).or_insert_with(|| left(endpoint))
        });
        let counted =
            counted.filter(|row| !(self.has(Fault::SleepsThroughLeases) && row.delivery.state() == State::InFlight));
        counted.filter_map(|row| row.delivery.ready_at()).min().map(|at| at.max(request.now))
    }
}
