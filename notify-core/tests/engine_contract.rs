//! What receivers are promised, through the whole engine: signatures, bytes, times, and the retry schedule.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use common::{Host, T0, URL, at, hours, key, mins, secs, settle, t0};
use notify_core::delivery::{Reason, State};
use notify_core::testing::{ManualClock, Reply};
use notify_core::{
    ConnectionCreated, ConnectionUpdated, EndpointPatch, EventPayload, NewEvent, RetrySchedule, Timestamp, Verifier,
};

const DELAYS_MINUTES: [u64; 5] = [5, 30, 120, 300, 600];
const HARD_DATA: [&str; 3] = [
    r#"{"a":123456789012345678901234567890,"b":1.0,"c":9007199254740993,"d":-0.0,"e":1e400,"f":0.1,"g":18446744073709551615,"h":-8.990567403888024e-203}"#,
    r#"{"z":1,"a":{"y":2,"b":3},"m":[{"k2":0,"k1":0}]}"#,
    "{\"s\":\"a\u{2028}b\\u0000c\u{7f}\u{feff}\",\"k\\u0000ey\":1,\"t\":\"\\u001B x\\/y \\u00e9 \u{1f600}\"}",
];

/// All six attempts of what was just published.
async fn run_through_the_schedule(host: &Host) {
    settle().await;
    for minutes in DELAYS_MINUTES {
        host.advance(mins(minutes)).await;
    }
}

// C03
#[tokio::test]
async fn each_of_six_attempts_has_one_signature_that_verifies_over_its_own_identical_body() {
    let host = Host::new(Reply::Status(500));
    let created = host.endpoint(URL).await;
    let running = host.start();
    host.publish().await;
    run_through_the_schedule(&host).await;
    let sent = host.transport.sent();
    assert_eq!(sent.len(), 6);
    let verifier = Verifier::new([created.secret]);
    for request in &sent {
        let named = request.headers.iter().filter(|header| header.name == "x-notify-signature").count();
        assert_eq!(named, 1);
        verifier.verify(&request.body, request.header("x-notify-signature").unwrap()).unwrap();
        assert_eq!(request.body, sent[0].body);
    }
    running.stop().await;
}

