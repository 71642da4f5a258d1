//! Claiming: S2 to S5 and S13, over the shards that answer.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use notify_core::Timestamp;
use notify_core::delivery::Delivery;
use notify_core::store::{ClaimBatch, ClaimRequest, Claimed, CorruptRecord, Operation, StoreError};
use redis::Value;

use crate::batch::begun_by;
use crate::open::unexpected_cause;
use crate::reply::{Args, fields, list, number, text, tuple};
use crate::rows::{self, Unreadable, hex_of};
use crate::{RedisStore, script};

/// When a claim that left a shard out is to be repeated.
const AGAIN: Duration = Duration::from_secs(1);

/// What one shard is asked for.
#[derive(Clone, Copy)]
enum Mode {
    /// Lease, unless the token was here before.
    Lease,
    /// Only what the token got before.
    Replay,
    /// Lease more under the same token.
    More,
}

impl Mode {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Lease => "lease",
            Self::Replay => "replay",
            Self::More => "more",
        }
    }
}

impl RedisStore {
    pub(crate) async fn claim_rows(&self, request: &ClaimRequest) -> Result<ClaimBatch, StoreError> {
        if self.shards() == 1 {
            return self.claim_from(0, request, request.limit, Mode::Lease).await;
        }
        let mut peeked = self.peek(request).await?;
        if peeked.iter().any(|peek| peek.begun) {
            for peek in peeked.iter().filter(|peek| peek.begun) {
                self.finish_batches(peek.shard, request.now).await;
            }
            peeked = self.peek(request).await?;
        }
        if peeked.iter().any(|peek| peek.replay) {
            // S3: a token that was here before leases no more, anywhere.
            let calls = peeked.iter().map(|peek| self.claim_from(peek.shard, request, 0, Mode::Replay));
            return merge(join_all(calls).await);
        }
        self.claim_fresh(request, &peeked).await
    }

    /// Each shard with something due gets its part of the limit; what is left over then goes to those with more.
    async fn claim_fresh(&self, request: &ClaimRequest, peeked: &[Peek]) -> Result<ClaimBatch, StoreError> {
        let due = u32::try_from(peeked.iter().filter(|peek| peek.due).count()).unwrap_or(u32::MAX);
        let first = usize::try_from(self.turn().fetch_add(1, Ordering::Relaxed)).unwrap_or(0);
        let (share, mut rest) = (request.limit / due.max(1), request.limit % due.max(1));
        let mut shares = vec![0; peeked.len()];
        for place in 0..peeked.len() {
            let index = (place + first) % peeked.len();
            if peeked[index].due {
                shares[index] = share + u32::from(rest > 0);
                rest = rest.saturating_sub(1);
            }
        }
        let calls = peeked.iter().zip(&shares).map(|(peek, share)| {
            // With no number to give, the script still says when to ask again.
            self.claim_from(peek.shard, request, *share, Mode::Lease)
        });
        let answers = join_all(calls).await;
        let more: Vec<usize> = peeked
            .iter()
            .zip(&answers)
            .filter(|(_, answer)| answer.as_ref().is_ok_and(|batch| batch.next_ready_at == Some(request.now)))
            .map(|(peek, _)| peek.shard)
            .collect();
        let mut batch = merge(answers)?;
        for shard in more {
            let left = request.limit.saturating_sub(u32::try_from(batch.claimed.len()).unwrap_or(u32::MAX));
            if left == 0 {
                break;
            }
            let Ok(found) = self.claim_from(shard, request, left, Mode::More).await else { continue };
            batch.claimed.extend(found.claimed);
            batch.corrupt.extend(found.corrupt);
            // It may have nothing more by now; asking once for nothing is harmless.
        }
        if peeked.len() < self.shards() {
            // A shard that is down is asked again soon, whatever the others say.
            let soon = request.now.saturating_add(AGAIN);
            batch.next_ready_at = Some(batch.next_ready_at.map_or(soon, |at| at.min(soon)));
        }
        Ok(batch)
    }

