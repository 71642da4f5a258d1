//! The Node receiver verifies what the host sends.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::fixture::{Folder, PATIENCE, is, text};

#[tokio::test]
async fn the_node_receiver_verifies_a_text_that_is_not_ascii_and_a_retry() {
    if Command::new("node").arg("--version").output().await.is_err() {
        assert!(std::env::var_os("NOTIFY_REQUIRE_SERVERS").is_none(), "node is missing");
        println!("SKIPPED: node is missing");
        return;
    }
    let folder = Folder::new();
    let secret = "cl\u{e9}-secr\u{e8}te of my own";
    let mut node = Command::new("node")
        .args([concat!(env!("CARGO_MANIFEST_DIR"), "/receivers/node/receiver.mjs"), "--port", "0", "--fail", "1"])
        .args(["--secret", secret])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(node.stdout.take().unwrap()).lines();
    let mut line = async || {
        tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("the receiver speaks").unwrap().unwrap()
    };
    let listening = line().await;
    let url = listening.strip_prefix("listening on ").unwrap();

    let host = folder.host(&["--schedule", "10ms"]).await;
    let new = json!({ "name": "node", "url": format!("{url}/hook"), "secret": secret });
    host.call("POST /endpoints", new).await.expect(201);
    let event = r#"{"event":"note.created","data":{"text":"café 😀 \u00e9","n":1.0}}"#;
    let id = text(&host.call("POST /events", event).await.expect(202)["event_id"]);
    host.event_until(&id, is("delivered")).await;
    for status in [503, 200] {
        let seen: Value = serde_json::from_str(&line().await).unwrap();
        assert_eq!(seen, json!({ "event_id": id, "event": "note.created", "verified": true, "status": status }));
    }
}