// C08, C09, C13: also over a restart between the second attempt and the third.
#[tokio::test]
async fn data_keeps_its_spelling_on_every_attempt_also_after_a_restart() {
    for data in HARD_DATA {
        let host = Host::new(Reply::Status(500));
        host.endpoint(URL).await;
        let before = host.start();
        host.engine.publish_event(NewEvent::new("a.b", data).unwrap()).await.unwrap();
        settle().await;
        host.advance(mins(5)).await;
        before.stop().await;
        let restarted = host.sibling();
        let after = restarted.start();
        for minutes in &DELAYS_MINUTES[1..] {
            restarted.advance(mins(*minutes)).await;
        }
        let sent = host.transport.sent();
        assert_eq!(sent.len(), 6, "{data}");
        for request in &sent {
            assert!(request.body.ends_with(format!(r#","data":{data}}}"#).as_bytes()), "{data}");
            assert_eq!(request.body, sent[0].body);
        }
        after.stop().await;
    }
}

#[tokio::test]
async fn the_envelope_is_compact_and_in_the_documented_order() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let event = NewEvent::of(&ConnectionCreated::example()).unwrap().with_id("evt_ck7qhp33c68tov35spng").unwrap();
    host.engine.publish_event(event).await.unwrap();
    host.engine.run_once().await.unwrap();
    assert_eq!(
        std::str::from_utf8(&host.transport.sent()[0].body).unwrap(),
        r#"{"event_id":"evt_ck7qhp33c68tov35spng","event":"connection.created","timestamp":"2026-01-01T00:00:00.000Z","data":{"connection_id":"con_ck76b3r3c68otqfg5c3g"}}"#
    );
}

// C10
#[tokio::test]
async fn the_timestamp_is_the_event_s_own_on_attempts_one_and_three() {
    for (wall, text) in [(T0, "2026-01-01T00:00:00.000Z"), ("2026-01-01T00:00:00.007Z", "2026-01-01T00:00:00.007Z")] {
        let clock = ManualClock::at(wall.parse().unwrap());
        let mut host = Host::new(Reply::Status(500));
        host = host.sibling_with(|builder| builder.clock(clock.clone()));
        host.clock = clock;
        host.endpoint(URL).await;
        let running = host.start();
        host.publish().await;
        settle().await;
        host.advance(mins(5)).await;
        host.advance(mins(30)).await;
        let sent = host.transport.sent();
        assert_eq!(sent.len(), 3);
        for request in [&sent[0], &sent[2]] {
            let body = std::str::from_utf8(&request.body).unwrap();
            assert!(body.contains(&format!(r#""timestamp":"{text}""#)), "{body}");
        }
        running.stop().await;
    }
}

// C15
#[tokio::test]
async fn six_requests_go_out_at_exactly_the_documented_times_and_none_in_the_next_thirty_days() {
    let host = Host::new(Reply::Status(500));
    host.endpoint(URL).await;
    let running = host.start();
    host.publish().await;
    settle().await;
    for (index, minutes) in DELAYS_MINUTES.into_iter().enumerate() {
        assert_eq!(host.sent(), index + 1);
        host.advance(mins(minutes) - std::time::Duration::from_millis(1)).await;
        assert_eq!(host.sent(), index + 1, "not a millisecond early");
        host.advance(std::time::Duration::from_millis(1)).await;
    }
    let times: Vec<Timestamp> = host.attempts().await.iter().map(|attempt| attempt.started_at).collect();
    assert_eq!(times, ["00:00:00", "00:05:00", "00:35:00", "02:35:00", "07:35:00", "17:35:00"].map(at));
    let delivery = host.only_delivery().await;
    assert_eq!((delivery.state(), delivery.ready_at()), (State::Failed, None));
    assert_eq!(delivery.as_stored().reason, Some(Reason::Status5xx));
    host.pass(hours(30 * 24), hours(1)).await;
    assert_eq!(host.sent(), 6);
    running.stop().await;
}

// C15
#[tokio::test]
async fn a_success_on_any_attempt_stops_there() {
    for success_on in 1..=6 {
        let host = Host::new(Reply::Status(200));
        host.endpoint(URL).await;
        host.transport.respond(URL, vec![Reply::Status(500); success_on - 1]);
        let running = host.start();
        host.publish().await;
        run_through_the_schedule(&host).await;
        host.pass(hours(48), hours(1)).await;
        assert_eq!(host.sent(), success_on);
        assert_eq!(host.state().await, State::Delivered);
        running.stop().await;
    }
}

// C16: elsewhere the next time came from the creation, and overdue retries went out back to back.
#[tokio::test]
async fn after_a_day_of_downtime_one_attempt_runs_and_the_next_waits_its_whole_delay() {
    let host = Host::new(Reply::Status(500));
    host.endpoint(URL).await;
    let before = host.start();
    host.publish().await;
    settle().await;
    host.advance(mins(1)).await;
    before.stop().await;
    host.clock.advance(hours(24) - mins(1));
    let restarted = host.sibling();
    let after = restarted.start();
    settle().await;
    host.pass(hours(18), mins(1)).await;
    let times: Vec<u64> = host.attempts().await.iter().map(|a| a.started_at.since(t0()).as_secs() / 60).collect();
    let day = 24 * 60;
    assert_eq!(times, [0, day, day + 30, day + 150, day + 450, day + 1050]);
    after.stop().await;
}

// C21
#[tokio::test]
async fn an_endpoint_s_own_schedule_is_followed_also_where_it_is_empty_or_has_zeros() {
    for (delays, attempts_by_second) in
        [(vec![], vec![0]), (vec![0], vec![0, 0]), (vec![0, 0, 300], vec![0, 0, 0, 300]), (vec![300], vec![0, 300])]
    {
        let host = Host::new(Reply::Status(500));
        let created = host.endpoint(URL).await;
        let mut patch = EndpointPatch::default();
        patch.schedule = Some(Some(RetrySchedule::new(delays.iter().map(|delay| secs(*delay))).unwrap()));
        host.engine.endpoints().update(&created.endpoint.tenant, common::id(&created), &patch).await.unwrap();
        let running = host.start();
        host.publish().await;
        settle().await;
        host.pass(hours(1), mins(5)).await;
        let seconds: Vec<u64> = host.attempts().await.iter().map(|a| a.started_at.since(t0()).as_secs()).collect();
        assert_eq!(seconds, attempts_by_second, "{delays:?}");
        assert_eq!(host.state().await, State::Failed);
        running.stop().await;
    }
}

// C42
#[tokio::test]
async fn each_endpoint_of_an_event_has_its_own_retries() {
    let host = Host::new(Reply::Status(200));
    for url in ["https://a.test/", "https://b.test/", "https://c.test/"] {
        host.endpoint(url).await;
    }
    host.transport.respond("https://b.test/", [Reply::Status(500), Reply::Status(500)]);
    host.transport.respond("https://c.test/", vec![Reply::Failure(Reason::ConnectRefused); 10]);
    let running = host.start();
    host.publish().await;
    run_through_the_schedule(&host).await;
    let to = |url| host.transport.sent_to(url).len();
    assert_eq!((to("https://a.test/"), to("https://b.test/"), to("https://c.test/")), (1, 3, 6));
    assert_eq!((host.count(State::Delivered).await, host.count(State::Failed).await), (2, 1));
    running.stop().await;
}

// C43, on the engine's side: whatever the transport says went wrong takes the same table.
#[tokio::test]
async fn every_reason_of_a_transport_follows_the_schedule_and_stands_in_the_log() {
    for reason in Reason::ALL.into_iter().filter(|reason| reason.counts()) {
        let host = Host::new(Reply::Failure(reason));
        host.endpoint(URL).await;
        let running = host.start();
        host.publish().await;
        run_through_the_schedule(&host).await;
        assert_eq!(host.outcomes().await, [reason.as_str(); 6]);
        assert_eq!(host.only_delivery().await.as_stored().reason, Some(reason));
        running.stop().await;
    }
}

// C66, and every other status that is not 200.
#[tokio::test]
async fn every_status_but_200_follows_the_schedule() {
    for status in [100, 199, 201, 202, 204, 206, 299, 300, 301, 304, 307, 308, 400, 401, 404, 410, 429, 500, 503, 999] {
        let host = Host::new(Reply::Status(status));
        host.endpoint(URL).await;
        let running = host.start();
        host.publish().await;
        run_through_the_schedule(&host).await;
        let attempts = host.attempts().await;
        assert_eq!(attempts.len(), 6, "{status}");
        assert!(attempts.iter().all(|attempt| attempt.status_code == Some(status)));
        assert_eq!(host.state().await, State::Failed, "{status}");
        running.stop().await;
    }
}

#[tokio::test]
async fn a_202_is_explained_in_words() {
    let host = Host::new(Reply::Status(202));
    host.endpoint(URL).await;
    host.publish().await;
    let round = host.engine.run_once().await.unwrap();
    assert_eq!((round.delivered, round.retried, round.failed, round.withheld), (0, 1, 0, 0));
    let attempts = host.attempts().await;
    assert_eq!(attempts[0].error.as_deref(), Some("answered 202; this endpoint requires 200"));
}

// C66: one endpoint that is gone does not touch what else waits for it.
#[tokio::test]
async fn a_410_neither_disables_the_endpoint_nor_ends_its_other_deliveries() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    host.transport.respond(URL, [Reply::Status(410)]);
    let running = host.start();
    for _ in 0..4 {
        host.publish().await;
    }
    settle().await;
    assert_eq!((host.count(State::Scheduled).await, host.count(State::Delivered).await), (1, 3));
    let endpoint = host.engine.endpoints().get(&created.endpoint.tenant, common::id(&created)).await.unwrap();
    assert!(endpoint.is_enabled());
    running.stop().await;
}

// C80
#[tokio::test]
async fn a_failed_attempt_shows_its_next_time_over_a_restart_and_totals_are_the_sum_of_states() {
    let host = Host::new(Reply::Status(404));
    host.endpoint(URL).await;
    host.transport.respond(URL, [Reply::Status(404), Reply::Status(200)]);
    let running = host.start();
    let receipt = host.publish().await;
    settle().await;
    running.stop().await;
    let restarted = host.sibling();
    let delivery = host.only_delivery().await;
    let outlook = restarted.engine.history().outlook(std::slice::from_ref(&delivery)).await.unwrap();
    assert_eq!((delivery.state(), outlook[0].next_attempt_at), (State::Scheduled, Some(at("00:05:00"))));
    assert_eq!(outlook[0].gives_up_at, Some(at("17:35:00")));
    let running = restarted.start();
    host.advance(mins(5)).await;
    assert_eq!(host.state().await, State::Delivered);

    restarted.publish().await;
    run_through_the_schedule(&restarted).await;
    let stats = restarted.engine.history().stats(None).await.unwrap();
    assert_eq!(stats.by_state.into_iter().collect::<Vec<_>>(), [(State::Delivered, 1), (State::Failed, 1)]);
    assert_eq!(stats.oldest_due, None);
    let record = restarted.engine.history().event(&key(&receipt)).await.unwrap().unwrap();
    assert_eq!(record.status(), notify_core::delivery::EventStatus::Delivered);
    running.stop().await;
}

#[tokio::test]
async fn run_once_does_what_is_due_and_counts_it() {
    let host = Host::new(Reply::Status(200));
    let schedule = RetrySchedule::never();
    host.endpoint("https://good.test/").await;
    host.endpoint("https://bad.test/").await;
    let last = host.endpoint("https://last.test/").await;
    let mut patch = EndpointPatch::default();
    patch.schedule = Some(Some(schedule));
    host.engine.endpoints().update(&last.endpoint.tenant, common::id(&last), &patch).await.unwrap();
    host.transport.respond("https://bad.test/", [Reply::Status(500)]);
    host.transport.respond("https://last.test/", [Reply::Status(500)]);
    host.engine.publish(&ConnectionUpdated::example()).await.unwrap();
    let round = host.engine.run_once().await.unwrap();
    assert_eq!((round.delivered, round.retried, round.failed, round.withheld), (1, 1, 1, 0));
    let nothing = host.engine.run_once().await.unwrap();
    assert_eq!((nothing.delivered, nothing.retried, nothing.failed), (0, 0, 0));
    host.clock.advance(mins(5));
    assert_eq!(host.engine.run_once().await.unwrap().delivered, 1);
}
