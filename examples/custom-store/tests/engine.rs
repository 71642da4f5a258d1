//! An engine on this store: the tests of a host run on it too.

use custom_store::MapStore;
use notify_core::testing::{TestNotify, in_minutes, status, timeout};
use notify_core::{ConnectionCreated, EventPayload};

#[tokio::test]
async fn an_engine_delivers_from_it_and_retries_what_failed() {
    let t = TestNotify::on(MapStore::new()).await;
    let crm = t.webhook("https://crm.test/hook").await;
    t.respond(&crm, [timeout(), status(200)]);
    t.notify().publish(&ConnectionCreated::example()).await.unwrap();
    t.run_due().await;
    t.advance(in_minutes(5)).await;
    t.assert_delivered(&crm).attempts(2).signed();
}
