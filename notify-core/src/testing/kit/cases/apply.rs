//! S6 to S8: what a change writes, outcomes in order, and the log that goes with it.

use std::time::Duration;

use crate::delivery::{ConnectionUse, Outcome, Part, Reason, Response, SendFailure, State, Timing, TlsVersion};
use crate::id::Version;
use crate::machine::{Change, Gate, Input};
use crate::store::ApplyOutcome::{Applied, Missing, Stale};

use super::super::sample::{
    answered, change, delivered, event, failed, handed_back, named, refused, stopped, t, unanswered,
};
use super::{Done, Subject};

pub(crate) async fn a_change_writes_the_row_and_its_attempt_together(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let change = delivered(&store.claim_one(0, 1).await, 1, 5);
    store.applied(std::slice::from_ref(&change)).await;
    assert_eq!(store.load("e", "a").await.as_stored(), change.next());
    assert_eq!(store.attempts("e", "a").await?, change.attempts());
    Ok(())
}

pub(crate) async fn every_column_of_a_row_is_written(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.claim(0, 1).await;
    // Two lost leases, then a failure, then a hand-back: counters, reason, due time and change id all move.
    store.claim(1000, 2).await;
    let lost = handed_back(&store.claim_one(2000, 3).await, 1, 2000);
    store.applied(std::slice::from_ref(&lost)).await;
    assert_eq!(store.load("e", "a").await.as_stored(), lost.next());
    let bad = failed(&store.claim_one(2000, 4).await, 2, 2001);
    store.applied(std::slice::from_ref(&bad)).await;
    assert_eq!(store.load("e", "a").await.as_stored(), bad.next());
    Ok(())
}

pub(crate) async fn an_attempt_reads_back_with_all_its_columns(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let mut response = Response::new(202);
    response.body = bytes::Bytes::from_static(b"accepted");
    response.truncated = true;
    response.peer = Some(named("2001:db8::1"));
    let first = answered(&store.claim_one(0, 1).await, 1, 5, response);
    store.applied(std::slice::from_ref(&first)).await;
    let second = refused(&store.claim_one(400_000, 2).await, 2, 400_001);
    store.applied(std::slice::from_ref(&second)).await;
    let attempts = store.attempts("e", "a").await?;
    assert_eq!(attempts, [first.attempts(), second.attempts()].concat());
    Ok(())
}

pub(crate) async fn each_attempt_keeps_its_timing_to_the_microsecond(store: &mut Subject) -> Done {
    let new = Timing::new(ConnectionUse::New);
    let reused = Timing::new(ConnectionUse::Reused).with_tls(TlsVersion::V1_2);
    let whole = Part::ALL.into_iter().zip([3_001, 12_020, 30_300, 144_000]);
    let whole = whole.fold(new, |timing, (part, micros)| timing.with(part, Duration::from_micros(micros)));
    store.holds(&["e"], &["a"]).await;
    // The default policy has six attempts: five that fail, and one that is answered.
    let failing = [
        None,
        Some(new),
        Some(new.with(Part::Lookup, Duration::from_micros(1))),
        Some(new.with(Part::Connect, Duration::MAX)),
        Some(reused.with(Part::FirstByte, Duration::ZERO)),
    ];
    let mut expected = failing.to_vec();
    for (n, timing) in (1_u32..).zip(failing) {
        let mut failure = SendFailure::new(Reason::ConnectTimeout, "no answer");
        failure.timing = timing;
        let (id, now) = (u128::from(n), i64::from(n) * 86_400_000);
        store.applied(&[unanswered(&store.claim_one(now, id).await, id, now, failure)]).await;
    }
    let mut response = Response::new(200);
    response.timing = Some(whole.with_tls(TlsVersion::V1_3));
    expected.push(response.timing);
    let last = 86_400_000 * 10;
    store.applied(&[answered(&store.claim_one(last, 10).await, 10, last, response)]).await;
    let kept: Vec<_> = store.attempts("e", "a").await?.into_iter().map(|attempt| attempt.timing).collect();
    assert_eq!(kept, expected);
    Ok(())
}

