//! An engine that lives for months on a store, for comparing what two stores counted.

use std::time::Duration;

use crate::delivery::Reason;
use crate::endpoint::NewEndpoint;
use crate::engine::Engine;
use crate::event::NewEvent;
use crate::id::{EndpointId, TenantId};
use crate::store::activity::{Activity, ActivityQuery, Resolution};
use crate::store::{DeliveryLog, EndpointAdmin, EndpointDirectory, Store};
use crate::testing::{Reply, TestNotify};
use crate::time::Timestamp;

use super::sample::{named, t};

/// So many events of [`live`] are four months: more than any bucket is kept.
pub const FOUR_MONTHS: usize = 4 * 120;

const TENANTS: [&str; 2] = ["default", "other"];
const STEADY: &str = "https://steady.test/";
const FLAKY: &str = "https://flaky.test/";
const DOWN: &str = "https://down.test/";

/// All that a store counted, with ids that are the same on every store. Two stores with the same history are equal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lived {
    /// The activity of each tenant in each resolution.
    pub activity: Vec<Vec<Activity>>,
    /// Since when each endpoint fails.
    pub failing_since: Vec<Option<Timestamp>>,
}

/// Publishes an event each six hours, for two tenants, to three kinds of receiver each, and delivers what is due. The
/// store's own clock is not asked.
///
/// # Panics
/// If a call fails, or the activity does not come oldest bucket first.
pub async fn live<S>(store: S, events: usize) -> Lived
where
    S: Store + EndpointDirectory + EndpointAdmin + DeliveryLog,
{
    let test = TestNotify::builder(store).begins_at(t(0)).build();
    let (engine, transport) = (test.notify(), test.transport());
    let mut ids = Vec::new();
    // Each tenant has receivers of its own: which tenant is served first is the store's choice.
    for (host, tenant) in [STEADY, FLAKY, DOWN].into_iter().flat_map(|host| TENANTS.map(|tenant| (host, tenant))) {
        let url = format!("{host}{tenant}");
        transport.respond_always(&url, Reply::Status(if host == DOWN { 404 } else { 200 }));
        let created = engine.endpoints().create(NewEndpoint::new("x", url).tenant(named::<TenantId>(tenant))).await;
        ids.push(created.expect("the store takes an endpoint").endpoint.id.clone());
    }
    for round in 0..events {
        let event_type = ["a.b", "a.c"][round % 2];
        for tenant in TENANTS {
            transport.respond(&format!("{FLAKY}{tenant}"), [Reply::Status(503), Reply::Failure(Reason::Dns)]);
            let event = NewEvent::new(event_type, "1").expect("a valid event").for_tenant(named(tenant));
            engine.publish_event(event).await.expect("the store takes an event");
        }
        test.run_due().await;
        test.clock().advance(Duration::from_secs(6 * 60 * 60));
    }
    look(&engine, &ids).await
}

async fn look(engine: &Engine, ids: &[EndpointId]) -> Lived {
    let mut activity = Vec::new();
    for (tenant, resolution) in TENANTS.into_iter().flat_map(|tenant| Resolution::ALL.map(|width| (tenant, width))) {
        let (since, until) = (Timestamp::EPOCH, Timestamp::MAX);
        let query = ActivityQuery { tenant: named(tenant), resolution, since, until, endpoint: None };
        let mut rows = engine.history().activity(&query).await.expect("the store tells its activity");
        assert!(rows.is_sorted_by_key(|row| row.start), "oldest bucket first");
        for row in &mut rows {
            let index = ids.iter().position(|id| *id == row.endpoint).expect("an endpoint that was registered");
            row.endpoint = named(&format!("ep{index}"));
        }
        rows.sort_by_key(|row| (row.start, row.endpoint.clone(), row.event_type.clone(), row.effect));
        activity.push(rows);
    }
    let failing_since = engine.history().failing_since(ids).await.expect("the store tells who fails");
    Lived { activity, failing_since }
}
