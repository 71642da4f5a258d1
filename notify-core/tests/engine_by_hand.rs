//! What a person does by hand: resend, cancel, ping, rotate and reveal.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![expect(clippy::disallowed_methods, reason = "a test is the host, and a host spawns")]

mod common;

use std::time::Duration;

use common::{Host, URL, event, hours, id, mins, settle, tenant};
use notify_core::delivery::State;
use notify_core::engine::{Backlog, ControlError, PING, PingRequest, PublishError};
use notify_core::machine::Refusal;
use notify_core::sign::{NOTIFY_SIGNATURE, NOTIFY_SIGNATURE_NEXT, NOTIFY_SIGNATURE_PREVIOUS};
use notify_core::testing::Reply;
use notify_core::{ConnectionCreated, EndpointPatch, EventPayload as _, Secret, TenantId, Verifier};

fn mine() -> TenantId {
    TenantId::default()
}

/// A host whose only delivery has failed for good.
async fn given_up() -> Host {
    let host = Host::new(Reply::Status(500));
    host.endpoint(URL).await;
    let running = host.start();
    host.publish().await;
    host.pass(hours(18), mins(5)).await;
    assert_eq!((host.state().await, host.sent()), (State::Failed, 6));
    running.stop().await;
    host
}

// C75
#[tokio::test]
async fn a_resend_starts_a_round_with_its_own_budget_the_same_bytes_and_the_next_numbers() {
    let host = given_up().await;
    let running = host.start();
    let resent = host.engine.deliveries().resend(&mine(), &host.only_delivery().await.id()).await.unwrap();
    assert_eq!(resent.as_stored().round.get(), 2);
    settle().await;
    assert_eq!(host.sent(), 7, "it is sent at once");
    host.pass(hours(18), mins(5)).await;
    assert_eq!((host.state().await, host.sent()), (State::Failed, 12), "six attempts more, then it gives up again");
    let attempts = host.attempts().await;
    let numbers: Vec<u32> = attempts.iter().map(|attempt| attempt.number.get()).collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
    let rounds: Vec<u32> = attempts.iter().map(|attempt| attempt.round.get()).collect();
    assert_eq!(rounds, [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
    let sent = host.transport.sent();
    assert!(sent.iter().all(|request| request.body == sent[0].body));
    running.stop().await;
}

#[tokio::test]
async fn a_resend_of_a_delivered_event_sends_it_once_more() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let running = host.start();
    host.publish().await;
    settle().await;
    host.engine.deliveries().resend(&mine(), &host.only_delivery().await.id()).await.unwrap();
    settle().await;
    assert_eq!((host.state().await, host.sent()), (State::Delivered, 2));
    running.stop().await;
}

#[tokio::test]
async fn a_resend_to_a_disabled_endpoint_waits_until_it_is_enabled_and_to_a_deleted_one_is_refused() {
    let host = given_up().await;
    let delivery = host.only_delivery().await;
    let endpoints = host.engine.endpoints();
    endpoints.disable(&mine(), delivery.endpoint(), "ops").await.unwrap();
    let running = host.start();
    let held = host.engine.deliveries().resend(&mine(), &delivery.id()).await.unwrap();
    settle().await;
    assert_eq!((held.state(), host.sent()), (State::Held, 6));
    endpoints.enable(&mine(), delivery.endpoint(), Backlog::Resume).await.unwrap();
    settle().await;
    assert_eq!(host.sent(), 7);
    endpoints.delete(&mine(), delivery.endpoint()).await.unwrap();
    let refused = host.engine.deliveries().resend(&mine(), &delivery.id()).await;
    assert!(matches!(refused, Err(ControlError::Refused(Refusal::EndpointGone))), "{refused:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_cancelled_delivery_is_not_sent_and_cancelling_again_is_no_error() {
    let host = Host::new(Reply::Status(500));
    host.endpoint(URL).await;
    let running = host.start();
    host.publish().await;
    settle().await;
    let id = host.only_delivery().await.id();
    for _ in 0..2 {
        assert_eq!(host.engine.deliveries().cancel(&mine(), &id).await.unwrap().state(), State::Cancelled);
    }
    host.pass(hours(20), mins(30)).await;
    assert_eq!((host.state().await, host.sent()), (State::Cancelled, 1));
    running.stop().await;
}

#[tokio::test]
async fn nothing_is_done_by_hand_while_a_request_is_under_way_or_to_what_has_ended() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    host.transport.respond(URL, [Reply::Hang]);
    let running = host.start();
    host.publish().await;
    settle().await;
    let (deliveries, id) = (host.engine.deliveries(), host.only_delivery().await.id());
    let resent = deliveries.resend(&mine(), &id).await;
    assert!(matches!(resent, Err(ControlError::Refused(Refusal::InFlight))), "{resent:?}");
    let cancelled = deliveries.cancel(&mine(), &id).await;
    assert!(matches!(cancelled, Err(ControlError::Refused(Refusal::InFlight))), "{cancelled:?}");
    host.advance(mins(1)).await;
    host.advance(mins(5)).await;
    assert_eq!(host.state().await, State::Delivered);
    let cancelled = deliveries.cancel(&mine(), &id).await;
    assert!(matches!(cancelled, Err(ControlError::Refused(Refusal::Ended(State::Delivered)))), "{cancelled:?}");
    running.stop().await;
}

#[tokio::test]
async fn another_tenant_s_delivery_looks_missing_and_stays_as_it_is() {
    let host = given_up().await;
    let (deliveries, id) = (host.engine.deliveries(), host.only_delivery().await.id());
    let other = tenant("other");
    for refused in
        [deliveries.get(&other, &id).await, deliveries.resend(&other, &id).await, deliveries.cancel(&other, &id).await]
    {
        assert!(matches!(refused, Err(ControlError::NoSuchDelivery)), "{refused:?}");
    }
    assert_eq!(host.only_delivery().await.as_stored().round.get(), 1);
}

#[tokio::test]
async fn operators_who_resend_at_once_each_get_their_round() {
    let host = given_up().await;
    let id = host.only_delivery().await.id();
    let calls = (0..20).map(|_| {
        let deliveries = host.engine.deliveries();
        tokio::spawn(async move { deliveries.resend(&mine(), &id).await.unwrap() })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    assert_eq!(host.only_delivery().await.as_stored().round.get(), 21);
}

#[tokio::test]
async fn a_ping_goes_through_the_real_engine_to_its_endpoint_alone_whatever_the_filter_says() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    host.endpoint("https://other.test/").await;
    let mut patch = EndpointPatch::default();
    patch.events = Some(Some(vec!["connection.*".into()]));
    host.engine.endpoints().update(&mine(), id(&created), &patch).await.unwrap();
    let running = host.start();
    let receipt = host.engine.endpoints().ping(&mine(), id(&created)).await.unwrap();
    settle().await;
    assert_eq!((receipt.deliveries, receipt.duplicate), (1, false));
    let [request] = &host.transport.sent()[..] else { panic!("one request") };
    assert_eq!(&*request.url, URL);
    let body = std::str::from_utf8(&request.body).unwrap();
    assert!(body.contains(&format!(r#""event":"{PING}""#)), "{body}");
    Verifier::new([created.secret]).verify(&request.body, request.header(NOTIFY_SIGNATURE).unwrap()).unwrap();
    assert_eq!(host.state().await, State::Delivered);
    running.stop().await;
}

/// The event of the only request, without what differs from run to run.
fn sent_event(host: &Host) -> (String, serde_json::Value) {
    let sent = host.transport.sent();
    let body: serde_json::Value = serde_json::from_slice(&sent.last().unwrap().body).unwrap();
    (body["event"].as_str().unwrap().to_owned(), body["data"].clone())
}

#[tokio::test]
async fn a_test_event_of_a_registered_type_has_its_example_and_any_other_the_endpoint_s_id() {
    let host = Host::with(Reply::Status(200), |builder| builder.event_type::<ConnectionCreated>());
    let created = host.endpoint(URL).await;
    let example = serde_json::to_value(ConnectionCreated::example()).unwrap();
    let of_endpoint = serde_json::json!({ "endpoint_id": id(&created).as_str() });
    for (event_type, data) in [("connection.created", &example), ("invoice.paid", &of_endpoint), (PING, &of_endpoint)] {
        let request = PingRequest::of(event_type.parse().unwrap());
        host.engine.endpoints().ping_with(&mine(), id(&created), &request).await.unwrap();
        host.engine.run_once().await.unwrap();
        assert_eq!(sent_event(&host), (event_type.to_owned(), data.clone()));
    }
    assert_eq!(host.sent(), 3);
}

#[tokio::test]
async fn a_test_event_s_data_may_be_given_within_the_engine_s_limits_and_it_stays_a_test() {
    let host = Host::with(Reply::Status(200), |builder| builder.event_type::<ConnectionCreated>().max_payload(300));
    let created = host.endpoint(URL).await;
    let spelt = r#"{"connection_id" : "con_1","big":9007199254740993, "exact":1.0}"#;
    let of_type = || PingRequest::of("connection.created".parse().unwrap());
    for request in [of_type(), PingRequest::default(), PingRequest::of("invoice.paid".parse().unwrap())] {
        let request = request.with_data(spelt);
        assert!(!format!("{request:?}").contains("con_1"), "{request:?}");
        host.engine.endpoints().ping_with(&mine(), id(&created), &request).await.unwrap();
        host.engine.run_once().await.unwrap();
        let sent = host.transport.sent().pop().unwrap();
        assert!(std::str::from_utf8(&sent.body).unwrap().contains(spelt), "kept to the letter");
    }
    let mut query = notify_core::store::EventQuery::default();
    query.purpose = Some(notify_core::event::Purpose::Test);
    assert_eq!(host.engine.history().events(&query).await.unwrap().items.len(), 3);

    let ping = async |data: &str| {
        let request = of_type().with_data(data);
        host.engine.endpoints().ping_with(&mine(), id(&created), &request).await
    };
    for bad in ["", "{", "{} {}", "nonsense", "{\"a\":}"] {
        let refused = ping(bad).await;
        assert!(matches!(&refused, Err(ControlError::Invalid(invalid)) if invalid.field() == "data"), "{refused:?}");
    }
    // Alone too large, and too large with its envelope.
    for length in [400, 280] {
        let refused = ping(&format!("{:?}", "x".repeat(length))).await;
        let too_large = matches!(refused, Err(ControlError::Publish(PublishError::TooLarge { limit: 300, .. })));
        assert!(too_large, "{length}: {refused:?}");
    }
    assert_eq!(host.deliveries().await.len(), 3, "nothing was stored");
}

#[tokio::test]
async fn a_closed_catalogue_refuses_a_test_event_of_another_type_but_not_the_ping_itself() {
    let host = Host::with(Reply::Status(200), |builder| {
        builder.event_type::<ConnectionCreated>().only_registered_event_types()
    });
    let created = host.endpoint(URL).await;
    let request = PingRequest::of("connection.craeted".parse().unwrap());
    let refused = host.engine.endpoints().ping_with(&mine(), id(&created), &request).await;
    let Err(ControlError::Publish(PublishError::UnknownType { nearest: Some(nearest), .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(nearest.as_str(), "connection.created");
    assert!(host.deliveries().await.is_empty());
    let ping = PingRequest::of(PING.parse().unwrap());
    for request in [PingRequest::default(), ping, PingRequest::of(nearest)] {
        host.engine.endpoints().ping_with(&mine(), id(&created), &request).await.unwrap();
    }
    assert_eq!(host.deliveries().await.len(), 3);
}

#[tokio::test]
async fn a_disabled_or_foreign_endpoint_is_not_pinged() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    let endpoints = host.engine.endpoints();
    let foreign = endpoints.ping(&tenant("other"), id(&created)).await;
    assert!(matches!(foreign, Err(ControlError::NotFound)), "{foreign:?}");
    endpoints.disable(&mine(), id(&created), "ops").await.unwrap();
    let disabled = endpoints.ping(&mine(), id(&created)).await;
    assert!(matches!(disabled, Err(ControlError::EndpointDisabled)), "{disabled:?}");
    assert!(host.deliveries().await.is_empty());
}

/// The header that each secret signs just now, by sending one event: (header, secret's name).
async fn signers(host: &Host, secrets: &[(&'static str, &Secret)]) -> Vec<(&'static str, &'static str)> {
    host.engine.publish_event(event()).await.unwrap();
    settle().await;
    let sent = host.transport.sent();
    let request = sent.last().unwrap();
    let mut signers = Vec::new();
    for header in [NOTIFY_SIGNATURE, NOTIFY_SIGNATURE_NEXT, NOTIFY_SIGNATURE_PREVIOUS] {
        let Some(value) = request.header(header) else { continue };
        let by = secrets
            .iter()
            .find(|(_, secret)| Verifier::new([Secret::clone(secret)]).verify(&request.body, value).is_ok());
        signers.push((header, by.expect("one of the secrets signed it").0));
    }
    signers
}

#[tokio::test]
async fn a_rotation_in_stages_signs_with_each_secret_in_its_own_header() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    let (endpoints, id) = (host.engine.endpoints(), id(&created));
    let running = host.start();
    let unstaged = endpoints.switch_secret(&mine(), id, mins(60)).await;
    assert!(matches!(unstaged, Err(ControlError::NothingStaged)), "{unstaged:?}");

    let staged = endpoints.stage_secret(&mine(), id).await.unwrap();
    let known = [("old", &created.secret), ("new", &staged)];
    assert_eq!(signers(&host, &known).await, [(NOTIFY_SIGNATURE, "old"), (NOTIFY_SIGNATURE_NEXT, "new")]);
    endpoints.switch_secret(&mine(), id, mins(60)).await.unwrap();
    assert_eq!(signers(&host, &known).await, [(NOTIFY_SIGNATURE, "new"), (NOTIFY_SIGNATURE_PREVIOUS, "old")]);
    host.advance(mins(60)).await;
    assert_eq!(signers(&host, &known).await, [(NOTIFY_SIGNATURE, "new")], "the overlap is over");
    running.stop().await;
}

#[tokio::test]
async fn a_rotation_in_one_call_overlaps_until_it_is_retired_by_hand() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    let (endpoints, id) = (host.engine.endpoints(), id(&created));
    let running = host.start();
    let second = endpoints.rotate_secret(&mine(), id, hours(24)).await.unwrap();
    let known = [("first", &created.secret), ("second", &second)];
    assert_eq!(signers(&host, &known).await, [(NOTIFY_SIGNATURE, "second"), (NOTIFY_SIGNATURE_PREVIOUS, "first")]);
    endpoints.retire_secret(&mine(), id).await.unwrap();
    assert_eq!(signers(&host, &known).await, [(NOTIFY_SIGNATURE, "second")]);
    let third = endpoints.rotate_secret(&mine(), id, Duration::ZERO).await.unwrap();
    assert_eq!(signers(&host, &[("third", &third)]).await, [(NOTIFY_SIGNATURE, "third")], "a leak: no overlap");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rotations_that_race_all_land() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    let before = created.endpoint.version.get();
    let races: Vec<_> = (0..50)
        .map(|_| {
            let (endpoints, id) = (host.engine.endpoints(), id(&created).clone());
            tokio::spawn(async move { endpoints.rotate_secret(&mine(), &id, hours(24)).await.unwrap() })
        })
        .collect();
    let mut secrets = Vec::new();
    for race in races {
        secrets.push(race.await.unwrap());
    }
    let now = host.engine.endpoints().get(&mine(), id(&created)).await.unwrap();
    assert_eq!(now.version.get(), before + 50);
    assert_eq!(now.secrets.iter().count(), 2);
    assert!(now.secrets.iter().all(|stored| secrets.contains(&stored.secret)));
}

#[tokio::test]
async fn a_secret_is_shown_again_only_where_the_engine_was_built_to_and_to_its_own_tenant() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    let refused = host.engine.endpoints().reveal_secret(&mine(), id(&created), "ana").await;
    assert!(matches!(refused, Err(ControlError::RevealOff)), "{refused:?}");
    let open = host.sibling_with(notify_core::EngineBuilder::reveal_secrets).engine.endpoints();
    assert_eq!(open.reveal_secret(&mine(), id(&created), "ana").await.unwrap(), created.secret);
    let foreign = open.reveal_secret(&tenant("other"), id(&created), "eve").await;
    assert!(matches!(foreign, Err(ControlError::NotFound)), "{foreign:?}");
}
