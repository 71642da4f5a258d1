//! What is counted is what the memory store counts, and it is there after a restart.

use notify_core::store::DeliveryLog;
use notify_core::store::activity::{ActivityQuery, Resolution};
use notify_core::testing::kit::lived::{FOUR_MONTHS, live};
use notify_core::{MemoryStore, TenantId, Timestamp};
use notify_store_sqlite::SqliteStore;

#[tokio::test]
async fn what_is_counted_is_what_the_memory_store_counts() {
    let sqlite = live(SqliteStore::open_in_memory().unwrap(), FOUR_MONTHS).await;
    assert!(sqlite.activity.iter().all(|rows| rows.len() > 10), "too little to compare");
    assert!(sqlite.failing_since.iter().any(Option::is_some) && sqlite.failing_since.iter().any(Option::is_none));
    assert_eq!(sqlite, live(MemoryStore::new(), FOUR_MONTHS).await);
}

#[tokio::test]
async fn what_was_counted_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let open = || SqliteStore::open(dir.path().join("notify.db"));
    let before = live(open().await.unwrap(), 20).await;
    let query = ActivityQuery {
        tenant: TenantId::default(),
        resolution: Resolution::Hour,
        since: Timestamp::EPOCH,
        until: Timestamp::MAX,
        endpoint: None,
    };
    let after = open().await.unwrap().activity(&query).await.unwrap();
    assert_eq!(after.len(), before.activity[1].len());
}
