//! Finding rows by their last attempt, their purpose, their key; and what a filter does to pages.

use crate::delivery::{Reason, Response, ResponseClass, Start, State};
use crate::event::Purpose;
use crate::id::ChangeId;
use crate::machine::{Gate, resend};
use crate::store::{ClaimRequest, Cursor, DeliveryQuery, EventQuery, PageRequest};

use super::super::case::NotOffered;
use super::super::sample::{
    answered, as_test, claim, event, event_of, event_with, free, key, named, new_delivery, refused, t, with_key,
};
use super::log::{list_deliveries, list_events};
use super::{Done, Subject, answer};

/// More pages than any of these lists has rows: somebody goes round in a circle.
const TOO_MANY: usize = 1_000;
const DAY: i64 = 86_400_000;

/// The ids of all events that a query finds, page by page.
pub(super) async fn events(store: &Subject, query: &EventQuery) -> Result<Vec<String>, NotOffered> {
    let (mut found, mut query) = (Vec::new(), query.clone());
    for _ in 0..TOO_MANY {
        let (shown, next) = list_events(store, &query).await?;
        found.extend(shown);
        query.page.after = next;
        if next.is_none() {
            return Ok(found);
        }
    }
    panic!("the pages of events end")
}

/// All deliveries that a query finds, page by page.
pub(super) async fn deliveries(store: &Subject, query: &DeliveryQuery) -> Result<Vec<String>, NotOffered> {
    let (mut found, mut query) = (Vec::new(), query.clone());
    for _ in 0..TOO_MANY {
        let (shown, next) = list_deliveries(store, &query).await?;
        found.extend(shown);
        query.page.after = next;
        if next.is_none() {
            return Ok(found);
        }
    }
    panic!("the pages of deliveries end")
}

async fn with_reason(store: &Subject, reason: Reason) -> Result<Vec<String>, NotOffered> {
    deliveries(store, &DeliveryQuery { reason: Some(reason), ..DeliveryQuery::default() }).await
}

async fn of_class(store: &Subject, class: ResponseClass) -> Result<Vec<String>, NotOffered> {
    deliveries(store, &DeliveryQuery { class: Some(class), ..DeliveryQuery::default() }).await
}

/// An attempt of the one row of `endpoint` that is due; `None` is a refused connection.
async fn attempted(store: &Subject, endpoint: &str, n: u128, now: i64, status: Option<u16>) {
    let request = ClaimRequest { free: free(0, &[(endpoint, 1)]), ..claim(now, n) };
    let claimed = store.claims(&request).await.claimed;
    assert_eq!(claimed.len(), 1, "the row of {endpoint} may be claimed at {now}");
    let row = &claimed[0].delivery;
    let change = match status {
        Some(status) => answered(row, n, now, Response::new(status)),
        None => refused(row, n, now),
    };
    store.applied(&[change]).await;
}

/// Events, each to an endpoint of the same name that answered so, a day apart.
async fn answers(store: &Subject, rows: &[(&str, &[Option<u16>])]) {
    for ((name, replies), first) in rows.iter().zip((0_u128..).step_by(10)) {
        store.publish(event(name, 0, &[name], 0)).await;
        for ((reply, n), now) in replies.iter().zip(first + 1..).zip((0..).step_by(DAY as usize)) {
            attempted(store, name, n, now, *reply).await;
        }
    }
}

pub(crate) async fn deliveries_are_found_by_the_reason_of_their_last_attempt(store: &mut Subject) -> Done {
    answers(store, &[("e", &[Some(500)]), ("f", &[None]), ("g", &[Some(500), None]), ("h", &[]), ("i", &[Some(404)])])
        .await;
    assert_eq!(with_reason(store, Reason::ConnectRefused).await?, ["g/g", "f/f"]);
    assert_eq!(with_reason(store, Reason::Status5xx).await?, ["e/e"]);
    assert_eq!(with_reason(store, Reason::Status4xx).await?, ["i/i"]);
    assert_eq!(with_reason(store, Reason::Dns).await?, [""; 0]);
    Ok(())
}

pub(crate) async fn a_delivery_that_came_through_in_the_end_is_found_by_no_reason(store: &mut Subject) -> Done {
    answers(store, &[("e", &[Some(500), Some(200)])]).await;
    assert_eq!(with_reason(store, Reason::Status5xx).await?, [""; 0]);
    assert_eq!(of_class(store, ResponseClass::Status5xx).await?, [""; 0]);
    assert_eq!(of_class(store, ResponseClass::Status2xx).await?, ["e/e"]);
    Ok(())
}

