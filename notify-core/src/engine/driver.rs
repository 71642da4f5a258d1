//! The loop: takes inputs to the dispatcher, and carries out what it says.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::delivery::{Outcome, State};
use crate::dispatch::{Command, DispatchInput, Dispatcher, StopReport};
use crate::id::{DeliveryId, EndpointId};
use crate::machine::Change;
use crate::observe::Observation;
use crate::store::{ApplyOutcome, ClaimRequest, Mark, Operation, StoreError};
use crate::time::Timestamp;

use super::answer::Answer;
use super::attempt::attempt;
use super::entropy::draw;
use super::error::RunError;
use super::held::keep_looking;
use super::left_held::{look_now_and_then, look_once};
use super::reference::{keep_time, set_time};
use super::shared::{RunNumber, STORE_DEADLINE, Shared, lock};

/// So many claims in a row that fail, over some seconds, and `run_once` gives up.
const MAX_FAILED_CLAIMS: u32 = 5;

/// A store may wait for a change, up to half a minute.
const POLL_DEADLINE: Duration = Duration::from_secs(60);

/// A timer that fires a little early must not spin.
const SHORTEST_SLEEP: Duration = Duration::from_millis(1);

/// What one round did: see [`Engine::run_once`](super::Engine::run_once).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Round {
    /// Deliveries that were accepted.
    pub delivered: u32,
    /// Deliveries that failed and will be tried again.
    pub retried: u32,
    /// Deliveries that gave up.
    pub failed: u32,
    /// Deliveries that were held or cancelled instead of sent.
    pub withheld: u32,
}

/// Lives while `run` is polled. Dropping it cuts everything off; leases bring the work back.
#[derive(Debug)]
pub(super) struct Driver {
    shared: Arc<Shared>,
    number: RunNumber,
    attempts: JoinSet<()>,
    calls: JoinSet<()>,
    /// After deliveries were held: see [`keep_looking`].
    looks: JoinSet<()>,
    mark: Arc<std::sync::Mutex<Option<Mark>>>,
    round: Round,
    failed_claims: u32,
}

impl Driver {
    pub(super) fn start(shared: Arc<Shared>) -> Result<Self, RunError> {
        let seed = u128::from_be_bytes(draw(&*shared.entropy).map_err(RunError::Entropy)?);
        let number = {
            let mut slot = lock(&shared.dispatcher);
            if slot.is_some() {
                return Err(RunError::AlreadyRunning);
            }
            *slot = Some(Dispatcher::new(shared.config.clone(), seed));
            lock(&shared.inbox).begin()
        };
        Ok(Self {
            shared,
            number,
            attempts: JoinSet::new(),
            calls: JoinSet::new(),
            looks: JoinSet::new(),
            mark: Arc::default(),
            round: Round::default(),
            failed_claims: 0,
        })
    }

    /// Runs until `shutdown` has come and the stop is over.
    pub(super) async fn run(mut self, shutdown: impl Future<Output = ()>) -> StopReport {
        let shared = Arc::clone(&self.shared);
        let mut shutdown = pin!(shutdown);
        let mut ends_at = None;
        self.start_clock().await;
        self.calls.spawn(look_now_and_then(Arc::clone(&shared)));
        loop {
            let (wake, stopped) = self.turn();
            if let Some(report) = stopped {
                let left = ends_at.map(|at: Timestamp| at.since(shared.now())).unwrap_or_default();
                self.finish_looks(left).await;
                return report;
            }
            let pause = wake.map(|at| at.since(shared.now()).max(SHORTEST_SLEEP));
            tokio::select! {
                biased;
                () = &mut shutdown, if ends_at.is_none() => {
                    ends_at = Some(shared.now().saturating_add(shared.grace));
                    shared.push(self.number, DispatchInput::Stop { grace: shared.grace });
                }
                () = shared.bell.notified() => {}
                () = sleep(&shared, pause) => {}
            }
            // Whatever else is ready goes first: what it brings is settled and claimed together.
            tokio::task::yield_now().await;
        }
    }

