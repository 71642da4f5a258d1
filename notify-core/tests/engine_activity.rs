//! What is counted while an engine runs: attempts by minute and hour, and since when an endpoint fails.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use common::{Host, URL, at, hours, id, mins, secs, settle, t0, tenant};
use notify_core::delivery::Reason;
use notify_core::store::activity::{Activity, ActivityQuery, Effect, Resolution};
use notify_core::testing::Reply;
use notify_core::{TenantId, Timestamp};

fn everything(resolution: Resolution) -> ActivityQuery {
    ActivityQuery {
        tenant: TenantId::default(),
        resolution,
        since: Timestamp::EPOCH,
        until: Timestamp::MAX,
        endpoint: None,
    }
}

async fn counted(host: &Host, resolution: Resolution) -> Vec<(String, Effect, u64)> {
    let rows = host.engine.history().activity(&everything(resolution)).await.unwrap();
    let shown = |row: &Activity| (row.start.to_string()[11..16].to_owned(), row.effect, row.latencies.count());
    rows.iter().map(shown).collect()
}

#[tokio::test]
async fn every_attempt_counts_once_by_minute_and_by_hour_with_what_it_came_to() {
    let host = Host::new(Reply::Status(500));
    host.endpoint(URL).await;
    let running = host.start();
    host.publish().await;
    settle().await;
    host.pass(hours(18), mins(5)).await;
    host.transport.respond(URL, [Reply::Status(200)]);
    host.publish().await;
    settle().await;
    running.stop().await;
    let retried = Effect::Retried(Reason::Status5xx);
    let minutes = ["00:00", "00:05", "00:35", "02:35", "07:35"].map(|minute| (minute.to_owned(), retried, 1));
    let ends = [("17:35", Effect::GaveUp(Reason::Status5xx)), ("18:00", Effect::Delivered)]
        .map(|(minute, effect)| (minute.to_owned(), effect, 1));
    assert_eq!(counted(&host, Resolution::Minute).await, [&minutes[..], &ends[..]].concat());
    let hours = [("00:00", retried, 3), ("02:00", retried, 1), ("07:00", retried, 1)];
    let ends = [("17:00", Effect::GaveUp(Reason::Status5xx), 1), ("18:00", Effect::Delivered, 1)];
    let expected = hours.into_iter().chain(ends).map(|(hour, effect, count)| (hour.to_owned(), effect, count));
    assert_eq!(counted(&host, Resolution::Hour).await, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_query_is_limited_to_its_tenant_its_endpoint_and_its_time() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    host.endpoint("https://other.test/").await;
    let running = host.start();
    host.publish().await;
    settle().await;
    host.advance(mins(3)).await;
    host.publish().await;
    settle().await;
    running.stop().await;
    let history = host.engine.history();
    let all = everything(Resolution::Minute);
    assert_eq!(history.activity(&all).await.unwrap().len(), 4);
    let foreign = ActivityQuery { tenant: tenant("other"), ..all.clone() };
    assert!(history.activity(&foreign).await.unwrap().is_empty());
    let one = ActivityQuery { endpoint: Some(id(&created).clone()), since: at("00:03:00"), ..all.clone() };
    let [row] = &history.activity(&one).await.unwrap()[..] else { panic!("one row") };
    assert_eq!(
        (&row.endpoint, row.start, row.event_type.as_str()),
        (id(&created), at("00:03:00"), "connection.created")
    );
    let before = ActivityQuery { until: at("00:03:00"), ..all.clone() };
    assert_eq!(history.activity(&before).await.unwrap().len(), 2);
    let backwards = ActivityQuery { since: at("00:03:00"), until: t0(), ..all };
    assert!(history.activity(&backwards).await.unwrap().is_empty());
}

#[tokio::test]
async fn minutes_are_kept_for_48_hours_and_hours_for_90_days() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let running = host.start();
    for (after, minutes, hours_kept) in [(0, 1, 1), (48, 2, 2), (1, 2, 3), (90 * 24, 1, 2)] {
        host.advance(hours(after)).await;
        host.publish().await;
        settle().await;
        let seen = (counted(&host, Resolution::Minute).await.len(), counted(&host, Resolution::Hour).await.len());
        assert_eq!(seen, (minutes, hours_kept), "{after} h on");
    }
    running.stop().await;
}

#[tokio::test]
async fn an_endpoint_fails_since_its_first_failure_until_its_next_success_and_our_own_faults_are_no_sign() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    let failing = async || host.engine.history().failing_since(&[id(&created).clone()]).await.unwrap()[0];
    let running = host.start();
    assert_eq!(failing().await, None);
    host.transport.respond(URL, [Reply::Failure(Reason::Local), Reply::Status(503), Reply::Status(503)]);
    host.publish().await;
    settle().await;
    assert_eq!(failing().await, None, "our own fault");
    host.pass(mins(40), mins(1)).await;
    assert_eq!(failing().await, Some(at("00:05:00")));
    host.pass(hours(3), secs(60)).await;
    assert_eq!(failing().await, None, "it answered 200");
    running.stop().await;
}

#[tokio::test]
async fn how_long_attempts_took_is_kept_by_class() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    host.transport.respond(URL, [Reply::Hang]);
    let running = host.start();
    host.publish().await;
    settle().await;
    host.advance(secs(31)).await;
    running.stop().await;
    let rows = host.engine.history().activity(&everything(Resolution::Minute)).await.unwrap();
    assert_eq!(rows[0].effect, Effect::Retried(Reason::ResponseTimeout));
    assert_eq!(rows[0].latencies.0[15], 1, "{rows:?}");
}