pub(crate) async fn deliveries_are_found_by_the_class_of_their_last_answer(store: &mut Subject) -> Done {
    answers(
        store,
        &[
            ("ok", &[Some(200)]),
            ("accepted", &[Some(202)]),
            ("moved", &[Some(301)]),
            ("gone", &[Some(410)]),
            ("down", &[Some(503)]),
            ("odd", &[Some(600)]),
            ("dead", &[None]),
        ],
    )
    .await;
    for (class, found) in [
        (ResponseClass::Status2xx, &["accepted/accepted", "ok/ok"][..]),
        (ResponseClass::Status3xx, &["moved/moved"]),
        (ResponseClass::Status4xx, &["gone/gone"]),
        (ResponseClass::Status5xx, &["down/down"]),
        (ResponseClass::StatusOther, &["odd/odd"]),
        (ResponseClass::NoAnswer, &["dead/dead"]),
    ] {
        assert_eq!(of_class(store, class).await?, found, "{class:?}");
    }
    Ok(())
}

pub(crate) async fn a_row_without_an_attempt_is_of_no_class(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    store.claim_up_to(1, 0, 1).await;
    for class in ResponseClass::ALL {
        assert_eq!(of_class(store, class).await?, [""; 0], "{class:?}");
    }
    Ok(())
}

pub(crate) async fn a_new_round_has_the_last_answer_of_the_one_before_until_its_own(store: &mut Subject) -> Done {
    answers(store, &[("e", &[Some(500)]), ("f", &[Some(200)])]).await;
    for (name, id) in [("e", 101), ("f", 102)] {
        let row = store.load(name, name).await;
        let change = resend(&row, Gate::Open, t(100), ChangeId::new(id)).unwrap_or_else(|refused| panic!("{refused}"));
        store.applied(&[change]).await;
    }
    assert_eq!(with_reason(store, Reason::Status5xx).await?, ["e/e"]);
    assert_eq!(of_class(store, ResponseClass::Status5xx).await?, ["e/e"]);
    assert_eq!(of_class(store, ResponseClass::Status2xx).await?, ["f/f"]);
    attempted(store, "e", 201, 100, Some(200)).await;
    attempted(store, "f", 202, 100, None).await;
    assert_eq!(with_reason(store, Reason::ConnectRefused).await?, ["f/f"]);
    assert_eq!(of_class(store, ResponseClass::Status5xx).await?, [""; 0]);
    assert_eq!(of_class(store, ResponseClass::Status2xx).await?, ["e/e"]);
    Ok(())
}

pub(crate) async fn tests_are_told_from_live_events(store: &mut Subject) -> Done {
    store.publish(event("e", 0, &["a"], 0)).await;
    store.publish(as_test(event("f", 0, &["a"], 0))).await;
    store.publish(as_test(event("g", 0, &[], 0))).await;
    store.publish(event("h", 0, &[], 0)).await;
    let of = |purpose| EventQuery { purpose: Some(purpose), ..EventQuery::default() };
    assert_eq!(events(store, &of(Purpose::Test)).await?, ["g", "f"]);
    assert_eq!(events(store, &of(Purpose::Live)).await?, ["h", "e"]);
    let shown = async |id| Ok::<_, NotOffered>(store.record(id).await?.map(|record| record.purpose));
    assert_eq!((shown("e").await?, shown("f").await?), (Some(Purpose::Live), Some(Purpose::Test)));
    let listed = answer("events", store.log()?.events(&of(Purpose::Test)).await);
    assert!(listed.items.iter().all(|record| record.purpose == Purpose::Test), "each shows what it was found by");
    Ok(())
}

pub(crate) async fn deliveries_have_the_purpose_of_their_event(store: &mut Subject) -> Done {
    store.publish(event("e", 0, &["a"], 0)).await;
    store.publish(as_test(event("f", 0, &["a", "b"], 0))).await;
    let late = [new_delivery(&key("f"), "c", Start::Due(t(0)))];
    assert_eq!(answer("attach", store.store().attach(&key("f"), &late).await), 1);
    let of = |purpose| DeliveryQuery { purpose: Some(purpose), ..DeliveryQuery::default() };
    assert_eq!(deliveries(store, &of(Purpose::Test)).await?, ["f/c", "f/b", "f/a"]);
    assert_eq!(deliveries(store, &of(Purpose::Live)).await?, ["e/a"]);
    Ok(())
}

