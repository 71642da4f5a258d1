//! What a policy makes of a receiver: one delivery's attempts, without an engine, a store or a clock.

use std::fmt;
use std::time::Duration;

use crate::delivery::{Attempt, Delivery, NewDelivery, Outcome, Start, State};
use crate::event::EventKey;
use crate::id::{AttemptNumber, ChangeId, ClaimToken, EventId, TenantId};
use crate::machine::{Gate, Input, Step, classify, step};
use crate::retry::Policy;
use crate::time::Timestamp;

use super::behaviour::Behaviour;

/// One delivery from its first attempt to its end.
///
/// ```
/// use notify_core::Policy;
/// use notify_core::testing::{Behaviour, Timeline};
///
/// let mut policy = Policy::default();
/// policy.schedule = "1min,10min".parse()?;
/// let timeline = Timeline::of(&policy, "2026-01-01T00:00:00Z".parse()?, |_| Behaviour::status(503));
/// assert_eq!(timeline.attempts.len(), 3);
/// assert_eq!(timeline.waits(), [60, 600].map(std::time::Duration::from_secs));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Timeline {
    /// The attempts, as the log would have them.
    pub attempts: Vec<Attempt>,
    /// How it ended: delivered or failed.
    pub end: State,
    /// When it ended.
    pub ended_at: Timestamp,
}

impl Timeline {
    /// The timeline of a delivery whose first attempt begins at `first`, at a receiver that meets each attempt as
    /// `receiver` says. Every attempt begins exactly when it is due.
    ///
    /// The rules are the engine's own: the same functions judge the answers and make the next row. Ends always, since
    /// a schedule does.
    pub fn of(policy: &Policy, first: Timestamp, mut receiver: impl FnMut(AttemptNumber) -> Behaviour) -> Self {
        let mut delivery = begun(first);
        let mut timeline = Self { attempts: Vec::new(), end: State::Scheduled, ended_at: first };
        let mut draw = 0;
        while let Some(due) = delivery.ready_at() {
            draw += 1;
            let leased = delivery.claimed(ClaimToken::new(draw), due.saturating_add(policy.timeout * 2));
            let number = AttemptNumber::new(leased.as_stored().attempts.saturating_add(1));
            let (reply, duration) = receiver(number).within(policy.timeout);
            let input = Input::Finished {
                gate: Gate::Open,
                started_at: due,
                duration,
                url: "https://receiver.example/".into(),
                verdict: Box::new(classify(reply, policy.success)),
            };
            // What is leased takes the step, and the step leaves a row that fits together.
            let Ok(Step::Write(change)) = step(&leased, input, policy, due, ChangeId::new(draw)) else { break };
            timeline.attempts.extend_from_slice(change.attempts());
            let Ok(next) = Delivery::restore(change.next().clone()) else { break };
            timeline.end = next.state();
            timeline.ended_at = next.as_stored().settled_at.unwrap_or(timeline.ended_at);
            delivery = next;
        }
        timeline
    }

    /// How long it waits before each retry: from the end of one attempt to the begin of the next.
    #[must_use]
    pub fn waits(&self) -> Vec<Duration> {
        self.attempts.windows(2).map(|pair| pair[1].started_at.since(pair[0].ended_at())).collect()
    }

    /// From the begin of the first attempt to the end of the last.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.attempts.first().map(|first| self.ended_at.since(first.started_at)).unwrap_or_default()
    }
}

impl fmt::Display for Timeline {
    /// A line for each attempt, and one for the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for attempt in &self.attempts {
            let status = attempt.status_code.map(|status| format!(" {status}")).unwrap_or_default();
            let took = attempt.duration.as_millis();
            let word = attempt.outcome.as_str();
            write!(f, "{}  attempt {}{status} {word}, took {took} ms", attempt.started_at, attempt.number)?;
            match (attempt.outcome, &attempt.error) {
                (Outcome::Failure(_), Some(error)) => writeln!(f, ": {error}")?,
                _ => writeln!(f)?,
            }
        }
        write!(f, "{}  {} after {} s", self.ended_at, self.end.as_str(), self.total().as_secs())
    }
}

