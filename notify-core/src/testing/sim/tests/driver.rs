//! The real driver over the worlds that the simulator draws: engines with their loop, tasks and doors, on tokio's clock,
//! which jumps to whatever happens next. Crashes, stops, outages, store calls that fail or get no answer, operators and
//! publishes are the scenario's; what jumps clocks, stops a process for a while or loses writes is left out.
//!
//! `SIM_SEED=7 cargo test -p notify-core --lib sim::tests::driver` runs that one alone.
#![expect(clippy::disallowed_methods, reason = "a test is the host, and a host spawns; the clock is the test's own")]

mod acts;
mod door;
mod end;
mod planted;
mod receivers;

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::engine::{Clock, Engine, EngineBuilder, Entropy};
use crate::id::EventId;
use crate::store::MemoryStore;
use crate::testing::Intercepted;
use crate::time::Timestamp;

use super::super::rng::Rng;
use super::super::scenario::{Content, Scenario, Trouble};
use super::super::world::START;
use super::number;
use door::Door;
use receivers::Receivers;

/// How much of a world is run: its driver is dearer than the simulator's.
const LONGEST: i64 = 6 * 3_600_000;
const MOST_DELIVERIES: usize = 400;
const MOST_PROCESSES: usize = 4;

/// Tokio's clock, which stands still while anything can happen without it.
#[derive(Clone, Copy, Debug)]
struct TestClock(Instant);

impl TestClock {
    fn true_time(self) -> Timestamp {
        Timestamp::from_millis(START + self.elapsed())
    }

    /// In milliseconds since the start.
    fn elapsed(self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    async fn until(self, at: i64) {
        sleep_until(self.0 + Duration::from_millis(at.unsigned_abs())).await;
    }
}

#[async_trait]
impl Clock for TestClock {
    fn wall(&self) -> Timestamp {
        self.true_time()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        sleep(duration).await;
    }
}

#[derive(Debug)]
struct Seeded(Mutex<Rng>);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&rng.next().to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// What the tasks of one world share.
struct World {
    scenario: Scenario,
    clock: TestClock,
    memory: MemoryStore,
    door: Door,
    receivers: Receivers,
    shared: Mutex<Together>,
}

struct Together {
    rng: Rng,
    /// The engine of each process's life, and last the one that only publishes.
    engines: Vec<Engine>,
    /// Events whose publishers were told that they are stored.
    accepted: BTreeSet<EventId>,
    /// How often a process died or was stopped.
    lives: u64,
}

impl World {
    fn new(scenario: Scenario) -> Self {
        let clock = TestClock(Instant::now());
        let (memory, door) = (MemoryStore::new(), Door::new(&scenario, clock));
        let receivers = Receivers::new(&scenario, memory.clone(), clock);
        let rng = Rng::stream(scenario.seed, 12);
        let shared = Together { rng, engines: Vec::new(), accepted: BTreeSet::new(), lives: 0 };
        let world = Self { scenario, clock, memory, door, receivers, shared: Mutex::new(shared) };
        let engines = (0..=world.scenario.processes).map(|_| world.engine(Duration::from_secs(25))).collect();
        world.shared().engines = engines;
        world
    }

    fn shared(&self) -> MutexGuard<'_, Together> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn engine(&self, grace: Duration) -> Engine {
        let seed = self.shared().rng.next();
        EngineBuilder::new(Intercepted::new(self.memory.clone(), self.door.clone()))
            .transport(self.receivers.clone())
            .clock(self.clock)
            .entropy(Seeded(Mutex::new(Rng::stream(seed, 13))))
            .dispatch(self.scenario.config.clone())
            .grace(grace)
            .build()
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn engine_of(&self, process: usize) -> Engine {
        self.shared().engines[process].clone()
    }

    fn pause(&self, low: i64, high: i64) -> Duration {
        Duration::from_millis(self.shared().rng.spread(low, high).unsigned_abs())
    }

    fn faults_are_on(&self) -> bool {
        self.clock.elapsed() < self.scenario.span
    }