pub(crate) async fn an_event_is_found_by_its_key_and_shows_it(store: &mut Subject) -> Done {
    store.publish(with_key(event("e", 0, &["a"], 0), "k/1 é")).await;
    store.publish(with_key(event("f", 0, &["a"], 0), "k/2")).await;
    store.publish(event("g", 0, &["a"], 0)).await;
    let of = |key: &str| EventQuery { key: Some(named(key)), ..EventQuery::default() };
    assert_eq!(events(store, &of("k/1 é")).await?, ["e"]);
    assert_eq!(events(store, &of("k/2")).await?, ["f"]);
    for other in ["k/", "K/2", "k/2 ", "g"] {
        assert_eq!(events(store, &of(other)).await?, [""; 0], "{other:?}");
    }
    let shown = async |id| Ok::<_, NotOffered>(store.record(id).await?.and_then(|record| record.idempotency_key));
    assert_eq!((shown("e").await?, shown("g").await?), (Some(named("k/1 é")), None));
    Ok(())
}

pub(crate) async fn a_key_finds_the_event_of_its_tenant(store: &mut Subject) -> Done {
    store.publish(with_key(event_of("ours", "e", 0, &["a"], 0), "k")).await;
    store.publish(with_key(event_of("theirs", "f", 0, &["b"], 0), "k")).await;
    store.publish(with_key(event_of("theirs", "g", 0, &["b"], 0), "only")).await;
    let of =
        |tenant: &str, key: &str| EventQuery { tenant: named(tenant), key: Some(named(key)), ..EventQuery::default() };
    assert_eq!(events(store, &of("ours", "k")).await?, ["e"]);
    assert_eq!(events(store, &of("theirs", "k")).await?, ["f"]);
    assert_eq!(events(store, &of("ours", "only")).await?, [""; 0]);
    assert_eq!(events(store, &of("default", "k")).await?, [""; 0]);
    Ok(())
}

pub(crate) async fn the_filters_hold_together(store: &mut Subject) -> Done {
    answers(store, &[("e", &[Some(500)]), ("f", &[Some(500); 6]), ("g", &[None])]).await;
    let all = DeliveryQuery {
        state: Some(State::Scheduled),
        reason: Some(Reason::Status5xx),
        class: Some(ResponseClass::Status5xx),
        event_type: Some(named("a.b")),
        endpoint: Some(named("e")),
        purpose: Some(Purpose::Live),
        since: Some(t(0)),
        until: Some(t(1)),
        ..DeliveryQuery::default()
    };
    assert_eq!(deliveries(store, &all).await?, ["e/e"]);
    for other in [
        DeliveryQuery { state: Some(State::Failed), ..all.clone() },
        DeliveryQuery { reason: Some(Reason::Status4xx), class: None, ..all.clone() },
        DeliveryQuery { reason: None, class: Some(ResponseClass::NoAnswer), ..all.clone() },
        DeliveryQuery { event_type: Some(named("a.c")), ..all.clone() },
        DeliveryQuery { endpoint: Some(named("g")), ..all.clone() },
        DeliveryQuery { purpose: Some(Purpose::Test), ..all.clone() },
        DeliveryQuery { since: Some(t(1)), until: None, ..all.clone() },
        DeliveryQuery { since: None, until: Some(t(0)), ..all.clone() },
    ] {
        assert_eq!(deliveries(store, &other).await?, [""; 0], "{other:?}");
    }
    let of = |state, class| DeliveryQuery { state: Some(state), class: Some(class), ..DeliveryQuery::default() };
    assert_eq!(deliveries(store, &of(State::Failed, ResponseClass::Status5xx)).await?, ["f/f"]);
    assert_eq!(deliveries(store, &of(State::Scheduled, ResponseClass::NoAnswer)).await?, ["g/g"]);
    Ok(())
}

