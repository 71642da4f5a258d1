//! A secret is shown once, and is nowhere else.

use notify_store_sqlite::rusqlite::types::ValueRef;
use notify_store_sqlite::rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::fixture::{Folder, is, text};
use crate::receiver::{Receiver, Reply};

const SECRET: &str = "canary-secret-of-thirty-two-bytes";
const HEADER: &str = "Bearer canary-header-value";

/// C72: secrets came back from lists and logs elsewhere.
#[tokio::test]
async fn a_secret_is_in_no_log_line_no_answer_and_no_table_but_its_own() {
    let (folder, receiver) = (Folder::new(), Receiver::start(Reply::status(500)).await);
    let host = folder.host_with(&["--json-log", "--schedule", "10ms"], &[("RUST_LOG", "trace")]).await;
    let new = json!({ "name": "crm", "url": receiver.url(), "secret": SECRET, "headers": { "authorization": HEADER } });
    let created = host.call("POST /endpoints", new).await.expect(201);
    assert_eq!(created["secret"], SECRET);
    assert!(!created.to_string().contains(HEADER));
    let id = text(&created["id"]);
    let event = host.publish().await;
    host.event_until(&event, is("failed")).await;
    let received = receiver.received();
    received[0].verify(SECRET);
    assert_eq!(received[0].header("authorization"), Some(HEADER));

    let refused = json!({ "name": "", "url": receiver.url(), "secret": SECRET });
    let mut said = host.call("POST /endpoints", refused).await.text;
    for path in
        ["/endpoints", "/events", "/deliveries", "/stats", &format!("/endpoints/{id}"), &format!("/events/{event}")]
    {
        said.push_str(&host.get(path).await.to_string());
    }
    said.push_str(&host.call(&format!("PATCH /endpoints/{id}"), json!({ "name": "CRM" })).await.text);
    said.push_str(&host.call(&format!("POST /endpoints/{id}/disable"), "").await.text);
    let ended = host.stop().await;
    assert!(ended.stderr.contains(r#""level":"TRACE""#), "nothing was hidden by a filter: {}", ended.stderr);
    said.push_str(&ended.stderr);
    for canary in ["canary", received[0].header("x-notify-signature").unwrap()] {
        let at = said.find(canary).map(|at| said[at.saturating_sub(200)..].chars().take(400).collect::<String>());
        assert_eq!(at, None, "{canary}");
    }
    let holders = tables_that_hold(&folder, SECRET);
    assert_eq!(holders.len(), 1, "one table keeps secrets: {holders:?}");
    assert!(holders[0].contains("secret"), "and its name says so: {holders:?}");
}

/// The tables of the file in which any value contains `text`.
fn tables_that_hold(folder: &Folder, text: &str) -> Vec<String> {
    let file = Connection::open_with_flags(folder.database(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut names = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(names.len() > 3, "{names:?}");
    names.into_iter().filter(|name| holds(&file, name, text.as_bytes())).collect()
}

fn holds(file: &Connection, table: &str, text: &[u8]) -> bool {
    let mut query = file.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
    let columns = query.column_count();
    let mut rows = query.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        for column in 0..columns {
            if let ValueRef::Text(value) | ValueRef::Blob(value) = row.get_ref(column).unwrap()
                && value.windows(text.len()).any(|window| window == text)
            {
                return true;
            }
        }
    }
    false
}