pub(crate) async fn a_change_without_an_attempt_logs_none(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.applied(&[handed_back(&store.claim_one(0, 1).await, 1, 5)]).await;
    assert_eq!(store.load("e", "a").await.state(), State::Scheduled);
    assert_eq!(store.numbers("e", "a").await?, [0; 0]);
    Ok(())
}

pub(crate) async fn a_row_is_held_where_its_endpoint_is_disabled(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let change = stopped(&store.claim_one(0, 1).await, 1, 5, Gate::Disabled);
    store.applied(std::slice::from_ref(&change)).await;
    assert_eq!(store.load("e", "a").await.as_stored(), change.next());
    assert_eq!(change.next().state, State::Held);
    Ok(())
}

pub(crate) async fn an_interrupted_attempt_is_logged_and_due_again_at_once(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let input = Input::Interrupted { started_at: t(5), url: "https://example.com/hook".into() };
    let change = change(&store.claim_one(0, 1).await, 1, 9, input);
    store.applied(std::slice::from_ref(&change)).await;
    assert_eq!(store.attempts("e", "a").await?, change.attempts());
    assert_eq!(store.claim_one(9, 2).await.as_stored().attempts, 1);
    Ok(())
}

pub(crate) async fn an_ended_row_keeps_the_time_of_its_end(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.applied(&[delivered(&store.claim_one(0, 1).await, 1, 5)]).await;
    let row = store.load("e", "a").await;
    let row = row.as_stored();
    assert_eq!((row.ready_at, row.token, row.settled_at), (None, None, Some(t(5))));
    Ok(())
}

pub(crate) async fn a_call_without_changes_is_a_success(store: &mut Subject) -> Done {
    assert_eq!(store.apply(&[]).await, []);
    Ok(())
}

pub(crate) async fn outcomes_come_in_the_order_of_the_changes(store: &mut Subject) -> Done {
    store.holds(&["e", "f", "g"], &["a"]).await;
    let batch = store.claim(0, 1).await.claimed;
    let mut changes: Vec<Change> = (1..).zip(&batch).map(|(id, row)| delivered(&row.delivery, id, 5)).collect();
    // The second row's change comes again under another name: stale, and in its place.
    let again = handed_back(&batch[1].delivery, 9, 5);
    changes.swap(0, 1);
    changes.insert(2, again);
    assert_eq!(store.apply(&changes).await, [Applied, Applied, Stale { current: Version::new(3) }, Applied]);
    Ok(())
}

pub(crate) async fn many_changes_in_one_call_are_all_written(store: &mut Subject) -> Done {
    store.backlog("e", "a", 60).await;
    store.backlog("f", "b", 60).await;
    for n in 1..=2 {
        let batch = store.claim_up_to(60, 100, n).await.claimed;
        let changes: Vec<Change> = (n * 1000..).zip(&batch).map(|(id, row)| delivered(&row.delivery, id, 5)).collect();
        assert_eq!(changes.len(), 60);
        store.applied(&changes).await;
    }
    for id in ["e0", "e59"] {
        assert_eq!(store.load(id, "a").await.state(), State::Delivered, "{id}");
    }
    Ok(())
}

pub(crate) async fn a_stale_change_does_not_stop_the_next(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    store.claim(0, 1).await;
    let [e, f] = [store.load("e", "a").await, store.load("f", "a").await];
    store.applied(&[handed_back(&e, 1, 5)]).await;
    let outcomes = store.apply(&[delivered(&e, 2, 5), delivered(&f, 3, 5)]).await;
    assert_eq!(outcomes, [Stale { current: Version::new(3) }, Applied]);
    assert_eq!(store.load("f", "a").await.state(), State::Delivered);
    Ok(())
}

