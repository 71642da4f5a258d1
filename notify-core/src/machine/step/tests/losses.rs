//! Leases that end without a word.

use super::*;

/// The row after `lost` leases lost in a row, claimed once more; `logged` of them have their rows.
fn lost(lost: u32, logged: u32) -> Delivery {
    with(&claim(&scheduled(), START), |row| (row.lost_leases, row.lost_logged, row.attempts) = (lost, logged, logged))
}

#[test]
fn a_claim_of_a_row_in_flight_is_a_lost_lease() {
    let leased = claim(&scheduled(), START);
    let again = claim(&leased, at_minute(1));
    assert_eq!((leased.as_stored().lost_leases, again.as_stored().lost_leases), (0, 1));
    assert_ne!(leased.token(), again.token());
}

#[test]
fn the_first_two_lost_leases_are_sent_again_at_once() {
    for count in [1, 2] {
        let sent = go(&lost(count, 0), Input::Start(Gate::Open), at_minute(1));
        assert_eq!(sent, Step::Send(AttemptNumber::new(count + 1)), "after {count}");
        assert!(!must_go_alone(&lost(count, 0)));
    }
}

/// C24: elsewhere a payload that kills its worker was claimed for ever.
#[test]
fn from_the_third_on_it_waits_is_then_sent_alone_and_after_ten_fails() {
    let (mut row, mut now, mut waits) = (scheduled(), START, Vec::new());
    // Bounded, so that a machine that never ends it fails here instead of hanging.
    for _ in 0..100 {
        let leased = claim(&row, now);
        match go(&leased, Input::Start(Gate::Open), now) {
            // Its worker dies: the row stays in flight until the lease ends.
            Step::Send(_) => {
                let count = leased.as_stored().lost_leases;
                assert_eq!(must_go_alone(&leased), count >= 3, "after {count}");
                now = leased.ready_at().unwrap();
                row = leased;
            }
            Step::Write(change) => {
                row = after(&change);
                let Some(due) = row.ready_at() else { break };
                waits.push(due.since(now).as_secs() / 60);
                now = due;
            }
        }
    }
    assert_eq!(waits, [1, 5, 30, 30, 30, 30, 30]);
    assert_eq!((row.state(), row.as_stored().reason), (State::Failed, Some(Reason::WorkerLost)));
    assert_eq!((row.as_stored().attempts, row.as_stored().failures), (10, 0), "ten rows, no retry burnt");
}

#[test]
fn lost_rows_are_logged_first_and_numbered_without_gaps() {
    let leased = with(&lost(2, 0), |row| row.attempts = 4);
    let change = write(&leased, answered(500, at_minute(1)), at_minute(2));
    assert_eq!(numbers(&change), [5, 6, 7]);
    assert_eq!(outcomes(&change), ["worker_lost", "worker_lost", "status_5xx"]);
    assert_eq!(change.next().attempts, 7);
    let [first, second, last] = change.attempts() else { panic!("three rows") };
    assert_eq!((&first.url, first.status_code), (&None, None), "nobody saw a lost attempt");
    assert!(first.started_at <= last.started_at && second.started_at <= last.started_at, "the log is in order");
}

#[test]
fn a_loss_is_logged_once() {
    let waiting = after(&write(&lost(3, 0), Input::Start(Gate::Open), at_minute(1)));
    assert_eq!(waiting.lost_unlogged(), 0);
    let leased = claim(&waiting, at_minute(2));
    assert_eq!(go(&leased, Input::Start(Gate::Open), at_minute(2)), Step::Send(AttemptNumber::new(4)));
    assert_eq!(numbers(&write(&leased, answered(200, at_minute(2)), at_minute(2))), [4]);
}

#[test]
fn a_known_outcome_ends_the_row_of_losses_and_other_ends_do_not() {
    for status in [200, 500] {
        let next = write(&lost(2, 1), answered(status, START), START).next().clone();
        assert_eq!((next.lost_leases, next.lost_logged), (0, 0), "{status}");
    }
    for input in [Input::HandBack, interrupted(START), Input::Start(Gate::Disabled)] {
        let next = write(&lost(2, 1), input.clone(), START).next().clone();
        assert_eq!((next.lost_leases, next.lost_logged), (2, 2), "{input:?}");
    }
}

/// A hand-back once logged the loss and made the row due at once, so that the wait was never served.
#[test]
fn a_hand_back_and_a_hold_do_not_skip_the_wait() {
    for input in [Input::HandBack, Input::Start(Gate::Disabled), Input::Start(Gate::Open)] {
        let change = write(&lost(4, 3), input.clone(), START);
        assert_eq!(change.next().ready_at, Some(at_minute(5)), "{input:?}");
        assert_eq!(change.next().reason, Some(Reason::WorkerLost));
    }
}

#[test]
fn ten_losses_end_it_even_when_all_are_logged_but_a_deleted_endpoint_cancels_it() {
    assert_eq!(write(&lost(10, 10), Input::Start(Gate::Open), START).next().state, State::Failed);
    assert_eq!(write(&lost(9, 9), Input::HandBack, START).next().state, State::Scheduled);
    assert_eq!(write(&lost(10, 9), Input::Start(Gate::Gone), START).next().state, State::Cancelled);
}

/// A damaged counter once asked for four billion rows.
#[test]
fn a_damaged_loss_counter_makes_a_bounded_log() {
    let change = write(&lost(u32::MAX, 0), Input::Start(Gate::Open), START);
    assert_eq!((change.attempts().len(), change.next().state), (100, State::Failed));
    assert_eq!(after(&change).lost_unlogged(), 0);
}
