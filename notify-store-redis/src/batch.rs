//! Batches of several shards. Each shard's part is one script; what makes the batch whole after a crash between two of
//! them is a note of all parts in the first shard, taken before the first write and given up after the last.

use std::collections::BTreeMap;
use std::time::Duration;

use notify_core::Timestamp;
use notify_core::store::{Operation, StoreError};
use redis::Value;

use crate::error::store_error;
use crate::reply::{Args, bytes, list, text};
use crate::{RedisStore, keys, script};

/// How long a batch is left to whoever began it. It is no lease: parts that are written twice are there once.
const LEFT_ALONE: Duration = Duration::from_secs(30);

/// How many batches of one shard a claim finishes at most.
const AT_ONCE: usize = 8;

/// A batch that was begun by this time is to be finished by whoever meets it.
pub(crate) fn begun_by(now: Timestamp) -> Timestamp {
    now.saturating_sub(LEFT_ALONE)
}

impl RedisStore {
    /// Notes in `shard` what each shard is to get.
    pub(crate) async fn begin_batch(
        &self,
        shard: usize,
        id: &str,
        now: Timestamp,
        parts: &BTreeMap<usize, Args>,
    ) -> Result<(), StoreError> {
        let mut args = Args::new();
        args.text(id).time(now).number(parts.len());
        for (home, part) in parts {
            args.number(home).add(part.to_bytes());
        }
        self.run_safely(Operation::Insert, &script::BATCH_BEGIN, shard, &args).await.map(drop)
    }

    /// Gives the note up. Where that fails somebody writes the batch once more, and finds it there.
    pub(crate) async fn end_batch(&self, shard: usize, id: &str) {
        let mut args = Args::new();
        args.text(id);
        drop(self.run(Operation::Insert, &script::BATCH_END, shard, &args).await);
    }

    /// Writes what is missing of batches that somebody began in `shard` and did not end. A part that cannot be written
    /// soon must not keep a claim from what it can have: the note stays, and is taken up again after a while.
    pub(crate) async fn finish_batches(&self, shard: usize, now: Timestamp) {
        for _ in 0..AT_ONCE {
            if !matches!(self.finish_batch(shard, now).await, Ok(Found::One)) {
                return;
            }
        }
    }

    async fn finish_batch(&self, shard: usize, now: Timestamp) -> Result<Found, Option<StoreError>> {
        let mut args = Args::new();
        args.time(begun_by(now)).time(now);
        let id = text(self.soon(shard, self.run(Operation::Insert, &script::BATCH_TAKE, shard, &args)).await?);
        if id.is_empty() {
            return Ok(Found::None);
        }
        for (home, part) in self.parts(shard, &id).await.map_err(Some)? {
            // A conflict means that somebody else took the id meanwhile: what is there stays.
            self.soon(home, self.run(Operation::Insert, &script::INSERT, home, &part)).await?;
        }
        self.end_batch(shard, &id).await;
        Ok(Found::One)
    }

    async fn parts(&self, shard: usize, id: &str) -> Result<Vec<(usize, Args)>, StoreError> {
        let key = keys::batch(self.meta(Operation::Insert, shard)?, id);
        let homes: Vec<String> = (0..self.shards()).map(|home| home.to_string()).collect();
        let homes: Vec<&str> = homes.iter().map(String::as_str).collect();
        let answer = self.link().read(&key, &homes).await;
        let found = list(answer.map_err(|error| store_error(Operation::Insert, error))?);
        let corrupt =
            |home| StoreError::Corrupt { record: id.to_owned(), problem: format!("part {home} is malformed") };
        let read =
            |(home, part): (usize, Value)| Ok((home, Args::from_bytes(&bytes(part)).ok_or_else(|| corrupt(home))?));
        found.into_iter().enumerate().filter(|(_, part)| *part != Value::Nil).map(read).collect()
    }
}

enum Found {
    One,
    None,
}
