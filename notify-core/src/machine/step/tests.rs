//! Fixtures, and the transitions one by one; what holds for every input is in `properties`, and what happens to
//! lost leases in `losses`.

mod losses;
mod properties;

use super::*;
use crate::delivery::{ConnectionUse, NewDelivery, Part, Response, SendFailure, Start, Timing};
use crate::event::EventKey;
use crate::id::{ClaimToken, DeliveryId, Round, TenantId, Version};
use crate::machine::classify;
use crate::retry::{RetryAfter, RetryAfterRule, RetrySchedule, SuccessRule};

/// 2026-01-01T00:00:00Z.
const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const MINUTES: [u64; 6] = [0, 5, 35, 155, 455, 1055];

fn at_minute(minute: u64) -> Timestamp {
    START.saturating_add(Duration::from_secs(60 * minute))
}

fn scheduled() -> Delivery {
    let event = EventKey { tenant: TenantId::default(), id: "evt_1".parse().unwrap() };
    let new = NewDelivery {
        id: DeliveryId::from_bytes([1; 20]),
        endpoint: "ep_1".parse().unwrap(),
        start: Start::Due(START),
    };
    Delivery::begin(event, &new, START)
}

fn claim(delivery: &Delivery, now: Timestamp) -> Delivery {
    let version = u128::from(delivery.version().get());
    delivery.claimed(ClaimToken::new(version), now.saturating_add(Duration::from_secs(50)))
}

fn with(delivery: &Delivery, edit: impl FnOnce(&mut StoredDelivery)) -> Delivery {
    let mut stored = delivery.clone().into_stored();
    edit(&mut stored);
    Delivery::restore(stored).unwrap()
}

fn finished(status: u16, gate: Gate, started_at: Timestamp, duration: Duration) -> Input {
    let verdict = Box::new(classify(Ok(Response::new(status)), SuccessRule::Exactly200));
    Input::Finished { gate, started_at, duration, url: Arc::from("https://h.example/"), verdict }
}

fn answered(status: u16, now: Timestamp) -> Input {
    finished(status, Gate::Open, now, Duration::ZERO)
}

fn interrupted(started_at: Timestamp) -> Input {
    Input::Interrupted { started_at, url: Arc::from("https://h.example/") }
}

fn go(delivery: &Delivery, input: Input, now: Timestamp) -> Step {
    step(delivery, input, &Policy::default(), now, ChangeId::new(7)).unwrap()
}

fn write(delivery: &Delivery, input: Input, now: Timestamp) -> Change {
    match go(delivery, input, now) {
        Step::Write(change) => change,
        Step::Send(number) => panic!("would send attempt {number}"),
    }
}

fn after(change: &Change) -> Delivery {
    Delivery::restore(change.next().clone()).expect("the machine makes rows that fit together")
}

fn numbers(change: &Change) -> Vec<u32> {
    change.attempts().iter().map(|attempt| attempt.number.get()).collect()
}

fn outcomes(change: &Change) -> Vec<&'static str> {
    change.attempts().iter().map(|attempt| attempt.outcome.as_str()).collect()
}

/// Runs one delivery from `start` on, each attempt answered by `status(k)`; the times at which attempts were sent.
fn run(start: Timestamp, status: impl Fn(u32) -> u16) -> (Vec<Timestamp>, Delivery) {
    let (mut row, mut sent) = (scheduled(), Vec::new());
    let mut now = start;
    while row.state() == State::Scheduled && sent.len() < 100 {
        now = now.max(row.ready_at().unwrap());
        let leased = claim(&row, now);
        let Step::Send(number) = go(&leased, Input::Start(Gate::Open), now) else { panic!("an open gate sends") };
        sent.push(now);
        assert_eq!(number.get() as usize, sent.len());
        row = after(&write(&leased, answered(status(number.get()), now), now));
    }
    (sent, row)
}

