//! Filters of the lists, and the counts.

use crate::delivery::{EventStatus, State};
use crate::machine::Gate;
use crate::store::{DeliveryQuery, EventQuery, SweepAction};

use super::super::case::NotOffered;
use super::super::sample::{delivered, event, event_with, failed, handed_back, named, refused, stopped, t};
use super::{Done, Subject, answer, finding};

async fn events(store: &Subject, query: EventQuery) -> Result<Vec<String>, NotOffered> {
    finding::events(store, &query).await
}

async fn deliveries(store: &Subject, query: DeliveryQuery) -> Result<Vec<String>, NotOffered> {
    finding::deliveries(store, &query).await
}

/// Events named for their status, and their deliveries for their state.
async fn one_of_each(store: &Subject) {
    store.holds(&["no_endpoint"], &[]).await;
    for id in ["delivered", "cancelled", "failed", "partial"] {
        let endpoints: &[&str] = if id == "partial" { &["a", "b"] } else { &["a"] };
        store.publish(event(id, 0, endpoints, 0)).await;
        let mut now = 0;
        loop {
            let claimed = store.claim(now, now as u128 + 1).await.claimed;
            if claimed.is_empty() {
                break;
            }
            for (id_of_change, row) in (now as u128..).zip(&claimed) {
                let row = &row.delivery;
                let change = match (id, row.endpoint().as_str()) {
                    ("cancelled", _) | ("partial", "b") => stopped(row, id_of_change, now, Gate::Gone),
                    ("failed", _) => refused(row, id_of_change, now),
                    _ => delivered(row, id_of_change, now),
                };
                store.applied(&[change]).await;
            }
            now += 86_400_000;
        }
    }
    store.publish(event("pending", 0, &["a", "b", "c"], 0)).await;
    store.sweep("a", SweepAction::Hold, 0, 10).await;
    store.claim_up_to(1, 0, u128::MAX).await;
}

pub(crate) async fn events_are_found_by_each_status(store: &mut Subject) -> Done {
    one_of_each(store).await;
    for status in EventStatus::ALL {
        let query = EventQuery { status: Some(status), ..EventQuery::default() };
        assert_eq!(events(store, query).await?, [status.as_str()]);
    }
    Ok(())
}

pub(crate) async fn deliveries_are_found_by_each_state(store: &mut Subject) -> Done {
    one_of_each(store).await;
    let in_state = |state| DeliveryQuery { state: Some(state), ..DeliveryQuery::default() };
    for (state, count) in [
        (State::Scheduled, 1),
        (State::InFlight, 1),
        (State::Held, 1),
        (State::Delivered, 2),
        (State::Failed, 1),
        (State::Cancelled, 2),
    ] {
        let found = deliveries(store, in_state(state)).await?;
        assert_eq!(found.len(), count, "{state:?}: {found:?}");
    }
    Ok(())
}

pub(crate) async fn a_status_follows_its_deliveries(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let with = |status| EventQuery { status: Some(status), ..EventQuery::default() };
    assert_eq!(events(store, with(EventStatus::Pending)).await?, ["e"]);
    store.deliver_all(0, 1).await;
    assert_eq!(events(store, with(EventStatus::Pending)).await?, [""; 0]);
    assert_eq!(events(store, with(EventStatus::Delivered)).await?, ["e"]);
    Ok(())
}

async fn two_types(store: &Subject) {
    store.publish(event_with("a.b", "1", "e", &["a"])).await;
    store.publish(event_with("a.b.c", "1", "f", &["a", "b"])).await;
    store.publish(event_with("x.y", "1", "g", &["b"])).await;
}

pub(crate) async fn events_are_found_by_their_exact_type(store: &mut Subject) -> Done {
    two_types(store).await;
    let of = |event_type: &str| EventQuery { event_type: Some(named(event_type)), ..EventQuery::default() };
    assert_eq!(events(store, of("a.b")).await?, ["e"]);
    assert_eq!(events(store, of("a.b.c")).await?, ["f"]);
    assert_eq!(events(store, of("a.c")).await?, [""; 0]);
    Ok(())
}

