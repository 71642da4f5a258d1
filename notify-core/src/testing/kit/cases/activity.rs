//! What is counted: each attempt once, in the bucket it ended in.

use crate::delivery::{Reason, Response};
use crate::store::activity::{Activity, ActivityQuery, Effect, Resolution};
use crate::time::Timestamp;

use super::super::case::NotOffered;
use super::super::sample::{answered, delivered, event, event_of, event_with, failed, handed_back, named, t};
use super::{Done, Subject, answer};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn of(tenant: &str, resolution: Resolution) -> ActivityQuery {
    let (since, until) = (Timestamp::EPOCH, Timestamp::MAX);
    ActivityQuery { tenant: named(tenant), resolution, since, until, endpoint: None }
}

async fn read(store: &Subject, query: &ActivityQuery) -> Result<Vec<Activity>, NotOffered> {
    Ok(answer("activity", store.log()?.activity(query).await))
}

/// The bucket's start, in the cases' own time.
fn since_start(row: &Activity) -> i64 {
    row.start.as_millis() - t(0).as_millis()
}

/// The default tenant's minutes: (start, endpoint, effect, attempts), sorted.
async fn minutes(store: &Subject) -> Result<Vec<(i64, String, Effect, u64)>, NotOffered> {
    let rows = read(store, &of("default", Resolution::Minute)).await?;
    let shown = |row: &Activity| (since_start(row), row.endpoint.to_string(), row.effect, row.latencies.count());
    let mut shown: Vec<_> = rows.iter().map(shown).collect();
    shown.sort();
    Ok(shown)
}

async fn failing(store: &Subject, endpoint: &str) -> Result<Option<Timestamp>, NotOffered> {
    let known = answer("failing_since", store.log()?.failing_since(&[named("x"), named(endpoint)]).await);
    assert_eq!((known.len(), known[0]), (2, None), "one answer for each, and none for an endpoint that never failed");
    Ok(known[1])
}

fn retried() -> Effect {
    Effect::Retried(Reason::Status5xx)
}

pub(crate) async fn every_attempt_is_counted_in_the_minute_and_the_hour_it_ended_in(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.claim_one(0, 1).await;
    store.applied(&[failed(&row, 1, MINUTE - 1)]).await;
    let row = store.claim_one(HOUR, 2).await;
    store.applied(&[delivered(&row, 2, HOUR)]).await;
    let effects = [(0, "a".to_owned(), retried(), 1), (HOUR, "a".to_owned(), Effect::Delivered, 1)];
    assert_eq!(minutes(store).await?, effects);
    let hours = read(store, &of("default", Resolution::Hour)).await?;
    let starts: Vec<(i64, Effect)> = hours.iter().map(|row| (since_start(row), row.effect)).collect();
    assert_eq!(starts, [(0, retried()), (HOUR, Effect::Delivered)], "oldest bucket first");
    Ok(())
}

pub(crate) async fn attempts_of_one_bucket_add_up_by_endpoint_type_and_effect(store: &mut Subject) -> Done {
    store.holds(&["e1", "e2"], &["a", "b"]).await;
    store.publish(event_with("other.type", "1", "e3", &["a"])).await;
    store.deliver_all(5, 1).await;
    let rows = read(store, &of("default", Resolution::Minute)).await?;
    let mut counts: Vec<(String, String, u64)> =
        rows.iter().map(|row| (row.endpoint.to_string(), row.event_type.to_string(), row.latencies.count())).collect();
    counts.sort();
    assert_eq!(counts.iter().map(|row| (row.0.as_str(), row.2)).collect::<Vec<_>>(), [("a", 2), ("a", 1), ("b", 2)]);
    assert!(counts.iter().any(|row| row.1 == "other.type" && row.2 == 1), "{counts:?}");
    Ok(())
}

pub(crate) async fn a_change_that_comes_again_is_counted_once(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.claim_one(0, 1).await;
    let change = failed(&row, 1, 5);
    store.applied(&[change.clone(), change.clone()]).await;
    store.applied(&[change]).await;
    assert_eq!(minutes(store).await?, [(0, "a".to_owned(), retried(), 1)]);
    Ok(())
}

pub(crate) async fn a_stale_change_and_one_without_an_attempt_count_nothing(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.claim_one(0, 1).await;
    store.applied(&[handed_back(&row, 1, 5)]).await;
    store.apply(&[failed(&row, 2, 6)]).await;
    assert_eq!(minutes(store).await?, []);
    assert_eq!(failing(store, "a").await?, None);
    Ok(())
}

pub(crate) async fn what_was_counted_stays_where_its_event_is_pruned(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.deliver_all(5, 1).await;
    let pruned = answer("prune", store.log()?.prune(t(1_000), 10).await);
    assert_eq!(pruned.events, 1);
    assert_eq!(minutes(store).await?, [(0, "a".to_owned(), Effect::Delivered, 1)]);
    Ok(())
}

pub(crate) async fn a_tenant_s_activity_is_its_own(store: &mut Subject) -> Done {
    store.publish(event("e", 0, &["a"], 0)).await;
    store.publish(event_of("t", "e", 0, &["b"], 0)).await;
    store.deliver_all(5, 1).await;
    assert_eq!(minutes(store).await?, [(0, "a".to_owned(), Effect::Delivered, 1)]);
    for (tenant, rows) in [("t", 1), ("nobody", 0), ("%", 0)] {
        assert_eq!(read(store, &of(tenant, Resolution::Minute)).await?.len(), rows, "{tenant}");
    }
    Ok(())
}

pub(crate) async fn activity_is_found_by_its_endpoint_and_since_is_inclusive_and_until_is_not(
    store: &mut Subject,
) -> Done {
    store.holds(&["e1", "e2"], &["a", "b"]).await;
    for (number, row) in store.claim(0, 1).await.claimed.iter().enumerate() {
        let at = if row.delivery.event().id.as_str() == "e1" { 0 } else { MINUTE };
        store.applied(&[delivered(&row.delivery, number as u128 + 1, at)]).await;
    }
    let all = of("default", Resolution::Minute);
    let between = |since, until| ActivityQuery { since: t(since), until: t(until), ..all.clone() };
    for (query, rows) in [
        (all.clone(), 4),
        (ActivityQuery { endpoint: Some(named("a")), ..all.clone() }, 2),
        (ActivityQuery { endpoint: Some(named("c")), ..all.clone() }, 0),
        (between(0, MINUTE), 2),
        (between(MINUTE, 2 * MINUTE), 2),
        (between(1, MINUTE), 0),
        (between(MINUTE, 0), 0),
    ] {
        assert_eq!(read(store, &query).await?.len(), rows, "{query:?}");
    }
    Ok(())
}

pub(crate) async fn an_endpoint_fails_since_its_first_failure_until_its_next_success(store: &mut Subject) -> Done {
    store.holds(&["e1", "e2", "e3"], &["a"]).await;
    let rows = store.claim(0, 1).await.claimed;
    store.applied(&[failed(&rows[0].delivery, 1, 5)]).await;
    assert_eq!(failing(store, "a").await?, Some(t(5)));
    store.applied(&[answered(&rows[1].delivery, 2, 9, Response::new(404))]).await;
    assert_eq!(failing(store, "a").await?, Some(t(5)), "the first failure counts");
    store.applied(&[delivered(&rows[2].delivery, 3, 12)]).await;
    assert_eq!(failing(store, "a").await?, None);
    Ok(())
}
