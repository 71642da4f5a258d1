//! No attempt to an endpoint starts after the process that changed it went on, or where the claim came after the change;
//! what is published to a disabled endpoint is born held.

use crate::delivery::Start;
use crate::store::{InsertOutcome, Inserted};

use super::{Found, Invariant, Kind, Known, Ledger, Seen};

#[derive(Debug)]
pub(super) struct Withheld;

impl Invariant for Withheld {
    fn name(&self) -> &'static str {
        "none after delete or disable"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Requested, Kind::Inserted]
    }

    fn see(&mut self, seen: &Seen<'_>, ledger: &Ledger, known: Option<&Known>) -> Found {
        match seen {
            Seen::Requested { sent, order, .. } => {
                let Some(known) = known else { return Ok(()) };
                if !order.endpoint.is_enabled() {
                    return Err(format!("delivery {} is sent to an endpoint that was read as disabled", sent.delivery));
                }
                let writes = ledger.endpoints.get(&order.endpoint.id).map(Vec::as_slice).unwrap_or_default();
                let used = writes
                    .iter()
                    .position(|write| write.endpoint.as_ref().is_some_and(|e| e.version == order.endpoint.version));
                // Written after what the sender read: where it could have known of it, it had to.
                let newer = used.map_or(writes, |used| &writes[used + 1..]);
                let claimed_at = known.lease.as_ref().map_or(i64::MAX, |lease| lease.since);
                let own =
                    newer.iter().find(|write| write.told && (write.by, write.epoch) == (sent.process, sent.epoch));
                if let Some(write) = own {
                    return Err(format!(
                        "delivery {} is sent to version {} of {}, which this process itself had changed at {}",
                        sent.delivery, order.endpoint.version, order.endpoint.id, write.at
                    ));
                }
                if newer.iter().any(|write| write.at < claimed_at) && !known.tagged {
                    return Err(format!(
                        "delivery {} was claimed at {claimed_at} and is sent to version {} of {}, changed before",
                        sent.delivery, order.endpoint.version, order.endpoint.id
                    ));
                }
                Ok(())
            }
            Seen::Inserted { batch, outcome: InsertOutcome::Stored(answers), endpoints, .. } => {
                let new = batch.events.iter().zip(answers).filter(|(_, answer)| **answer == Inserted::New);
                for delivery in new.flat_map(|(event, _)| &event.deliveries) {
                    let disabled = endpoints.iter().any(|e| e.id == delivery.endpoint && !e.is_enabled());
                    if disabled != matches!(delivery.start, Start::Held(_)) {
                        return Err(format!("delivery {} begins as {:?}", delivery.id, delivery.start));
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
