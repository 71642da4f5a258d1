//! A filter that leaves most rows out: what a call looks at is bounded, and nothing is hidden by that.

use notify_core::Timestamp;
use notify_core::store::{DeliveryLog, EventQuery, PublishBatch, Store};
use notify_core::testing::kit::sample;
use notify_store_redis::RedisStore;
use notify_test_servers::{RedisServer, require};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_looks_at_a_thousand_rows_or_little_more_and_goes_on() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let store = RedisStore::builder(&server.url()).connect().await.unwrap();
    let publish = async |events| store.insert(&PublishBatch { now: Timestamp::EPOCH, events }).await.unwrap();
    publish(vec![sample::event_with("rare.one", "1", "rare", &["a"])]).await;
    for part in 0..5 {
        publish((0..500).map(|n| sample::event(&format!("e{part}-{n}"), 0, &["a"], 0)).collect()).await;
    }
    let mut query = EventQuery::default();
    query.event_type = Some("rare.one".parse().unwrap());
    let mut found = Vec::new();
    for calls in 1.. {
        let page = store.events(&query).await.unwrap();
        found.extend(page.items.iter().map(|record| record.event.key.id.to_string()));
        query.page.after = page.next;
        if page.next.is_none() {
            assert_eq!((found, calls), (vec!["rare".to_owned()], 3));
            return;
        }
    }
}
