//! The world itself: its clock, its queue of what happens next, and what goes wrong.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::dispatch::DispatchConfig;
use crate::id::{DeliveryId, EndpointId, EventId};
use crate::store::{MemoryStore, SweepAction};
use crate::time::Timestamp;

use super::calls::{Call, Part};
use super::coverage::Coverage;
use super::ending::Settling;
use super::fixture;
use super::heap::Heap;
use super::invariants::{self, Invariant, Moment};
use super::ledger::{EndpointWrite, Ledger};
use super::mishaps::{Mishap, Recent};
use super::operating::Operating;
use super::process::Process;
use super::ready;
use super::rng::Rng;
use super::scenario::{Content, Scenario, Trouble};
use super::seen::{Kind, Seen};
use super::trace::{Lines, Trace};

/// 2026-01-01, in milliseconds of the epoch.
pub(super) const START: i64 = 1_767_225_600_000;

/// What may happen.
#[derive(Debug)]
pub(super) enum Happening {
    Turn {
        process: usize,
        epoch: u32,
    },
    Wake {
        process: usize,
        epoch: u32,
        number: u64,
    },
    Call {
        call: u64,
        part: Part,
    },
    Reply {
        process: usize,
        epoch: u32,
        delivery: DeliveryId,
        serial: u64,
    },
    Publish {
        index: usize,
        content: Content,
    },
    Operate {
        action: usize,
    },
    OperateStep {
        number: u64,
    },
    Look {
        by: Option<(usize, u32)>,
        endpoints: Vec<EndpointId>,
    },
    Sweep {
        by: Option<(usize, u32)>,
        endpoint: EndpointId,
        action: SweepAction,
    },
    Disturb {
        index: usize,
    },
    Snapshot {
        index: usize,
    },
    OutageEnds {
        number: u64,
    },
    DirectoryEnds {
        number: u64,
    },
    Start {
        process: usize,
    },
    /// From now on nothing goes wrong any more.
    FaultsEnd,
    /// Operators repeat what they did last: a call of theirs may have failed half-way.
    Repeat,
    /// Everything has ended; the processes stop.
    StopAll,
    End,
}

#[derive(Debug)]
pub(super) struct World<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) now: i64,
    pub(super) rng: Rng,
    heap: Heap<Happening>,
    pub(super) store: MemoryStore,
    pub(super) processes: Vec<Process>,
    /// Which configuration each life of a process has.
    pub(super) versions: FxHashMap<(usize, u32), usize>,
    pub(super) ledger: Ledger,
    invariants: Vec<Box<dyn Invariant>>,
    /// For each kind of thing which of them watch it.
    watchers: [Vec<usize>; Kind::COUNT],
    pub(super) trace: Trace,
    pub(super) coverage: Coverage,
    pub(super) recent: Recent,
    pub(super) calls: FxHashMap<u64, Box<Call>>,
    pub(super) operating: BTreeMap<u64, Operating>,
    /// Numbers for calls, requests and operations.
    serial: u64,
    pub(super) outage: u64,
    pub(super) directory_outage: u64,
    pub(super) wall_offset: i64,
    pub(super) faults: Faults,
    pub(super) snapshots: BTreeMap<usize, (MemoryStore, Ledger)>,
    /// Publishes that were not answered well yet.
    pub(super) publishing: usize,
    /// Looks and sweeps under way.
    pub(super) looking: usize,
    /// How often sending the event still kills its process.
    pub(super) poison: BTreeMap<EventId, u32>,
    pub(super) deadline: i64,
    pub(super) quiet_calls: Option<u64>,
    pub(super) repeated: bool,
    /// Store calls, and requests, so far.
    pub(super) called: u64,
    pub(super) sent: u64,
    pub(super) settling: Settling,
    /// The first sentence that was false.
    pub(super) found: Option<(&'static str, String)>,
    ended: bool,
    since_review: usize,
}

/// Whether things still go wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Faults {
    On,
    Off,
}

