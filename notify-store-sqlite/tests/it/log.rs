//! Pages, counts and pruning.

use notify_core::delivery::{EventStatus, Start, State};
use notify_core::store::{Cursor, DeliveryLog, DeliveryQuery, EventQuery, Store};
use notify_core::{NewEvent, TenantId};
use notify_store_sqlite::{SCHEMA_VERSION, SqliteStore};

use crate::support::*;

/// e0..e5: delivered, failed attempt (scheduled), held, no endpoint, in flight, delivered and held.
async fn filled() -> SqliteStore {
    let store = SqliteStore::open_in_memory().unwrap();
    publish(&store, "e0", &[("ep1", leased(1, 100))]).await;
    publish(&store, "e1", &[("ep1", leased(2, 100))]).await;
    publish(&store, "e2", &[("ep2", Start::Held(at(0)))]).await;
    publish(&store, "e3", &[]).await;
    publish(&store, "e4", &[("ep1", leased(3, 100)), ("ep2", Start::Held(at(0)))]).await;
    publish(&store, "e5", &[("ep1", leased(4, 100)), ("ep2", leased(5, 100))]).await;
    for (event, endpoint, status) in [("e0", "ep1", 200), ("e1", "ep1", 500), ("e5", "ep1", 200), ("e5", "ep2", 200)] {
        let row = load(&store, event, endpoint).await;
        store.apply(&[answered(&row, status, 10, 1)]).await.unwrap();
    }
    store
}

async fn events(store: &SqliteStore, change: impl FnOnce(&mut EventQuery)) -> (Vec<String>, Option<Cursor>) {
    let mut query = EventQuery::default();
    change(&mut query);
    let page = store.events(&query).await.unwrap();
    (page.items.iter().map(|record| record.event.key.id.to_string()).collect(), page.next)
}

async fn deliveries(store: &SqliteStore, change: impl FnOnce(&mut DeliveryQuery)) -> (Vec<String>, Option<Cursor>) {
    let mut query = DeliveryQuery::default();
    change(&mut query);
    let page = store.deliveries(&query).await.unwrap();
    let name = |row: &notify_core::delivery::Delivery| format!("{}>{}", row.event().id, row.endpoint());
    (page.items.iter().map(name).collect(), page.next)
}

#[tokio::test]
async fn events_are_filtered_by_status_endpoint_type_and_time() {
    let store = filled().await;
    assert_eq!(events(&store, |_| ()).await.0, ["e5", "e4", "e3", "e2", "e1", "e0"]);
    assert_eq!(events(&store, |q| q.status = Some(EventStatus::Delivered)).await.0, ["e5", "e0"]);
    assert_eq!(events(&store, |q| q.status = Some(EventStatus::NoEndpoint)).await.0, ["e3"]);
    assert_eq!(events(&store, |q| q.status = Some(EventStatus::Pending)).await.0, ["e4", "e2", "e1"]);
    assert_eq!(events(&store, |q| q.endpoint = Some(endpoint_id("ep2"))).await.0, ["e5", "e4", "e2"]);
    assert_eq!(events(&store, |q| q.endpoint = Some(endpoint_id("nobody"))).await.0, [""; 0]);
    assert_eq!(events(&store, |q| q.event_type = Some("a.b".parse().unwrap())).await.0, [""; 0]);
    assert_eq!(events(&store, |q| q.since = Some(at(1))).await.0, [""; 0]);
    assert_eq!(events(&store, |q| q.until = Some(at(0))).await.0, [""; 0]);
    assert_eq!(events(&store, |q| q.tenant = "t2".parse().unwrap()).await.0, [""; 0]);
}

#[tokio::test]
async fn deliveries_are_filtered_by_state_and_endpoint() {
    let store = filled().await;
    let all = ["e5>ep2", "e5>ep1", "e4>ep2", "e4>ep1", "e2>ep2", "e1>ep1", "e0>ep1"];
    assert_eq!(deliveries(&store, |_| ()).await.0, all);
    assert_eq!(deliveries(&store, |q| q.state = Some(State::Held)).await.0, ["e4>ep2", "e2>ep2"]);
    assert_eq!(deliveries(&store, |q| q.state = Some(State::Scheduled)).await.0, ["e1>ep1"]);
    assert_eq!(deliveries(&store, |q| q.endpoint = Some(endpoint_id("ep2"))).await.0, ["e5>ep2", "e4>ep2", "e2>ep2"]);
    let both = |q: &mut DeliveryQuery| {
        q.endpoint = Some(endpoint_id("ep2"));
        q.state = Some(State::Delivered);
    };
    assert_eq!(deliveries(&store, both).await.0, ["e5>ep2"]);
    assert_eq!(deliveries(&store, |q| q.tenant = "t2".parse().unwrap()).await.0, [""; 0]);
}

