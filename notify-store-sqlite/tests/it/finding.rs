//! Lists of many rows with filters: what a call looks at is bounded, and nothing is hidden by that.

use notify_core::delivery::{Reason, ResponseClass, State};
use notify_core::event::Purpose;
use notify_core::store::{DeliveryLog, DeliveryQuery, EventQuery, InsertOutcome, Store};
use notify_core::{EventType, NewEvent, Timestamp};
use notify_store_sqlite::{APPLICATION_ID, MIGRATIONS, SqliteStore};

use crate::support::{BODY, at, batch, claim, due, in_file, published};

async fn publish_many(store: &SqliteStore, event_type: &str, prefix: &str, count: usize) {
    let event = NewEvent::new(event_type, BODY).unwrap();
    let one = |n| published(&event, &format!("{prefix}{n}"), &[("ep1", due(0))]);
    for first in (0..count).step_by(500) {
        let events = (first..count.min(first + 500)).map(one).collect();
        assert!(matches!(store.insert(&batch(events)).await.unwrap(), InsertOutcome::Stored(_)));
    }
}

/// What a call finds, and how many calls it takes to the end.
async fn deliveries(store: &SqliteStore, mut query: DeliveryQuery) -> (Vec<String>, usize) {
    let mut found = Vec::new();
    for calls in 1.. {
        let page = store.deliveries(&query).await.unwrap();
        found.extend(page.items.iter().map(|row| row.event().id.to_string()));
        query.page.after = page.next;
        if page.next.is_none() {
            return (found, calls);
        }
    }
    unreachable!("the pages end")
}

fn query(edit: impl FnOnce(&mut DeliveryQuery)) -> DeliveryQuery {
    let mut query = DeliveryQuery::default();
    edit(&mut query);
    query
}

#[tokio::test]
async fn a_filter_that_leaves_most_rows_out_looks_at_a_bounded_part_a_call() {
    let (_dir, store) = in_file().await;
    publish_many(&store, "rare.one", "rare", 1).await;
    let leased = claim(&store, 0, 1, 1).await;
    store.apply(&[crate::support::answered(&leased.claimed[0].delivery, 500, 0, 1)]).await.unwrap();
    publish_many(&store, "a.b", "e", 20_500).await;

    let of_type = |query: &mut DeliveryQuery| query.event_type = Some("rare.one".parse::<EventType>().unwrap());
    let first = store.deliveries(&query(of_type)).await.unwrap();
    assert_eq!((first.items.len(), first.next.is_some()), (0, true), "an empty page, and somewhere to go on");
    assert_eq!(deliveries(&store, query(of_type)).await, (vec!["rare0".to_owned()], 3));
    // What an index finds needs one call, however many other rows there are.
    for edit in [
        (|query| query.reason = Some(Reason::Status5xx)) as fn(&mut DeliveryQuery),
        |query| query.class = Some(ResponseClass::Status5xx),
        |query| (query.class, query.state) = (Some(ResponseClass::Status5xx), Some(State::Scheduled)),
    ] {
        assert_eq!(deliveries(&store, query(edit)).await, (vec!["rare0".to_owned()], 1));
    }
    for edit in [
        (|query| query.class = Some(ResponseClass::NoAnswer)) as fn(&mut DeliveryQuery),
        |query| query.purpose = Some(Purpose::Test),
        |query| query.state = Some(State::Failed),
    ] {
        assert_eq!(deliveries(&store, query(edit)).await, (vec![], 1));
    }
    // Where the range ends, the list ends.
    let young = |query: &mut DeliveryQuery| (query.since, query.until) = (Some(at(1)), None);
    assert_eq!(deliveries(&store, query(young)).await, (vec![], 1));
    // And not before: its oldest row is two such parts away.
    let all_of_type = |query: &mut DeliveryQuery| {
        of_type(query);
        query.since = Some(at(0));
    };
    assert_eq!(deliveries(&store, query(all_of_type)).await, (vec!["rare0".to_owned()], 3));
    let mut events = EventQuery::default();
    events.event_type = Some("rare.one".parse().unwrap());
    let page = store.events(&events).await.unwrap();
    assert_eq!((page.items.len(), page.next.is_some()), (0, true));
    events.since = Some(at(0));
    assert!(store.events(&events).await.unwrap().next.is_some());
    events.since = Some(at(1));
    assert_eq!(store.events(&events).await.unwrap().next, None);
}

#[tokio::test]
async fn a_ping_of_an_older_file_is_a_test_and_its_failures_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify.db");
    let conn = rusqlite::Connection::open(&path).unwrap();
    let print = "X'0000000000000000000000000000000000000000000000000000000000000000'";
    conn.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; BEGIN; {} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 2;
         INSERT INTO tenant(id, uid) VALUES (1, 'default');
         INSERT INTO queue(id, uid, tenant) VALUES (1, 'ep1', 1);
         UPDATE counter SET last = 4;
         INSERT INTO event(id, tenant, uid, fingerprint, type, timestamp, created_at, body)
             VALUES (1, 1, 'ping', {print}, 'endpoint.ping', 0, 0, X'7b7d'), (3, 1, 'live', {print}, 'a.b', 0, 0, X'7b7d');
         INSERT INTO delivery(id, uid, tenant, event, endpoint, state, attempts, reason, settled_at)
             VALUES (2, X'{:040x}', 1, 1, 1, 4, 6, 'dns', 5), (4, X'{:040x}', 1, 3, 1, 4, 6, 'status_4xx', 5);
         COMMIT",
        MIGRATIONS[..2].concat(),
        1,
        2
    ))
    .unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    let found = async |edit: fn(&mut DeliveryQuery)| deliveries(&store, query(edit)).await.0;
    assert_eq!(found(|query| query.purpose = Some(Purpose::Test)).await, ["ping"]);
    assert_eq!(found(|query| query.purpose = Some(Purpose::Live)).await, ["live"]);
    assert_eq!(found(|query| query.reason = Some(Reason::Dns)).await, ["ping"]);
    assert_eq!(found(|query| query.class = Some(ResponseClass::NoAnswer)).await, ["ping"]);
    assert_eq!(found(|query| query.class = Some(ResponseClass::Status4xx)).await, ["live"]);
    let mut tests = EventQuery::default();
    tests.purpose = Some(Purpose::Test);
    let page = store.events(&tests).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].purpose), (1, Purpose::Test));
    assert_eq!(page.items[0].created_at, Timestamp::EPOCH);
}