impl<'a> World<'a> {
    pub(super) fn new(scenario: &'a Scenario, lines: Lines) -> Self {
        let invariants = invariants::all(scenario);
        let mut watchers = [const { Vec::new() }; Kind::COUNT];
        for (index, invariant) in invariants.iter().enumerate() {
            invariant.watches().iter().for_each(|kind| watchers[*kind as usize].push(index));
        }
        let mut world = Self {
            scenario,
            now: START,
            rng: Rng::stream(scenario.seed, 3),
            heap: Heap::new(),
            store: MemoryStore::new(),
            processes: (0..scenario.processes).map(|_| Process::down()).collect(),
            versions: FxHashMap::default(),
            ledger: Ledger::default(),
            invariants,
            watchers,
            trace: Trace::new(lines),
            coverage: Coverage::default(),
            recent: Recent::new(),
            calls: FxHashMap::default(),
            operating: BTreeMap::new(),
            serial: 0,
            outage: 0,
            directory_outage: 0,
            wall_offset: 0,
            faults: Faults::On,
            snapshots: BTreeMap::new(),
            publishing: scenario.publishes.len(),
            looking: 0,
            poison: BTreeMap::new(),
            deadline: i64::MAX,
            quiet_calls: None,
            repeated: false,
            called: 0,
            sent: 0,
            settling: Settling::default(),
            found: None,
            ended: false,
            since_review: 0,
        };
        world.plan();
        world
    }

    fn plan(&mut self) {
        let scenario = self.scenario;
        for (index, plan) in scenario.endpoints.iter().enumerate() {
            if plan.from_start {
                self.create_endpoint(index, 0);
            }
        }
        for process in 0..scenario.processes {
            self.at(0, Happening::Start { process });
        }
        for (index, publish) in scenario.publishes.iter().enumerate() {
            self.at(publish.at, Happening::Publish { index, content: Content::Same });
            if let Some((after, content)) = publish.again {
                self.publishing += 1;
                self.at(publish.at + after, Happening::Publish { index, content });
            }
            if let Some(id) = super::publishing::event_id(index).filter(|_| publish.poison > 0) {
                self.poison.insert(id, publish.poison);
            }
        }
        for (action, planned) in scenario.actions.iter().enumerate() {
            self.at(planned.at, Happening::Operate { action });
        }
        for (index, planned) in scenario.disturbances.iter().enumerate() {
            if let Trouble::Failover { behind } = planned.what {
                self.at((planned.at - behind).max(0), Happening::Snapshot { index });
            }
            self.at(planned.at, Happening::Disturb { index });
        }
        self.at(scenario.span, Happening::FaultsEnd);
        if scenario.drifts.iter().any(|drift| *drift != 0) {
            self.mishap(Mishap::Drift, scenario.span);
        }
    }

    /// The endpoint is stored; its ledger begins.
    pub(super) fn create_endpoint(&mut self, index: usize, by: usize) {
        let Ok(endpoint) = fixture::endpoint(index, &self.scenario.endpoints[index], self.true_time()) else { return };
        let _ = ready(crate::store::EndpointAdmin::create(&self.store, &endpoint));
        self.endpoint_written(by, endpoint.id.clone(), Some(endpoint.into()));
    }

    pub(super) fn endpoint_written(
        &mut self,
        by: usize,
        id: EndpointId,
        endpoint: Option<std::sync::Arc<crate::endpoint::Endpoint>>,
    ) {
        let write = EndpointWrite { at: self.now, by, epoch: self.processes[by].epoch, told: false, endpoint };
        self.ledger.endpoints.entry(id).or_default().push(write);
        self.wrote(Some(by));
    }

    /// Runs to the end, or to the first sentence that is false.
    pub(super) fn run(&mut self) {
        while self.found.is_none() && !self.ended {
            let Some((at, event)) = self.heap.pop() else { break };
            self.now = at.cast_signed();
            self.happen(event);
            self.since_review += 1;
            if self.since_review > 100 + self.ledger.rows.len() {
                self.review(Moment::Between);
            }
            self.look_for_the_end();
        }
        if self.found.is_none() {
            self.review(Moment::AtTheEnd);
        }
    }

