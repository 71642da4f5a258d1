//! Reading what happened: events, deliveries, pages.

use std::collections::BTreeSet;

use crate::delivery::Delivery;
use crate::store::{Cursor, DeliveryQuery, EventQuery, PageRequest, SweepAction};

use super::super::case::NotOffered;
use super::super::sample::{delivery, event, event_of, failed, name, t};
use super::{Done, Subject, answer};

/// The default tenant's events, this page of them.
pub(super) fn query(page: PageRequest) -> EventQuery {
    EventQuery { page, ..EventQuery::default() }
}

fn deliveries_page(page: PageRequest) -> DeliveryQuery {
    DeliveryQuery { page, ..DeliveryQuery::default() }
}

pub(super) const fn page(after: Option<Cursor>, limit: u32) -> PageRequest {
    PageRequest { after, limit }
}

/// The ids of a page of events, and where to go on.
pub(super) async fn list_events(
    store: &Subject,
    query: &EventQuery,
) -> Result<(Vec<String>, Option<Cursor>), NotOffered> {
    let page = answer("events", store.log()?.events(query).await);
    Ok((page.items.iter().map(|record| record.event.key.id.to_string()).collect(), page.next))
}

/// The rows of a page of deliveries, and where to go on.
pub(super) async fn list_deliveries(
    store: &Subject,
    query: &DeliveryQuery,
) -> Result<(Vec<String>, Option<Cursor>), NotOffered> {
    let page = answer("deliveries", store.log()?.deliveries(query).await);
    Ok((page.items.iter().map(name).collect(), page.next))
}

pub(crate) async fn an_event_is_read_with_its_deliveries_in_the_order_of_their_creation(store: &mut Subject) -> Done {
    let e = event("e", 0, &["c", "a", "b"], 5);
    store.insert(7, vec![e.clone()]).await;
    let record = store.record("e").await?.unwrap_or_else(|| panic!("the event is stored"));
    assert_eq!((&record.event, record.created_at), (&e.event, t(7)));
    let shown: Vec<&str> = record.deliveries.iter().map(|row| row.endpoint().as_str()).collect();
    assert_eq!(shown, ["c", "a", "b"]);
    Ok(())
}

pub(crate) async fn an_event_is_read_with_its_deliveries_as_they_are_now(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a", "b"]).await;
    store.claim_up_to(1, 0, 1).await;
    let record = store.record("e").await?.unwrap_or_else(|| panic!("the event is stored"));
    let mut read: Vec<Delivery> = record.deliveries;
    let mut loaded = store.loads(&[delivery("e", "a"), delivery("e", "b")]).await;
    read.sort_by_key(Delivery::id);
    loaded.sort_by_key(Delivery::id);
    assert_eq!(read, loaded);
    Ok(())
}

pub(crate) async fn an_event_without_deliveries_is_visible(store: &mut Subject) -> Done {
    store.holds(&["e"], &[]).await;
    assert_eq!(store.record("e").await?.map(|record| record.deliveries), Some(vec![]));
    assert_eq!(list_events(store, &EventQuery::default()).await?.0, ["e"]);
    Ok(())
}

pub(crate) async fn an_event_that_does_not_exist_is_none(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    assert_eq!(store.record("x").await?, None);
    Ok(())
}

pub(crate) async fn a_delivery_that_does_not_exist_has_no_attempts(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    assert_eq!((store.attempts("x", "a").await?, store.attempts("e", "a").await?), (vec![], vec![]));
    Ok(())
}

pub(crate) async fn attempts_are_read_by_number(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    for n in 1..=5_u32 {
        let now = i64::from(n) * 86_400_000;
        let row = store.claim_one(now, u128::from(n)).await;
        store.applied(&[failed(&row, u128::from(n), now)]).await;
    }
    assert_eq!(store.numbers("e", "a").await?, [1, 2, 3, 4, 5]);
    Ok(())
}