    /// Runs until nothing is due any more, or the store does not answer.
    pub(super) async fn run_once(mut self) -> Result<Round, RunError> {
        let shared = Arc::clone(&self.shared);
        let (mut stopping, mut gave_up) = (false, false);
        self.start_clock().await;
        apart(look_once(Arc::clone(&shared))).await;
        loop {
            let (wake, stopped) = self.turn();
            if stopped.is_some() {
                self.finish_looks(shared.grace).await;
                let done = self.round;
                return if gave_up { Err(RunError::StoreUnavailable { done }) } else { Ok(done) };
            }
            let now = shared.now();
            let idle = lock(&shared.dispatcher).as_ref().is_none_or(|dispatcher| dispatcher.is_idle(now));
            let dead = self.failed_claims >= MAX_FAILED_CLAIMS;
            if !stopping && (dead || idle && lock(&shared.inbox).is_empty()) {
                (stopping, gave_up) = (true, dead);
                shared.push(self.number, DispatchInput::Stop { grace: shared.grace });
            }
            let pause = wake.map(|at| at.since(now).max(SHORTEST_SLEEP));
            tokio::select! {
                biased;
                () = shared.bell.notified() => {}
                () = sleep(&shared, pause) => {}
            }
        }
    }

    /// Sets the engine's time before anything is claimed by it, and has it kept.
    async fn start_clock(&mut self) {
        apart(set_time(Arc::clone(&self.shared))).await;
        self.calls.spawn(keep_time(Arc::clone(&self.shared)));
    }

    async fn finish_looks(&mut self, within: Duration) {
        let shared = Arc::clone(&self.shared);
        let looks = async { while self.looks.join_next().await.is_some() {} };
        tokio::select! {
            biased;
            () = looks => {}
            () = shared.clock.sleep(within) => {}
        }
    }

    /// One turn: everything that has come in, then everything that follows from it.
    fn turn(&mut self) -> (Option<Timestamp>, Option<StopReport>) {
        let now = self.shared.now();
        let inputs = lock(&self.shared.inbox).take();
        for input in &inputs {
            if matches!(input, DispatchInput::Claimed(_)) {
                self.failed_claims = 0;
            } else if matches!(input, DispatchInput::ClaimFailed) {
                self.failed_claims += 1;
            }
        }
        let (commands, wake, stopped, free) = match lock(&self.shared.dispatcher).as_mut() {
            None => return (None, Some(StopReport::default())),
            Some(dispatcher) => {
                let commands = dispatcher.handle_all(now, inputs);
                (commands, dispatcher.next_wake(now), dispatcher.stopped(now), dispatcher.free_places())
            }
        };
        for command in commands {
            self.execute(command);
        }
        self.shared.crowd.let_in(free as usize);
        while self.attempts.try_join_next().is_some() {}
        while self.calls.try_join_next().is_some() {}
        while self.looks.try_join_next().is_some() {}
        (wake, stopped)
    }

    fn execute(&mut self, command: Command) {
        match command {
            Command::Claim(request) => self.call(DispatchInput::ClaimFailed, |shared| claim(shared, request)),
            Command::ReadEndpoints(ids) => self.call(DispatchInput::EndpointsFailed, |shared| read(shared, ids)),
            Command::Apply(changes) => self.call(DispatchInput::ApplyFailed, |shared| apply(shared, changes)),
            Command::Load(ids) => self.call(DispatchInput::LoadFailed, |shared| load(shared, ids)),
            Command::Poll => {
                let mark = Arc::clone(&self.mark);
                self.call(DispatchInput::NobodyWrote, |shared| poll(shared, mark));
            }
            Command::Send(order) => {
                self.shared.observe(&Observation::AttemptStarted {
                    delivery: order.delivery,
                    endpoint: &order.endpoint.id,
                    number: order.number,
                });
                self.attempts.spawn(attempt(Arc::clone(&self.shared), self.number, order));
            }
            Command::AbortAll => self.attempts.abort_all(),
            Command::Settled(changes, outcomes) => self.settled(&changes, &outcomes),
            Command::Corrupt(record) => {
                self.shared.observe(&Observation::CorruptRecord { record: &record.record, problem: &record.problem });
            }
        }
    }

    /// Makes one call of the store; if it panics or is cut off, `failure` is its answer.
    fn call<F>(&mut self, failure: DispatchInput, work: impl FnOnce(Arc<Shared>) -> F)
    where
        F: Future<Output = Option<DispatchInput>> + Send + 'static,
    {
        let mut answer = Answer::or(Arc::clone(&self.shared), self.number, failure);
        let work = work(Arc::clone(&self.shared));
        self.calls.spawn(async move {
            if let Some(input) = work.await {
                answer.set(input);
            }
        });
    }

