//! How a receiver behaves, for a timeline.

use std::str::FromStr;
use std::time::Duration;

use crate::delivery::{Reason, Response, SendFailure};
use crate::id::AttemptNumber;
use crate::retry::{RetryAfter, RetrySchedule};

use super::sim::Draws;

/// How a receiver meets one attempt.
///
/// As text it is a status, with the pause that it asks for behind an `@`, or `timeout`:
///
/// ```
/// use notify_core::testing::Behaviour;
///
/// let busy: Behaviour = "503@2min".parse()?;
/// assert_eq!(busy, Behaviour::status(503).retry_after(std::time::Duration::from_secs(120)));
/// assert!("soon".parse::<Behaviour>().is_err());
/// # Ok::<(), notify_core::testing::InvalidBehaviour>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Behaviour {
    answer: Answer,
    took: Duration,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Answer {
    Status { status: u16, retry_after: Option<Duration> },
    None(Reason),
}

/// The text is no behaviour.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{text:?} is no reply: write a status from 200 to 599, a status and the Retry-After it comes with, like 503@2min, \
     or timeout"
)]
pub struct InvalidBehaviour {
    /// The text, cut at 32 characters.
    text: String,
}

impl Behaviour {
    /// It answers with this status, at once.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self { answer: Answer::Status { status, retry_after: None }, took: Duration::ZERO }
    }

    /// No answer comes, for this reason, at once.
    #[must_use]
    pub const fn failure(reason: Reason) -> Self {
        Self { answer: Answer::None(reason), took: Duration::ZERO }
    }

    /// No answer comes within the policy's timeout.
    #[must_use]
    pub const fn timeout() -> Self {
        Self::failure(Reason::ResponseTimeout).after(Duration::MAX)
    }

    /// The same, after so long. What would take longer than the policy's timeout is a timeout.
    #[must_use]
    pub const fn after(mut self, took: Duration) -> Self {
        self.took = took;
        self
    }

    /// The same with a `Retry-After` of so long, which a policy may heed in a 429 or 503. Without an answer there is
    /// none.
    #[must_use]
    pub const fn retry_after(mut self, pause: Duration) -> Self {
        if let Answer::Status { retry_after, .. } = &mut self.answer {
            *retry_after = Some(pause);
        }
        self
    }

    /// What a sender hears that waits for so long, and how long that took.
    pub(super) fn within(self, timeout: Duration) -> (Result<Response, SendFailure>, Duration) {
        let failed = |reason| Err(SendFailure::new(reason, "simulated"));
        if self.took > timeout {
            return (failed(Reason::ResponseTimeout), timeout);
        }
        let reply = match self.answer {
            Answer::None(reason) => failed(reason),
            Answer::Status { status, retry_after } => {
                let mut response = Response::new(status);
                response.retry_after = retry_after.map(RetryAfter::Delay);
                Ok(response)
            }
        };
        (reply, self.took)
    }
}

impl FromStr for Behaviour {
    type Err = InvalidBehaviour;

    fn from_str(text: &str) -> Result<Self, InvalidBehaviour> {
        let refuse = || InvalidBehaviour { text: text.chars().take(32).collect() };
        let (reply, pause) = text.split_once('@').map_or((text, None), |(reply, pause)| (reply, Some(pause)));
        if reply == "timeout" && pause.is_none() {
            return Ok(Self::timeout());
        }
        let digits = reply.len() == 3 && reply.bytes().all(|byte| byte.is_ascii_digit());
        let status: u16 =
            reply.parse().ok().filter(|status| digits && (200..600).contains(status)).ok_or_else(refuse)?;
        let Some(pause) = pause else { return Ok(Self::status(status)) };
        let delays = RetrySchedule::from_str(pause).map_err(|_| refuse())?;
        match delays.delays() {
            [pause] => Ok(Self::status(status).retry_after(*pause)),
            _ => Err(refuse()),
        }
    }
}

/// A receiver that meets the attempts with these, one after the other, and each one beyond them with the last. One that
/// is given none answers 200.
pub fn in_turn(behaviours: impl IntoIterator<Item = Behaviour>) -> impl FnMut(AttemptNumber) -> Behaviour {
    let behaviours: Vec<Behaviour> = behaviours.into_iter().collect();
    move |number| {
        let index = usize::try_from(number.get()).unwrap_or(usize::MAX).saturating_sub(1);
        let met = behaviours.get(index).or_else(|| behaviours.last());
        met.cloned().unwrap_or(Behaviour::status(200))
    }
}

/// A receiver that behaves as a seed draws it: good, slow, failing or silent from attempt to attempt, and the same for
/// the same seed.
pub fn drawn_receiver(seed: u64) -> impl FnMut(AttemptNumber) -> Behaviour {
    let mut draws = Draws::new(seed);
    move |_| {
        let took = Duration::from_millis(draws.between(5, 2000));
        let behaviour = match draws.below(8) {
            0 => Behaviour::status(200),
            1 => Behaviour::status(202),
            2 => Behaviour::status(301),
            3 => Behaviour::status(429),
            4 | 5 => Behaviour::status(503),
            6 => Behaviour::failure(Reason::ConnectRefused),
            _ => return Behaviour::timeout(),
        };
        behaviour.after(took)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_reply_is_refused_with_what_is_right() {
        for bad in
            ["", "20", "0200", "+200", "199", "600", "503@", "503@soon", "503@1min,2min", "503@none", "timeout@1s"]
        {
            let refused = bad.parse::<Behaviour>().unwrap_err().to_string();
            assert!(refused.starts_with(&format!("{bad:?} is no reply: write a status")), "{refused}");
        }
        assert_eq!("timeout".parse(), Ok(Behaviour::timeout()));
        assert_eq!("200".parse(), Ok(Behaviour::status(200)));
    }

    #[test]
    fn a_receiver_without_behaviours_is_a_good_one() {
        assert_eq!(in_turn([])(AttemptNumber::new(3)), Behaviour::status(200));
    }
}
