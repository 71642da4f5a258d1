//! What goes over the wire, byte for byte.

use serde_json::json;

use crate::fixture::{Folder, is, on_each_store, text};
use crate::receiver::{Receiver, Reply};

on_each_store! {
    every_attempt_sends_the_same_bytes_with_a_valid_signature_also_after_a_restart,
    data_reaches_the_wire_and_the_log_as_it_was_spelt,
}

/// C68: queries were dropped, and escapes escaped again, elsewhere.
#[tokio::test]
async fn the_request_target_is_what_was_registered_on_every_attempt() {
    let (folder, receiver) = (Folder::new(), Receiver::start(Reply::status(500)).await);
    let host = folder.host(&["--schedule", "10ms,10ms"]).await;
    let target = "/a%2Fb/?p=1&q=a%3Ab&q=a+b&t=Q%2BHG%3D&e=&f&u=%E2%82%AC";
    let url = format!("http://127.0.0.1:{}{target}", receiver.port);
    let endpoint = host.endpoint("crm", &url).await;
    assert_eq!(host.get(&format!("/endpoints/{}", text(&endpoint["id"]))).await["url"], url);
    let id = host.publish().await;
    host.event_until(&id, is("failed")).await;
    let targets: Vec<String> = receiver.received().into_iter().map(|received| received.target).collect();
    assert_eq!(targets, [target; 3]);
}

/// C08, C09, C13, C01: values were parsed and printed again elsewhere.
async fn data_reaches_the_wire_and_the_log_as_it_was_spelt(folder: &Folder) {
    let receiver = Receiver::start(Reply::status(200)).await;
    let host = folder.host(&[]).await;
    let secret = text(&host.endpoint("crm", &receiver.url()).await["secret"]);
    for (index, data) in [
        r#"{"a":123456789012345678901234567890,"b":1.0,"c":9007199254740993,"d":-0.0,"e":1e400,"f":0.1,"g":18446744073709551615}"#,
        r#"{"z":1,"a":{"y":2,"b":3},"m":[{"k2":0,"k1":0}]}"#,
        "{\"s\":\"a\u{2028}b\\u0000c\u{7f}\u{feff}\",\"k\\u0000ey\":1}",
        r#"{"t":"a\u001Bb","u":"x\/y","v":"<&>"}"#,
        "{\"t\" : [ 1,\n2 ],\t\"caf\u{e9}\":\"\u{1f600}\"}",
        "null",
        r#""text""#,
    ]
    .into_iter()
    .enumerate()
    {
        let body = format!(r#"{{"event_id":"e{index}","event":"note.created","data":{data}}}"#);
        host.call("POST /events", body).await.expect(202);
        let event = host.event_until(&format!("e{index}"), is("delivered")).await;
        let received = receiver.wait_for(index + 1).await.pop().unwrap();
        assert!(received.text().ends_with(&format!(r#","data":{data}}}"#)), "{}", received.text());
        assert_eq!(event["body"], received.text());
        received.verify(&secret);
    }
}

/// C03: retries were unsigned, or signed over another body, elsewhere.
async fn every_attempt_sends_the_same_bytes_with_a_valid_signature_also_after_a_restart(folder: &Folder) {
    let receiver = Receiver::start(Reply::status(500)).await;
    let schedule = ["--schedule", "10ms,10ms,1s,10ms,10ms"];
    let host = folder.host(&schedule).await;
    let secret = text(&host.endpoint("crm", &receiver.url()).await["secret"]);
    let id = host.publish().await;
    receiver.wait_for(3).await;
    assert_eq!(host.stop().await.code, Some(0));
    let host = folder.host(&schedule).await;
    let event = host.event_until(&id, is("failed")).await;
    let received = receiver.received();
    assert_eq!(received.len(), 6);
    for request in &received {
        assert_eq!(request.body, received[0].body);
        request.verify(&secret);
        assert_eq!(request.header("content-length"), Some(request.body.len().to_string().as_str()));
        assert_eq!(request.header("transfer-encoding"), None);
    }
    let numbers = event["deliveries"][0]["attempts"].as_array().unwrap().iter().map(|attempt| &attempt["number"]);
    assert_eq!(numbers.collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6].map(|number| json!(number)).iter().collect::<Vec<_>>());
}