/// C15: elsewhere the first delay was skipped, or one attempt was too many or missing.
#[test]
fn six_failures_come_at_the_table_s_times_and_then_none() {
    let (sent, row) = run(START, |_| 500);
    assert_eq!(sent, MINUTES.map(at_minute));
    assert_eq!((row.state(), row.ready_at()), (State::Failed, None));
    assert_eq!(row.as_stored().reason, Some(Reason::Status5xx));
    assert_eq!(row.as_stored().settled_at, Some(at_minute(1055)));
}

#[test]
fn success_on_attempt_k_stops_at_k() {
    for k in 1..=6 {
        let (sent, row) = run(START, |number| if number == k { 200 } else { 503 });
        assert_eq!(sent, MINUTES[..k as usize].iter().copied().map(at_minute).collect::<Vec<_>>(), "k = {k}");
        assert_eq!((row.state(), row.as_stored().attempts), (State::Delivered, k));
        assert_eq!(row.as_stored().reason, None, "a delivered one has nothing wrong");
    }
}

#[test]
fn an_attempt_keeps_its_timing_and_one_whose_end_nobody_saw_has_none() {
    let timing = Timing::new(ConnectionUse::New).with(Part::Connect, Duration::from_millis(3));
    let response = Response { timing: Some(timing), ..Response::new(500) };
    let verdict = Box::new(classify(Ok(response), SuccessRule::Exactly200));
    let url = Arc::from("https://h.example/");
    let input = Input::Finished { gate: Gate::Open, started_at: START, duration: Duration::from_secs(1), url, verdict };
    // Its lease was lost once.
    let leased = claim(&claim(&scheduled(), START), START);
    let timings = |input| write(&leased, input, START).attempts().iter().map(|one| one.timing).collect::<Vec<_>>();
    assert_eq!(timings(input), [None, Some(timing)]);
    assert_eq!(timings(interrupted(START)), [None, None]);
}

/// C16: after downtime, elsewhere, several overdue retries were sent back to back.
#[test]
fn after_a_day_s_downtime_one_retry_runs_and_the_next_waits_its_whole_delay() {
    let first = claim(&scheduled(), START);
    let row = after(&write(&first, answered(500, START), START));
    let (day, minute) = (at_minute(24 * 60), |minute: u64| at_minute(24 * 60 + minute));
    let second = after(&write(&claim(&row, day), answered(500, day), day));
    assert_eq!(second.ready_at(), Some(minute(30)));
    let third = after(&write(&claim(&second, minute(30)), answered(500, minute(30)), minute(30)));
    assert_eq!(third.ready_at(), Some(minute(150)));
}

#[test]
fn a_delay_runs_from_the_end_of_the_attempt() {
    let leased = claim(&scheduled(), START);
    let slow = finished(500, Gate::Open, START, Duration::from_secs(29));
    let change = write(&leased, slow, START.saturating_add(Duration::from_secs(45)));
    assert_eq!(change.next().ready_at, Some(at_minute(5).saturating_add(Duration::from_secs(29))));
    assert_eq!(change.attempts()[0].ended_at(), START.saturating_add(Duration::from_secs(29)));
}

/// C80: elsewhere "failed" was stored while a retry was planned.
#[test]
fn a_404_is_scheduled_again_and_neither_failed_nor_delivered() {
    let row = after(&write(&claim(&scheduled(), START), answered(404, START), START));
    assert_eq!((row.state(), row.ready_at()), (State::Scheduled, Some(at_minute(5))));
    assert_eq!((row.as_stored().settled_at, row.token()), (None, None));
    let done = after(&write(&claim(&row, at_minute(5)), answered(200, at_minute(5)), at_minute(5)));
    assert_eq!(done.state(), State::Delivered);
}

