use proptest::prelude::*;

use super::*;

fn schedule(text: &str) -> RetrySchedule {
    text.parse().unwrap()
}

#[test]
fn the_default_is_the_contracts_table() {
    assert_eq!(RetrySchedule::default().to_string(), "5min,30min,2h,5h,10h");
    assert_eq!(RetrySchedule::default().attempts(), 6);
}

/// C17: a high counter or time once gave a negative or zero delay elsewhere: an instant retry loop.
#[test]
fn no_counter_and_no_time_overflows() {
    let table = RetrySchedule::default();
    let times = [0, 1_767_225_600_000, i64::MAX, i64::MIN].map(Timestamp::from_millis);
    for at in times {
        for (failures, minutes) in [(1, 5), (2, 30), (3, 120), (4, 300), (5, 600)] {
            let due = table.due_after(failures, at).unwrap();
            assert_eq!(due, at.saturating_add(Duration::from_secs(minutes * 60)));
        }
        for failures in [0, 6, 7, 100, u32::MAX] {
            assert_eq!(table.due_after(failures, at), None, "{failures} failures");
        }
    }
}

/// C21: an empty schedule, or zeros in it, burned all retries at once elsewhere.
#[test]
fn zeros_and_an_empty_list_mean_what_they_say() {
    let at = Timestamp::from_millis(1000);
    assert_eq!(schedule("none").attempts(), 1);
    assert_eq!(schedule("none").due_after(1, at), None);
    assert_eq!(schedule("0s").due_after(1, at), Some(at));
    assert_eq!(schedule("0s").due_after(2, at), None);
    assert_eq!(schedule("0s,0s,300s").attempts(), 4);
    assert_eq!(schedule("0s,0s,300s").plan(at).len(), 4);
}

#[test]
fn negative_absurd_and_misspelled_delays_are_refused() {
    for bad in [
        "",
        "5",
        "-5s",
        "5 min ago",
        "1.5s",
        "5min,",
        ",5min",
        "99999999999999999999s",
        "400d",
        "18446744073709551615d",
        "five",
    ] {
        assert!(bad.parse::<RetrySchedule>().is_err(), "{bad:?}");
    }
    assert_eq!(RetrySchedule::new(vec![Duration::ZERO; 101]), Err(InvalidSchedule::TooMany));
}

/// A delay of one nanosecond was printed as 1ms and then differed from itself.
#[test]
fn a_fraction_of_a_millisecond_reads_back_as_what_it_was_rounded_to() {
    let made = RetrySchedule::new([Duration::from_nanos(1)]).unwrap();
    assert_eq!(made.delays(), [Duration::from_millis(1)]);
    assert_eq!(schedule(&made.to_string()), made);
}

#[test]
fn giving_up_counts_what_is_left() {
    let at = Timestamp::from_millis(0);
    let table = RetrySchedule::default();
    assert_eq!(table.gives_up_at(0, at), *table.plan(at).last().unwrap());
    assert_eq!(table.gives_up_at(5, at), at);
    assert_eq!(table.gives_up_at(u32::MAX, at), at);
}

proptest! {
    #[test]
    fn text_reads_back(delays in prop::collection::vec(0u64..30_000_000_000, 0..20)) {
        let made = RetrySchedule::new(delays.into_iter().map(Duration::from_millis)).unwrap();
        prop_assert_eq!(schedule(&made.to_string()), made);
    }

    #[test]
    fn a_retry_is_never_early_and_there_are_exactly_n(
        delays in prop::collection::vec(0u64..30_000_000_000, 0..20),
        failures: u32,
        ended_at: i64,
    ) {
        let made = RetrySchedule::new(delays.iter().copied().map(Duration::from_millis)).unwrap();
        let ended_at = Timestamp::from_millis(ended_at);
        match made.due_after(failures, ended_at) {
            Some(due) => {
                let delay = delays[failures as usize - 1];
                prop_assert!(due == ended_at.saturating_add(Duration::from_millis(delay)));
                prop_assert!(due >= ended_at);
            }
            None => prop_assert!(failures == 0 || failures as usize > delays.len()),
        }
    }

    #[test]
    fn the_plan_has_one_time_an_attempt_in_order(delays in prop::collection::vec(0u64..30_000_000_000, 0..20), at: i64) {
        let made = RetrySchedule::new(delays.into_iter().map(Duration::from_millis)).unwrap();
        let plan = made.plan(Timestamp::from_millis(at));
        prop_assert_eq!(plan.len(), made.attempts() as usize);
        prop_assert!(plan.is_sorted());
    }
}
