//! One step of a delivery: total, pure, and the only maker of changes.

use std::sync::Arc;
use std::time::Duration;

use crate::delivery::{Attempt, Delivery, Outcome, Reason, State, StoredDelivery};
use crate::endpoint::Endpoint;
use crate::id::{AttemptNumber, ChangeId};
use crate::retry::Policy;
use crate::time::Timestamp;

use super::{Change, Verdict};

/// From this many leases lost in a row on, a delivery waits before it is sent again, and is then sent alone: it
/// may be the payload that kills the process, and if it is not, it must not die with the one that is.
pub const SOLO_FROM_LOST_LEASES: u32 = 3;

/// After this many leases lost in a row a delivery ends `failed`: a payload that kills the process cannot loop
/// for ever.
pub const MAX_LOST_LEASES: u32 = 10;

/// A damaged counter must not become four billion log rows; a sound one never comes near this.
const MAX_LOST_ROWS: u32 = 100;

const LOST_WAITS: [Duration; 3] = [Duration::from_secs(60), Duration::from_secs(300), Duration::from_secs(1800)];

/// What the endpoint says just now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Gate {
    /// It takes attempts.
    Open,
    /// It is disabled: its deliveries are held.
    Disabled,
    /// It is deleted: its deliveries are cancelled.
    Gone,
}

impl Gate {
    /// The gate of an endpoint that was read, or of one that does not exist.
    #[must_use]
    pub const fn of(endpoint: Option<&Endpoint>) -> Self {
        match endpoint {
            None => Self::Gone,
            Some(endpoint) if endpoint.is_enabled() => Self::Open,
            Some(_) => Self::Disabled,
        }
    }
}

/// What happened to a leased delivery.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Input {
    /// It was claimed and its endpoint read: may it be sent?
    Start(Gate),
    /// Its attempt ended with a known outcome.
    Finished {
        /// The endpoint, read after the end; it does not matter after a success.
        gate: Gate,
        /// When the attempt began.
        started_at: Timestamp,
        /// How long it took.
        duration: Duration,
        /// Where it went.
        url: Arc<str>,
        /// How it ended.
        verdict: Box<Verdict>,
    },
    /// It was not sent after all.
    HandBack,
    /// Its attempt was cut off by a shutdown.
    Interrupted {
        /// When the attempt began.
        started_at: Timestamp,
        /// Where it went.
        url: Arc<str>,
    },
}

/// What to do.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "moved once to its user; a box would cost an allocation a delivery")]
pub enum Step {
    /// Make the attempt with this number.
    Send(AttemptNumber),
    /// Write this.
    Write(Change),
}

/// The delivery is not in flight, so none of this can have happened to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a delivery that is {} takes no step", .state.as_str())]
pub struct IllegalTransition {
    /// Where it stands.
    pub state: State,
}

/// Whether `delivery` may only be sent while nothing else is in flight.
#[must_use]
pub const fn must_go_alone(delivery: &Delivery) -> bool {
    delivery.as_stored().lost_leases >= SOLO_FROM_LOST_LEASES
}

/// The next step of `delivery`, given what happened. `change` names the change if there is one.
///
/// # Errors
/// [`IllegalTransition`] if the delivery is not in flight. Never panics, for any counter and any time.
pub fn step(
    delivery: &Delivery,
    input: Input,
    policy: &Policy,
    now: Timestamp,
    change: ChangeId,
) -> Result<Step, IllegalTransition> {
    if delivery.state() != State::InFlight {
        return Err(IllegalTransition { state: delivery.state() });
    }
    let mut draft = Draft::new(delivery, input.lost_found_at(now), now);
    match input {
        Input::Start(gate) => {
            if let Some(number) = draft.start(gate) {
                return Ok(Step::Send(number));
            }
        }
        Input::Finished { gate, started_at, duration, url, verdict } => {
            draft.finish(gate, policy, Ran { started_at, duration, url: Some(url) }, *verdict);
        }
        Input::HandBack => draft.schedule(draft.due_unsent()),
        Input::Interrupted { started_at, url } => {
            let duration = now.since(started_at);
            let ran = Ran { started_at, duration, url: Some(url) };
            draft.log(ran, Verdict::of_reason(Reason::Interrupted));
            draft.next.reason = Some(Reason::Interrupted);
            if planted!(InterruptionBurnsRetry) {
                draft.next.failures += 1;
            }
            draft.schedule(now);
        }
    }
    Ok(draft.write(change))
}

impl Input {
    /// When the loss of earlier leases was found: at the claim, so before the attempt that followed it.
    fn lost_found_at(&self, now: Timestamp) -> Timestamp {
        match self {
            Self::Start(_) | Self::HandBack => now,
            Self::Finished { started_at, .. } | Self::Interrupted { started_at, .. } => (*started_at).min(now),
        }
    }
}

struct Ran {
    started_at: Timestamp,
    duration: Duration,
    url: Option<Arc<str>>,
}

/// The row to be, and the log rows with it.
struct Draft<'a> {
    from: &'a Delivery,
    next: StoredDelivery,
    attempts: Vec<Attempt>,
    now: Timestamp,
}