    fn settled(&mut self, changes: &[Change], outcomes: &[ApplyOutcome]) {
        let mut held = Vec::new();
        for (change, outcome) in changes.iter().zip(outcomes) {
            let next = change.next();
            match outcome {
                ApplyOutcome::Applied => {
                    if next.state == State::Held {
                        held.push(next.endpoint.clone());
                    }
                    match next.state {
                        State::Delivered => self.round.delivered += 1,
                        State::Scheduled if burnt_a_retry(change) => self.round.retried += 1,
                        State::Failed => self.round.failed += 1,
                        State::Held | State::Cancelled => self.round.withheld += 1,
                        State::Scheduled | State::InFlight => {}
                    }
                    self.shared.observe(&Observation::StateChanged {
                        delivery: next.id,
                        endpoint: &next.endpoint,
                        event: &next.event,
                        state: next.state,
                        next_attempt_at: next.ready_at.filter(|_| next.state == State::Scheduled),
                    });
                }
                ApplyOutcome::Stale { .. } | ApplyOutcome::Missing => {
                    self.shared.observe(&Observation::ChangeStale { delivery: change.delivery() });
                }
            }
        }
        if !held.is_empty() {
            let shared = Arc::clone(&self.shared);
            self.looks.spawn(async move { keep_looking(&shared, held).await });
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // What still comes in belongs to this run, and the next one begins with an empty inbox.
        *lock(&self.shared.dispatcher) = None;
        self.shared.crowd.disperse();
    }
}

/// Whether this is the end of a failed attempt, and not one that was handed back or cut off.
fn burnt_a_retry(change: &Change) -> bool {
    let last = change.attempts().last();
    last.is_some_and(|last| matches!(last.outcome, Outcome::Failure(reason) if reason.counts()))
}

/// In a task of its own: a store that panics ends neither the run nor another call.
async fn apart(work: impl Future<Output = ()> + Send + 'static) {
    let mut task = JoinSet::new();
    task.spawn(work);
    while task.join_next().await.is_some() {}
}

async fn sleep(shared: &Shared, pause: Option<Duration>) {
    match pause {
        Some(pause) => shared.clock.sleep(pause).await,
        None => std::future::pending().await,
    }
}

async fn claim(shared: Arc<Shared>, request: ClaimRequest) -> Option<DispatchInput> {
    let batch = shared.within(STORE_DEADLINE, Operation::Claim, shared.store.claim(&request)).await;
    told(&shared, Operation::Claim, batch).map(DispatchInput::Claimed)
}

async fn read(shared: Arc<Shared>, ids: Vec<EndpointId>) -> Option<DispatchInput> {
    let endpoints = shared.within(STORE_DEADLINE, Operation::Endpoints, shared.directory.get(&ids)).await;
    let endpoints = told(&shared, Operation::Endpoints, endpoints)?;
    Some(DispatchInput::Endpoints(ids.into_iter().zip(endpoints).collect()))
}

async fn apply(shared: Arc<Shared>, changes: Arc<[Change]>) -> Option<DispatchInput> {
    let outcomes = shared.within(STORE_DEADLINE, Operation::Apply, shared.store.apply(&changes)).await;
    told(&shared, Operation::Apply, outcomes).map(DispatchInput::Applied)
}

async fn load(shared: Arc<Shared>, ids: Vec<DeliveryId>) -> Option<DispatchInput> {
    let found = shared.within(STORE_DEADLINE, Operation::Load, shared.store.load(&ids)).await;
    told(&shared, Operation::Load, found).map(DispatchInput::Loaded)
}

async fn poll(shared: Arc<Shared>, mark: Arc<std::sync::Mutex<Option<Mark>>>) -> Option<DispatchInput> {
    let known = *lock(&mark);
    let answer = shared.within(POLL_DEADLINE, Operation::Poll, shared.store.changed(known.unwrap_or_default())).await;
    let seen = told(&shared, Operation::Poll, answer)?;
    *lock(&mark) = Some(seen);
    // The first mark says nothing: the engine claims at its start anyway.
    known.filter(|known| *known != seen).map(|_| DispatchInput::SomebodyWrote)
}

fn told<T>(shared: &Shared, operation: Operation, answer: Result<T, StoreError>) -> Option<T> {
    answer.map_err(|error| shared.store_failed(operation, &error)).ok()
}