    fn happen(&mut self, event: Happening) {
        match event {
            Happening::Turn { process, epoch } => self.turn(process, epoch),
            Happening::Wake { process, epoch, number } => self.wake(process, epoch, number),
            Happening::Call { call, part } => self.call_part(call, part),
            Happening::Reply { process, epoch, delivery, serial } => self.reply(process, epoch, delivery, serial),
            Happening::Publish { index, content } => self.publish(index, content),
            Happening::Operate { action } => self.operate(action),
            Happening::OperateStep { number } => self.operate_step(number),
            Happening::Look { by, endpoints } => self.look(by, endpoints),
            Happening::Sweep { by, endpoint, action } => self.sweep_on(by, endpoint, action),
            Happening::Disturb { index } => self.disturb(index),
            Happening::Snapshot { index } => {
                self.snapshots.insert(index, (self.store.snapshot(), self.ledger.clone()));
            }
            Happening::OutageEnds { number } if self.outage == number => self.outage = 0,
            Happening::DirectoryEnds { number } if self.directory_outage == number => self.directory_outage = 0,
            Happening::OutageEnds { .. } | Happening::DirectoryEnds { .. } => {}
            Happening::Start { process } => self.start(process),
            Happening::FaultsEnd => self.faults_end(),
            Happening::Repeat => self.repeat_operations(),
            Happening::StopAll => self.stop_all(),
            Happening::End => self.ended = true,
        }
    }

    /// `event` happens at `at`, in milliseconds after the start.
    pub(super) fn at(&mut self, at: i64, event: Happening) {
        let tie = (self.rng.next() >> 32) as u32;
        self.heap.push((START + at).cast_unsigned(), tie, event);
    }

    /// `event` happens in `after` milliseconds.
    pub(super) fn after(&mut self, after: i64, event: Happening) {
        self.at(self.now - START + after.max(0), event);
    }

    /// The configuration of this life of a process.
    pub(super) fn config_of(&self, life: (usize, u32)) -> &'a DispatchConfig {
        self.scenario.config(self.versions.get(&life).copied().unwrap_or(0))
    }

    pub(super) const fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    pub(super) fn true_time(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    pub(super) fn see(&mut self, seen: &Seen<'_>) {
        if self.found.is_some() {
            return;
        }
        let known = seen.delivery().and_then(|id| self.ledger.rows.get(&id)).map(|known| &**known);
        for index in &self.watchers[seen.kind() as usize] {
            let invariant = &mut self.invariants[*index];
            if let Err(problem) = invariant.see(seen, &self.ledger, known) {
                self.found = Some((invariant.name(), problem));
                return;
            }
        }
    }

    fn review(&mut self, moment: Moment) {
        self.since_review = 0;
        for invariant in &mut self.invariants {
            if let Err(problem) = invariant.review(&self.store, &self.ledger, moment) {
                self.found = Some((invariant.name(), problem));
                return;
            }
        }
    }

    pub(super) fn fail(&mut self, name: &'static str, problem: String) {
        self.found.get_or_insert((name, problem));
    }

    pub(super) fn note(&mut self, what: u8, whom: [u64; 2], words: impl FnOnce() -> String) {
        self.trace.note(self.now - START, what, whom, words);
    }

    /// Somebody wrote to the store: the others' polls find out.
    pub(super) fn wrote(&mut self, by: Option<usize>) {
        for process in 0..self.processes.len() {
            if Some(process) == by || self.processes[process].dispatcher.is_none() {
                continue;
            }
            match self.processes[process].poll.take() {
                Some(call) => {
                    let after = self.rng.between(0, 1600);
                    self.after(after, Happening::Call { call, part: Part::Answer });
                }
                None => self.processes[process].foreign = true,
            }
        }
    }
}