    /// The lives of one process, one after the other; the last one ends when it is told to, with how much it left.
    async fn live(self: Arc<Self>, process: usize, end: oneshot::Receiver<()>) -> u32 {
        let mut ends: Vec<(i64, Trouble)> = self
            .scenario
            .disturbances
            .iter()
            .filter(|planned| match planned.what {
                Trouble::Crash { process: which, .. } | Trouble::Stop { process: which, .. } => which == process,
                _ => false,
            })
            .map(|planned| (planned.at, planned.what))
            .collect();
        ends.sort_by_key(|(at, _)| *at);
        for (at, how) in ends {
            if at < self.clock.elapsed() {
                continue;
            }
            let grace = if let Trouble::Stop { grace, .. } = how { grace } else { 25_000 };
            let engine = self.engine(Duration::from_millis(grace.unsigned_abs()));
            self.shared().engines[process] = engine.clone();
            let (stop, stopped) = oneshot::channel::<()>();
            let run = tokio::spawn(async move { engine.run(async { drop(stopped.await) }).await });
            self.clock.until(at).await;
            self.shared().lives += 1;
            let down = match how {
                Trouble::Crash { down, .. } => {
                    run.abort();
                    let _ = run.await;
                    down
                }
                Trouble::Stop { down, .. } => {
                    drop(stop);
                    let _ = run.await.expect("it stops");
                    down
                }
                _ => 0,
            };
            // Everybody is up when the faults end.
            let left = (self.scenario.span - self.clock.elapsed()).max(0);
            sleep(Duration::from_millis(down.min(left).unsigned_abs())).await;
        }
        let engine = self.engine(Duration::from_secs(25));
        self.shared().engines[process] = engine.clone();
        let report = engine.run(async { drop(end.await) }).await.expect("it runs once");
        report.unsettled
    }
}

/// The world of a seed, if it is one that the driver can be run in: neither long nor large. Made smaller where that
/// leaves what happens in it.
fn drawn(seed: u64) -> Option<Scenario> {
    let mut scenario = Scenario::draw(seed);
    if scenario.span > LONGEST {
        return None;
    }
    scenario.publishes.truncate((MOST_DELIVERIES / scenario.endpoints.len()).max(2));
    scenario.processes = scenario.processes.min(MOST_PROCESSES);
    let processes = scenario.processes;
    let fold = |process: usize| process % processes;
    scenario.publishes.iter_mut().for_each(|publish| publish.by = publish.by.map(fold));
    scenario.actions.iter_mut().for_each(|action| action.by = fold(action.by));
    for disturbance in &mut scenario.disturbances {
        if let Trouble::Crash { process, .. } | Trouble::Stop { process, .. } = &mut disturbance.what {
            *process = fold(*process);
        }
    }
    Some(scenario)
}

/// What many worlds were together.
#[derive(Debug, Default)]
struct Sum {
    worlds: u64,
    deliveries: usize,
    requests: u64,
    failed_calls: u64,
    lives: u64,
    lost_leases: usize,
}

async fn run(scenario: Scenario, sum: &mut Sum) {
    let world = Arc::new(World::new(scenario));
    for index in 0..world.scenario.endpoints.len() {
        if world.scenario.endpoints[index].from_start {
            world.create(index).await;
        }
    }
    let (mut ends, mut processes, mut tasks) = (Vec::new(), JoinSet::new(), JoinSet::new());
    for process in 0..world.scenario.processes {
        let (end, ended) = oneshot::channel();
        ends.push(end);
        processes.spawn(Arc::clone(&world).live(process, ended));
    }
    for (index, publish) in world.scenario.publishes.iter().enumerate() {
        tasks.spawn(Arc::clone(&world).publish(index, Content::Same, publish.at));
        if let Some((after, content)) = publish.again {
            tasks.spawn(Arc::clone(&world).publish(index, content, publish.at + after));
        }
    }
    for action in &world.scenario.actions {
        tasks.spawn(Arc::clone(&world).operate(action.clone()));
    }
    for planned in &world.scenario.disturbances {
        tasks.spawn(Arc::clone(&world).disturb(planned.at, planned.what));
    }
    world.clock.until(world.scenario.span).await;
    world.door.heal();
    // A publish that is repeated comes a quarter of the span later at most.
    let patience = Duration::from_millis(world.scenario.span.unsigned_abs()) + Duration::from_secs(3600);
    let joined = timeout(patience, async {
        while let Some(task) = tasks.join_next().await {
            task.expect("no task of the host panics");
        }
    });
    joined.await.expect("every publish and every operation comes to its end");
    world.settle().await;
    world.check(sum).await;
    drop(ends);
    while let Some(unsettled) = processes.join_next().await {
        assert_eq!(unsettled.expect("no run panics"), 0, "nothing is left at an orderly stop");
    }
}

fn run_one(scenario: Scenario, sum: &mut Sum) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("the operating system gives a runtime").block_on(run(scenario, sum));
}

fn run_all(seeds: impl Iterator<Item = u64>, wanted: u64) -> Sum {
    let mut sum = Sum::default();
    for (seed, scenario) in seeds.filter_map(|seed| Some((seed, drawn(seed)?))) {
        // The last line before a failure is the command that repeats it.
        println!("SIM_SEED={seed} cargo test -p notify-core --lib sim::tests::driver -- --nocapture");
        run_one(scenario, &mut sum);
        sum.worlds += 1;
        if sum.worlds == wanted {
            break;
        }
    }
    println!("{sum:?}");
    sum
}

#[test]
fn after_any_faults_of_200_drawn_worlds_the_real_driver_has_brought_every_delivery_to_its_end() {
    if let Some(seed) = number("SIM_SEED") {
        let sum = run_all(seed..=seed, 1);
        return assert_eq!(sum.worlds, 1, "this world is too long for the driver");
    }
    let sum = run_all(0.., 200);
    // Or nothing went wrong, and nothing is proven.
    assert!(sum.worlds == 200 && sum.failed_calls > 1000 && sum.lives > 100 && sum.lost_leases > 100, "{sum:?}");
}