pub(crate) async fn the_filters_of_events_hold_together(store: &mut Subject) -> Done {
    store.publish(with_key(event_with("a.b", "1", "e", &["a"]), "k")).await;
    store.publish(as_test(with_key(event_with("a.c", "1", "f", &["b"]), "l"))).await;
    let all = EventQuery {
        event_type: Some(named("a.c")),
        endpoint: Some(named("b")),
        key: Some(named("l")),
        purpose: Some(Purpose::Test),
        since: Some(t(0)),
        until: Some(t(1)),
        ..EventQuery::default()
    };
    assert_eq!(events(store, &all).await?, ["f"]);
    for other in [
        EventQuery { event_type: Some(named("a.b")), ..all.clone() },
        EventQuery { endpoint: Some(named("a")), ..all.clone() },
        EventQuery { key: Some(named("k")), ..all.clone() },
        EventQuery { purpose: Some(Purpose::Live), ..all.clone() },
        EventQuery { since: Some(t(1)), until: None, ..all.clone() },
    ] {
        assert_eq!(events(store, &other).await?, [""; 0], "{other:?}");
    }
    Ok(())
}

pub(crate) async fn no_filter_finds_another_tenant_s_rows(store: &mut Subject) -> Done {
    store.publish(as_test(with_key(event_of("theirs", "e", 0, &["a"], 0), "k"))).await;
    attempted(store, "a", 1, 0, Some(500)).await;
    let (reason, class, purpose) = (Reason::Status5xx, ResponseClass::Status5xx, Purpose::Test);
    let each = |tenant: &str| {
        let any = DeliveryQuery { tenant: named(tenant), ..DeliveryQuery::default() };
        [
            DeliveryQuery { reason: Some(reason), ..any.clone() },
            DeliveryQuery { class: Some(class), ..any.clone() },
            DeliveryQuery { purpose: Some(purpose), ..any.clone() },
            DeliveryQuery { class: Some(class), endpoint: Some(named("a")), ..any },
        ]
    };
    for query in each("theirs") {
        assert_eq!(deliveries(store, &query).await?, ["e/a"], "{query:?}");
    }
    for query in each("ours") {
        assert_eq!(deliveries(store, &query).await?, [""; 0], "{query:?}");
    }
    let tests = |tenant: &str| EventQuery { tenant: named(tenant), purpose: Some(purpose), ..EventQuery::default() };
    assert_eq!(events(store, &tests("theirs")).await?, ["e"]);
    assert_eq!(events(store, &tests("ours")).await?, [""; 0]);
    Ok(())
}

pub(crate) async fn pages_go_on_past_rows_that_do_not_match(store: &mut Subject) -> Done {
    for id in ["e", "f", "g", "h"] {
        store.publish(event_with("x.y", "1", id, &["a"])).await;
        store.backlog(id, "b", 150).await;
    }
    let page = PageRequest { after: None, limit: 3 };
    let to = DeliveryQuery { endpoint: Some(named("a")), page, ..DeliveryQuery::default() };
    assert_eq!(deliveries(store, &to).await?, ["h/a", "g/a", "f/a", "e/a"]);
    let of = DeliveryQuery { event_type: Some(named("x.y")), page, ..DeliveryQuery::default() };
    assert_eq!(deliveries(store, &of).await?, ["h/a", "g/a", "f/a", "e/a"]);
    let with = EventQuery { endpoint: Some(named("a")), page, ..EventQuery::default() };
    assert_eq!(events(store, &with).await?, ["h", "g", "f", "e"]);
    let of = EventQuery { event_type: Some(named("x.y")), page, ..EventQuery::default() };
    assert_eq!(events(store, &of).await?, ["h", "g", "f", "e"]);
    Ok(())
}

pub(crate) async fn rows_that_come_while_somebody_pages_with_a_filter_neither_repeat_nor_hide_others(
    store: &mut Subject,
) -> Done {
    answers(store, &[("e", &[None]), ("f", &[Some(404)]), ("g", &[None]), ("h", &[Some(200)]), ("i", &[None])]).await;
    let (mut seen, mut after): (Vec<String>, Option<Cursor>) = (Vec::new(), None);
    for turn in 0_u32.. {
        let query = DeliveryQuery {
            reason: Some(Reason::ConnectRefused),
            page: PageRequest { after, limit: 1 },
            ..DeliveryQuery::default()
        };
        let (shown, next) = list_deliveries(store, &query).await?;
        seen.extend(shown);
        after = next;
        if after.is_none() || turn == 100 {
            break;
        }
        let new = format!("new{turn}");
        store.publish(event(&new, 0, &[&new], 0)).await;
        attempted(store, &new, 1_000 + u128::from(turn), 0, None).await;
    }
    assert_eq!(seen, ["i/i", "g/g", "e/e"]);
    Ok(())
}
