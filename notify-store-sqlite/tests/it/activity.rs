//! What is counted is what the memory store counts, and it is there after a restart.

use std::time::Duration;

use notify_core::delivery::Reason;
use notify_core::store::activity::{Activity, ActivityQuery, Resolution};
use notify_core::store::{DeliveryLog, EndpointAdmin, EndpointDirectory, Store};
use notify_core::testing::{ManualClock, Reply, ScriptedTransport};
use notify_core::{EndpointId, Engine, MemoryStore, NewEndpoint, NewEvent, TenantId, Timestamp};
use notify_store_sqlite::SqliteStore;

use crate::support::at;

type Seen = (Vec<Vec<Activity>>, Vec<Option<Timestamp>>);

const FOUR_MONTHS: usize = 4 * 120;
const URLS: [&str; 3] = ["https://steady.test/", "https://flaky.test/", "https://down.test/"];

/// One event each six hours, for two tenants, with three kinds of receiver.
async fn live<S>(store: S, events: usize) -> Seen
where
    S: Store + EndpointDirectory + EndpointAdmin + DeliveryLog,
{
    let clock = ManualClock::at(at(0));
    let transport = ScriptedTransport::new(Reply::Status(200));
    let engine = Engine::builder(store).transport(transport.clone()).clock(clock.clone()).build().unwrap();
    let other: TenantId = "other".parse().unwrap();
    let mut ids = Vec::new();
    for url in URLS {
        for tenant in [TenantId::default(), other.clone()] {
            ids.push(
                engine.endpoints().create(NewEndpoint::new("x", url).tenant(tenant)).await.unwrap().endpoint.id.clone(),
            );
        }
    }
    for round in 0..events {
        transport.respond(URLS[1], [Reply::Status(503), Reply::Failure(Reason::Dns)]);
        transport.respond(URLS[2], (0..8).map(|_| Reply::Status(404)));
        let event_type = ["a.b", "a.c"][round % 2];
        for tenant in [TenantId::default(), other.clone()] {
            engine.publish_event(NewEvent::new(event_type, "1").unwrap().for_tenant(tenant)).await.unwrap();
        }
        engine.run_once().await.unwrap();
        clock.advance(Duration::from_secs(6 * 60 * 60));
    }
    look(&engine, &ids).await
}

/// Everything that was counted, each tenant's rows in an order of their own, with ids that are the same on every store.
async fn look(engine: &Engine, ids: &[EndpointId]) -> Seen {
    let mut all = Vec::new();
    for tenant in ["default", "other"] {
        for resolution in Resolution::ALL {
            let tenant = tenant.parse().unwrap();
            let (since, until) = (Timestamp::EPOCH, Timestamp::MAX);
            let query = ActivityQuery { tenant, resolution, since, until, endpoint: None };
            let mut rows = engine.history().activity(&query).await.unwrap();
            assert!(rows.is_sorted_by_key(|row| row.start), "oldest bucket first");
            for row in &mut rows {
                let index = ids.iter().position(|id| *id == row.endpoint).unwrap();
                row.endpoint = format!("ep{index}").parse().unwrap();
            }
            rows.sort_by_key(|row| (row.start, row.endpoint.clone(), row.event_type.clone(), row.effect));
            all.push(rows);
        }
    }
    (all, engine.history().failing_since(ids).await.unwrap())
}

#[tokio::test]
async fn what_is_counted_is_what_the_memory_store_counts() {
    let sqlite = live(SqliteStore::open_in_memory().unwrap(), FOUR_MONTHS).await;
    assert!(sqlite.0.iter().all(|rows| rows.len() > 10), "too little to compare");
    assert!(sqlite.1.iter().any(Option::is_some) && sqlite.1.iter().any(Option::is_none));
    assert_eq!(sqlite, live(MemoryStore::new(), FOUR_MONTHS).await);
}

#[tokio::test]
async fn what_was_counted_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let open = || SqliteStore::open(dir.path().join("notify.db"));
    let before = live(open().await.unwrap(), 20).await;
    let query = ActivityQuery {
        tenant: TenantId::default(),
        resolution: Resolution::Hour,
        since: Timestamp::EPOCH,
        until: Timestamp::MAX,
        endpoint: None,
    };
    let after = open().await.unwrap().activity(&query).await.unwrap();
    assert_eq!(after.len(), before.0[1].len());
}