fn begun(first: Timestamp) -> Delivery {
    let key = EventKey { tenant: TenantId::default(), id: EventId::from_xid(crate::id::Xid::from_bytes([0; 12])) };
    let endpoint = crate::id::EndpointId::from_xid(crate::id::Xid::from_bytes([0; 12]));
    let new = NewDelivery { id: crate::fanout::delivery_id(&key, &endpoint), endpoint, start: Start::Due(first) };
    Delivery::begin(key, &new, first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::behaviour::{drawn_receiver, in_turn};
    use super::*;
    use crate::delivery::Reason;
    use crate::retry::{RetryAfterRule, SuccessRule};

    #[test]
    fn a_dead_receiver_takes_the_whole_table() {
        let timeline = Timeline::of(&Policy::default(), Timestamp::EPOCH, |_| Behaviour::failure(Reason::Dns));
        let minutes: Vec<u64> = timeline.waits().iter().map(|wait| wait.as_secs() / 60).collect();
        assert_eq!(minutes, [5, 30, 120, 300, 600]);
        assert_eq!(timeline.end, State::Failed);
    }

    #[test]
    fn an_answer_beyond_the_timeout_is_a_timeout_that_took_exactly_so_long() {
        let late = |_| Behaviour::status(200).after(Duration::from_secs(31));
        let timeline = Timeline::of(&Policy::default(), Timestamp::EPOCH, late);
        assert_eq!(timeline.attempts[0].outcome, Outcome::Failure(Reason::ResponseTimeout));
        assert_eq!(timeline.attempts[0].duration, Duration::from_secs(30));
    }

    #[test]
    fn the_text_tells_each_attempt_and_the_end() {
        let policy = Policy { schedule: "1min".parse().unwrap(), ..Policy::default() };
        let answers = |number: AttemptNumber| Behaviour::status(if number.get() == 1 { 202 } else { 200 });
        assert_eq!(
            Timeline::of(&policy, Timestamp::EPOCH, answers).to_string(),
            "1970-01-01T00:00:00.000Z  attempt 1 202 status_2xx_not_200, took 0 ms: answered 202; this endpoint requires 200\n\
             1970-01-01T00:01:00.000Z  attempt 2 200 success, took 0 ms\n\
             1970-01-01T00:01:00.000Z  delivered after 60 s"
        );
    }

    #[test]
    fn a_receiver_that_asks_for_a_pause_gets_it_where_the_policy_heeds_it() {
        let replies = || in_turn(["503@2min", "500", "202@1h"].map(|text| text.parse().unwrap()));
        let mut policy = Policy { schedule: "1min,1min,1min".parse().unwrap(), ..Policy::default() };
        let waits = |policy: &Policy| -> Vec<u64> {
            let timeline = Timeline::of(policy, Timestamp::EPOCH, replies());
            timeline.waits().iter().map(Duration::as_secs).collect()
        };
        assert_eq!(waits(&policy), [60, 60, 60]);
        policy.retry_after = RetryAfterRule::UpTo(Duration::from_secs(3600));
        assert_eq!(waits(&policy), [120, 60, 60], "the last one is met again, and a 202's pause is not heeded");
        policy.success = SuccessRule::Any2xx;
        let timeline = Timeline::of(&policy, Timestamp::EPOCH, replies());
        assert_eq!((timeline.attempts.len(), timeline.end), (3, State::Delivered));
    }

    proptest! {
        #[test]
        fn a_drawn_receiver_never_gets_more_attempts_than_the_schedule_has(seed in any::<u64>()) {
            let policy = Policy::default();
            let timeline = Timeline::of(&policy, Timestamp::EPOCH, drawn_receiver(seed));
            let again = Timeline::of(&policy, Timestamp::EPOCH, drawn_receiver(seed));
            prop_assert!(timeline.attempts.len() <= policy.schedule.attempts() as usize);
            prop_assert_eq!(timeline.to_string(), again.to_string());
            let successes = timeline.attempts.iter().filter(|attempt| attempt.outcome == Outcome::Success).count();
            prop_assert_eq!(successes, usize::from(timeline.end == State::Delivered));
        }
    }
}