pub(crate) async fn events_come_newest_first(store: &mut Subject) -> Done {
    store.holds(&["b", "d", "a", "c"], &["x"]).await;
    assert_eq!(list_events(store, &EventQuery::default()).await?.0, ["c", "a", "d", "b"]);
    Ok(())
}

pub(crate) async fn deliveries_come_newest_first(store: &mut Subject) -> Done {
    store.holds(&["b", "d", "a", "c"], &["x"]).await;
    assert_eq!(list_deliveries(store, &DeliveryQuery::default()).await?.0, ["c/x", "a/x", "d/x", "b/x"]);
    Ok(())
}

/// The order is that of the inserts: a clock that went back, or a retry, moves nothing.
pub(crate) async fn newest_is_what_was_inserted_last(store: &mut Subject) -> Done {
    store.insert(50, vec![event("e", 0, &["x"], 900)]).await;
    store.insert(20, vec![event("f", 0, &["x"], 20)]).await;
    store.applied(&[failed(&store.claim_one(20, 1).await, 1, 20)]).await;
    assert_eq!(list_events(store, &EventQuery::default()).await?.0, ["f", "e"]);
    assert_eq!(list_deliveries(store, &DeliveryQuery::default()).await?.0, ["f/x", "e/x"]);
    Ok(())
}

pub(crate) async fn a_page_has_at_most_its_limit(store: &mut Subject) -> Done {
    store.holds(&["e", "f", "g"], &["a"]).await;
    assert_eq!(list_events(store, &query(page(None, 2))).await?.0.len(), 2);
    assert_eq!(list_deliveries(store, &deliveries_page(page(None, 1))).await?.0.len(), 1);
    Ok(())
}

pub(crate) async fn pages_follow_each_other_to_the_end(store: &mut Subject) -> Done {
    store.backlog("e", "a", 23).await;
    let (mut events, mut deliveries, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let (shown, next) = list_events(store, &query(page(after, 5))).await?;
        events.extend(shown);
        after = next;
        if after.is_none() {
            break;
        }
    }
    loop {
        let (shown, next) = list_deliveries(store, &deliveries_page(page(after, 7))).await?;
        deliveries.extend(shown);
        after = next;
        if after.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..23).rev().map(|n| format!("e{n}")).collect();
    assert_eq!(events, expected);
    assert_eq!(deliveries, expected.iter().map(|id| format!("{id}/a")).collect::<Vec<_>>());
    Ok(())
}

pub(crate) async fn a_last_page_that_is_just_full_has_no_cursor(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    assert_eq!(list_events(store, &query(page(None, 2))).await?.1, None);
    assert_eq!(list_deliveries(store, &deliveries_page(page(None, 2))).await?.1, None);
    Ok(())
}

pub(crate) async fn an_empty_list_has_no_cursor(store: &mut Subject) -> Done {
    assert_eq!(list_events(store, &EventQuery::default()).await?, (vec![], None));
    assert_eq!(list_deliveries(store, &DeliveryQuery::default()).await?, (vec![], None));
    Ok(())
}

pub(crate) async fn events_that_come_while_somebody_pages_neither_repeat_nor_hide_others(store: &mut Subject) -> Done {
    store.holds(&["e", "f", "g"], &["a"]).await;
    let (first, next) = list_events(store, &query(page(None, 1))).await?;
    store.holds(&["h", "i"], &["a"]).await;
    let (rest, _) = list_events(store, &query(page(next, 10))).await?;
    assert_eq!((first, rest), (vec!["g".to_owned()], vec!["f".to_owned(), "e".to_owned()]));
    Ok(())
}

pub(crate) async fn deliveries_that_come_while_somebody_pages_neither_repeat_nor_hide_others(
    store: &mut Subject,
) -> Done {
    store.holds(&["e", "f", "g"], &["a"]).await;
    let (first, next) = list_deliveries(store, &deliveries_page(page(None, 2))).await?;
    store.holds(&["h", "i"], &["a"]).await;
    let (rest, _) = list_deliveries(store, &deliveries_page(page(next, 10))).await?;
    assert_eq!((first, rest), (vec!["g/a".to_owned(), "f/a".to_owned()], vec!["e/a".to_owned()]));
    Ok(())
}

