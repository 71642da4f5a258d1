//! Endpoints: their life, their tenants, and the URLs that are refused.

use serde_json::{Value, json};

use crate::fixture::{Folder, is, on_each_store, text};
use crate::receiver::{Receiver, Reply};

on_each_store! {
    an_endpoint_is_registered_read_changed_and_deleted,
    a_disabled_endpoint_holds_its_deliveries_and_the_operator_chooses_what_becomes_of_them,
    deleting_an_endpoint_cancels_what_is_open_and_keeps_the_log,
    a_tenant_sees_and_reaches_only_its_own,
    a_person_pings_rotates_resends_and_cancels_over_the_api,
}

async fn an_endpoint_is_registered_read_changed_and_deleted(folder: &Folder) {
    let host = folder.host(&[]).await;
    let new = json!({
        "name": "crm", "url": "https://crm.example.com/hook", "description": "d", "events": ["connection.*"],
        "headers": { "X-Key": "canary" }, "success": "2xx", "schedule": "1s,5min", "secret": "my own secret",
    });
    let created = host.call("POST /endpoints", new).await.expect(201);
    let (id, at) = (text(&created["id"]), text(&created["created_at"]));
    let mut shown = json!({
        "id": id, "tenant": "default", "name": "crm", "url": "https://crm.example.com/hook", "description": "d",
        "events": ["connection.*"], "headers": ["x-key"], "success": "2xx", "schedule": "1s,5min",
        "created_at": at, "updated_at": at,
    });
    assert_eq!(host.get(&format!("/endpoints/{id}")).await, shown);
    shown["secret"] = json!("my own secret");
    assert_eq!(created, shown);

    let patch =
        json!({ "name": "CRM", "events": null, "success": null, "schedule": null, "headers": {}, "description": null });
    let changed = host.call(&format!("PATCH /endpoints/{id}"), patch).await.expect(200);
    for (field, value) in [
        ("name", json!("CRM")),
        ("events", Value::Null),
        ("success", Value::Null),
        ("schedule", Value::Null),
        ("headers", json!([])),
        ("description", json!("")),
        ("url", json!("https://crm.example.com/hook")),
    ] {
        assert_eq!(changed[field], value, "{field}");
    }
    assert_eq!(host.get("/endpoints").await, json!({ "endpoints": [changed], "next_cursor": null }));
    let deleted = host.call(&format!("DELETE /endpoints/{id}"), "").await;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    assert_eq!(host.call(&format!("GET /endpoints/{id}"), "").await.status, 404);
    assert_eq!(host.get("/endpoints").await["endpoints"], json!([]));
}

/// C67, C61: URLs that can never be delivered to were stored elsewhere.
#[tokio::test]
async fn a_url_that_cannot_be_delivered_to_is_refused_and_nothing_is_stored() {
    let folder = Folder::new();
    let host = folder.host(&[]).await;
    let endpoint = host.endpoint("good", "https://good.example.com/x").await;
    let long = format!("https://h.example.com/{}", "a".repeat(10_000));
    for url in [
        "ftp://h.example.com/x",
        "file:///etc/hosts",
        "javascript:alert(1)",
        "https://",
        "http:///p",
        "//h/x",
        "h/x",
        "https://h.example.com/x\n",
        " https://h.example.com/x",
        "https://h.example.com:0/",
        "https://h.example.com:99999/",
        "https://h.example.com/x#frag",
        "https://h.example.com/a b",
        &long,
        "",
        "http://h.example.com\\@10.0.0.1/",
        "https://user:pass@h.example.com/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/",
        "https://2130706433/",
        "http://8.8.8.8/",
    ] {
        let answer = host.call("POST /endpoints", json!({ "name": "bad", "url": url })).await;
        let shown = &url[..url.len().min(60)];
        assert_eq!((answer.error().0, answer.error().2.as_deref()), (422, Some("url")), "{shown:?}: {answer:?}");
        let line = format!("PATCH /endpoints/{}", text(&endpoint["id"]));
        assert_eq!(host.call(&line, json!({ "url": url })).await.error().0, 422, "{shown:?}");
    }
    let endpoints = host.get("/endpoints").await;
    assert_eq!(endpoints["endpoints"].as_array().unwrap().len(), 1);
    assert_eq!(endpoints["endpoints"][0]["url"], "https://good.example.com/x");
    host.endpoint("upper", "HTTPS://H.example.com/X").await;
}