#[test]
fn every_failure_takes_the_same_table() {
    for reason in Reason::ALL {
        let verdict = Box::new(classify(Err(SendFailure::new(reason, "detail")), SuccessRule::Exactly200));
        let url = Arc::from("https://h.example/");
        let input = Input::Finished { gate: Gate::Open, started_at: START, duration: Duration::ZERO, url, verdict };
        let change = write(&claim(&scheduled(), START), input, START);
        assert_eq!(change.next().ready_at, Some(at_minute(5)), "{reason:?}");
        assert_eq!(change.next().failures, 1, "{reason:?}");
    }
}

/// C17: elsewhere a counter at its greatest value wrapped to a negative delay: an instant loop.
#[test]
fn a_row_with_counters_out_of_range_ends_failed_and_is_never_due_now() {
    let spent = with(&claim(&scheduled(), START), |row| row.failures = u32::MAX);
    assert_eq!(write(&spent, answered(500, START), START).next().state, State::Failed);
    let full = with(&claim(&scheduled(), START), |row| row.attempts = u32::MAX);
    let change = write(&full, Input::Start(Gate::Open), START);
    assert_eq!((change.next().state, change.next().reason), (State::Failed, Some(Reason::Local)));
    let change = write(&full, answered(500, START), START);
    assert!(change.attempts().is_empty(), "no number is left, and none is used twice");
    assert_eq!(change.next().attempts, u32::MAX);
}

#[test]
fn only_a_leased_delivery_takes_a_step() {
    for state in State::ALL {
        let row = with(&scheduled(), |row| {
            row.state = state;
            row.token = (state == State::InFlight).then_some(ClaimToken::new(1));
            row.ready_at = state.is_open().then_some(START);
            row.settled_at = (!state.is_open()).then_some(START);
        });
        let inputs = [
            Input::Start(Gate::Open),
            answered(200, START),
            Input::HandBack,
            interrupted(START),
            Input::Start(Gate::Gone),
        ];
        for input in inputs {
            let answer = step(&row, input.clone(), &Policy::default(), START, ChangeId::new(1));
            match state {
                State::InFlight => assert!(answer.is_ok(), "{input:?}"),
                State::Scheduled | State::Delivered | State::Failed | State::Cancelled | State::Held => {
                    assert_eq!(answer, Err(IllegalTransition { state }), "{input:?}");
                }
            }
        }
    }
    assert_eq!(IllegalTransition { state: State::Held }.to_string(), "a delivery that is held takes no step");
}

#[test]
fn a_disabled_endpoint_holds_and_a_deleted_one_cancels_without_an_attempt() {
    let leased = claim(&scheduled(), START);
    let held = write(&leased, Input::Start(Gate::Disabled), at_minute(1));
    assert_eq!((held.next().state, held.next().ready_at), (State::Held, Some(at_minute(1))));
    let cancelled = write(&leased, Input::Start(Gate::Gone), at_minute(1));
    assert_eq!((cancelled.next().state, cancelled.next().settled_at), (State::Cancelled, Some(at_minute(1))));
    for change in [held, cancelled] {
        assert!(change.attempts().is_empty());
        assert_eq!((change.next().failures, change.next().attempts), (0, 0));
    }
}

#[test]
fn a_request_in_flight_when_its_endpoint_goes_is_settled_truly() {
    let leased = claim(&scheduled(), START);
    for (status, gate, state, ready_at) in [
        (200, Gate::Gone, State::Delivered, None),
        (200, Gate::Disabled, State::Delivered, None),
        (500, Gate::Gone, State::Cancelled, None),
        (500, Gate::Disabled, State::Held, Some(at_minute(5))),
        (500, Gate::Open, State::Scheduled, Some(at_minute(5))),
    ] {
        let change = write(&leased, finished(status, gate, START, Duration::ZERO), START);
        assert_eq!((change.next().state, change.next().ready_at), (state, ready_at), "{status} {gate:?}");
        assert_eq!(numbers(&change), [1], "the attempt is logged: {status} {gate:?}");
    }
}

#[test]
fn the_last_failure_of_a_disabled_endpoint_is_failed_and_not_held_for_ever() {
    let last = with(&claim(&scheduled(), START), |row| row.failures = 5);
    let change = write(&last, finished(500, Gate::Disabled, START, Duration::ZERO), START);
    assert_eq!(change.next().state, State::Failed);
}

