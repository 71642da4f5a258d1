//! Sending much, by a job.

use serde_json::{Value, json};

use crate::fixture::{Folder, Host, is, on_each_store, text};
use crate::receiver::{Receiver, Reply};

on_each_store! {
    what_failed_and_what_is_missing_and_all_of_it_are_sent_by_jobs,
}

const LONG_AGO: &str = "2020-01-01T00:00:00Z";

/// Begins a job and waits for its end.
async fn job(host: &Host, endpoint: &str, fields: Value) -> Value {
    let begun = begin(host, endpoint, fields).await;
    let id = text(&begun["job"]);
    let job = host.read_until(&format!("/jobs/{id}"), |job| job["state"] != "running").await;
    assert_eq!((&job["id"], &job["count"], &job["endpoint_id"]), (&begun["job"], &begun["count"], &json!(endpoint)));
    job
}

async fn begin(host: &Host, endpoint: &str, fields: Value) -> Value {
    host.call(&format!("POST /endpoints/{endpoint}/recover"), fields).await.expect(202)
}

async fn count(host: &Host, endpoint: &str, mut fields: Value) -> Value {
    fields["dry_run"] = json!(true);
    let counted = begin(host, endpoint, fields).await;
    assert_eq!((&counted["job"], &counted["more"]), (&Value::Null, &json!(false)));
    counted["count"].clone()
}

async fn what_failed_and_what_is_missing_and_all_of_it_are_sent_by_jobs(folder: &Folder) {
    let receiver = Receiver::start(Reply::status(200)).await;
    let host = folder.host(&["--schedule", "none"]).await;
    // Nobody is there for the first three.
    for _ in 0..3 {
        host.publish().await;
    }
    let id = text(&host.endpoint("late", &receiver.url()).await["id"]);
    let missing = json!({ "mode": "missing", "since": LONG_AGO });
    assert_eq!(count(&host, &id, missing.clone()).await, 3);
    let done = job(&host, &id, missing.clone()).await;
    assert_eq!((&done["state"], &done["sent"]), (&json!("done"), &json!(3)), "{done}");
    host.read_until("/stats", |stats| stats["by_status"]["delivered"] == 3).await;
    assert_eq!(job(&host, &id, missing).await["sent"], 0, "nothing is missing any more");

    receiver.answer(Reply::status(503));
    let failed = host.publish().await;
    host.event_until(&failed, is("failed")).await;
    receiver.answer(Reply::status(404));
    let other = host.publish().await;
    host.event_until(&other, is("failed")).await;
    receiver.answer(Reply::status(200));
    for (filter, expected) in [
        (json!({}), 2),
        (json!({ "status_code": 503 }), 1),
        (json!({ "status_code": 500 }), 0),
        (json!({ "reason": "status_4xx" }), 1),
        (json!({ "until": LONG_AGO.replace("2020", "2021") }), 0),
    ] {
        let mut fields = json!({ "mode": "failed", "since": LONG_AGO });
        fields.as_object_mut().unwrap().extend(filter.as_object().unwrap().clone());
        assert_eq!(count(&host, &id, fields).await, expected, "{filter}");
    }
    let done = job(&host, &id, json!({ "mode": "failed", "since": LONG_AGO, "status_code": 503 })).await;
    assert_eq!((&done["state"], &done["sent"]), (&json!("done"), &json!(1)));
    host.event_until(&failed, is("delivered")).await;
    assert_eq!(host.get(&format!("/events/{other}")).await["status"], "failed", "it was not asked for");

    let sent = receiver.received().len();
    let all = json!({ "mode": "all", "since": LONG_AGO });
    assert_eq!(count(&host, &id, all.clone()).await, 5);
    assert_eq!(job(&host, &id, all).await["sent"], 5);
    host.read_until("/stats", |stats| stats["by_status"]["delivered"] == 5).await;
    assert_eq!((receiver.received().len(), receiver.events().len()), (sent + 5, 5));
}

