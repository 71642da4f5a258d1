//! S10: whose time it is. And the hints, `changed` and `time`.

use std::time::Duration;

use crate::store::{ClaimRequest, Mark, SweepAction};
use crate::time::Timestamp;

use super::super::sample::{self, batch, event, rows, t, token};
use super::{Done, Subject, answer};

/// A driver of the year 2000 and one of the year 2300: a store that looks at a clock of its own is wrong for one.
const FAR: [&str; 2] = ["2000-01-01T00:00:00Z", "2300-01-01T00:00:00Z"];

pub(crate) async fn a_driver_whose_clock_is_far_off_is_believed_when_it_claims(store: &mut Subject) -> Done {
    for (n, now) in (1..).zip(FAR) {
        let now: Timestamp = sample::named(now);
        let later = now.saturating_add(Duration::from_secs(10));
        let mut published = event(&format!("e{n}"), 0, &["a"], 0);
        published.deliveries[0].start = crate::delivery::Start::Due(later);
        answer("insert", store.store().insert(&crate::store::PublishBatch { now, events: vec![published] }).await);
        let at = |now, n: u128| ClaimRequest {
            now,
            lease_until: now.saturating_add(Duration::from_secs(50)),
            token: token(n),
            ..sample::claim(0, 1)
        };
        let early = store.claims(&at(now, n * 10)).await;
        assert_eq!((rows(&early), early.next_ready_at), (vec![], Some(later)));
        assert_eq!(rows(&store.claims(&at(later, n * 10 + 1)).await), [format!("e{n}/a")]);
        // It leaves the row for good, so that the next driver finds it leased in its own time.
        let row = store.load(&format!("e{n}"), "a").await;
        assert_eq!(row.ready_at(), Some(later.saturating_add(Duration::from_secs(50))));
        let change = sample::delivered(&row, n, 0);
        store.applied(&[change]).await;
    }
    Ok(())
}

pub(crate) async fn a_driver_whose_clock_is_far_off_is_believed_when_it_writes(store: &mut Subject) -> Done {
    for (n, now) in FAR.into_iter().enumerate() {
        let now: Timestamp = sample::named(now);
        let (id, endpoint) = (format!("e{n}"), format!("a{n}"));
        let events = vec![event(&id, 0, &[&endpoint], 0)];
        answer("insert", store.store().insert(&crate::store::PublishBatch { now, events }).await);
        assert_eq!(store.load(&id, &endpoint).await.as_stored().created_at, now);
        let request = crate::store::SweepRequest { now, ..sample::sweep(&endpoint, SweepAction::Cancel, 0, 10) };
        answer("sweep", store.store().sweep(&request).await);
        assert_eq!(store.load(&id, &endpoint).await.as_stored().settled_at, Some(now));
    }
    Ok(())
}

pub(crate) async fn a_now_that_goes_back_claims_nothing_early(store: &mut Subject) -> Done {
    store.publish(event("e", 0, &["a"], 100)).await;
    store.claim(90, 1).await;
    assert_eq!(rows(&store.claim(50, 2).await), [""; 0]);
    assert_eq!(rows(&store.claim(100, 3).await), ["e/a"]);
    Ok(())
}

pub(crate) async fn a_lease_that_was_given_later_holds_for_an_earlier_now(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.claim(5_000, 1).await;
    assert_eq!(rows(&store.claim(100, 2).await), [""; 0]);
    assert_eq!(rows(&store.claim(6_000, 3).await), ["e/a"]);
    Ok(())
}

pub(crate) async fn an_event_that_is_published_earlier_than_the_last_is_stored(store: &mut Subject) -> Done {
    store.insert(5_000, vec![event("e", 0, &["a"], 5_000)]).await;
    store.insert(10, vec![event("f", 0, &["a"], 10)]).await;
    assert_eq!(rows(&store.claim(10, 1).await), ["f/a"]);
    assert_eq!(store.load("f", "a").await.as_stored().created_at, t(10));
    Ok(())
}

pub(crate) async fn a_row_is_settled_at_a_time_before_its_claim(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.claim_one(5_000, 1).await;
    store.applied(&[sample::delivered(&row, 1, 10)]).await;
    assert_eq!(store.load("e", "a").await.as_stored().settled_at, Some(t(10)));
    Ok(())
}

async fn mark(store: &Subject, since: Mark) -> Mark {
    answer("changed", store.store().changed(since).await)
}

/// The first mark of a store, whatever it waits for: a publish makes it answer.
async fn first_mark(store: &Subject) -> Mark {
    store.holds(&["mark"], &["m"]).await;
    let any = Mark(u64::MAX);
    mark(store, any).await
}

pub(crate) async fn a_publish_by_somebody_else_changes_the_mark(store: &mut Subject) -> Done {
    let other = store.another().await?;
    let before = first_mark(store).await;
    answer("insert", other.insert(&batch(0, vec![event("e", 0, &["a"], 0)])).await);
    assert_ne!(mark(store, before).await, before);
    Ok(())
}

pub(crate) async fn a_sweep_by_somebody_else_changes_the_mark(store: &mut Subject) -> Done {
    let other = store.another().await?;
    let before = first_mark(store).await;
    answer("sweep", other.sweep(&sample::sweep("m", SweepAction::Hold, 0, 10)).await);
    assert_ne!(mark(store, before).await, before);
    Ok(())
}

pub(crate) async fn a_question_that_is_dropped_has_no_effect(store: &mut Subject) -> Done {
    let other = store.another().await?;
    let before = first_mark(store).await;
    drop(tokio::time::timeout(Duration::ZERO, store.store().changed(before)).await);
    answer("insert", other.insert(&batch(0, vec![event("e", 0, &["a"], 0)])).await);
    assert_ne!(mark(store, before).await, before);
    Ok(())
}

pub(crate) async fn every_handle_tells_the_same_clock_or_none(store: &mut Subject) -> Done {
    let other = store.another().await?;
    let first = answer("time", store.store().time().await);
    let second = answer("time", other.time().await);
    let third = answer("time", store.store().time().await);
    assert!(first <= second && second <= third, "{first:?}, then by the other {second:?}, then {third:?}");
    assert_eq!(first.is_some(), third.is_some());
    Ok(())
}