pub(crate) async fn deliveries_are_found_by_the_type_of_their_event(store: &mut Subject) -> Done {
    two_types(store).await;
    let of = |event_type: &str| DeliveryQuery { event_type: Some(named(event_type)), ..DeliveryQuery::default() };
    assert_eq!(deliveries(store, of("x.y")).await?, ["g/b"]);
    assert_eq!(deliveries(store, of("a.b.c")).await?.len(), 2);
    assert_eq!(deliveries(store, of("a.c")).await?, [""; 0]);
    Ok(())
}

pub(crate) async fn events_are_found_by_an_endpoint_of_theirs(store: &mut Subject) -> Done {
    two_types(store).await;
    let to = |endpoint: &str| EventQuery { endpoint: Some(named(endpoint)), ..EventQuery::default() };
    assert_eq!(events(store, to("a")).await?, ["f", "e"]);
    assert_eq!(events(store, to("b")).await?, ["g", "f"]);
    assert_eq!(events(store, to("x")).await?, [""; 0]);
    Ok(())
}

pub(crate) async fn deliveries_are_found_by_their_endpoint(store: &mut Subject) -> Done {
    two_types(store).await;
    let to = |endpoint: &str| DeliveryQuery { endpoint: Some(named(endpoint)), ..DeliveryQuery::default() };
    assert_eq!(deliveries(store, to("a")).await?, ["f/a", "e/a"]);
    assert_eq!(deliveries(store, to("x")).await?, [""; 0]);
    Ok(())
}

async fn at_three_times(store: &Subject) {
    for (id, now) in [("e", 10), ("f", 20), ("g", 30)] {
        store.insert(now, vec![event(id, 0, &["a"], 500)]).await;
    }
}

pub(crate) async fn since_is_inclusive_and_until_is_not_for_events(store: &mut Subject) -> Done {
    at_three_times(store).await;
    let between = |since, until| EventQuery { since, until, ..EventQuery::default() };
    assert_eq!(events(store, between(Some(t(20)), None)).await?, ["g", "f"]);
    assert_eq!(events(store, between(None, Some(t(20)))).await?, ["e"]);
    assert_eq!(events(store, between(Some(t(20)), Some(t(30)))).await?, ["f"]);
    assert_eq!(events(store, between(Some(t(20)), Some(t(20)))).await?, [""; 0]);
    Ok(())
}

pub(crate) async fn since_is_inclusive_and_until_is_not_for_deliveries(store: &mut Subject) -> Done {
    at_three_times(store).await;
    let between = |since, until| DeliveryQuery { since, until, ..DeliveryQuery::default() };
    assert_eq!(deliveries(store, between(Some(t(20)), None)).await?, ["g/a", "f/a"]);
    assert_eq!(deliveries(store, between(None, Some(t(20)))).await?, ["e/a"]);
    assert_eq!(deliveries(store, between(Some(t(20)), Some(t(30)))).await?, ["f/a"]);
    Ok(())
}

pub(crate) async fn filters_that_are_not_set_hold_for_any_row(store: &mut Subject) -> Done {
    one_of_each(store).await;
    two_types(store).await;
    assert_eq!(events(store, EventQuery::default()).await?.len(), 9);
    assert_eq!(deliveries(store, DeliveryQuery::default()).await?.len(), 12);
    Ok(())
}

