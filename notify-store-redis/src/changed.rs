//! Whether somebody wrote: each shard counts its writes, and each write rings the [bell](crate::bell).

use std::time::Duration;

use notify_core::store::{Mark, Operation, StoreError};
use tokio::time::{Instant, timeout};

use crate::RedisStore;
use crate::bell::Hearing;
use crate::reply::{list, number};

/// Between two looks at the counters while each write rings: for a message that was lost.
const LOOK_SUBSCRIBED: Duration = Duration::from_secs(2);

/// Between two looks while nothing rings.
const LOOK_DEAF: Duration = Duration::from_millis(500);

/// How long one question waits for a change.
const WAIT: Duration = Duration::from_secs(20);

impl RedisStore {
    pub(crate) async fn wait_for_change(&self, since: Mark) -> Result<Mark, StoreError> {
        let mark = self.mark().await?;
        if mark != since {
            return Ok(mark);
        }
        let mut bell = self.bell().listen();
        let end = Instant::now() + WAIT;
        loop {
            // Before the counters are read: what is written after that rings anew.
            let hearing = *bell.borrow_and_update();
            let mark = self.mark().await?;
            let left = end.saturating_duration_since(Instant::now());
            if mark != since || left.is_zero() {
                return Ok(mark);
            }
            let look = match hearing {
                Hearing::Subscribed => LOOK_SUBSCRIBED,
                Hearing::Deaf => LOOK_DEAF,
            };
            // Rung or not: the counters say.
            drop(timeout(look.min(left), bell.changed()).await);
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