#[test]
fn hand_back_and_interruption_burn_no_retry() {
    let leased = with(&claim(&scheduled(), START), |row| (row.failures, row.attempts) = (2, 2));
    let back = write(&leased, Input::HandBack, at_minute(1));
    assert_eq!((back.next().state, back.next().ready_at), (State::Scheduled, Some(at_minute(1))));
    assert!(back.attempts().is_empty());
    let cut = write(&leased, interrupted(START), at_minute(1));
    assert_eq!((cut.next().state, cut.next().ready_at), (State::Scheduled, Some(at_minute(1))));
    assert_eq!((outcomes(&cut), numbers(&cut)), (vec!["interrupted"], vec![3]));
    assert_eq!(cut.attempts()[0].duration, Duration::from_secs(60));
    assert_eq!(cut.next().reason, Some(Reason::Interrupted));
    for change in [back, cut] {
        assert_eq!((change.next().failures, change.next().lost_leases), (2, 0));
    }
}

#[test]
fn a_later_round_has_a_fresh_budget_and_its_numbers_go_on() {
    let resent = with(&scheduled(), |row| (row.round, row.attempts, row.failures) = (Round::new(2), 6, 0));
    let leased = claim(&resent, START);
    assert_eq!(go(&leased, Input::Start(Gate::Open), START), Step::Send(AttemptNumber::new(7)));
    let change = write(&leased, answered(500, START), START);
    assert_eq!((numbers(&change), change.attempts()[0].round), (vec![7], Round::new(2)));
    assert_eq!((change.next().ready_at, change.next().attempts), (Some(at_minute(5)), 7));
}

#[test]
fn a_change_expects_the_row_it_was_made_from() {
    let leased = claim(&scheduled(), START);
    let change = write(&leased, answered(500, START), START);
    assert_eq!((change.expected(), change.token()), (leased.version(), leased.token()));
    assert_eq!(change.next().version, Version::new(leased.version().get() + 1));
    assert_eq!((change.next().token, change.next().last_change), (None, Some(change.id())));
    assert_eq!(change.delivery(), leased.id());
}

#[test]
fn an_endpoint_s_own_schedule_and_rule_are_used() {
    let policy = Policy { schedule: RetrySchedule::never(), ..Policy::default() };
    let leased = claim(&scheduled(), START);
    let Ok(Step::Write(change)) = step(&leased, answered(500, START), &policy, START, ChangeId::new(1)) else {
        panic!("a finished attempt is written")
    };
    assert_eq!(change.next().state, State::Failed);
}

/// C65
#[test]
fn a_retry_after_lengthens_the_wait_only_where_the_policy_heeds_it_and_only_of_a_429_or_503() {
    let heeds = Policy { retry_after: RetryAfterRule::UpTo(Duration::from_secs(7200)), ..Policy::default() };
    let due = |status: u16, policy: &Policy| {
        let mut response = Response::new(status);
        response.retry_after = Some(RetryAfter::Delay(Duration::from_secs(3600)));
        let verdict = Box::new(classify(Ok(response), SuccessRule::Exactly200));
        let url = Arc::from("https://h.example/");
        let input = Input::Finished { gate: Gate::Open, started_at: START, duration: Duration::ZERO, url, verdict };
        let leased = claim(&scheduled(), START);
        let Ok(Step::Write(change)) = step(&leased, input, policy, START, ChangeId::new(7)) else { panic!("a change") };
        change.next().ready_at
    };
    for status in [429, 503] {
        assert_eq!(due(status, &heeds), Some(at_minute(60)));
        assert_eq!(due(status, &Policy::default()), Some(at_minute(5)), "the contract's table");
    }
    for status in [301, 400, 410, 500, 504] {
        assert_eq!(due(status, &heeds), Some(at_minute(5)), "{status}");
    }
}
