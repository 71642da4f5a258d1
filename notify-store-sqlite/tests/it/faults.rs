//! The real store in its real file under the real dispatcher, while its calls fail, stall, or are cut off with the
//! store itself: at the n-th call it fails before or after the work, at the n-th write its handle is dropped half-way
//! and the file is opened anew. Drawn from seeds; `SIM_SEED=7` runs that one alone.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use notify_core::delivery::{Outcome, Reason, Response, SendFailure, State};
use notify_core::dispatch::{Command, DispatchConfig, DispatchInput, Dispatcher, Finished, SendOrder};
use notify_core::machine::classify;
use notify_core::retry::SuccessRule;
use notify_core::store::{DeliveryLog, EndpointAdmin, EndpointDirectory, Store};
use notify_core::{DeliveryId, Timestamp};
use notify_store_sqlite::{SqliteStore, Synchronous};

use super::support::{at, batch, delivery, due, endpoint, published};

const DELIVERIES: usize = 12;

/// What happens to a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Well,
    Before,
    After,
    /// It is begun, and then the store is dropped with it.
    Killed,
}

struct World {
    draws: u64,
    path: PathBuf,
    /// `None` only while it is opened anew.
    store: Option<SqliteStore>,
    dispatcher: Dispatcher,
    now: i64,
    faulty: bool,
    /// Attempts that run, and when they end.
    flying: BTreeMap<DeliveryId, (i64, Box<SendOrder>)>,
    under_way: Vec<Command>,
    requests: BTreeMap<DeliveryId, usize>,
    kills: usize,
}

impl World {
    async fn new(seed: u64, path: PathBuf) -> Self {
        let mut config = DispatchConfig::default();
        config.policy.schedule = "1s,5s,1min".parse().unwrap();
        (config.max_in_flight, config.per_endpoint) = (4, 2);
        let mut world = Self {
            draws: seed,
            store: Some(open(&path).await),
            path,
            dispatcher: Dispatcher::new(config, u128::from(seed)),
            now: 0,
            faulty: true,
            flying: BTreeMap::new(),
            under_way: Vec::new(),
            requests: BTreeMap::new(),
            kills: 0,
        };
        for name in ["ep_a", "ep_b"] {
            world.store().create(&endpoint(name, "a secret of sixteen bytes")).await.unwrap();
        }
        for index in 0..DELIVERIES {
            world.publish(index).await;
        }
        world
    }

    fn store(&self) -> &SqliteStore {
        self.store.as_ref().expect("it is open")
    }