impl<'a> Draft<'a> {
    fn new(from: &'a Delivery, lost_found_at: Timestamp, now: Timestamp) -> Self {
        let lost_rows = from.lost_unlogged().min(MAX_LOST_ROWS);
        // A vector that grows by itself begins with four attempts: one is the rule.
        let attempts = Vec::with_capacity(lost_rows as usize + 1);
        let mut draft = Self { from, next: from.as_stored().clone(), attempts, now };
        // The rows of lost attempts come first, whatever happens now (S6).
        for _ in 0..if planted!(LossNotLogged) { 0 } else { lost_rows } {
            draft.next.reason = Some(Reason::WorkerLost);
            let lost = Ran { started_at: lost_found_at, duration: Duration::ZERO, url: None };
            draft.log(lost, Verdict::of_reason(Reason::WorkerLost));
        }
        draft.next.lost_logged = draft.next.lost_leases;
        if planted!(LossBurnsRetry) {
            draft.next.failures += lost_rows;
        }
        draft
    }

    /// The number to send, or `None`: the draft says what becomes of it instead.
    fn start(&mut self, gate: Gate) -> Option<AttemptNumber> {
        let gate = if planted!(DisabledForgotten) && gate == Gate::Disabled { Gate::Open } else { gate };
        match gate {
            Gate::Gone => self.settle(State::Cancelled, self.now),
            Gate::Disabled => self.hold(self.due_unsent()),
            Gate::Open if self.next.lost_leases >= MAX_LOST_LEASES && !planted!(NeverGivesUp) => {
                self.next.reason = Some(Reason::WorkerLost);
                self.settle(State::Failed, self.now);
            }
            Gate::Open if !self.wait_after_losses().is_zero() => self.schedule(self.due_unsent()),
            Gate::Open => {
                let number = self.next_number();
                if number.is_none() {
                    // No number is left, so no attempt could be logged: a damaged counter ends the delivery.
                    self.next.reason.get_or_insert(Reason::Local);
                    self.settle(State::Failed, self.now);
                }
                return number;
            }
        }
        None
    }

    /// When a delivery that was not sent may be claimed again.
    fn due_unsent(&self) -> Timestamp {
        self.now.saturating_add(self.wait_after_losses())
    }

    /// The wait begins with the change that logs the loss, whichever it is: a hand-back must not skip it.
    fn wait_after_losses(&self) -> Duration {
        let lost = self.next.lost_leases;
        if lost < SOLO_FROM_LOST_LEASES || self.from.lost_unlogged() == 0 || planted!(LossWaitSkipped) {
            return Duration::ZERO;
        }
        let index = usize::try_from(lost - SOLO_FROM_LOST_LEASES).unwrap_or(usize::MAX);
        LOST_WAITS[index.min(LOST_WAITS.len() - 1)]
    }

    fn finish(&mut self, gate: Gate, policy: &Policy, ran: Ran, verdict: Verdict) {
        let ran_from = ran.started_at;
        let ended_at = ran.started_at.saturating_add(ran.duration);
        let (outcome, asked) = (verdict.outcome, verdict.retry_after);
        self.log(ran, verdict);
        self.next.lost_leases = 0;
        self.next.lost_logged = 0;
        let reason = match outcome {
            Outcome::Success => {
                self.next.reason = None;
                if planted!(SuccessSentAgain) {
                    return self.schedule(ended_at);
                }
                return self.settle(State::Delivered, ended_at);
            }
            Outcome::Failure(reason) => reason,
        };
        self.next.reason = Some(reason);
        if !planted!(FailureNotCounted) {
            self.next.failures = self.next.failures.saturating_add(1);
        }
        let failures = self.next.failures + u32::from(planted!(OffByOne))
            - u32::from(planted!(OneTooMany) && self.next.failures > 1);
        let from = if planted!(DelayFromStart) { ran_from } else { ended_at };
        match (policy.due_after(&self.next.id, failures, from, asked), gate) {
            (_, Gate::Gone) => self.settle(State::Cancelled, ended_at),
            (None, _) => self.settle(State::Failed, ended_at),
            (Some(due), Gate::Disabled) => self.hold(due),
            (Some(due), Gate::Open) => self.schedule(due),
        }
    }

    /// Without a number left there is no row: numbers stay unique (S8).
    fn log(&mut self, ran: Ran, verdict: Verdict) {
        let Some(number) = self.next_number() else { return };
        self.attempts.push(Attempt {
            number,
            round: self.next.round,
            started_at: ran.started_at,
            duration: ran.duration,
            outcome: verdict.outcome,
            status_code: verdict.status_code,
            error: verdict.error,
            detail: verdict.detail,
            url: ran.url,
            response: verdict.response,
            peer: verdict.peer,
            timing: verdict.timing,
        });
    }

    fn next_number(&self) -> Option<AttemptNumber> {
        let before = if planted!(NumbersBeginAgain) { 0 } else { self.from.as_stored().attempts };
        let last = self.attempts.last().map_or(before, |attempt| attempt.number.get());
        last.checked_add(1).map(AttemptNumber::new)
    }

    const fn schedule(&mut self, at: Timestamp) {
        self.next.state = State::Scheduled;
        self.next.ready_at = Some(at);
    }

    const fn hold(&mut self, due: Timestamp) {
        self.next.state = State::Held;
        self.next.ready_at = Some(due);
    }

    const fn settle(&mut self, state: State, at: Timestamp) {
        self.next.state = state;
        self.next.ready_at = None;
        self.next.settled_at = Some(at);
    }

    fn write(self, id: ChangeId) -> Step {
        Step::Write(Change::new(id, self.from, self.next, self.attempts))
    }
}

#[cfg(test)]
mod tests;
