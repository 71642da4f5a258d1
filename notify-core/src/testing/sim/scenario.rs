//! Everything that a run draws beforehand, from one seed: printed with a failure, and made smaller by the shrinker.

use std::time::Duration;

use crate::dispatch::DispatchConfig;
use crate::retry::{Policy, RetrySchedule, SuccessRule};

use super::machines::Rollout;
use super::rng::Rng;
use super::script::Habit;

/// One simulated world: its processes, receivers and publishes, and what goes wrong. Drawn whole from a seed.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub(super) seed: u64,
    /// Nothing goes wrong but at receivers, and there is room for everything.
    pub(super) calm: bool,
    pub(super) processes: usize,
    /// What processes run with, unless they come up after a deploy.
    pub(super) config: DispatchConfig,
    /// In the order of their times.
    pub(super) rollouts: Vec<Rollout>,
    /// By how many millionths each process's clock is fast.
    pub(super) drifts: Vec<i64>,
    /// The store has a clock that all processes go by; else they share the wall clock of one machine.
    pub(super) store_clock: bool,
    /// The directory answers with every endpoint, wanted or not, as a host's own may.
    pub(super) loose_directory: bool,
    /// A poll waits for a change; else it is answered at once.
    pub(super) poll_waits: bool,
    pub(super) endpoints: Vec<PlannedEndpoint>,
    pub(super) publishes: Vec<Publish>,
    pub(super) actions: Vec<Action>,
    pub(super) disturbances: Vec<Disturbance>,
    /// Of a thousand store calls, how many fail, and how many of them after the work is done.
    pub(super) store_faults: u32,
    /// Of a thousand store calls, how many get no answer within the engine's deadline.
    pub(super) lost_replies: u32,
    /// How long a store call takes at most, in milliseconds.
    pub(super) latency: i64,
    /// When the faults end, in milliseconds after the start.
    pub(super) span: i64,
}

