//! The whole API, once through, and what it refuses.

use serde_json::json;

use crate::fixture::{Folder, is, on_each_store, text};
use crate::http::request;
use crate::receiver::{Receiver, Reply};

on_each_store! {
    an_event_goes_from_publish_to_log,
    a_failing_receiver_shows_its_answer_and_what_is_ahead,
    publishing_the_same_again_is_a_duplicate_and_other_content_a_conflict,
    not_before_holds_the_first_attempt_back,
}

async fn an_event_goes_from_publish_to_log(folder: &Folder) {
    let receiver = Receiver::start(Reply::status(200)).await;
    let host = folder.host(&[]).await;
    assert_eq!(host.get("/health").await, json!({ "status": "ok" }));
    let endpoint = host.endpoint("crm", &receiver.url()).await;
    let secret = text(&endpoint["secret"]);
    assert!(secret.starts_with("whsec_"));

    let body =
        r#"{"event":"connection.created","data":{"connection_id":"con_1"},"timestamp":"2023-09-24T03:11:32.456Z"}"#;
    let receipt = host.call("POST /events", body).await.expect(202);
    let id = text(&receipt["event_id"]);
    assert_eq!(receipt, json!({ "event_id": id, "deliveries": 1, "duplicate": false }));
    let event = host.event_until(&id, is("delivered")).await;
    let sent = format!(
        r#"{{"event_id":"{id}","event":"connection.created","timestamp":"2023-09-24T03:11:32.456Z","data":{{"connection_id":"con_1"}}}}"#
    );
    assert_eq!(event["body"], sent);
    let delivery = &event["deliveries"][0];
    assert_eq!((&delivery["status"], &delivery["endpoint_id"]), (&json!("delivered"), &endpoint["id"]));
    assert_eq!((&delivery["next_attempt_at"], &delivery["gives_up_at"]), (&json!(null), &json!(null)));
    let attempt = &delivery["attempts"][0];
    assert_eq!(
        (&attempt["number"], &attempt["outcome"], &attempt["status_code"]),
        (&json!(1), &json!("success"), &json!(200))
    );
    assert_eq!(text(&attempt["started_at"]).len(), "2023-09-24T03:11:32.456Z".len());

    let received = receiver.wait_for(1).await;
    assert_eq!(received[0].text(), sent);
    received[0].verify(&secret);
    assert_eq!(received[0].header("webhook-id"), Some(id.as_str()));
    let stats = host.get("/stats").await;
    assert_eq!(
        stats["by_status"],
        json!({ "scheduled": 0, "in_flight": 0, "delivered": 1, "failed": 0, "cancelled": 0, "held": 0 })
    );
    assert_eq!(
        (&stats["store"], &stats["engine"], &stats["in_flight"]),
        (&json!(folder.kind()), &json!("running"), &json!(0))
    );
}

async fn a_failing_receiver_shows_its_answer_and_what_is_ahead(folder: &Folder) {
    let reply = Reply::After(std::time::Duration::ZERO, 500, b"broken \xff pipe".to_vec());
    let receiver = Receiver::start(reply).await;
    let host = folder.host(&[]).await;
    host.endpoint("crm", &receiver.url()).await;
    let id = host.publish().await;
    let event = host.event_until(&id, |event| event["deliveries"][0]["attempts"][0].is_object()).await;
    let delivery = &event["deliveries"][0];
    assert_eq!(
        (&event["status"], &delivery["status"], &delivery["reason"]),
        (&json!("pending"), &json!("scheduled"), &json!("status_5xx"))
    );
    let attempt = &delivery["attempts"][0];
    assert_eq!(
        (&attempt["outcome"], &attempt["response_head"]),
        (&json!("status_5xx"), &json!("broken \u{fffd} pipe"))
    );
    assert_eq!(attempt["response_truncated"], false);
    // To an address, without TLS: two parts, and no more time than the attempt took.
    let timing = attempt["timing"].as_object().unwrap();
    let told: std::collections::BTreeSet<_> = timing.keys().map(String::as_str).collect();
    assert_eq!(told, ["connect_ms", "connection", "first_byte_ms"].into());
    assert_eq!(timing["connection"], "new");
    let parts = ["connect_ms", "first_byte_ms"].map(|part| timing[part].as_u64().unwrap());
    assert!(parts.iter().sum::<u64>() <= attempt["duration_ms"].as_u64().unwrap(), "{attempt:#}");
    // 5 min after the end of the attempt, and 30 min, 2 h, 5 h and 10 h after that. The log keeps whole milliseconds
    // of an end that lies between two of them.
    let ended = millis(&text(&attempt["started_at"])) + attempt["duration_ms"].as_i64().unwrap();
    let next = millis(&text(&delivery["next_attempt_at"]));
    assert!((300_000..=300_001).contains(&(next - ended)), "{delivery:#}");
    assert_eq!(millis(&text(&delivery["gives_up_at"])) - next, 63_000_000);
}