    fn below(&mut self, end: u64) -> u64 {
        self.draws = self.draws.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.draws;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn fate(&mut self) -> Fate {
        match self.below(12) {
            0 if self.faulty => Fate::Before,
            1 if self.faulty => Fate::After,
            2 if self.faulty => Fate::Killed,
            _ => Fate::Well,
        }
    }

    /// Published until it is stored, as a host does; cut off now and then.
    async fn publish(&mut self, index: usize) {
        let event = notify_core::NewEvent::new("connection.created", super::support::BODY).unwrap();
        let name = if index.is_multiple_of(3) { "ep_a" } else { "ep_b" };
        let batch = batch(vec![published(&event, &format!("e{index}"), &[(name, due(0))])]);
        if self.fate() == Fate::Killed {
            self.cut_off(async |store| drop(store.insert(&batch).await)).await;
        }
        self.store().insert(&batch).await.unwrap();
    }

    /// Begins `work`, and drops it with the store before it is told the end.
    async fn cut_off(&mut self, work: impl AsyncFnOnce(&SqliteStore)) {
        self.kills += 1;
        let store = self.store.take().expect("it is open");
        let turns = self.below(3);
        let wait = async {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = work(&store) => {}
            () = wait => {}
        }
        drop(store);
        self.store = Some(open(&self.path).await);
    }

    fn tell(&mut self, input: DispatchInput) {
        for command in self.dispatcher.handle(at(self.now), input) {
            match command {
                Command::Send(order) => {
                    *self.requests.entry(order.delivery).or_default() += 1;
                    let took = i64::try_from(self.below(2000)).unwrap();
                    self.flying.insert(order.delivery, (self.now + took, order));
                }
                Command::AbortAll | Command::Settled(..) => {}
                Command::Corrupt(record) => panic!("{record:?}"),
                command => self.under_way.push(command),
            }
        }
    }

    async fn answer(&mut self, command: Command) {
        let fate = self.fate();
        let input = match command {
            Command::Claim(_) if fate == Fate::Before => DispatchInput::ClaimFailed,
            Command::Claim(request) if fate == Fate::Killed => {
                self.cut_off(async |store| drop(store.claim(&request).await)).await;
                DispatchInput::ClaimFailed
            }
            Command::Claim(request) => {
                let answer = self.store().claim(&request).await.unwrap();
                if fate == Fate::After { DispatchInput::ClaimFailed } else { DispatchInput::Claimed(answer) }
            }
            Command::ReadEndpoints(_) if fate != Fate::Well => DispatchInput::EndpointsFailed,
            Command::ReadEndpoints(ids) => {
                let endpoints = self.store().get(&ids).await.unwrap();
                DispatchInput::Endpoints(ids.into_iter().zip(endpoints).collect())
            }
            Command::Apply(_) if fate == Fate::Before => DispatchInput::ApplyFailed,
            Command::Apply(changes) if fate == Fate::Killed => {
                self.cut_off(async |store| drop(store.apply(&changes).await)).await;
                DispatchInput::ApplyFailed
            }
            Command::Apply(changes) => {
                let answer = self.store().apply(&changes).await.unwrap();
                if fate == Fate::After { DispatchInput::ApplyFailed } else { DispatchInput::Applied(answer) }
            }
            Command::Load(_) if fate != Fate::Well => DispatchInput::LoadFailed,
            Command::Load(ids) => DispatchInput::Loaded(self.store().load(&ids).await.unwrap()),
            // Nobody else writes.
            Command::Poll => DispatchInput::NobodyWrote,
            Command::Send(_) | Command::AbortAll | Command::Settled(..) | Command::Corrupt(_) => return,
        };
        // A stalled call takes its time.
        self.now += if fate == Fate::Well { 1 } else { i64::try_from(self.below(8000)).unwrap() };
        self.tell(input);
    }

    fn land(&mut self) -> bool {
        let due = self.flying.iter().find(|(_, (end, _))| *end <= self.now).map(|(id, _)| *id);
        let Some((end, order)) = due.and_then(|id| self.flying.remove(&id)) else { return false };
        let reply = match self.below(4) {
            0 => Ok(Response::new(503)),
            1 => Err(SendFailure::new(Reason::Reset, "simulated")),
            _ => Ok(Response::new(200)),
        };
        let verdict = classify(reply, SuccessRule::Exactly200);
        let (started_at, duration) = (Timestamp::from_millis(at(end).as_millis() - 10), Duration::from_millis(10));
        let finished = Finished { delivery: order.delivery, started_at, duration, verdict };
        self.tell(DispatchInput::Finished(Box::new(finished)));
        true
    }

    async fn states(&self) -> Vec<State> {
        self.store().load(&ids()).await.unwrap().iter().map(notify_core::delivery::Delivery::state).collect()
    }

    /// Runs for a day, the faults ending half-way.
    async fn run(&mut self) {
        self.tell(DispatchInput::Wake);
        for step in 0..4000 {
            self.faulty = step < 150;
            if self.land() {
                continue;
            }
            if !self.under_way.is_empty() {
                let index = usize::try_from(self.below(self.under_way.len() as u64)).unwrap();
                let command = self.under_way.remove(index);
                self.answer(command).await;
                continue;
            }
            if !self.faulty && self.flying.is_empty() && self.states().await.iter().all(|state| !state.is_open()) {
                return;
            }
            let lands = self.flying.values().map(|(end, _)| *end).min();
            let wakes = self
                .dispatcher
                .next_wake(at(self.now))
                .map(|wake| self.now + i64::try_from(wake.since(at(self.now)).as_millis()).unwrap());
            self.now = lands.into_iter().chain(wakes).min().expect("something happens").max(self.now + 1);
            self.tell(DispatchInput::Tick);
        }
        panic!("still open: {:?}", self.states().await);
    }

    async fn check(&self, seed: u64) {
        for id in ids() {
            let rows = self.store().attempts(&id).await.unwrap();
            let numbers: Vec<u32> = rows.iter().map(|row| row.number.get()).collect();
            assert_eq!(numbers, (1..=u32::try_from(rows.len()).unwrap()).collect::<Vec<_>>(), "seed {seed}");
            let counts = |outcome| matches!(outcome, Outcome::Failure(reason) if Reason::counts(reason));
            let failures = rows.iter().filter(|row| counts(row.outcome)).count();
            assert!(failures <= 4, "seed {seed}: {failures} counted failures");
            let successes = rows.iter().filter(|row| row.outcome == Outcome::Success).count();
            let state = self.store().load(&[id]).await.unwrap()[0].state();
            assert_eq!(successes, usize::from(state == State::Delivered), "seed {seed}: {state:?}");
            let sent = self.requests.get(&id).copied().unwrap_or(0);
            assert!(sent <= rows.len(), "seed {seed}: {sent} requests have {} rows", rows.len());
        }
        let broken: String =
            super::support::outside(self.store()).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(broken, "ok", "seed {seed}");
    }
}

fn ids() -> Vec<DeliveryId> {
    (0..DELIVERIES)
        .map(|index| delivery(&format!("e{index}"), if index.is_multiple_of(3) { "ep_a" } else { "ep_b" }))
        .collect()
}

async fn open(path: &PathBuf) -> SqliteStore {
    SqliteStore::builder(path).synchronous(Synchronous::Normal).open().await.unwrap()
}

/// What this process has used so far, where the system tells: Linux counts in ticks of 10 ms.
fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may hold blanks, and ends at the last parenthesis.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(Duration::from_millis((user + system) * 10))
}

async fn seeds(seeds: std::ops::Range<u64>) {
    let wanted: Option<u64> = std::env::var("SIM_SEED").ok().and_then(|text| text.parse().ok());
    let mut kills = 0;
    for seed in wanted.map_or(seeds, |seed| seed..seed + 1) {
        println!("SIM_SEED={seed} cargo test -p notify-store-sqlite --test it faults");
        let dir = tempfile::tempdir().unwrap();
        let mut world = World::new(seed, dir.path().join("notify.db")).await;
        world.run().await;
        world.check(seed).await;
        kills += world.kills;
    }
    let cpu = cpu_time().map_or_else(|| "unknown".to_owned(), |cpu| format!("{:.1} s", cpu.as_secs_f64()));
    println!("{kills} kills; CPU time {cpu}");
    assert!(wanted.is_some() || kills > 100, "{kills} kills");
}

#[tokio::test]
async fn seeds_0_to_99_lose_nothing_while_calls_fail_and_the_store_is_dropped() {
    seeds(0..100).await;
}

#[tokio::test]
async fn seeds_100_to_199_lose_nothing_while_calls_fail_and_the_store_is_dropped() {
    seeds(100..200).await;
}