#[derive(Clone, Debug)]
pub(super) struct PlannedEndpoint {
    /// Its habits, each from a time on.
    pub(super) habits: Vec<(i64, Habit)>,
    pub(super) filter: Option<&'static str>,
    pub(super) rule: Option<SuccessRule>,
    pub(super) schedule: Option<RetrySchedule>,
    pub(super) timeout: Option<Duration>,
    /// Its secret has no Standard Webhooks key.
    pub(super) plain_secret: bool,
    /// It is there from the beginning; else an action creates it.
    pub(super) from_start: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Publish {
    pub(super) at: i64,
    pub(super) event_type: &'static str,
    /// By which process; `None`: one that only publishes.
    pub(super) by: Option<usize>,
    /// Published again so much later, with the same content or another.
    pub(super) again: Option<(i64, Content)>,
    /// With an idempotency key.
    pub(super) keyed: bool,
    /// Its first attempt is due so much later.
    pub(super) not_before: Option<i64>,
    /// Sending it kills the process so often.
    pub(super) poison: u32,
    /// The caller goes away before the answer.
    pub(super) dropped: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Content {
    Same,
    Other,
}

#[derive(Clone, Debug)]
pub(super) struct Action {
    pub(super) at: i64,
    pub(super) by: usize,
    pub(super) endpoint: usize,
    pub(super) what: Operation,
}

/// What an operator does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Operation {
    Create,
    EditUrl,
    Disable,
    EnableAndResume,
    EnableAndCancel,
    Delete,
    Rotate,
    /// One of the endpoint's deliveries, drawn when it happens.
    Resend,
    Cancel,
}

impl Operation {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::EditUrl => "edit",
            Self::Disable => "disable",
            Self::EnableAndResume => "enable and resume",
            Self::EnableAndCancel => "enable and cancel",
            Self::Delete => "delete",
            Self::Rotate => "rotate",
            Self::Resend => "resend",
            Self::Cancel => "cancel",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Disturbance {
    pub(super) at: i64,
    pub(super) what: Trouble,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Trouble {
    /// A process dies and comes back.
    Crash { process: usize, down: i64 },
    /// A process stands still.
    Pause { process: usize, millis: i64 },
    /// A process stops in order and comes back.
    Stop { process: usize, grace: i64, down: i64 },
    /// The store fails every call.
    Outage { millis: i64 },
    /// The endpoint directory fails every call.
    DirectoryOutage { millis: i64 },
    /// The wall clock jumps.
    Jump { millis: i64 },
    /// The store goes back to where it was so long before.
    Failover { behind: i64 },
    /// Old events are removed.
    Prune { older_than: i64 },
}

const TYPES: [&str; 3] = ["a.one", "a.two", "b.one"];
const HOUR: i64 = 3_600_000;

impl Scenario {
    /// The world that belongs to `seed`.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let rng = &mut Rng::stream(seed, 1);
        let calm = rng.chance(150);
        let most = *rng.pick(&[1, 1, 2, 2, 3, 4, 5, 8]);
        let processes = if calm { 1 } else { 1 + rng.index(most) };
        let policy = draw_policy(rng);
        let span = if rng.chance(50) { 365 * 24 * HOUR } else { rng.spread(20_000, 72 * HOUR) };
        let poll_waits = calm || rng.chance(700);
        let mut config = draw_config(rng, policy, span);
        if poll_waits {
            config.poll = DispatchConfig::default().poll;
        }
        let mut scenario = Self {
            seed,
            calm,
            processes,
            config,
            rollouts: Vec::new(),
            drifts: vec![0; processes],
            store_clock: rng.chance(600),
            loose_directory: rng.chance(200),
            poll_waits,
            endpoints: Vec::new(),
            publishes: Vec::new(),
            actions: Vec::new(),
            disturbances: Vec::new(),
            store_faults: 0,
            lost_replies: 0,
            latency: if calm { 4 } else { rng.spread(1, 900) },
            span,
        };
        scenario.draw_endpoints(rng);
        scenario.draw_publishes(rng);
        if calm {
            // More than it publishes: even if all of it hangs, nothing waits for a slot.
            scenario.config.max_in_flight = 16_384;
            scenario.config.per_endpoint = 16_384;
            scenario.config.unsettled_limit = 100_000;
        } else {
            scenario.draw_faults(&mut Rng::stream(seed, 2));
            scenario.draw_by_hand(&mut Rng::stream(seed, 5));
            scenario.draw_rollouts(&mut Rng::stream(seed, 7));
        }
        scenario.draw_drifts(&mut Rng::stream(seed, 6));
        scenario
    }

    fn draw_endpoints(&mut self, rng: &mut Rng) {
        let most = if rng.chance(100) { 60 } else { 8 };
        for _ in 0..rng.spread(1, most) {
            let mut habits = vec![(0, if self.calm { Habit::Good } else { Habit::draw(rng) })];
            while rng.chance(500) {
                habits.push((rng.between(0, self.span), Habit::draw(rng)));
            }
            habits.sort_by_key(|(from, _)| *from);
            let own = rng.chance(200);
            self.endpoints.push(PlannedEndpoint {
                habits,
                filter: *rng.pick(&[None, None, Some("a.*"), Some("a.one"), Some("b.*")]),
                rule: own.then_some(SuccessRule::Any2xx),
                schedule: rng.chance(100).then(|| draw_schedule(rng)),
                timeout: rng.chance(100).then(|| self.config.policy.timeout / 2),
                plain_secret: rng.chance(300),
                from_start: self.calm || !rng.chance(100),
            });
        }
    }

    fn draw_publishes(&mut self, rng: &mut Rng) {
        let wanted = rng.spread(16, 8000);
        let each = i64::try_from(self.endpoints.len()).unwrap_or(1);
        let count = (wanted / each).max(2);
        let bursts: Vec<i64> = (0..=rng.below(5)).map(|_| rng.between(0, self.span * 4 / 5)).collect();
        let bursty = rng.chance(600);
        for _ in 0..count {
            let at = if bursty { rng.pick(&bursts) + rng.between(0, 3000) } else { rng.between(0, self.span) };
            self.publishes.push(Publish {
                at: at.min(self.span),
                event_type: TYPES[rng.index(TYPES.len())],
                by: (!rng.chance(100)).then(|| rng.index(self.processes)),
                again: rng.chance(40).then(|| {
                    let content = if rng.chance(700) { Content::Same } else { Content::Other };
                    (rng.spread(1, self.span / 4), content)
                }),
                keyed: rng.chance(200),
                not_before: rng.chance(30).then(|| rng.spread(100, 2 * HOUR)),
                poison: 0,
                dropped: false,
            });
        }
    }

    /// Each kind of trouble is on for a part of the seeds only: what hides another one does not always.
    fn draw_faults(&mut self, rng: &mut Rng) {
        let light = rng.chance(250);
        if rng.chance(500) {
            self.store_faults = *rng.pick(&[2, 10, 50, 200]);
        }
        if rng.chance(300) {
            self.publishes.iter_mut().for_each(|publish| publish.dropped = rng.chance(60));
        }
        self.draw_actions(rng);
        if light {
            return;
        }
        if rng.chance(300) {
            self.lost_replies = *rng.pick(&[2, 10, 50]);
        }
        if rng.chance(150) {
            let index = rng.index(self.publishes.len());
            self.publishes[index].poison = *rng.pick(&[1, 3, 5, 20]);
        }
        type Draw = fn(&mut Rng, &Scenario) -> Trouble;
        let kinds: [(u32, Draw); 8] = [
            (350, |rng, of| Trouble::Crash { process: rng.index(of.processes), down: rng.spread(1, 2 * HOUR) }),
            (250, |rng, of| Trouble::Pause { process: rng.index(of.processes), millis: rng.spread(1000, HOUR) }),
            (250, |rng, of| Trouble::Stop {
                process: rng.index(of.processes),
                grace: rng.spread(1, 40_000),
                down: rng.spread(1, HOUR),
            }),
            (250, |rng, _| Trouble::Outage { millis: rng.spread(10, HOUR) }),
            (200, |rng, _| Trouble::DirectoryOutage { millis: rng.spread(10, HOUR) }),
            (150, |rng, _| Trouble::Jump {
                millis: rng.spread(1000, 24 * HOUR) * if rng.chance(500) { 1 } else { -1 },
            }),
            (150, |rng, _| Trouble::Failover { behind: rng.spread(1, 5000) }),
            (200, |rng, of| Trouble::Prune { older_than: rng.between(0, of.span / 2) }),
        ];
        for (often, draw) in kinds {
            if !rng.chance(often) {
                continue;
            }
            for _ in 0..rng.spread(1, 12) {
                let at = self.busy_time(rng);
                let what = draw(rng, self);
                self.disturbances.push(Disturbance { at, what });
            }
        }
    }

    /// Often where the work is: in the middle of a burst.
    pub(super) fn busy_time(&self, rng: &mut Rng) -> i64 {
        let at = if rng.chance(600) {
            self.publishes[rng.index(self.publishes.len())].at + rng.spread(1, 60_000)
        } else {
            rng.between(0, self.span)
        };
        at.min(self.span)
    }

    fn draw_actions(&mut self, rng: &mut Rng) {
        for endpoint in 0..self.endpoints.len() {
            if !self.endpoints[endpoint].from_start {
                let (at, by) = (rng.between(0, self.span / 2), rng.index(self.processes));
                self.actions.push(Action { at, by, endpoint, what: Operation::Create });
            }
        }
        if !rng.chance(600) {
            return;
        }
        use Operation::{Delete, Disable, EditUrl, EnableAndCancel, EnableAndResume, Rotate};
        let what =
            [EditUrl, Disable, Disable, EnableAndResume, EnableAndResume, EnableAndCancel, Delete, Rotate, Rotate];
        for _ in 0..rng.spread(1, 30) {
            let (by, endpoint) = (rng.index(self.processes), rng.index(self.endpoints.len()));
            let near = self.publishes[rng.index(self.publishes.len())].at + rng.between(-20, 2000);
            let at = if rng.chance(700) { near } else { rng.between(0, self.span) };
            let mut what = *rng.pick(&what);
            if what == Delete && rng.chance(600) {
                what = EditUrl;
            }
            self.actions.push(Action { at: at.clamp(0, self.span), by, endpoint, what });
        }
    }

    fn draw_by_hand(&mut self, rng: &mut Rng) {
        if !rng.chance(250) {
            return;
        }
        for _ in 0..rng.spread(1, 30) {
            let what = if rng.chance(700) { Operation::Resend } else { Operation::Cancel };
            let (by, endpoint) = (rng.index(self.processes), rng.index(self.endpoints.len()));
            self.actions.push(Action { at: rng.between(0, self.span), by, endpoint, what });
        }
    }

    /// How much there is to read.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.publishes.len() + self.actions.len() + self.disturbances.len() + self.endpoints.len()
    }

