//! Whether somebody wrote: each shard counts its writes.

use std::time::Duration;

use notify_core::store::{Mark, Operation, StoreError};
use tokio::time::{Instant, sleep};

use crate::reply::{Args, number};
use crate::{RedisStore, script};

/// Between two looks: a few of the cheapest commands there are a second, and another engine's publish is seen at once.
const LOOK: Duration = Duration::from_millis(100);

/// How long one question waits for a change.
const WAIT: Duration = Duration::from_secs(20);

impl RedisStore {
    pub(crate) async fn wait_for_change(&self, since: Mark) -> Result<Mark, StoreError> {
        let end = Instant::now() + WAIT;
        loop {
            let mark = self.mark().await?;
            if mark != since || Instant::now() >= end {
                return Ok(mark);
            }
            // Several shards are several commands: they are asked less often.
            sleep(if self.shards() == 1 { LOOK } else { LOOK * 5 }).await;
        }
    }

    /// A shard that does not answer counts as if nobody wrote there.
    async fn mark(&self) -> Result<Mark, StoreError> {
        let answers = self.run_awake(Operation::Poll, &script::POLL, &Args::new()).await?;
        let writes = answers.into_iter().filter_map(|(_, answer)| number(answer));
        Ok(Mark(writes.map(i64::unsigned_abs).fold(0, u64::wrapping_add)))
    }
}