    /// What the shards that answer would say. Leases nothing, so a shard may be left behind here.
    async fn peek(&self, request: &ClaimRequest) -> Result<Vec<Peek>, StoreError> {
        let mut args = Args::new();
        args.text(&hex_of(request.token.to_bytes())).time(request.now).time(begun_by(request.now));
        let mut peeked = Vec::new();
        let ask = |shard| self.run(Operation::Claim, &script::PEEK, shard, &args);
        for (shard, answer) in self.ask_awake(Operation::Claim, ask).await? {
            let [replay, due, begun] = tuple(answer).ok_or_else(|| unexpected("peek"))?;
            let [replay, due, begun] = [replay, due, begun].map(|told| number(told) == Some(1));
            peeked.push(Peek { shard, replay, due, begun });
        }
        Ok(peeked)
    }

    async fn claim_from(
        &self,
        shard: usize,
        request: &ClaimRequest,
        limit: u32,
        mode: Mode,
    ) -> Result<ClaimBatch, StoreError> {
        let mut args = Args::new();
        args.text(&hex_of(request.token.to_bytes())).time(request.now).time(request.lease_until);
        args.number(limit).number(request.free.default).text(mode.as_str()).number(request.free.busy.len());
        for (endpoint, free) in &request.free.busy {
            args.text(endpoint.as_str()).number(*free);
        }
        let answer = self.run(Operation::Claim, &script::CLAIM, shard, &args).await?;
        let (mut batch, rows, mut unreadable) = read(answer).ok_or_else(|| unexpected("claim"))?;
        let wanted = rows.iter().map(|(_, delivery)| delivery.event()).collect();
        let events = self.read_events(Operation::Claim, shard, wanted).await?;
        for (endpoint, delivery) in rows {
            match events.get(delivery.event()) {
                Some(Ok(event)) => batch.claimed.push(Claimed { event: Arc::clone(event), delivery }),
                Some(Err(Unreadable(problem))) => {
                    let record = delivery.id().to_string();
                    unreadable.push((record.clone(), endpoint));
                    batch.corrupt.push(CorruptRecord { record, problem: problem.clone() });
                }
                None => {}
            }
        }
        if !unreadable.is_empty() {
            let mut args = Args::new();
            args.number(unreadable.len());
            for (id, endpoint) in &unreadable {
                args.text(id).text(endpoint);
            }
            self.run(Operation::Claim, &script::QUARANTINE, shard, &args).await?;
        }
        Ok(batch)
    }
}

struct Peek {
    shard: usize,
    replay: bool,
    due: bool,
    /// A batch that was begun a while ago has not ended.
    begun: bool,
}

/// All that answered; an error only if none did.
fn merge(answers: Vec<Result<ClaimBatch, StoreError>>) -> Result<ClaimBatch, StoreError> {
    let mut merged: Option<ClaimBatch> = None;
    let mut failed = None;
    for answer in answers {
        match answer {
            Err(error) => failed = Some(error),
            Ok(batch) => {
                let all = merged.get_or_insert_default();
                all.claimed.extend(batch.claimed);
                all.corrupt.extend(batch.corrupt);
                all.next_ready_at = all.next_ready_at.into_iter().chain(batch.next_ready_at).min();
            }
        }
    }
    match (merged, failed) {
        (Some(batch), _) => Ok(batch),
        (None, Some(error)) => Err(error),
        (None, None) => Ok(ClaimBatch::default()),
    }
}

/// A batch without its rows; each row with its queue's endpoint; and the rows (id, endpoint) that cannot be read.
type Read = (ClaimBatch, Vec<(String, Delivery)>, Vec<(String, String)>);

fn read(answer: Value) -> Option<Read> {
    let [found, ghosts, next] = tuple(answer)?;
    let mut batch = ClaimBatch { next_ready_at: number(next).map(Timestamp::from_millis), ..ClaimBatch::default() };
    let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
    for row in list(found) {
        let [id, endpoint, row] = tuple(row)?;
        let (id, endpoint) = (text(id), text(endpoint));
        match rows::delivery(&id, &fields(row)) {
            Ok(delivery) => rows.push((endpoint, delivery)),
            Err(Unreadable(problem)) => {
                unreadable.push((id.clone(), endpoint));
                batch.corrupt.push(CorruptRecord { record: id, problem });
            }
        }
    }
    for ghost in list(ghosts) {
        let problem = "it is due, but its row is missing or not open".to_owned();
        batch.corrupt.push(CorruptRecord { record: text(ghost), problem });
    }
    Some((batch, rows, unreadable))
}

fn unexpected(script: &str) -> StoreError {
    StoreError::unavailable(Operation::Claim, unexpected_cause(script))
}