#[tokio::test]
async fn a_202_is_a_failure_unless_the_endpoint_accepts_any_2xx() {
    let (folder, receiver) = (Folder::new(), Receiver::start(Reply::status(202)).await);
    let host = folder.host(&["--schedule", "none"]).await;
    let strict = host.endpoint("strict", &receiver.url()).await;
    let wide = json!({ "name": "wide", "url": receiver.url(), "success": "2xx" });
    host.call("POST /endpoints", wide).await.expect(201);
    let id = host.publish().await;
    let event = host.event_until(&id, is("partial")).await;
    for delivery in event["deliveries"].as_array().unwrap() {
        let is_strict = delivery["endpoint_id"] == strict["id"];
        assert_eq!(delivery["status"], if is_strict { "failed" } else { "delivered" });
        if is_strict {
            assert_eq!(delivery["reason"], "status_2xx_not_200");
            let said = text(&delivery["attempts"][0]["error"]);
            assert!(said.contains("202") && said.contains("200"), "{said}");
        }
    }
}

async fn publishing_the_same_again_is_a_duplicate_and_other_content_a_conflict(folder: &Folder) {
    let receiver = Receiver::start(Reply::status(200)).await;
    let host = folder.host(&[]).await;
    host.endpoint("crm", &receiver.url()).await;
    let one = json!({ "event": "a.b", "data": 1, "event_id": "mine", "idempotency_key": "k" });
    assert_eq!(host.call("POST /events", &one).await.expect(202)["duplicate"], false);
    let again = host.call("POST /events", &one).await.expect(202);
    assert_eq!(again, json!({ "event_id": "mine", "deliveries": 1, "duplicate": true }));
    let other = json!({ "event": "a.b", "data": 2, "event_id": "mine" });
    assert_eq!(host.call("POST /events", &other).await.error().0, 409);
    let other = json!({ "event": "a.b", "data": 2, "idempotency_key": "k" });
    assert_eq!(host.call("POST /events", &other).await.error().0, 409);

    let new = json!({ "event": "a.b", "data": 3, "event_id": "new" });
    let batch = host.call("POST /events/batch", json!([new, one])).await.expect(202);
    assert_eq!((&batch[0]["duplicate"], &batch[1]["duplicate"]), (&json!(false), &json!(true)));
    let fresh = json!({ "event": "a.b", "data": 3, "event_id": "fresh" });
    let conflict =
        host.call("POST /events/batch", json!([fresh, { "event": "a.b", "data": 9, "event_id": "mine" }])).await;
    assert_eq!(conflict.error().0, 409);
    assert_eq!(host.call("GET /events/fresh", "").await.status, 404, "a conflict stores nothing of its batch");
    host.event_until("new", is("delivered")).await;
    host.event_until("mine", is("delivered")).await;
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn a_batch_may_be_larger_than_one_request_of_another_kind_and_no_event_in_it_larger_than_the_limit() {
    let folder = Folder::new();
    let host = folder.host(&[]).await;
    let event = |bytes: usize| json!({ "event": "a.b", "data": "x".repeat(bytes) });
    let batch = json!(vec![event(100 * 1024); 15]);
    assert_eq!(host.call("POST /events/batch", batch).await.expect(202).as_array().unwrap().len(), 15);
    let batch = json!([event(1), event(300 * 1024)]);
    assert_eq!(host.call("POST /events/batch", batch).await.error().0, 413);
    assert_eq!(host.get("/events?limit=100").await["events"].as_array().unwrap().len(), 15);
    assert_eq!(host.call("POST /events/batch", json!(vec![event(1); 1001])).await.error().0, 413);
    assert_eq!(host.call("POST /events/batch", json!([])).await.expect(202), json!([]));
}

async fn not_before_holds_the_first_attempt_back(folder: &Folder) {
    let receiver = Receiver::start(Reply::status(200)).await;
    let host = folder.host(&[]).await;
    host.endpoint("crm", &receiver.url()).await;
    let later = json!({ "event": "a.b", "data": 1, "event_id": "later", "not_before": "2199-01-01T00:00:00Z" });
    host.call("POST /events", later).await.expect(202);
    let now = host.publish().await;
    host.event_until(&now, is("delivered")).await;
    assert_eq!(host.get("/events/later").await["deliveries"][0]["next_attempt_at"], "2199-01-01T00:00:00.000Z");
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn what_is_refused_says_which_field_and_why() {
    let folder = Folder::new();
    let host = folder.host(&[]).await;
    let big = format!(r#"{{"event":"a.b","data":"{}"}}"#, "x".repeat(300 * 1024));
    let bigger = format!(r#"{{"event":"a.b","data":"{}"}}"#, "x".repeat(2 * 1024 * 1024));
    for (line, body, status, field) in [
        ("POST /endpoints", "{", 400, None),
        ("POST /endpoints", "[]", 400, None),
        ("POST /endpoints", "", 422, Some("name")),
        ("POST /endpoints", r#"{"name":"a"}"#, 422, Some("url")),
        ("POST /endpoints", r#"{"name":5,"url":"https://h.example/"}"#, 422, Some("name")),
        ("POST /endpoints", r#"{"name":" ","url":"https://h.example/"}"#, 422, Some("name")),
        ("POST /endpoints", r#"{"name":"a","url":"https://h.example/","urls":1}"#, 400, Some("urls")),
        ("POST /endpoints", r#"{"name":"a","url":"https://h.example/","rate_limit":5}"#, 422, Some("rate_limit")),
        ("POST /endpoints", r#"{"name":"a","url":"https://h.example/","events":[]}"#, 422, Some("events")),
        ("POST /endpoints", r#"{"name":"a","url":"https://h.example/","secret":""}"#, 422, Some("secret")),
        ("POST /endpoints", r#"{"name":"a","url":"https://h.example/","secret":"whsec_!"}"#, 422, Some("secret")),
        ("POST /endpoints", r#"{"name":"a","url":"https://h.example/","success":"3xx"}"#, 422, Some("success")),
        ("POST /endpoints", r#"{"name":"a","url":"https://h.example/","schedule":"soon"}"#, 422, Some("schedule")),
        ("POST /endpoints", r#"{"name":"a","url":"https://h.example/","headers":{"host":"x"}}"#, 422, Some("headers")),
        ("POST /endpoints", r#"{"name":"a","url":"https://h.example/","tenant":"a\nb"}"#, 422, Some("tenant")),
        ("POST /events", r#"{"event":"a.b"}"#, 422, Some("data")),
        ("POST /events", r#"{"event":"A.b","data":1}"#, 422, Some("event")),
        ("POST /events", r#"{"event":"a.b","data":1,"event_id":"a b"}"#, 422, Some("event_id")),
        ("POST /events", r#"{"event":"a.b","data":1,"timestamp":"yesterday"}"#, 422, Some("timestamp")),
        ("POST /events", r#"{"event":"a.b","data":1,"idempotency_key":""}"#, 422, Some("idempotency_key")),
        ("POST /events", r#"{"event":"a.b","data":1,"not_after":1}"#, 400, Some("not_after")),
        ("POST /events", r#"{"event":"a.b","data":{]}"#, 400, None),
        ("POST /events", &big, 413, Some("data")),
        ("POST /events", &bigger, 413, None),
        ("POST /events/batch", r#"[{"event":"a.b","data":1},{"event":"a","data":1}]"#, 422, Some("[1].event")),
        ("POST /events/batch", "{}", 400, None),
        ("GET /events?limit=0", "", 400, Some("limit")),
        ("GET /events?limit=101", "", 400, Some("limit")),
        ("GET /deliveries?limit=x", "", 400, Some("limit")),
        ("GET /endpoints?cursor=2", "", 400, Some("cursor")),
        ("GET /events?status=gone", "", 400, Some("status")),
        ("GET /events?since=today", "", 400, Some("since")),
        ("GET /events?colour=red", "", 400, Some("colour")),
        ("GET /events?limit=1&limit=2", "", 400, None),
        ("GET /events?tenant=", "", 400, Some("tenant")),
        ("GET /events/none", "", 404, None),
        ("GET /events/a%20b", "", 404, None),
        ("GET /endpoints/none", "", 404, None),
        ("PATCH /endpoints/none", "{}", 404, None),
        ("DELETE /endpoints/none", "", 404, None),
        ("POST /endpoints/none/disable", "", 404, None),
        ("POST /endpoints/none/enable", r#"{"backlog":"cancel"}"#, 404, None),
        ("POST /endpoints/none/enable", r#"{"backlog":"keep"}"#, 422, Some("backlog")),
        ("GET /nowhere", "", 404, None),
        ("POST /endpoints/none/ping", "", 404, None),
        ("PUT /events", "", 405, None),
    ] {
        let answer = host.call(line, body).await;
        let (found, _, at) = answer.error();
        assert_eq!((found, at.as_deref()), (status, field), "{line} {}: {answer:?}", &body[..body.len().min(80)]);
    }
    assert_eq!(host.get("/events").await["events"], json!([]));
    assert_eq!(host.get("/endpoints").await["endpoints"], json!([]));
}

#[tokio::test]
async fn bytes_that_are_no_utf8_are_refused() {
    let folder = Folder::new();
    let host = folder.host(&[]).await;
    let answer = request(&host.address, "POST /events", b"{\"event\":\"a.b\",\"data\":\"\xff\"}").await;
    assert_eq!(answer.error().0, 400);
}

fn millis(text: &str) -> i64 {
    text.parse::<notify_core::Timestamp>().unwrap().as_millis()
}
