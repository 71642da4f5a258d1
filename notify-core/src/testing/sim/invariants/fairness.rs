//! A claim that has room leaves nobody out; in one that has not, an endpoint with more rows due and room for them gets at
//! most one fewer than any other; and an endpoint that waits sees no other served twice before it, so that it waits for
//! at most as many claims as there are endpoints, however deep another's backlog is.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::id::EndpointId;
use crate::store::{ClaimBatch, ClaimRequest};

use super::{Found, Invariant, Kind, Known, Ledger, Seen};

#[derive(Debug, Default)]
pub(super) struct Fairness {
    /// For each endpoint that was passed over since it waits: who was served meanwhile.
    served_before: FxHashMap<EndpointId, FxHashSet<EndpointId>>,
    /// A store that fell back has forgotten whose turn it was.
    failovers: u64,
}

impl Invariant for Fairness {
    fn name(&self) -> &'static str {
        "fairness"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Claimed]
    }

    fn see(&mut self, seen: &Seen<'_>, ledger: &Ledger, _known: Option<&Known>) -> Found {
        let Seen::Claimed { request, batch, .. } = seen else { return Ok(()) };
        if ledger.failovers != self.failovers {
            self.failovers = ledger.failovers;
            self.served_before.clear();
        }
        let got = served(batch);
        if ledger.claims.contains_key(&request.token) {
            // The same rows again; or others, where it is carried out after its own lease has ended.
            got.keys().for_each(|endpoint| self.waits_no_more(endpoint));
            return Ok(());
        }
        let cut_short = batch.claimed.len() >= request.limit as usize;
        let most = got.values().copied().max().unwrap_or(0);
        for (endpoint, due) in ledger.due(request.now, most as usize + 1) {
            if due == 0 {
                self.waits_no_more(endpoint);
                continue;
            }
            let has = got.get(endpoint).copied().unwrap_or(0);
            let room = room(request, endpoint);
            let wants_more = due > has as usize && room > has;
            if wants_more && !cut_short {
                return Err(format!("{endpoint} gets {has} rows of a claim that has room for more"));
            }
            if wants_more && has + 1 < most {
                return Err(format!("{endpoint} gets {has} rows of a claim that gives another {most}"));
            }
            if has > 0 {
                self.waits_no_more(endpoint);
            } else if room > 0 {
                self.passed_over(endpoint, got.keys())?;
            }
        }
        Ok(())
    }
}

impl Fairness {
    fn waits_no_more(&mut self, endpoint: &EndpointId) {
        if !self.served_before.is_empty() {
            self.served_before.remove(endpoint);
        }
    }

    fn passed_over<'a>(&mut self, waits: &EndpointId, served: impl Iterator<Item = &'a &'a EndpointId>) -> Found {
        if !self.served_before.contains_key(waits) {
            self.served_before.insert(waits.clone(), FxHashSet::default());
        }
        let Some(before) = self.served_before.get_mut(waits) else { return Ok(()) };
        for other in served {
            if !before.insert(EndpointId::clone(other)) {
                return Err(format!("{waits} waits, and {other} is served twice before it"));
            }
        }
        Ok(())
    }
}

fn served(batch: &ClaimBatch) -> FxHashMap<&EndpointId, u32> {
    let mut got = FxHashMap::default();
    for row in &batch.claimed {
        *got.entry(row.delivery.endpoint()).or_default() += 1;
    }
    got
}

fn room(request: &ClaimRequest, endpoint: &EndpointId) -> u32 {
    request.free.busy.iter().find(|(id, _)| id == endpoint).map_or(request.free.default, |(_, free)| *free)
}
