//! Whether somebody wrote: each shard counts its writes.

use std::time::Duration;

use notify_core::store::{Mark, Operation, StoreError};
use tokio::time::{Instant, sleep};

use crate::RedisStore;
use crate::reply::{list, number};

/// Between two looks: one of the cheapest commands there are, so that another engine's publish is seen soon.
const LOOK: Duration = Duration::from_millis(150);

/// Several shards are several commands: they are looked at less often, but no less than this.
const SLOWEST: u32 = 5;

/// How long one question waits for a change.
const WAIT: Duration = Duration::from_secs(20);

impl RedisStore {
    pub(crate) async fn wait_for_change(&self, since: Mark) -> Result<Mark, StoreError> {
        let look = LOOK * u32::try_from(self.shards()).unwrap_or(SLOWEST).min(SLOWEST);
        let end = Instant::now() + WAIT;
        loop {
            let mark = self.mark().await?;
            if mark != since || Instant::now() >= end {
                return Ok(mark);
            }
            sleep(look).await;
        }
    }

    /// A shard that does not answer counts as if nobody wrote there. Never the mark of somebody who has seen nothing yet:
    /// he is answered at once.
    async fn mark(&self) -> Result<Mark, StoreError> {
        let answers = self.ask_awake(Operation::Poll, |shard| self.writes(shard)).await?;
        let writes = answers.into_iter().filter_map(|(_, answer)| list(answer).pop().and_then(number));
        Ok(Mark(writes.map(i64::unsigned_abs).fold(1, u64::wrapping_add)))
    }
}