pub(crate) async fn a_row_must_pass_every_filter_of_an_event_query(store: &mut Subject) -> Done {
    two_types(store).await;
    store.insert(40, vec![event_with("a.b", "2", "h", &["a"])]).await;
    let all = EventQuery {
        status: Some(EventStatus::Pending),
        event_type: Some(named("a.b")),
        endpoint: Some(named("a")),
        since: Some(t(0)),
        until: Some(t(40)),
        ..EventQuery::default()
    };
    assert_eq!(events(store, all.clone()).await?, ["e"]);
    assert_eq!(events(store, EventQuery { endpoint: Some(named("b")), ..all.clone() }).await?, [""; 0]);
    assert_eq!(events(store, EventQuery { status: Some(EventStatus::Failed), ..all }).await?, [""; 0]);
    Ok(())
}

pub(crate) async fn a_row_must_pass_every_filter_of_a_delivery_query(store: &mut Subject) -> Done {
    two_types(store).await;
    let all = DeliveryQuery {
        state: Some(State::Scheduled),
        event_type: Some(named("a.b.c")),
        endpoint: Some(named("b")),
        since: Some(t(0)),
        until: Some(t(1)),
        ..DeliveryQuery::default()
    };
    assert_eq!(deliveries(store, all.clone()).await?, ["f/b"]);
    assert_eq!(deliveries(store, DeliveryQuery { state: Some(State::Held), ..all.clone() }).await?, [""; 0]);
    assert_eq!(deliveries(store, DeliveryQuery { event_type: Some(named("x.y")), ..all }).await?, ["g/b"]);
    Ok(())
}

pub(crate) async fn the_counts_follow_every_change_of_state(store: &mut Subject) -> Done {
    store.holds(&["e", "f", "g"], &["a"]).await;
    let log = store.log()?;
    let counts = async || answer("stats", log.stats(None, t(0)).await).by_state.into_iter().collect::<Vec<_>>();
    assert_eq!(counts().await, [(State::Scheduled, 3)]);
    let batch = store.claim_up_to(2, 0, 1).await.claimed;
    assert_eq!(counts().await, [(State::Scheduled, 1), (State::InFlight, 2)]);
    store.applied(&[delivered(&batch[0].delivery, 1, 5), handed_back(&batch[1].delivery, 2, 5)]).await;
    assert_eq!(counts().await, [(State::Scheduled, 2), (State::Delivered, 1)]);
    store.sweep("a", SweepAction::Hold, 0, 1).await;
    assert_eq!(counts().await, [(State::Scheduled, 1), (State::Delivered, 1), (State::Held, 1)]);
    Ok(())
}

pub(crate) async fn the_counts_follow_a_prune(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    store.applied(&[delivered(&store.claim_up_to(1, 0, 1).await.claimed[0].delivery, 1, 5)]).await;
    let log = store.log()?;
    assert_eq!(answer("prune", log.prune(t(6), 10).await).events, 1);
    let counts: Vec<_> = answer("stats", log.stats(None, t(0)).await).by_state.into_iter().collect();
    assert_eq!(counts, [(State::Scheduled, 1)]);
    Ok(())
}

pub(crate) async fn an_empty_store_counts_nothing_and_says_what_it_is(store: &mut Subject) -> Done {
    let stats = answer("stats", store.log()?.stats(None, t(0)).await);
    assert_eq!((stats.by_state.values().sum::<u64>(), stats.oldest_due), (0, None));
    assert!(!stats.kind.is_empty());
    Ok(())
}

pub(crate) async fn the_oldest_due_time_is_that_of_a_scheduled_row(store: &mut Subject) -> Done {
    store.publish(event("e", 0, &["a"], 30)).await;
    store.publish(event("f", 0, &["b"], 20)).await;
    let log = store.log()?;
    let oldest = async || answer("stats", log.stats(None, t(0)).await).oldest_due;
    assert_eq!(oldest().await, Some(t(20)));
    let row = store.claim_one(20, 1).await;
    assert_eq!(oldest().await, Some(t(30)), "a leased row is not late");
    store.applied(&[failed(&row, 1, 20)]).await;
    store.sweep("a", SweepAction::Hold, 20, 10).await;
    assert_eq!(oldest().await, Some(t(300_020)), "a held row is not late, a retry is due");
    Ok(())
}
