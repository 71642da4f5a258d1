//! No more attempts run at once than the engine and the endpoint allow, no claim gets more than it asked for, and a
//! delivery that must go alone goes alone.

use crate::machine::SOLO_FROM_LOST_LEASES;

use super::{Found, Invariant, Kind, Known, Ledger, Seen};

#[derive(Debug)]
pub(super) struct Caps;

impl Invariant for Caps {
    fn name(&self) -> &'static str {
        "caps"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Requested, Kind::Claimed]
    }

    fn see(&mut self, seen: &Seen<'_>, ledger: &Ledger, known: Option<&Known>) -> Found {
        match seen {
            Seen::Requested { sent, running, config, .. } => {
                let (slots, per_endpoint) = (config.max_in_flight as usize, config.per_endpoint as usize);
                if running.all > slots || running.same_endpoint > per_endpoint {
                    return Err(format!(
                        "{} attempts run, {} of them to one endpoint; allowed are {slots} and {per_endpoint}",
                        running.all, running.same_endpoint
                    ));
                }
                let lost = known.map_or(0, |known| known.row.as_stored().lost_leases);
                if (lost >= SOLO_FROM_LOST_LEASES || running.alone) && running.all > 1 {
                    return Err(format!("delivery {} runs with another that must go alone", sent.delivery));
                }
                Ok(())
            }
            Seen::Claimed { request, batch, .. } if !ledger.claims.contains_key(&request.token) => {
                if batch.claimed.len() > request.limit as usize {
                    return Err(format!("a claim for {} rows gets {}", request.limit, batch.claimed.len()));
                }
                let mut endpoints: Vec<_> = batch.claimed.iter().map(|row| row.delivery.endpoint()).collect();
                endpoints.sort_unstable();
                for group in endpoints.chunk_by(|a, b| a == b) {
                    let free = request.free.busy.iter().find(|(id, _)| id == group[0]);
                    let free = free.map_or(request.free.default, |(_, free)| *free);
                    if group.len() > free as usize {
                        return Err(format!("a claim gets {} rows of {}, and {free} were free", group.len(), group[0]));
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
