//! Publishing: S1 and attach.

use std::collections::BTreeMap;

use notify_core::delivery::NewDelivery;
use notify_core::event::{EventKey, Purpose};
use notify_core::store::{InsertOutcome, Inserted, Operation, PublishBatch, PublishedEvent, StoreError};
use notify_core::{EventId, TenantId};
use redis::Value;

use crate::open::unexpected_cause;
use crate::reply::{Args, list, nonce, number, text, tuple};
use crate::rows::add_new;
use crate::{RedisStore, keys, script};

impl RedisStore {
    pub(crate) async fn publish(&self, batch: &PublishBatch) -> Result<InsertOutcome, StoreError> {
        let mut homes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, published) in batch.events.iter().enumerate() {
            homes.entry(self.shard_of(&published.event.key.tenant)).or_default().push(index);
        }
        if homes.len() > 1
            && let Some(conflict) = self.conflict(batch, &homes).await?
        {
            return Ok(conflict);
        }
        // So that a repeat after a lost answer is known from a second publish.
        let nonce = nonce();
        let parts = homes.iter().map(|(shard, indexes)| (*shard, insert_args(batch, indexes, &nonce))).collect();
        let first = homes.keys().next().copied().filter(|_| homes.len() > 1);
        if let Some(first) = first {
            self.begin_batch(first, &nonce, batch.now, &parts).await?;
        }
        let outcome = self.write_parts(batch.events.len(), &homes, &parts).await;
        // Only the first part is refused by a full store: then nothing was done, and nothing must follow.
        let over = matches!(outcome, Ok(_) | Err(StoreError::Full { .. }));
        if let Some(first) = first.filter(|_| over) {
            self.end_batch(first, &nonce).await;
        }
        outcome
    }

    async fn write_parts(
        &self,
        events: usize,
        homes: &BTreeMap<usize, Vec<usize>>,
        parts: &BTreeMap<usize, Args>,
    ) -> Result<InsertOutcome, StoreError> {
        let mut answers = vec![Inserted::New; events];
        let mut written = false;
        for ((shard, indexes), args) in homes.iter().zip(parts.values()) {
            let answer = self.run_safely(Operation::Insert, &script::INSERT, *shard, args).await;
            let answer = answer.map_err(|error| match error {
                StoreError::Full { .. } if written => {
                    StoreError::unavailable(Operation::Insert, "a shard is full: the rest of the batch follows")
                }
                other => other,
            })?;
            match insert_answer(answer).ok_or_else(|| unexpected("insert"))? {
                Answer::Conflict(at, existing) => {
                    let index = indexes.get(at).copied().ok_or_else(|| unexpected("insert"))?;
                    return Ok(InsertOutcome::Conflict { index, existing });
                }
                Answer::Stored(stored) => {
                    written = true;
                    for (index, inserted) in indexes.iter().zip(stored) {
                        answers[*index] = inserted;
                    }
                }
            }
        }
        Ok(InsertOutcome::Stored(answers))
    }

    /// Judges a batch of several shards before anything of it is written.
    async fn conflict(
        &self,
        batch: &PublishBatch,
        homes: &BTreeMap<usize, Vec<usize>>,
    ) -> Result<Option<InsertOutcome>, StoreError> {
        let mut stored: BTreeMap<usize, (EventId, String)> = BTreeMap::new();
        for (shard, indexes) in homes {
            let mut args = Args::new();
            args.number(indexes.len());
            for published in indexes.iter().map(|index| &batch.events[*index]) {
                args.text(&keys::event(&published.event.key)).text(&key_of(published));
            }
            let found = list(self.run(Operation::Insert, &script::CHECK, *shard, &args).await?);
            for (index, found) in indexes.iter().zip(found) {
                if let Some([id, print]) = tuple(found) {
                    let id = text(id).parse().map_err(|_| unexpected("check"))?;
                    stored.insert(*index, (id, text(print)));
                }
            }
        }
        let mut by_id: BTreeMap<&EventKey, usize> = BTreeMap::new();
        let mut by_key: BTreeMap<(&TenantId, String), usize> = BTreeMap::new();
        for (index, published) in batch.events.iter().enumerate() {
            let key = &published.event.key;
            let same_key = published.idempotency_key.as_ref().map(|_| (&key.tenant, key_of(published)));
            // As the script of one shard does it: an id, wherever it is, decides before a key.
            let of_batch = |first: &usize| {
                let first = &batch.events[*first];
                (first.event.key.id.clone(), hex::encode(first.fingerprint))
            };
            let stored = stored.get(&index);
            let existing = (by_id.get(key).map(of_batch))
                .or_else(|| stored.filter(|(id, _)| *id == key.id).cloned())
                .or_else(|| same_key.as_ref().and_then(|same| by_key.get(same)).map(of_batch))
                .or_else(|| stored.cloned());
            match existing {
                Some((existing, print)) if print != hex::encode(published.fingerprint) => {
                    return Ok(Some(InsertOutcome::Conflict { index, existing }));
                }
                Some(_) => {}
                None => {
                    by_id.insert(key, index);
                    by_key.extend(same_key.map(|same| (same, index)));
                }
            }
        }
        Ok(None)
    }

    pub(crate) async fn attach_rows(&self, event: &EventKey, new: &[NewDelivery]) -> Result<usize, StoreError> {
        let mut args = Args::new();
        args.text(&keys::event(event)).text(&keys::tenant(&event.tenant)).number(new.len());
        new.iter().for_each(|new| add_new(&mut args, new));
        let shard = self.shard_of(&event.tenant);
        let answer = self.run_safely(Operation::Attach, &script::ATTACH, shard, &args).await?;
        match number(answer) {
            Some(-1) => Err(StoreError::UnknownEvent),
            Some(added) => Ok(usize::try_from(added).unwrap_or(0)),
            None => Err(StoreError::unavailable(Operation::Attach, unexpected_cause("attach"))),
        }
    }
}

