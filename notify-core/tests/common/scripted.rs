//! A test in a test: `TestNotify` with one webhook, and the text of a failure.

use std::panic::{AssertUnwindSafe, catch_unwind};

use notify_core::testing::{TestNotify, TestWebhook};
use notify_core::{ConnectionCreated, Engine};

pub const CRM: &str = "https://crm.test/hook";

/// A webhook, and one event that it has not got yet.
pub async fn connected() -> (TestNotify, TestWebhook) {
    let t = TestNotify::new().await;
    let crm = t.webhook(CRM).await;
    publish(&t.notify(), "c1").await;
    (t, crm)
}

pub async fn publish(notify: &Engine, id: &str) {
    let event = ConnectionCreated { connection_id: id.into(), user_id: None, status: None };
    notify.publish(&event).await.unwrap();
}

/// The text with which `work` fails a test.
pub fn failure(work: impl FnOnce()) -> String {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(()) => panic!("it was to fail"),
        Err(panic) => text_of(panic.as_ref()),
    }
}

pub fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap()).to_owned())
}
