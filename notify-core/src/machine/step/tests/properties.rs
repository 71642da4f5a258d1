//! What holds for every row, every time and every input.

use proptest::prelude::*;

use super::*;

fn any_time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        any::<i64>().prop_map(Timestamp::from_millis),
        (0i64..4_000_000_000_000).prop_map(Timestamp::from_millis),
        Just(Timestamp::MIN),
        Just(Timestamp::MAX),
    ]
}

fn any_count() -> impl Strategy<Value = u32> {
    prop_oneof![0u32..20, any::<u32>(), Just(u32::MAX), Just(u32::MAX - 1)]
}

fn any_gate() -> impl Strategy<Value = Gate> {
    prop_oneof![Just(Gate::Open), Just(Gate::Disabled), Just(Gate::Gone)]
}

fn any_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![(0u64..600_000).prop_map(Duration::from_millis), Just(Duration::MAX), Just(Duration::ZERO)]
}

fn any_reply() -> impl Strategy<Value = Verdict> {
    let status = any::<u16>().prop_map(|status| Ok(Response::new(status)));
    let failure = (0..Reason::ALL.len()).prop_map(|index| Err(SendFailure::new(Reason::ALL[index], "detail")));
    prop_oneof![status, failure].prop_map(|reply| classify(reply, SuccessRule::Exactly200))
}

fn any_input() -> impl Strategy<Value = Input> {
    let url: Arc<str> = Arc::from("https://h.example/");
    let cut_url = Arc::clone(&url);
    prop_oneof![
        any_gate().prop_map(Input::Start),
        Just(Input::HandBack),
        any_time().prop_map(move |started_at| Input::Interrupted { started_at, url: Arc::clone(&cut_url) }),
        (any_gate(), any_time(), any_duration(), any_reply()).prop_map(move |(gate, started_at, duration, verdict)| {
            Input::Finished { gate, started_at, duration, url: Arc::clone(&url), verdict: Box::new(verdict) }
        }),
    ]
}

/// Any row that a store may hand out: the state, and every counter, at will.
fn any_row() -> impl Strategy<Value = Delivery> {
    let counters = (any_count(), any_count(), any_count(), any_count(), any_count());
    (0..State::ALL.len(), any_time(), any::<u64>(), any::<u128>(), counters).prop_map(
        |(state, time, version, token, (attempts, failures, lost, logged, round))| {
            with(&scheduled(), |row| {
                row.state = State::ALL[state];
                row.ready_at = row.state.is_open().then_some(time);
                row.settled_at = (!row.state.is_open()).then_some(time);
                row.token = (row.state == State::InFlight).then_some(ClaimToken::new(token));
                row.version = Version::new(version);
                row.round = Round::new(round);
                (row.attempts, row.failures) = (attempts, failures);
                (row.lost_leases, row.lost_logged) = (lost, logged.min(lost));
            })
        },
    )
}

fn any_schedule() -> impl Strategy<Value = RetrySchedule> {
    prop::collection::vec(0u64..31_622_400_000, 0..12)
        .prop_map(|delays| RetrySchedule::new(delays.into_iter().map(Duration::from_millis)).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_step_never_panics_and_its_row_always_fits_together(
        row in any_row(), input in any_input(), schedule in any_schedule(), now in any_time(),
    ) {
        let policy = Policy { schedule, ..Policy::default() };
        let before = row.as_stored();
        let answer = step(&row, input.clone(), &policy, now, ChangeId::new(1));
        prop_assert_eq!(answer.is_err(), before.state != State::InFlight);
        prop_assert_eq!(&answer, &step(&row, input.clone(), &policy, now, ChangeId::new(1)), "it is deterministic");
        if let Ok(Step::Send(number)) = &answer {
            prop_assert!(input == Input::Start(Gate::Open));
            prop_assert!(number.get() > before.attempts && before.lost_leases < MAX_LOST_LEASES);
        }
        let Ok(Step::Write(change)) = answer else { return Ok(()) };
        let next = change.next();
        prop_assert!(Delivery::restore(next.clone()).is_ok());
        prop_assert_ne!(next.state, State::InFlight);
        prop_assert_eq!(change.expected(), before.version);
        prop_assert_eq!((next.id, &next.event, &next.endpoint), (before.id, &before.event, &before.endpoint));
        prop_assert_eq!((next.round, next.created_at), (before.round, before.created_at));
        for (index, attempt) in (1u32..).zip(change.attempts()) {
            prop_assert_eq!(attempt.number.get(), before.attempts + index, "no gap and no number twice");
        }
        prop_assert_eq!(next.attempts as usize, before.attempts as usize + change.attempts().len());
        let known = matches!(input, Input::Finished { .. });
        prop_assert!(known || next.failures == before.failures, "only a known outcome burns a retry");
        prop_assert!(known || next.state != State::Delivered);
    }

    #[test]
    fn n_delays_make_exactly_one_and_n_attempts_none_of_them_early(
        schedule in any_schedule(), durations in prop::collection::vec(0u64..300_000, 13), lag in 0u64..100_000_000,
    ) {
        let policy = Policy { schedule: schedule.clone(), ..Policy::default() };
        let (mut row, mut ended) = (scheduled(), Vec::new());
        while let Some(due) = row.ready_at().filter(|_| ended.len() < durations.len()) {
            if let Some(last) = ended.last() {
                let delay = schedule.delays()[ended.len() - 1];
                prop_assert_eq!(due, Timestamp::saturating_add(*last, delay), "retry {}", ended.len());
            }
            let began = due.saturating_add(Duration::from_millis(lag));
            let took = Duration::from_millis(durations[ended.len()]);
            let end = began.saturating_add(took);
            // The settle comes later still; the delay does not run from it.
            let settled = end.saturating_add(Duration::from_secs(9));
            let input = finished(500, Gate::Open, began, took);
            let Ok(Step::Write(change)) = step(&claim(&row, began), input, &policy, settled, ChangeId::new(1)) else {
                return Err(TestCaseError::fail("a finished attempt is written"));
            };
            ended.push(end);
            row = after(&change);
        }
        prop_assert_eq!(ended.len(), schedule.delays().len() + 1);
        prop_assert_eq!(row.state(), State::Failed);
    }

    #[test]
    fn whatever_happens_a_delivery_ends_and_its_log_has_no_gap(
        inputs in prop::collection::vec(prop_oneof![
            4 => Just("fail"), 1 => Just("crash"), 1 => Just("cut"), 1 => Just("back"),
        ], 0..40),
    ) {
        let (mut row, mut now, mut logged) = (scheduled(), START, 0);
        let mut script = inputs.into_iter();
        for _ in 0..200 {
            let Some(due) = row.ready_at() else { break };
            now = now.max(due);
            let leased = claim(&row, now);
            let change = match go(&leased, Input::Start(Gate::Open), now) {
                Step::Write(change) => change,
                Step::Send(_) => match script.next().unwrap_or("fail") {
                    "crash" => { row = leased; continue }
                    "cut" => write(&leased, interrupted(now), now),
                    "back" => write(&leased, Input::HandBack, now),
                    _ => write(&leased, answered(500, now), now),
                },
            };
            for number in numbers(&change) {
                logged += 1;
                prop_assert_eq!(number, logged);
            }
            row = after(&change);
        }
        prop_assert!(!row.state().is_open(), "{:?}", row);
        prop_assert_eq!(row.as_stored().attempts, logged);
    }
}