async fn a_disabled_endpoint_holds_its_deliveries_and_the_operator_chooses_what_becomes_of_them(folder: &Folder) {
    let receiver = Receiver::start(Reply::status(200)).await;
    let host = folder.host(&[]).await;
    let path = format!("/endpoints/{}", text(&host.endpoint("crm", &receiver.url()).await["id"]));
    let disabled = host.call(&format!("POST {path}/disable"), "").await.expect(200);
    assert_eq!((&disabled["disabled"]["reason"], &disabled["disabled"]["by"]), (&json!("operator"), &json!("api")));
    assert_eq!(host.get(&path).await["disabled"], disabled["disabled"]);

    let held = host.publish().await;
    let event = host.get(&format!("/events/{held}")).await;
    assert_eq!((&event["status"], &event["deliveries"][0]["status"]), (&json!("pending"), &json!("held")));
    let enabled = host.call(&format!("POST {path}/enable"), json!({ "backlog": "cancel" })).await.expect(200);
    assert_eq!(enabled["disabled"], Value::Null);
    assert_eq!(host.get(&format!("/events/{held}")).await["status"], "cancelled");

    host.call(&format!("POST {path}/disable"), "").await.expect(200);
    let resumed = host.publish().await;
    host.call(&format!("POST {path}/enable"), "").await.expect(200);
    host.event_until(&resumed, is("delivered")).await;
    assert_eq!(receiver.events(), [resumed].into());
}

async fn deleting_an_endpoint_cancels_what_is_open_and_keeps_the_log(folder: &Folder) {
    let receiver = Receiver::start(Reply::status(500)).await;
    let host = folder.host(&[]).await;
    let id = text(&host.endpoint("crm", &receiver.url()).await["id"]);
    let event = host.publish().await;
    host.event_until(&event, |event| event["deliveries"][0]["reason"] == "status_5xx").await;
    host.call(&format!("DELETE /endpoints/{id}"), "").await.expect(204);
    let event = host.get(&format!("/events/{event}")).await;
    assert_eq!(
        (&event["status"], event["deliveries"][0]["attempts"].as_array().unwrap().len()),
        (&json!("cancelled"), 1)
    );
    let unmatched = host.publish().await;
    assert_eq!(host.get(&format!("/events/{unmatched}")).await["status"], "no_endpoint");
}

async fn a_tenant_sees_and_reaches_only_its_own(folder: &Folder) {
    let receiver = Receiver::start(Reply::status(200)).await;
    let host = folder.host(&[]).await;
    let new = json!({ "name": "a", "url": receiver.url() });
    let endpoint = host.call("POST /endpoints?tenant=acme", new).await.expect(201);
    assert_eq!(endpoint["tenant"], "acme");
    let id = text(&endpoint["id"]);
    for line in ["GET", "PATCH", "DELETE"].map(|method| format!("{method} /endpoints/{id}")) {
        assert_eq!(host.call(&line, "{}").await.status, 404, "{line}");
        assert_eq!(host.call(&format!("{line}?tenant=other"), "{}").await.status, 404, "{line}");
    }
    for action in ["disable", "enable"] {
        assert_eq!(host.call(&format!("POST /endpoints/{id}/{action}"), "").await.status, 404, "{action}");
    }

    let event = json!({ "event": "a.b", "data": 1, "event_id": "same" });
    let foreign = host.call("POST /events", &event).await.expect(202);
    assert_eq!(foreign["deliveries"], 0, "an event of the default tenant reaches no endpoint of acme");
    let own =
        host.call("POST /events", json!({ "event": "a.b", "data": 1, "event_id": "same", "tenant": "acme" })).await;
    assert_eq!(own.expect(202)["deliveries"], 1, "ids are unique for their tenant only");
    host.read_until("/events/same?tenant=acme", is("delivered")).await;
    assert_eq!(host.get("/events/same").await["status"], "no_endpoint");
    assert_eq!(host.call("GET /events/same?tenant=other", "").await.status, 404);
    assert_eq!(host.get("/deliveries").await["deliveries"], json!([]));
    assert_eq!(host.get("/deliveries?tenant=acme").await["deliveries"].as_array().unwrap().len(), 1);
    assert_eq!(host.get("/stats").await["by_status"]["delivered"], 0);
    assert_eq!(host.get("/stats?tenant=acme").await["by_status"]["delivered"], 1);
    assert_eq!(receiver.received().len(), 1);
}