/// Rows that leave the filter while somebody pages are what moves an offset.
pub(crate) async fn rows_that_are_pruned_while_somebody_pages_hide_no_others(store: &mut Subject) -> Done {
    store.holds(&["e", "f", "g", "h"], &[]).await;
    store.insert(500, vec![event("i", 0, &[], 0), event("j", 0, &[], 0)]).await;
    let (first, next) = list_events(store, &query(page(None, 3))).await?;
    assert_eq!(first, ["j", "i", "h"]);
    assert_eq!(answer("prune", store.log()?.prune(t(1), 2).await).events, 2);
    let (rest, _) = list_events(store, &query(page(next, 10))).await?;
    let left = list_events(store, &EventQuery::default()).await?.0;
    let expected: Vec<String> = left.into_iter().filter(|id| !first.contains(id)).collect();
    assert_eq!(rest, expected);
    Ok(())
}

pub(crate) async fn a_cursor_whose_row_was_pruned_still_names_its_place(store: &mut Subject) -> Done {
    store.holds(&["e", "f", "g"], &[]).await;
    let (_, next) = list_events(store, &query(page(None, 2))).await?;
    answer("prune", store.log()?.prune(t(1), 10).await);
    store.holds(&["h"], &[]).await;
    assert_eq!(list_events(store, &query(page(next, 10))).await?, (vec![], None));
    Ok(())
}

pub(crate) async fn a_cursor_serves_the_same_page_again(store: &mut Subject) -> Done {
    store.holds(&["e", "f", "g"], &["a"]).await;
    let (_, next) = list_deliveries(store, &deliveries_page(page(None, 1))).await?;
    let once = list_deliveries(store, &deliveries_page(page(next, 1))).await?;
    assert_eq!(list_deliveries(store, &deliveries_page(page(next, 1))).await?, once);
    assert_eq!(once.0, ["f/a"]);
    Ok(())
}

pub(crate) async fn a_cursor_s_text_names_the_same_place(store: &mut Subject) -> Done {
    store.holds(&["e", "f", "g"], &[]).await;
    let (_, next) = list_events(store, &query(page(None, 1))).await?;
    let read = next.map(|cursor| super::super::sample::named::<Cursor>(&cursor.to_string()));
    assert_eq!(list_events(store, &query(page(read, 1))).await?.0, ["f"]);
    Ok(())
}

pub(crate) async fn each_tenant_with_held_deliveries_is_found_and_no_other(store: &mut Subject) -> Done {
    for (tenant, id, endpoint) in [("one", "e", "a"), ("two", "f", "b"), ("o'brien", "g", "c"), ("sent", "h", "d")] {
        store.publish(event_of(tenant, id, 0, &[endpoint], 0)).await;
    }
    let holding = async |store: &Subject| {
        let mut found = BTreeSet::new();
        let mut after = None;
        // Pages may be empty; a store that has so many of them has no end.
        for _ in 0..1000 {
            let tenants = answer("tenants_with_held", store.log()?.tenants_with_held(page(after, 1)).await);
            found.extend(tenants.items.iter().map(ToString::to_string));
            after = tenants.next;
            if after.is_none() {
                return Ok(found);
            }
        }
        panic!("a thousand pages, and no end");
    };
    assert_eq!(holding(store).await?, BTreeSet::new());
    for endpoint in ["a", "b", "c"] {
        store.sweep(endpoint, SweepAction::Hold, 0, 10).await;
    }
    assert_eq!(holding(store).await?, ["one", "two", "o'brien"].map(str::to_owned).into());
    store.sweep("b", SweepAction::Release, 0, 10).await;
    assert_eq!(holding(store).await?, ["one", "o'brien"].map(str::to_owned).into());
    Ok(())
}
