//! The memory store behind a door that counts calls and can be made to fail, to answer late, or never.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use notify_core::engine::Clock;
use notify_core::store::{Store, StoreError};
use notify_core::testing::{Intercept, Intercepted, ManualClock, StoreCall};
use notify_core::{MemoryStore, Timestamp};

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Op {
    Insert,
    Claim,
    Apply,
    Load,
    Sweep,
    Changed,
    Time,
    Subscribed,
    Get,
    Admin,
    Delete,
    Held,
}

#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Nothing was done, and the answer is an error.
    Fail,
    /// It was done, and the answer is an error.
    FailAfter,
    /// Nothing was done, and no answer ever comes.
    Hang,
    /// It was done, and no answer ever comes.
    HangAfter,
    /// It is done, but not at once.
    Late,
    /// The store has too much to do.
    Busy,
    /// The store panics.
    Panic,
}

/// The store that tests give to engines.
pub type FaultStore = Intercepted<MemoryStore, Doors>;

/// A new store, and a door in front of it.
pub fn fault_store() -> FaultStore {
    Intercepted::new(MemoryStore::new(), Doors::default())
}

/// The same content behind a door of its own: another process's connection.
pub fn other_door(store: &FaultStore) -> FaultStore {
    Intercepted::new(store.inner().clone(), Doors::default())
}

/// What happens to calls on their way to the store.
#[derive(Clone, Debug, Default)]
pub struct Doors(Arc<Mutex<Planned>>);

#[derive(Debug, Default)]
struct Planned {
    next: BTreeMap<Op, VecDeque<Fault>>,
    always: Option<Fault>,
    calls: BTreeMap<Op, usize>,
    clock: Option<ManualClock>,
}

impl Doors {
    /// The next calls of `op` meet these faults, one each.
    pub fn fail_next(&self, op: Op, faults: impl IntoIterator<Item = Fault>) {
        self.state().next.entry(op).or_default().extend(faults);
    }

    /// Gives the store a clock of its own.
    pub fn set_clock(&self, clock: &ManualClock) {
        self.state().clock = Some(clock.clone());
    }

    /// Every call meets this, until told otherwise.
    pub fn always(&self, fault: Option<Fault>) {
        self.state().always = fault;
    }

    pub fn calls(&self, op: Op) -> usize {
        self.state().calls.get(&op).copied().unwrap_or(0)
    }

    pub fn all_calls(&self) -> BTreeMap<Op, usize> {
        self.state().calls.clone()
    }

    pub fn forget_calls(&self) {
        self.state().calls.clear();
    }

    fn state(&self) -> MutexGuard<'_, Planned> {
        self.0.lock().unwrap()
    }
}

impl Intercept for Doors {
    async fn around<T: Send>(
        &self,
        call: StoreCall,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let Some(op) = op(call) else { return work.await };
        let fault = {
            let mut state = self.state();
            *state.calls.entry(op).or_default() += 1;
            state.next.get_mut(&op).and_then(VecDeque::pop_front).or(state.always)
        };
        let down = || StoreError::unavailable(call.operation(), "scripted");
        match fault {
            None => work.await,
            Some(Fault::Fail) => Err(down()),
            Some(Fault::FailAfter) => work.await.and(Err(down())),
            Some(Fault::HangAfter) => {
                let _ = work.await;
                std::future::pending().await
            }
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Late) => {
                for _ in 0..50 {
                    tokio::task::yield_now().await;
                }
                work.await
            }
            Some(Fault::Busy) => Err(StoreError::Busy { operation: call.operation() }),
            Some(Fault::Panic) => panic!("scripted panic of the store"),
        }
    }

    async fn time<S: Store>(&self, _: &S) -> Result<Option<Timestamp>, StoreError> {
        let clock = self.state().clock.clone();
        self.around(StoreCall::Time, async { Ok(clock.map(|clock| clock.wall())) }).await
    }
}

/// What a call counts as; `None`: nothing happens to it.
const fn op(call: StoreCall) -> Option<Op> {
    Some(match call {
        StoreCall::Insert => Op::Insert,
        StoreCall::Claim => Op::Claim,
        StoreCall::Apply => Op::Apply,
        StoreCall::Load => Op::Load,
        StoreCall::Sweep => Op::Sweep,
        StoreCall::Changed => Op::Changed,
        StoreCall::Time => Op::Time,
        StoreCall::Subscribed => Op::Subscribed,
        StoreCall::Get => Op::Get,
        StoreCall::Disable | StoreCall::Create | StoreCall::Replace | StoreCall::List => Op::Admin,
        StoreCall::Delete => Op::Delete,
        StoreCall::TenantsWithHeld => Op::Held,
        _ => return None,
    })
}
