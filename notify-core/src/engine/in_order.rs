//! For tests: rounds that are the same each time.

use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle, RuntimeFlavor};

use super::driver::{Driver, Round};
use super::engine::Engine;
use super::error::RunError;
use super::shared::Shared;

impl Engine {
    /// [`run_once`](Self::run_once), its attempts one after the other on one thread, whatever runtime the caller has.
    pub(crate) async fn run_in_order(&self) -> Result<Round, RunError> {
        run_in_order(Arc::clone(&self.shared)).await
    }
}

/// At a publish: sends what is due, if the engine is to do so.
pub(super) async fn deliver_inline(shared: &Arc<Shared>) {
    let Some(turn) = &shared.inline else { return };
    let _turn = turn.lock().await;
    // The event is published whatever happens here; what was not sent stays due.
    drop(Box::pin(run_in_order(Arc::clone(shared))).await);
}

async fn run_in_order(shared: Arc<Shared>) -> Result<Round, RunError> {
    let driver = Driver::start(shared)?;
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return driver.run_once().await;
    }
    // Attempts that begin together must see one time, before one of them moves a manual clock.
    let round = tokio::task::spawn_blocking(move || match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(driver.run_once()),
        Err(error) => panic!("the operating system gives no runtime: {error}"),
    });
    match round.await {
        Ok(round) => round,
        Err(error) => resume_unwind(error.into_panic()),
    }
}
