//! One id, or one key, names one event: the same content again changes nothing, and other content is a conflict.

use std::collections::BTreeMap;

use crate::event::Fingerprint;
use crate::id::{EventId, IdempotencyKey};
use crate::store::{InsertOutcome, Inserted};

use super::{Found, Invariant, Kind, Known, Ledger, Seen};

#[derive(Debug, Default)]
pub(super) struct Duplicates {
    keys: BTreeMap<IdempotencyKey, (EventId, Fingerprint)>,
}

impl Invariant for Duplicates {
    fn name(&self) -> &'static str {
        "idempotency"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Inserted]
    }

    fn see(&mut self, seen: &Seen<'_>, ledger: &Ledger, _known: Option<&Known>) -> Found {
        let Seen::Inserted { batch, outcome, .. } = seen else { return Ok(()) };
        for (index, published) in batch.events.iter().enumerate() {
            let id = &published.event.key.id;
            let by_id = ledger.events.get(id).map(|first| (id.clone(), *first));
            let by_key = published.idempotency_key.as_ref().and_then(|key| self.keys.get(key).cloned());
            // One that was pruned, or lost by a failover, names nothing any more.
            let by_key = by_key.filter(|(first, _)| ledger.events.contains_key(first));
            let first = by_id.or(by_key);
            let answer = match outcome {
                InsertOutcome::Stored(answers) => answers.get(index).cloned(),
                InsertOutcome::Conflict { .. } => None,
            };
            let right = match (&first, &answer) {
                (None, Some(Inserted::New)) => true,
                (Some((first, same)), Some(Inserted::Duplicate { first: told, .. })) => {
                    first == told && *same == published.fingerprint
                }
                (Some((_, other)), None) => *other != published.fingerprint,
                _ => false,
            };
            if !right {
                return Err(format!(
                    "event {id} is answered {answer:?}, and the first is {:?}",
                    first.map(|first| first.0)
                ));
            }
            if let (Some(key), Some(Inserted::New)) = (&published.idempotency_key, answer) {
                self.keys.insert(key.clone(), (id.clone(), published.fingerprint));
            }
        }
        Ok(())
    }
}