pub(crate) async fn a_change_of_a_missing_row_does_not_stop_the_next(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.claim_one(0, 1).await;
    let mut stranger = row.as_stored().clone();
    stranger.id = super::super::sample::delivery("x", "a");
    let stranger = crate::delivery::Delivery::restore(stranger).unwrap_or_else(|error| panic!("{error}"));
    let outcomes = store.apply(&[delivered(&stranger, 1, 5), delivered(&row, 2, 5)]).await;
    assert_eq!(outcomes, [Missing, Applied]);
    assert_eq!(store.find("x", "a").await, None);
    Ok(())
}

pub(crate) async fn two_changes_of_one_row_in_one_call_leave_the_first(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.claim_one(0, 1).await;
    let outcomes = store.apply(&[delivered(&row, 1, 5), failed(&row, 2, 5)]).await;
    assert_eq!(outcomes, [Applied, Stale { current: Version::new(3) }]);
    assert_eq!(store.load("e", "a").await.state(), State::Delivered);
    Ok(())
}

pub(crate) async fn attempts_are_numbered_without_gaps(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    for n in 1..=4_u32 {
        let now = i64::from(n) * 86_400_000;
        let row = store.claim_one(now, u128::from(n)).await;
        store.applied(&[failed(&row, u128::from(n), now)]).await;
        assert_eq!(store.numbers("e", "a").await?, (1..=n).collect::<Vec<_>>());
    }
    Ok(())
}

pub(crate) async fn earlier_attempts_stay_as_they_were(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let first = refused(&store.claim_one(0, 1).await, 1, 5);
    store.applied(std::slice::from_ref(&first)).await;
    store.applied(&[delivered(&store.claim_one(400_000, 2).await, 2, 400_000)]).await;
    assert_eq!(store.attempts("e", "a").await?[..1], *first.attempts());
    Ok(())
}

pub(crate) async fn each_delivery_has_attempts_of_its_own(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    store.claim(0, 1).await;
    let bad = refused(&store.load("e", "a").await, 1, 5);
    let good = delivered(&store.load("f", "a").await, 2, 5);
    store.applied(&[bad.clone(), good.clone()]).await;
    assert_eq!(store.attempts("e", "a").await?, bad.attempts());
    assert_eq!(store.attempts("f", "a").await?, good.attempts());
    Ok(())
}

pub(crate) async fn the_row_of_a_lost_attempt_comes_first_in_the_same_step(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.claim(0, 1).await;
    let change = failed(&store.claim_one(1000, 2).await, 1, 1000);
    store.applied(&[change]).await;
    let attempts = store.attempts("e", "a").await?;
    let shown: Vec<_> = attempts.iter().map(|attempt| (attempt.number.get(), attempt.outcome)).collect();
    let [lost, bad] = [Reason::WorkerLost, Reason::Status5xx].map(Outcome::Failure);
    assert_eq!(shown, [(1, lost), (2, bad)]);
    Ok(())
}

pub(crate) async fn a_lost_attempt_is_logged_by_a_hand_back_too(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.claim(0, 1).await;
    store.applied(&[handed_back(&store.claim_one(1000, 2).await, 1, 1000)]).await;
    assert_eq!(store.numbers("e", "a").await?, [1]);
    let row = store.load("e", "a").await;
    assert_eq!((row.as_stored().lost_leases, row.lost_unlogged()), (1, 0));
    Ok(())
}

pub(crate) async fn two_lost_attempts_and_the_one_that_follows_are_three_rows(store: &mut Subject) -> Done {
    store.publish(event("e", 0, &["a"], 0)).await;
    store.claim(0, 1).await;
    store.claim(1000, 2).await;
    store.applied(&[delivered(&store.claim_one(2000, 3).await, 1, 2000)]).await;
    assert_eq!(store.numbers("e", "a").await?, [1, 2, 3]);
    assert_eq!(store.load("e", "a").await.as_stored().attempts, 3);
    Ok(())
}
