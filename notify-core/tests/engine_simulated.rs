//! The real driver in a world of faults, on a clock that only the test moves: engines that die and come back over a
//! store that fails before or after the work, or never answers, and receivers that answer anything. Drawn from seeds;
//! `SIM_SEED=7` runs that one alone.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use std::time::Duration;

use common::{Fault, Host, Op, Running, URL, event, hours, mins, secs, settle};
use notify_core::Policy;
use notify_core::delivery::{Outcome, Reason, State};
use notify_core::store::DeliveryLog;
use notify_core::testing::Reply;

/// SplitMix64.
struct Draws(u64);

impl Draws {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.schedule = "1s,1min,10min".parse().unwrap();
    policy
}

/// Engines over one store, some of them up.
struct World {
    draws: Draws,
    hosts: Vec<Host>,
    running: Vec<Option<Running>>,
    published: usize,
}

impl World {
    async fn new(seed: u64) -> Self {
        let mut draws = Draws(seed);
        let slots = draws.pick(&[1, 2, 256]);
        let first = Host::with(Reply::Status(200), |builder| builder.policy(policy()).max_in_flight(slots));
        first.endpoint(URL).await;
        let mut hosts = vec![first];
        for _ in 0..draws.below(3) {
            let sibling = hosts[0].sibling_with(|builder| builder.policy(policy()).max_in_flight(slots));
            hosts.push(sibling);
        }
        let running = hosts.iter().map(|host| Some(host.start())).collect();
        settle().await;
        Self { draws, hosts, running, published: 0 }
    }

    async fn act(&mut self) {
        let host = self.draws.below(self.hosts.len());
        match self.draws.below(12) {
            0..5 => self.publish(host),
            5 | 6 => self.fail_calls(),
            7 => self.script(),
            8 => {
                if let Some(running) = self.running[host].take() {
                    running.kill().await;
                }
            }
            9 => {
                if self.running[host].is_none() {
                    self.running[host] = Some(self.hosts[host].start());
                }
            }
            _ => {
                let pause = self.draws.pick(&[1, 90, 1000, 6000, 31_000, 70_000]);
                self.hosts[0].pass(Duration::from_millis(pause), secs(2)).await;
            }
        }
        settle().await;
    }

    /// The host's caller tries until it is told that the event is stored: here, in a task of its own.
    fn publish(&mut self, host: usize) {
        let id = format!("e{}", self.published);
        let engine = self.hosts[host].engine.clone();
        let event = event().with_id(&id).unwrap();
        self.published += 1;
        let clock = self.hosts[host].clock.clone();
        #[expect(clippy::disallowed_methods, reason = "a test is the host, and a host spawns")]
        tokio::spawn(async move {
            while engine.publish_event(event.clone()).await.is_err() {
                notify_core::engine::Clock::sleep(&clock, secs(1)).await;
            }
        });
    }

    fn fail_calls(&mut self) {
        let op = self.draws.pick(&[Op::Insert, Op::Claim, Op::Apply, Op::Load, Op::Get, Op::Changed]);
        let faults = (0..=self.draws.below(3)).map(|_| {
            self.draws.pick(&[
                Fault::Fail,
                Fault::Fail,
                Fault::FailAfter,
                Fault::FailAfter,
                Fault::Hang,
                Fault::HangAfter,
                Fault::Late,
            ])
        });
        let faults: Vec<Fault> = faults.collect();
        self.hosts[0].store.between().fail_next(op, faults);
    }

    fn script(&mut self) {
        let reply = self.draws.pick(&[
            Reply::Status(503),
            Reply::Status(202),
            Reply::Status(302),
            Reply::Failure(Reason::Reset),
            Reply::Hang,
        ]);
        let times = 1 + self.draws.below(3);
        self.hosts[0].transport.respond(URL, std::iter::repeat_n(reply, times));
    }
}

/// Faults first, then none: every delivery ends, and its log tells of every request. How many events were published,
/// how many requests were made, and how many leases were lost.
async fn run(seed: u64) -> [usize; 3] {
    let mut world = World::new(seed).await;
    for _ in 0..60 {
        world.act().await;
    }
    for host in 0..world.hosts.len() {
        if world.running[host].is_none() {
            world.running[host] = Some(world.hosts[host].start());
        }
    }
    let host = &world.hosts[0];
    host.pass(mins(3), secs(2)).await;
    host.pass(hours(3), mins(1)).await;

    let deliveries = host.deliveries().await;
    assert_eq!(deliveries.len(), world.published, "seed {seed}: each event is stored once");
    let (mut logged, mut lost) = (0, 0);
    for delivery in &deliveries {
        assert!(matches!(delivery.state(), State::Delivered | State::Failed), "seed {seed}: {delivery:?}");
        let log = host.store.inner().attempts(&delivery.id()).await.unwrap();
        let numbers: Vec<u32> = log.iter().map(|attempt| attempt.number.get()).collect();
        assert_eq!(numbers, (1..=u32::try_from(log.len()).unwrap()).collect::<Vec<_>>(), "seed {seed}");
        let counted =
            log.iter().filter(|row| matches!(row.outcome, Outcome::Failure(reason) if reason.counts())).count();
        assert!(counted <= 4, "seed {seed}: {counted} counted failures");
        let success = log.last().is_some_and(|last| last.outcome == Outcome::Success);
        assert_eq!(success, delivery.state() == State::Delivered, "seed {seed}");
        logged += log.len();
        lost += log.iter().filter(|row| row.outcome == Outcome::Failure(Reason::WorkerLost)).count();
    }
    // A lost lease has a row too, whether its request went out or not.
    assert!(host.sent() <= logged, "seed {seed}: {} requests and {logged} rows", host.sent());
    let done = [world.published, host.sent(), lost];
    for running in world.running.into_iter().flatten() {
        assert_eq!(running.stop().await.unsettled, 0, "seed {seed}");
    }
    done
}

#[test]
fn after_any_faults_the_real_driver_brings_every_delivery_to_its_end() {
    let wanted: Option<u64> = std::env::var("SIM_SEED").ok().and_then(|text| text.parse().ok());
    let seeds = wanted.map_or(0..60, |seed| seed..seed + 1);
    let mut done = [0, 0, 0];
    for seed in seeds {
        println!("SIM_SEED={seed} cargo test -p notify-core --test engine_simulated");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let more = runtime.block_on(run(seed));
        done = std::array::from_fn(|index| done[index] + more[index]);
    }
    let [published, sent, lost] = done;
    println!("{published} events, {sent} requests, {lost} lost leases");
    // Or nothing went wrong, and nothing is proven.
    assert!(wanted.is_some() || sent > published * 11 / 10 && lost > 50, "{done:?}");
}