enum Answer {
    /// Which one of those that were sent, and the event that has its id or key.
    Conflict(usize, EventId),
    Stored(Vec<Inserted>),
}

fn insert_args(batch: &PublishBatch, indexes: &[usize], nonce: &str) -> Args {
    let mut args = Args::new();
    args.time(batch.now).text(nonce).number(indexes.len());
    for published in indexes.iter().map(|index| &batch.events[*index]) {
        let event = &published.event;
        args.text(&keys::event(&event.key)).text(event.key.id.as_str()).text(&keys::tenant(&event.key.tenant));
        args.text(&key_of(published)).text(&hex::encode(published.fingerprint)).text(event.event_type.as_str());
        args.time(event.timestamp).add(&event.body[..]).number(published.deliveries.len());
        published.deliveries.iter().for_each(|new| add_new(&mut args, new));
    }
    for (place, index) in (1_usize..).zip(indexes) {
        if batch.events[*index].purpose == Purpose::Test {
            args.number(place);
        }
    }
    args
}

/// The event's idempotency key, in keys; empty without one.
fn key_of(published: &PublishedEvent) -> String {
    let tenant = &published.event.key.tenant;
    published.idempotency_key.as_ref().map(|key| keys::idempotency(tenant, key)).unwrap_or_default()
}

fn insert_answer(answer: Value) -> Option<Answer> {
    let mut parts = list(answer).into_iter();
    if text(parts.next()?) == "conflict" {
        return Some(Answer::Conflict(
            usize::try_from(number(parts.next()?)?).ok()?,
            text(parts.next()?).parse().ok()?,
        ));
    }
    let inserted = list(parts.next()?).into_iter().map(|answer| {
        let [kind, first, deliveries] = tuple(answer)?;
        if text(kind) == "new" {
            return Some(Inserted::New);
        }
        let deliveries = usize::try_from(number(deliveries)?).ok()?;
        Some(Inserted::Duplicate { first: text(first).parse().ok()?, deliveries })
    });
    inserted.collect::<Option<Vec<_>>>().map(Answer::Stored)
}

fn unexpected(script: &str) -> StoreError {
    StoreError::unavailable(Operation::Insert, unexpected_cause(script))
}
