//! Where secrets are, and endpoints that cannot be read.

use notify_core::endpoint::CustomHeader;
use notify_core::sign::{Secret, SecretRole, SecretSet, StoredSecret};
use notify_core::store::{EndpointAdmin, EndpointDirectory, Store, StoreError};
use notify_core::{Endpoint, TenantId};

use crate::support::*;

const CANARY: &str = "canary-secret-0123456789";

fn full(id: &str) -> Endpoint {
    let mut full = endpoint(id, CANARY);
    full.headers = vec![CustomHeader::new("Authorization", "Bearer canary-header").unwrap()];
    let stored = |role, text: &str, retires_at| StoredSecret {
        role,
        secret: Secret::new(text).unwrap(),
        created_at: at(1),
        retires_at,
    };
    full.secrets = SecretSet::restore(vec![
        stored(SecretRole::Current, CANARY, None),
        stored(SecretRole::Previous, " padded canary\n", Some(at(99))),
        stored(SecretRole::Next, "whsec_Y2FuYXJ5", None),
    ])
    .unwrap();
    full
}

#[tokio::test]
async fn a_secret_is_in_one_column_only_and_gone_from_the_tables_after_the_delete() {
    let (_dir, store) = in_file().await;
    store.create(&full("ep1")).await.unwrap();
    publish(&store, "e1", &[("ep1", due(0))]).await;
    let row = claim(&store, 0, 1, 1).await.claimed.remove(0).delivery;
    store.apply(&[answered(&row, 500, 1, 1)]).await.unwrap();
    let conn = outside(&store);
    assert_eq!(cells_with(&conn, "canary-secret"), ["secret.secret"]);
    assert_eq!(cells_with(&conn, "canary-header"), ["endpoint.headers"]);
    assert!(!store.delete(&"t2".parse().unwrap(), &endpoint_id("ep1"), at(2)).await.unwrap());
    assert!(store.delete(&TenantId::default(), &endpoint_id("ep1"), at(2)).await.unwrap());
    assert!(!store.delete(&TenantId::default(), &endpoint_id("ep1"), at(2)).await.unwrap());
    assert_eq!(cells_with(&conn, "canary"), [""; 0]);
    assert_eq!(store.get(&[endpoint_id("ep1")]).await.unwrap(), [None]);
    assert_eq!(load(&store, "e1", "ep1").await.endpoint().as_str(), "ep1");
    // Not to come back under the same id either.
    store.create(&full("ep1")).await.unwrap();
    assert_eq!(store.get(&[endpoint_id("ep1")]).await.unwrap(), [None]);
    // The file itself: overwritten, not only unlinked.
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let file = std::fs::read(store.path().unwrap()).unwrap();
    assert!(!file.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()));
}

#[tokio::test]
async fn an_unreadable_endpoint_is_a_corrupt_record_without_its_values() {
    let (_dir, store) = in_file().await;
    store.create(&full("ep1")).await.unwrap();
    outside(&store).execute("UPDATE endpoint SET headers = '[[\"canary\"]'", []).unwrap();
    let error = store.get(&[endpoint_id("ep1")]).await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt { record, .. } if record == "ep1"), "{error}");
    assert_eq!(error.to_string(), "store holds an unreadable record ep1: headers is malformed (NTF-STORE-CORRUPT)");
    outside(&store)
        .execute_batch("UPDATE endpoint SET headers = '[]'; DELETE FROM secret WHERE role = 'current'")
        .unwrap();
    let error = store.get(&[endpoint_id("ep1")]).await.unwrap_err();
    assert!(error.to_string().contains("its secrets are incomplete"), "{error}");
}

/// `table.column` of every cell whose bytes hold `text`.
fn cells_with(conn: &rusqlite::Connection, text: &str) -> Vec<String> {
    let tables = "SELECT m.name, p.name FROM sqlite_schema m, pragma_table_info(m.name) p WHERE m.type = 'table'";
    let mut statement = conn.prepare(tables).unwrap();
    let columns = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let columns: Vec<(String, String)> = columns.map(Result::unwrap).collect();
    let mut found = Vec::new();
    for (table, column) in columns {
        let count =
            format!("SELECT count(*) FROM {table} WHERE instr(CAST(\"{column}\" AS BLOB), CAST(?1 AS BLOB)) > 0");
        if conn.query_row(&count, [text], |row| row.get::<_, i64>(0)).unwrap() > 0 {
            found.push(format!("{table}.{column}"));
        }
    }
    found
}
