//! How often a store is called.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use notify_core::store::{Operation, StoreError};
use notify_core::testing::{Intercept, StoreCall};
use serde::{Deserialize, Serialize};

/// Counts the calls of the store that it stands before. Clones share their counts.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Counters>);

impl Calls {
    /// The calls so far.
    #[must_use]
    pub fn counts(&self) -> CallCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CallCounts {
            insert: read(&self.0.insert),
            claim: read(&self.0.claim),
            apply: read(&self.0.apply),
            load: read(&self.0.load),
            attach: read(&self.0.attach),
            sweep: read(&self.0.sweep),
            changed: read(&self.0.changed),
            time: read(&self.0.time),
            endpoints: read(&self.0.endpoints),
            log: read(&self.0.log),
        }
    }
}

/// How often each method was called; the directory's and the log's methods together.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct CallCounts {
    /// `insert`.
    pub insert: u64,
    /// `claim`.
    pub claim: u64,
    /// `apply`.
    pub apply: u64,
    /// `load`.
    pub load: u64,
    /// `attach`.
    pub attach: u64,
    /// `sweep`.
    pub sweep: u64,
    /// `changed`: the hint that an idle engine asks for; no query of a table.
    pub changed: u64,
    /// `time`.
    pub time: u64,
    /// Any method of the endpoint directory or administration.
    pub endpoints: u64,
    /// Any method of the delivery log.
    pub log: u64,
}

impl CallCounts {
    /// The calls since `earlier`.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            insert: self.insert - earlier.insert,
            claim: self.claim - earlier.claim,
            apply: self.apply - earlier.apply,
            load: self.load - earlier.load,
            attach: self.attach - earlier.attach,
            sweep: self.sweep - earlier.sweep,
            changed: self.changed - earlier.changed,
            time: self.time - earlier.time,
            endpoints: self.endpoints - earlier.endpoints,
            log: self.log - earlier.log,
        }
    }
}

impl fmt::Display for CallCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { insert, claim, apply, load, attach, sweep, changed, time, endpoints, log } = self;
        write!(
            f,
            "insert {insert}, claim {claim}, apply {apply}, load {load}, attach {attach}, sweep {sweep}, \
             changed {changed}, time {time}, endpoints {endpoints}, log {log}"
        )
    }
}

#[derive(Debug, Default)]
struct Counters {
    insert: AtomicU64,
    claim: AtomicU64,
    apply: AtomicU64,
    load: AtomicU64,
    attach: AtomicU64,
    sweep: AtomicU64,
    changed: AtomicU64,
    time: AtomicU64,
    endpoints: AtomicU64,
    log: AtomicU64,
}

impl Intercept for Calls {
    async fn around<T: Send>(
        &self,
        call: StoreCall,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let counter = match (call, call.operation()) {
            (StoreCall::Time, _) => &self.0.time,
            (_, Operation::Insert) => &self.0.insert,
            (_, Operation::Claim) => &self.0.claim,
            (_, Operation::Apply) => &self.0.apply,
            (_, Operation::Load) => &self.0.load,
            (_, Operation::Attach) => &self.0.attach,
            (_, Operation::Sweep) => &self.0.sweep,
            (_, Operation::Poll) => &self.0.changed,
            (_, Operation::Endpoints) => &self.0.endpoints,
            // The log, and whatever a later store can be asked.
            _ => &self.0.log,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        work.await
    }
}