#[tokio::test]
async fn a_job_is_stopped_after_the_page_that_is_under_way_and_what_is_left_is_sent_by_the_next() {
    let receiver = Receiver::start(Reply::status(200)).await;
    let folder = Folder::new();
    let host = folder.host(&[]).await;
    for _ in 0..4 {
        let batch: Vec<Value> = (0..1_000).map(|_| json!({ "event": "a.b", "data": {} })).collect();
        host.call("POST /events/batch", json!(batch)).await.expect(202);
    }
    let id = text(&host.endpoint("late", &receiver.url()).await["id"]);
    host.call(&format!("POST /endpoints/{id}/disable"), "").await.expect(200);
    let missing = json!({ "mode": "missing", "since": LONG_AGO });
    let begun = begin(&host, &id, missing.clone()).await;
    assert_eq!(begun["count"], 4_000);
    let path = format!("/jobs/{}", text(&begun["job"]));
    host.call(&format!("POST {path}/stop"), "").await.expect(200);
    let stopped = host.read_until(&path, |job| job["state"] != "running").await;
    let sent = stopped["sent"].as_u64().unwrap();
    assert_eq!(stopped["state"], "stopped", "{stopped}");
    assert!(sent > 0 && sent < 4_000, "{stopped}");
    let held = |stats: &Value| stats["by_status"]["held"].as_u64().unwrap();
    assert_eq!(held(&host.get("/stats").await), sent);
    // It has ended: to stop it changes nothing.
    assert_eq!(host.call(&format!("POST {path}/stop"), "").await.expect(200), stopped);
    assert_eq!(job(&host, &id, missing).await["sent"], 4_000 - sent);
    assert_eq!(held(&host.get("/stats").await), 4_000);
}

#[tokio::test]
async fn what_no_job_can_do_is_refused_by_the_name_of_its_field() {
    let folder = Folder::new();
    let host = folder.host(&[]).await;
    let id = text(&host.endpoint("crm", "https://crm.example.com/hook").await["id"]);
    for (fields, field) in [
        (json!({ "since": LONG_AGO }), "mode"),
        (json!({ "mode": "lost", "since": LONG_AGO }), "mode"),
        (json!({ "mode": "failed" }), "since"),
        (json!({ "mode": "failed", "since": "yesterday" }), "since"),
        (json!({ "mode": "missing", "since": LONG_AGO, "until": LONG_AGO }), "until"),
        (json!({ "mode": "all", "since": LONG_AGO, "until": LONG_AGO }), "until"),
        (json!({ "mode": "all", "since": LONG_AGO, "status_code": 42 }), "status_code"),
        (json!({ "mode": "all", "since": LONG_AGO, "reason": "bad_luck" }), "reason"),
        (json!({ "mode": "all", "since": LONG_AGO, "reason": "dns", "status_code": 404 }), "reason"),
        (json!({ "mode": "missing", "since": LONG_AGO, "status_code": 404 }), "status_code"),
        (json!({ "mode": "missing", "since": LONG_AGO, "reason": "dns" }), "reason"),
        (json!({ "mode": "failed", "since": LONG_AGO, "dry_run": "yes" }), "dry_run"),
    ] {
        let answer = host.call(&format!("POST /endpoints/{id}/recover"), &fields).await;
        assert_eq!((answer.error().0, answer.error().2.as_deref()), (422, Some(field)), "{fields}");
    }
    let fields = json!({ "mode": "failed", "since": LONG_AGO, "speed": 3 });
    assert_eq!(host.call(&format!("POST /endpoints/{id}/recover"), fields).await.status, 400);

    let fields = json!({ "mode": "missing", "since": LONG_AGO });
    for path in [format!("/endpoints/{id}/recover?tenant=theirs"), "/endpoints/ep_none/recover".into()] {
        host.call(&format!("POST {path}"), &fields).await.expect(404);
    }
    let job = text(&begin(&host, &id, fields).await["job"]);
    host.get(&format!("/jobs/{job}")).await;
    for path in [format!("/jobs/{job}?tenant=theirs"), "/jobs/job_0".into(), "/jobs/job_01".into(), "/jobs/1".into()] {
        let answer = host.call(&format!("GET {path}"), "").await;
        assert_eq!(answer.error(), (404, "job_missing".into(), None), "{path}");
    }
    host.call(&format!("POST /jobs/{job}/stop?tenant=theirs"), "").await.expect(404);
}
