//! Settling, loading and sweeping: S6 to S8, S12, S14.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::future::join_all;
use notify_core::DeliveryId;
use notify_core::delivery::Delivery;
use notify_core::id::Version;
use notify_core::machine::Change;
use notify_core::store::{ApplyOutcome, Operation, StoreError, SweepAction, SweepRequest, Swept};
use redis::Value;

use crate::open::unexpected_cause;
use crate::reply::{Args, fields, list, number, text, tuple};
use crate::rows::{self, attempt_bytes, hex_of, state_code};
use crate::{RedisStore, activity, keys, script};

/// How many rows one script writes or reads: about a millisecond.
const CHUNK: usize = 64;

impl RedisStore {
    pub(crate) async fn settle(&self, changes: &[Change]) -> Result<Vec<ApplyOutcome>, StoreError> {
        let mut homes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, change) in changes.iter().enumerate() {
            homes.entry(self.shard_of(&change.next().event.tenant)).or_default().push(index);
        }
        let mut outcomes = vec![ApplyOutcome::Missing; changes.len()];
        let calls = homes.iter().map(|(shard, indexes)| self.settle_in(*shard, changes, indexes));
        for written in join_all(calls).await {
            for (index, outcome) in written? {
                outcomes[index] = outcome;
            }
        }
        Ok(outcomes)
    }

    async fn settle_in(
        &self,
        shard: usize,
        changes: &[Change],
        indexes: &[usize],
    ) -> Result<Vec<(usize, ApplyOutcome)>, StoreError> {
        let mut outcomes = Vec::with_capacity(indexes.len());
        // One after the other: a row may stand in a batch twice.
        for chunk in indexes.chunks(CHUNK) {
            let mut args = Args::new();
            activity::add_resolutions(&mut args);
            args.number(chunk.len());
            chunk.iter().for_each(|index| add_change(&mut args, &changes[*index]));
            let answers = list(self.run(Operation::Apply, &script::APPLY, shard, &args).await?);
            if answers.len() != chunk.len() {
                return Err(unexpected(Operation::Apply, "apply"));
            }
            for (index, answer) in chunk.iter().zip(answers) {
                outcomes.push((*index, outcome(answer).ok_or_else(|| unexpected(Operation::Apply, "apply"))?));
            }
        }
        Ok(outcomes)
    }

    /// A delivery's id does not say whose it is, so every shard is asked. A shard that does not answer matters only
    /// if a row is still missing.
    pub(crate) async fn load_rows(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        let mut loaded = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let mut args = Args::new();
            chunk.iter().for_each(|id| {
                args.number(id);
            });
            let (mut found, mut failed) = (0, None);
            let mut answers = self.run_each(Operation::Load, &script::ROWS, &args);
            while let Some((_, answer)) = answers.next().await {
                match answer {
                    Ok(rows) => {
                        for (id, row) in list(rows).into_iter().filter_map(pair) {
                            found += 1;
                            // One that cannot be read is left out; a claim names it (S13).
                            loaded.extend(rows::delivery(&id, &fields(row)));
                        }
                    }
                    Err(error) => failed = Some(error),
                }
                if found >= chunk.len() {
                    break;
                }
            }
            if let Some(error) = failed.filter(|_| found < chunk.len()) {
                return Err(error);
            }
        }
        Ok(loaded)
    }

    /// An endpoint's id does not say whose it is: the shards are asked one after the other.
    pub(crate) async fn sweep_rows(&self, request: &SweepRequest) -> Result<Swept, StoreError> {
        let action = match request.action {
            SweepAction::Hold => "hold",
            SweepAction::Release => "release",
            SweepAction::Cancel => "cancel",
        };
        let mut moved = 0;
        for shard in 0..self.shards() {
            while moved < request.limit {
                let step = (request.limit - moved).min(CHUNK as u32);
                let mut args = Args::new();
                args.text(request.endpoint.as_str()).text(action).time(request.now).number(step);
                let answer = self.run(Operation::Sweep, &script::SWEEP, shard, &args).await?;
                let swept = number(answer).and_then(|swept| u32::try_from(swept).ok());
                let swept = swept.ok_or_else(|| unexpected(Operation::Sweep, "sweep"))?;
                moved += swept;
                if swept < step {
                    break;
                }
            }
        }
        Ok(Swept { moved })
    }
}

fn add_change(args: &mut Args, change: &Change) {
    let next = change.next();
    args.add(hex_of(change.id().to_bytes())).number(change.delivery()).number(change.expected().get());
    args.optional(change.token().map(|token| hex_of(token.to_bytes())));
    args.text(&keys::tenant(&next.event.tenant)).text(&keys::event(&next.event)).text(next.endpoint.as_str());
    args.number(state_code(next.state)).optional(next.ready_at.map(|at| at.as_millis()));
    args.optional(next.settled_at.map(|at| at.as_millis())).optional(next.reason.map(|reason| reason.as_str()));
    args.number(next.version.get()).number(next.round.get()).number(next.attempts).number(next.failures);
    args.number(next.lost_leases).number(next.lost_logged).number(change.attempts().len());
    for attempt in change.attempts() {
        args.number(attempt.number.get()).add(attempt_bytes(attempt));
    }
    activity::add_counted(args, change);
}

fn outcome(answer: Value) -> Option<ApplyOutcome> {
    match &text(answer)[..] {
        "A" => Some(ApplyOutcome::Applied),
        "M" => Some(ApplyOutcome::Missing),
        version => version.parse().ok().map(|version| ApplyOutcome::Stale { current: Version::new(version) }),
    }
}

/// An id and what belongs to it.
pub(crate) fn pair(value: Value) -> Option<(String, Value)> {
    let [id, row] = tuple(value)?;
    Some((text(id), row))
}

fn unexpected(operation: Operation, script: &str) -> StoreError {
    StoreError::unavailable(operation, unexpected_cause(script))
}
