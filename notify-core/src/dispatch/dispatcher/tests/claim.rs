//! When a claim is asked, and for what.

use std::time::Duration;

use crate::dispatch::{Command, DispatchInput};
use crate::store::{ApplyOutcome, ClaimBatch, CorruptRecord};

use super::fixture::*;

#[test]
fn the_first_turn_claims_at_once_with_all_slots_free_and_asks_the_poll() {
    let mut d = with_slots(256, 8);
    assert_eq!(d.handle(t(0), DispatchInput::Tick), vec![claim(t(0), draw(1), 256, 8, &[]), Command::Poll]);
}

#[test]
fn one_claim_asks_for_at_most_1000_rows() {
    let mut d = with_slots(5000, 8);
    assert_eq!(d.handle(t(0), DispatchInput::Tick)[0], claim(t(0), draw(1), 1000, 8, &[]));
}

#[test]
fn an_answer_without_rows_ends_the_claiming() {
    let mut d = with_slots(256, 8);
    d.handle(t(0), DispatchInput::Tick);
    assert_eq!(d.handle(t(1), batch(&[], None)), vec![]);
    assert_eq!(d.handle(t(29_999), DispatchInput::Tick), vec![]);
}

#[test]
fn an_idle_engine_claims_again_after_30_seconds() {
    let mut d = idle();
    assert_eq!(d.next_wake(t(1)), Some(t(30_000)));
    assert_eq!(d.handle(t(30_000), DispatchInput::Tick), vec![claim(t(30_000), draw(2), 256, 8, &[])]);
}

#[test]
fn a_claim_asks_for_the_free_slots_only_and_lists_the_busy_endpoints() {
    let mut d = sending(&[row(1, "a"), row(2, "a"), row(3, "b")]);
    assert_eq!(d.handle(t(1), DispatchInput::Wake), vec![claim(t(1), draw(5), 253, 8, &[("a", 6), ("b", 7)])]);
}

#[test]
fn nothing_is_claimed_while_no_slot_is_free() {
    let mut d = with_slots(2, 8);
    d.handle(t(0), DispatchInput::Tick);
    d.handle(t(0), batch(&[row(1, "a"), row(2, "b")], Some(t(0))));
    d.handle(t(0), open(&["a", "b"]));
    assert_eq!(d.handle(t(1), DispatchInput::Wake), vec![]);
    assert_eq!(d.next_wake(t(1)), None, "an ended attempt is the wake-up");
    let written = apply(&[delivered(&row(1, "a"), 4, 2)]);
    assert_eq!(d.handle(t(2), succeeded(1, 2)), vec![written, claim(t(2), draw(5), 1, 8, &[("b", 7)])]);
}

#[test]
fn a_wake_up_causes_one_claim() {
    let mut d = idle();
    assert_eq!(d.handle(t(5), DispatchInput::Wake), vec![claim(t(5), draw(2), 256, 8, &[])]);
    assert_eq!(d.handle(t(6), batch(&[], None)), vec![]);
}

#[test]
fn a_wake_up_during_a_claim_causes_another_after_it() {
    let mut d = with_slots(256, 8);
    d.handle(t(0), DispatchInput::Tick);
    assert_eq!(d.handle(t(1), DispatchInput::StoredDue(eps(&["a"]))), vec![]);
    assert_eq!(d.handle(t(2), batch(&[], None)), vec![claim(t(2), draw(2), 256, 8, &[])]);
}

#[test]
fn an_answer_that_leaves_eligible_rows_is_followed_by_a_claim_at_once() {
    let mut d = with_slots(256, 8);
    d.handle(t(0), DispatchInput::Tick);
    assert_eq!(
        d.handle(t(1), batch(&[row(1, "a")], Some(t(0)))),
        vec![read(&["a"]), claim(t(1), draw(2), 255, 8, &[("a", 7)])]
    );
}

/// A store that skips rows others have locked may say so for a while: asking at once would spin.
#[test]
fn an_empty_answer_that_leaves_eligible_rows_is_asked_again_after_a_pause() {
    let mut d = with_slots(256, 8);
    d.handle(t(0), DispatchInput::Tick);
    assert_eq!(d.handle(t(1), batch(&[], Some(t(0)))), vec![]);
    assert_eq!(d.next_wake(t(1)), Some(t(101)));
    assert_eq!(d.handle(t(101), DispatchInput::Tick), vec![claim(t(101), draw(2), 256, 8, &[])]);
}

#[test]
fn the_next_due_time_is_a_wake_up_and_not_before() {
    let mut d = with_slots(256, 8);
    d.handle(t(0), DispatchInput::Tick);
    d.handle(t(1), batch(&[], Some(t(700))));
    assert_eq!(d.next_wake(t(1)), Some(t(700)));
    assert_eq!(d.handle(t(699), DispatchInput::Tick), vec![]);
    assert_eq!(d.handle(t(700), DispatchInput::Tick), vec![claim(t(700), draw(2), 256, 8, &[])]);
}

