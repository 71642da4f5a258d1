//! The endpoint directory, its administration, and where secrets are.

use notify_core::endpoint::{CustomHeader, DisableReason, Disabled, EndpointStatus};
use notify_core::id::{EventFilter, Version};
use notify_core::sign::{Secret, SecretRole, SecretSet, StoredSecret};
use notify_core::store::{EndpointAdmin, EndpointDirectory, EndpointQuery, PageRequest, Replaced, Store, StoreError};
use notify_core::{Endpoint, TenantId};
use notify_store_sqlite::SqliteStore;

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
async fn an_endpoint_reads_back_with_all_its_secrets_and_create_again_changes_nothing() {
    let (_dir, store) = in_file().await;
    let wanted = full("ep1");
    store.create(&wanted).await.unwrap();
    let mut other = wanted.clone();
    other.description = "another".to_owned();
    store.create(&other).await.unwrap();
    let got = store.get(&[endpoint_id("nobody"), endpoint_id("ep1")]).await.unwrap();
    assert_eq!(got[0], None);
    assert_eq!(**got[1].as_ref().unwrap(), wanted);
}

#[tokio::test]
async fn subscribed_tells_a_tenant_s_matching_endpoints_disabled_ones_included() {
    let store = SqliteStore::open_in_memory().unwrap();
    for id in ["ep1", "ep2", "ep3"] {
        store.create(&endpoint(id, "k")).await.unwrap();
    }
    let mut narrow = endpoint("narrow", "k");
    narrow.filter = EventFilter::new(["connection.updated"]).unwrap();
    store.create(&narrow).await.unwrap();
    let mut foreign = endpoint("foreign", "k");
    foreign.tenant = "t2".parse().unwrap();
    store.create(&foreign).await.unwrap();
    let disabled = Disabled { reason: DisableReason::Operator, at: at(5), by: "ops".to_owned() };
    assert!(store.disable(&endpoint_id("ep2"), &disabled).await.unwrap());
    assert!(!store.disable(&endpoint_id("ep2"), &disabled).await.unwrap());
    assert!(!store.disable(&endpoint_id("nobody"), &disabled).await.unwrap());
    assert!(store.delete(&TenantId::default(), &endpoint_id("ep3"), at(6)).await.unwrap());
    let found = store.subscribed(&TenantId::default(), &"connection.created".parse().unwrap()).await.unwrap();
    let ids: Vec<_> = found.iter().map(|found| found.id.as_str()).collect();
    assert_eq!(ids, ["ep1", "ep2"]);
    assert_eq!((&found[1].status, found[1].version), (&EndpointStatus::Disabled(disabled), Version::new(2)));
}

#[tokio::test]
async fn a_replacement_is_written_only_over_the_version_it_expects() {
    let (_dir, store) = in_file().await;
    store.create(&full("ep1")).await.unwrap();
    let mut next = full("ep1");
    next.version = Version::new(2);
    next.secrets = SecretSet::new(Secret::new("rotated").unwrap(), at(2));
    assert_eq!(store.replace(Version::new(7), &next).await.unwrap(), Replaced::Stale);
    assert_eq!(store.replace(Version::FIRST, &next).await.unwrap(), Replaced::Written);
    assert_eq!(store.replace(Version::FIRST, &next).await.unwrap(), Replaced::Stale);
    assert_eq!(store.replace(Version::FIRST, &full("nobody")).await.unwrap(), Replaced::Missing);
    assert_eq!(**store.get(&[endpoint_id("ep1")]).await.unwrap()[0].as_ref().unwrap(), next);
}

#[tokio::test]
async fn endpoints_are_listed_newest_first_page_by_page() {
    let store = SqliteStore::open_in_memory().unwrap();
    for index in 0..7 {
        store.create(&full(&format!("ep{index}"))).await.unwrap();
    }
    store.delete(&TenantId::default(), &endpoint_id("ep4"), at(1)).await.unwrap();
    let mut query = EndpointQuery { tenant: TenantId::default(), page: PageRequest { after: None, limit: 3 } };
    let first = store.list(&query).await.unwrap();
    store.create(&full("newer")).await.unwrap();
    query.page.after = first.next;
    let second = store.list(&query).await.unwrap();
    let ids: Vec<_> = first.items.iter().chain(&second.items).map(|found| found.id.as_str()).collect();
    assert_eq!(ids, ["ep6", "ep5", "ep3", "ep2", "ep1", "ep0"]);
    assert_eq!(second.next, None);
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
