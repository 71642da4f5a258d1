//! What happened in its order, and then what is planned.

use notify_core::Timestamp;
use notify_core::delivery::{Attempt, Delivery, Outcome, State};
use notify_core::engine::Outlook;
use notify_core::retry::Policy;

use crate::visit::Visit;
use crate::words::{self, When, span};

/// One line of a timeline.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) at: Option<When>,
    pub(super) class: &'static str,
    pub(super) text: String,
    pub(super) planned: bool,
}

impl Step {
    /// What happened at a time, or goes on.
    pub(super) fn past(at: Option<When>, class: &'static str, text: impl Into<String>) -> Self {
        Self { at, class, text: text.into(), planned: false }
    }

    /// What is to come.
    pub(super) fn ahead(at: Option<When>, class: &'static str, text: impl Into<String>) -> Self {
        Self { at, class, text: text.into(), planned: true }
    }
}

/// The timeline of a delivery.
pub(super) fn of(
    visit: &Visit,
    delivery: &Delivery,
    attempts: &[Attempt],
    outlook: Outlook,
    policy: &Policy,
) -> Vec<Step> {
    let stored = delivery.as_stored();
    let at = |time| Some(visit.when(time));
    let again = |round: u32| Step::past(None, "idle", format!("Sent again by hand: round {round}"));
    let mut steps = vec![Step::past(at(stored.created_at), "idle", "Published and queued")];
    let mut round = 1;
    for attempt in attempts {
        if attempt.round.get() != round {
            round = attempt.round.get();
            steps.push(again(round));
        }
        let text = format!("Attempt {}: {}", attempt.number, words::outcome_words(attempt));
        steps.push(Step::past(at(attempt.started_at), class_of(attempt), text));
    }
    if stored.round.get() != round {
        steps.push(again(stored.round.get()));
    }
    if stored.state == State::InFlight {
        steps.push(Step::past(None, "wait", "An attempt is under way"));
    }
    match (stored.settled_at, stored.state) {
        (Some(end), State::Failed) => steps.push(Step::past(at(end), "bad", "Gave up")),
        (Some(end), State::Cancelled) => steps.push(Step::past(at(end), "idle", "Cancelled")),
        (Some(end), _) => steps.push(Step::past(at(end), "good", "Delivered")),
        (None, State::Held) => steps.push(Step::ahead(None, "idle", "Held until the webhook is enabled")),
        (None, _) => {}
    }
    if let Some(next) = outlook.next_attempt_at {
        steps.extend(planned(visit, stored.attempts, stored.failures, next, policy));
    }
    steps
}

/// The attempts ahead, if all fail and take no time. The last one's time is `gives_up_at`.
fn planned(visit: &Visit, made: u32, failures: u32, next: Timestamp, policy: &Policy) -> Vec<Step> {
    let used = usize::try_from(failures).unwrap_or(usize::MAX);
    let ahead = |at, text| Step::ahead(Some(visit.when(at)), "wait", text);
    let mut at = next;
    let mut steps = vec![ahead(at, format!("Attempt {}", made.saturating_add(1)))];
    for (delay, number) in policy.schedule.delays().iter().skip(used).zip(made.saturating_add(2)..) {
        at = at.saturating_add(*delay);
        steps.push(ahead(at, format!("Attempt {number}, {} later", span(*delay))));
    }
    if let Some(last) = steps.last_mut() {
        last.text.push_str("; gives up if it fails");
    }
    steps
}

/// The colour of an attempt.
pub(super) const fn class_of(attempt: &Attempt) -> &'static str {
    match attempt.outcome {
        Outcome::Success => "good",
        Outcome::Failure(reason) if reason.counts() => "bad",
        Outcome::Failure(_) => "warn",
    }
}