#[tokio::test]
async fn pages_neither_repeat_nor_hide_rows_while_others_are_inserted() {
    let store = filled().await;
    let (mut shown, mut after) = (Vec::new(), None);
    for round in 0.. {
        let (page, next) = events(&store, |q| (q.page.limit, q.page.after) = (2, after)).await;
        shown.extend(page);
        after = next;
        if after.is_none() {
            break;
        }
        publish(&store, &format!("new{round}"), &[("ep1", due(0))]).await;
    }
    assert_eq!(shown, ["e5", "e4", "e3", "e2", "e1", "e0"]);
    let (page, next) = events(&store, |q| (q.page.limit, q.endpoint) = (2, Some(endpoint_id("ep2")))).await;
    assert_eq!(page, ["e5", "e4"]);
    let rest = events(&store, |q| (q.page.limit, q.page.after, q.endpoint) = (2, next, Some(endpoint_id("ep2")))).await;
    assert_eq!(rest, (vec!["e2".to_owned()], None));
    let (page, next) = deliveries(&store, |q| (q.page.limit, q.state) = (1, Some(State::Held))).await;
    assert_eq!(page, ["e4>ep2"]);
    let rest = deliveries(&store, |q| (q.page.limit, q.page.after, q.state) = (1, next, Some(State::Held))).await;
    assert_eq!(rest, (vec!["e2>ep2".to_owned()], None));
}

#[tokio::test]
async fn stats_count_states_of_one_tenant_or_all_and_tell_the_oldest_due() {
    let store = filled().await;
    let other = NewEvent::new("a.b", "1").unwrap().for_tenant("t2".parse().unwrap());
    store.insert(&batch(vec![published(&other, "x", &[("ep-t2", due(3))])])).await.unwrap();
    let stats = store.stats(Some(&TenantId::default()), at(0)).await.unwrap();
    let count = |state: State| stats.by_state.get(&state).copied();
    assert_eq!(
        [State::Scheduled, State::InFlight, State::Delivered, State::Held, State::Failed].map(count),
        [Some(1), Some(1), Some(3), Some(2), None]
    );
    assert_eq!(stats.oldest_due, load(&store, "e1", "ep1").await.ready_at());
    assert_eq!((stats.kind, stats.schema_version), ("sqlite", SCHEMA_VERSION));
    let all = store.stats(None, at(0)).await.unwrap();
    assert_eq!((all.by_state.get(&State::Scheduled), all.oldest_due), (Some(&2), Some(at(3))));
    let nobody = store.stats(Some(&"t3".parse().unwrap()), at(0)).await.unwrap();
    assert_eq!((nobody.by_state.len(), nobody.oldest_due), (0, None));
}

#[tokio::test]
async fn prune_removes_ended_events_in_steps_with_their_keys_and_keeps_the_counts_true() {
    let store = filled().await;
    assert_eq!(store.prune(at(10), 10).await.unwrap().events, 1, "only e3, which has no delivery, is older");
    assert_eq!(store.prune(at(1_000), 1).await.unwrap().events, 1);
    assert_eq!(store.prune(at(1_000), 10).await.unwrap().events, 1);
    assert_eq!(store.prune(at(1_000), 10).await.unwrap().events, 0);
    assert_eq!(events(&store, |_| ()).await.0, ["e4", "e2", "e1"]);
    assert!(store.attempts(&delivery("e0", "ep1")).await.unwrap().is_empty());
    assert_eq!(store.stats(None, at(0)).await.unwrap().by_state.get(&State::Delivered), None);
    // Ids and keys live as long as their event; numbers are not used again.
    publish(&store, "e0", &[("ep1", due(0))]).await;
    assert_eq!(events(&store, |_| ()).await.0, ["e0", "e4", "e2", "e1"]);
}
