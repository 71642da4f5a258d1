//! In one claim, an endpoint with more rows due and room for them gets at most one fewer than any other; and no endpoint
//! that waits is passed over by two claims that serve others.

use std::collections::BTreeMap;

use crate::id::EndpointId;
use crate::store::{ClaimBatch, ClaimRequest};

use super::{Found, Invariant, Known, Ledger, Seen};

#[derive(Debug, Default)]
pub(super) struct Fairness {
    /// Claims so far: the check looks at every row, so not each claim is checked.
    claims: u64,
}

impl Invariant for Fairness {
    fn name(&self) -> &'static str {
        "fairness"
    }

    fn see(&mut self, seen: &Seen<'_>, ledger: &Ledger, _known: Option<&Known>) -> Found {
        let Seen::Claimed { request, batch, .. } = seen else { return Ok(()) };
        if batch.claimed.is_empty() || ledger.claims.contains_key(&request.token) {
            return Ok(());
        }
        let got = served(batch);
        // Only a claim that was cut short had to choose.
        if got.values().sum::<u32>() < request.limit {
            return Ok(());
        }
        self.claims += 1;
        let most = got.values().copied().max().unwrap_or(0);
        if ledger.rows.len() > 200 && !self.claims.is_multiple_of(16) {
            return Ok(());
        }
        for (endpoint, ids) in &ledger.by_endpoint {
            let has = got.get(endpoint).copied().unwrap_or(0);
            if has + 1 < most && room(request, endpoint) > has {
                let due = ids.iter().filter_map(|id| ledger.rows.get(id)).filter(|known| {
                    known.row.state().is_claimable() && known.row.ready_at().is_some_and(|at| at <= request.now)
                });
                if due.count() > has as usize {
                    return Err(format!("{endpoint} gets {has} rows of a claim that gives another {most}"));
                }
            }
        }
        Ok(())
    }
}

fn served(batch: &ClaimBatch) -> BTreeMap<&EndpointId, u32> {
    let mut got = BTreeMap::new();
    for row in &batch.claimed {
        *got.entry(row.delivery.endpoint()).or_default() += 1;
    }
    got
}

fn room(request: &ClaimRequest, endpoint: &EndpointId) -> u32 {
    request.free.busy.iter().find(|(id, _)| id == endpoint).map_or(request.free.default, |(_, free)| *free)
}