async fn a_person_pings_rotates_resends_and_cancels_over_the_api(folder: &Folder) {
    let receiver = Receiver::start(Reply::status(500)).await;
    let host = folder.host(&["--allow", "127.0.0.0/8"]).await;
    let endpoint = host.endpoint("crm", &receiver.url()).await;
    let (id, secret) = (text(&endpoint["id"]), text(&endpoint["secret"]));

    let ping = host.call(&format!("POST /endpoints/{id}/ping"), "").await.expect(202);
    let event = host.event_until(&text(&ping["event_id"]), |event| event["deliveries"][0]["attempt_count"] == 1).await;
    assert_eq!((&event["event"], &event["status"]), (&json!("endpoint.ping"), &json!("pending")));
    let delivery = text(&event["deliveries"][0]["id"]);
    let own = r#"{"event":"invoice.paid","data":{"exact" : 1.0}}"#;
    let ping_of_a_type = host.call(&format!("POST /endpoints/{id}/ping"), own).await.expect(202);
    let shown = host.get(&format!("/events/{}", text(&ping_of_a_type["event_id"]))).await;
    assert_eq!((&shown["event"], &shown["purpose"]), (&json!("invoice.paid"), &json!("test")));
    assert!(text(&shown["body"]).contains(r#"{"exact" : 1.0}"#), "{shown}");
    let refused = host.call(&format!("POST /endpoints/{id}/ping"), json!({ "event": "Paid" })).await;
    assert_eq!(refused.error(), (422, "NTF-EVENT-TYPE".into(), Some("event".into())));

    let failing = host.read_until(&format!("/endpoints/{id}"), |shown| shown["failing_since"].is_string()).await;
    assert_eq!(host.get("/endpoints").await["endpoints"][0]["failing_since"], failing["failing_since"]);
    let cancelled = host.call(&format!("POST /deliveries/{delivery}/cancel"), "").await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    let foreign = host.call(&format!("POST /deliveries/{delivery}/resend?tenant=other"), "").await;
    assert_eq!(foreign.status, 404);
    host.call(&format!("POST /deliveries/{delivery}/resend"), "").await.expect(200);
    host.event_until(&text(&ping["event_id"]), |event| event["deliveries"][0]["attempt_count"] == 2).await;

    let rotated =
        host.call(&format!("POST /endpoints/{id}/secret/rotate"), json!({ "overlap": "1h" })).await.expect(200);
    assert_ne!(text(&rotated["secret"]), secret);
    let nothing = host.call(&format!("POST /endpoints/{id}/secret/switch"), "").await;
    assert_eq!(nothing.status, 409);
    host.call(&format!("POST /endpoints/{id}/secret/stage"), "").await.expect(200);
    for step in ["switch", "retire"] {
        let shown = host.call(&format!("POST /endpoints/{id}/secret/{step}"), "").await.expect(200);
        assert_eq!(shown["id"], json!(id));
        assert!(shown.get("secret").is_none());
    }
    let bad = host.call(&format!("POST /endpoints/{id}/secret/rotate"), json!({ "overlap": "1h,2h" })).await;
    assert_eq!(bad.status, 422);
}