#[test]
fn a_claim_that_failed_is_asked_again_in_the_very_same_words_after_the_pause() {
    let mut d = with_slots(256, 8);
    let first = d.handle(t(0), DispatchInput::Tick)[0].clone();
    assert_eq!(d.handle(t(5), DispatchInput::ClaimFailed), vec![]);
    assert_eq!(d.next_wake(t(5)), Some(t(105)));
    assert_eq!(d.handle(t(104), DispatchInput::Wake), vec![]);
    assert_eq!(d.handle(t(105), DispatchInput::Tick), vec![first]);
}

/// The repeated claim finds what the failed one had leased, so a wake-up since then is not in its answer.
#[test]
fn a_wake_up_while_a_failed_claim_waits_causes_another_claim_after_it() {
    let mut d = with_slots(256, 8);
    d.handle(t(0), DispatchInput::Tick);
    d.handle(t(5), DispatchInput::ClaimFailed);
    d.handle(t(6), DispatchInput::StoredDue(eps(&["a"])));
    d.handle(t(105), DispatchInput::Tick);
    assert_eq!(d.handle(t(106), batch(&[], None)), vec![claim(t(106), draw(2), 256, 8, &[])]);
}

#[test]
fn a_freed_slot_of_an_endpoint_that_got_all_it_could_take_causes_a_claim() {
    let mut d = with_slots(256, 1);
    d.handle(t(0), DispatchInput::Tick);
    d.handle(t(0), batch(&[row(1, "a")], None));
    d.handle(t(0), open(&["a"]));
    let written = apply(&[delivered(&row(1, "a"), 3, 9)]);
    assert_eq!(d.handle(t(9), succeeded(1, 9)), vec![written, claim(t(9), draw(4), 256, 1, &[])]);
}

#[test]
fn a_freed_slot_of_an_endpoint_with_slots_to_spare_causes_no_claim() {
    let mut d = sending(&[row(1, "a")]);
    assert_eq!(d.handle(t(9), succeeded(1, 9)), vec![apply(&[delivered(&row(1, "a"), 3, 9)])]);
}

/// The claim was asked with one slot free and got one row: that a second slot was freed meanwhile must not hide
/// the rows that it could not take.
#[test]
fn a_slot_freed_while_a_claim_fills_the_others_causes_a_claim() {
    let mut d = with_slots(256, 2);
    d.handle(t(0), DispatchInput::Tick);
    d.handle(t(0), batch(&[row(1, "a")], None));
    d.handle(t(0), open(&["a"]));
    assert_eq!(d.handle(t(1), DispatchInput::Wake), vec![claim(t(1), draw(3), 255, 2, &[("a", 1)])]);
    d.handle(t(2), succeeded(1, 2));
    let second = leased(2, "a", draw(3), t(1 + LEASE));
    assert_eq!(d.handle(t(3), batch(&[second], None)), vec![read(&["a"]), claim(t(3), draw(5), 255, 2, &[("a", 1)])]);
}

/// The same while a failed claim waits to be repeated: it, too, was asked as if the slot were taken.
#[test]
fn a_slot_freed_while_a_failed_claim_waits_causes_a_claim_after_it() {
    let mut d = with_slots(256, 1);
    d.handle(t(0), DispatchInput::Tick);
    d.handle(t(0), batch(&[row(1, "a")], None));
    d.handle(t(0), open(&["a"]));
    d.handle(t(1), DispatchInput::Wake);
    d.handle(t(2), DispatchInput::ClaimFailed);
    d.handle(t(3), succeeded(1, 3));
    d.handle(t(102), DispatchInput::Tick);
    assert_eq!(d.handle(t(103), batch(&[], None)), vec![claim(t(103), draw(5), 256, 1, &[])]);
}

#[test]
fn a_full_buffer_stops_claims_until_it_is_written() {
    let rows = [row(1, "a"), row(2, "a")];
    let mut d = sending(&rows);
    d.config.unsettled_limit = 2;
    assert_eq!(d.handle(t(1), DispatchInput::Wake), vec![]);
    let written = [delivered(&rows[0], 4, 2), delivered(&rows[1], 5, 2)];
    assert_eq!(d.handle_all(t(2), [succeeded(1, 2), succeeded(2, 2)]), vec![apply(&written)]);
    assert_eq!(
        d.handle(t(3), applied(2)),
        vec![settled(&written, &[ApplyOutcome::Applied; 2]), claim(t(3), draw(6), 256, 8, &[])]
    );
}

#[test]
fn an_unreadable_row_is_reported_and_stops_nothing() {
    let mut d = with_slots(256, 8);
    d.handle(t(0), DispatchInput::Tick);
    let corrupt = CorruptRecord { record: "dlv_x".to_owned(), problem: "bad".to_owned() };
    let answer = ClaimBatch { claimed: vec![row(1, "a")], corrupt: vec![corrupt.clone()], next_ready_at: None };
    assert_eq!(d.handle(t(1), DispatchInput::Claimed(answer)), vec![Command::Corrupt(corrupt), read(&["a"])]);
}

#[test]
fn the_longest_pause_between_claims_is_a_number_of_the_configuration() {
    let mut d = idle();
    d.config.idle_claim = Duration::from_secs(2);
    assert_eq!(d.next_wake(t(1)), Some(t(2000)));
}