    /// Nothing happens that could lose a lease.
    pub(super) fn loses_no_lease(&self) -> bool {
        let harmless = |trouble: &Disturbance| matches!(trouble.what, Trouble::Prune { .. });
        self.lost_replies == 0
            && self.disturbances.iter().all(harmless)
            && self.publishes.iter().all(|publish| publish.poison == 0 && !publish.dropped)
    }

    pub(super) fn has(&self, wanted: impl Fn(Trouble) -> bool) -> bool {
        self.disturbances.iter().any(|disturbance| wanted(disturbance.what))
    }

    /// The wall clock matters, and jumps.
    pub(super) fn clock_is_unsure(&self) -> bool {
        !self.store_clock && self.has(|trouble| matches!(trouble, Trouble::Jump { .. }))
    }
}

pub(super) fn draw_policy(rng: &mut Rng) -> Policy {
    let schedule = if rng.chance(500) { RetrySchedule::default() } else { draw_schedule(rng) };
    let timeout = Duration::from_secs(*rng.pick(&[1, 5, 30]));
    Policy { schedule, timeout, ..Policy::default() }
}

fn draw_schedule(rng: &mut Rng) -> RetrySchedule {
    let count = rng.below(6);
    let delays = (0..count).map(|_| Duration::from_millis(rng.spread(200, HOUR).unsigned_abs()));
    RetrySchedule::new(delays).unwrap_or_default()
}

pub(super) fn draw_config(rng: &mut Rng, policy: Policy, span: i64) -> DispatchConfig {
    // What a process does at fixed times is done a bounded number of times in the whole run.
    let retries: Duration = policy.schedule.delays().iter().sum();
    let horizon = span + i64::try_from(retries.as_millis()).unwrap_or(span);
    let millis = |millis: i64| Duration::from_millis(millis.unsigned_abs());
    let small = |rng: &mut Rng, high| u32::try_from(rng.spread(1, high)).unwrap_or(1);
    DispatchConfig {
        policy,
        max_in_flight: small(rng, 256),
        per_endpoint: small(rng, 16),
        places_per_slot: 1 + u32::from(rng.chance(500)),
        unsettled_limit: *rng.pick(&[4096, 4096, 64, 8]),
        // An idle claim would hide a lost wake-up: mostly there is none within the run.
        idle_claim: if rng.chance(800) { millis(400 * 24 * HOUR) } else { millis((horizon / 500).max(30_000)) },
        poll: millis((horizon / 500).max(1500)),
        ..DispatchConfig::default()
    }
}
