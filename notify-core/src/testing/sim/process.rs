//! One process: production's dispatcher and timekeeper, with a driver of the simulator's own around them.

use std::time::Duration;

use crate::delivery::{Outcome, Reason, State};
use crate::dispatch::{Command, DispatchInput, Dispatcher, Finished, SendOrder};
use crate::engine::parts::{OVERTIME, judged, signed_request};
use crate::id::{ClaimToken, DeliveryId, EndpointId};
use crate::machine::{Change, SOLO_FROM_LOST_LEASES, Verdict};
use crate::retry::SuccessRule;
use crate::store::ApplyOutcome;
use crate::time::Timestamp;

use super::calls::What;
use super::clocks::ProcessClock;
use super::flights::{Flight, Flights};
use super::ledger::{Ended, Sent};
use super::mishaps::{Mishap, Taken};
use super::script::{self, Habit};
use super::seen::{Running, Seen, StopEnd};
use super::world::{Happening, START, World};

#[derive(Debug)]
pub(super) struct Process {
    pub(super) dispatcher: Option<Dispatcher>,
    /// Counts its lives.
    pub(super) epoch: u32,
    pub(super) clock: ProcessClock,
    pub(super) paused_until: i64,
    inbox: Vec<DispatchInput>,
    turn_pending: bool,
    wake_at: i64,
    wake_number: u64,
    flights: Flights,
    pub(super) stopping: bool,
    down_after_stop: i64,
    grace: Duration,
    /// When its stop is cut off, by its own clock.
    stops_by: Option<Timestamp>,
    /// Somebody else wrote since its last poll.
    pub(super) foreign: bool,
    /// Its poll that waits.
    pub(super) poll: Option<u64>,
    /// It dies after so many commands, for so long.
    pub(super) crash_after: Option<(u64, i64)>,
    last_claim: Option<ClaimToken>,
}

impl Process {
    pub(super) fn down() -> Self {
        Self {
            dispatcher: None,
            epoch: 0,
            clock: ProcessClock::stopped(),
            paused_until: 0,
            inbox: Vec::new(),
            turn_pending: false,
            wake_at: i64::MAX,
            wake_number: 0,
            flights: Flights::none(),
            stopping: false,
            down_after_stop: 0,
            grace: Duration::ZERO,
            stops_by: None,
            foreign: false,
            poll: None,
            crash_after: None,
            last_claim: None,
        }
    }
}

impl World<'_> {
    /// The process comes up, unless it runs.
    pub(super) fn start(&mut self, index: usize) {
        if self.processes[index].dispatcher.is_some() {
            return;
        }
        let seed = u128::from(self.rng.next()) << 64 | u128::from(self.rng.next());
        let clock = self.boot_clock(index);
        let version = self.scenario.version_at(self.now - START);
        let process = &mut self.processes[index];
        *process = Process { epoch: process.epoch + 1, paused_until: process.paused_until, clock, ..Process::down() };
        process.dispatcher = Some(Dispatcher::new(self.scenario.config(version).clone(), seed));
        self.versions.insert((index, process.epoch), version);
        if version > 0 {
            self.mishap(Mishap::AnotherConfiguration, 0);
        }
        self.note(2, [index as u64, 0], || format!("process {index} starts"));
        self.schedule_turn(index);
    }

    /// The process hears of `input` at its next turn.
    pub(super) fn push(&mut self, index: usize, input: DispatchInput) {
        if self.processes[index].dispatcher.is_some() {
            self.processes[index].inbox.push(input);
            self.schedule_turn(index);
        }
    }

    /// The same, if the process still lives that life.
    pub(super) fn push_to(&mut self, (index, epoch): (usize, u32), input: DispatchInput) {
        if self.processes[index].epoch == epoch {
            self.push(index, input);
        }
    }

    pub(super) fn schedule_turn(&mut self, index: usize) {
        let process = &mut self.processes[index];
        if process.dispatcher.is_none() || process.turn_pending {
            return;
        }
        process.turn_pending = true;
        let (epoch, at) = (process.epoch, process.paused_until.max(self.now));
        self.at(at - START, Happening::Turn { process: index, epoch });
    }

    pub(super) fn wake(&mut self, index: usize, epoch: u32, number: u64) {
        let process = &mut self.processes[index];
        if process.epoch == epoch && process.wake_number == number {
            process.wake_at = i64::MAX;
            self.schedule_turn(index);
        }
    }

    pub(super) fn turn(&mut self, index: usize, epoch: u32) {
        if self.processes[index].epoch != epoch {
            return;
        }
        self.processes[index].turn_pending = false;
        if self.processes[index].paused_until > self.now {
            return self.schedule_turn(index);
        }
        let clock = self.clock_of(index);
        let config = self.config_of((index, epoch));
        let process = &mut self.processes[index];
        if process.stopping && process.stops_by.is_none() {
            process.stops_by = Some(clock.saturating_add(process.grace));
        }
        let Some(dispatcher) = process.dispatcher.as_mut() else { return };
        let commands = dispatcher.handle_all(clock, process.inbox.drain(..));
        let held = dispatcher.held();
        self.note(3, [index as u64, commands.len() as u64], || {
            format!("process {index} turns: {} commands", commands.len())
        });
        self.see(&Seen::Turned { process: index, epoch, at: self.now, clock, held, config });
        for command in commands {
            if self.dies_now(index) || self.processes[index].epoch != epoch {
                return;
            }
            self.execute(index, clock, command);
        }
        self.after_turn(index, epoch, clock);
    }

    /// Whether its time has come, between two commands.
    fn dies_now(&mut self, index: usize) -> bool {
        match &mut self.processes[index].crash_after {
            None => false,
            Some((0, down)) => {
                let down = *down;
                self.mishap(Mishap::CrashBetweenCommands, down);
                self.crash(index, down);
                true
            }
            Some((left, _)) => {
                *left -= 1;
                false
            }
        }
    }

    fn after_turn(&mut self, index: usize, epoch: u32, clock: Timestamp) {
        let process = &self.processes[index];
        let Some(dispatcher) = process.dispatcher.as_ref().filter(|_| process.epoch == epoch) else { return };
        if dispatcher.stopped(clock).is_some() {
            let in_time = process.stops_by.is_none_or(|end| clock < end);
            let end = if in_time { StopEnd::InTime } else { StopEnd::CutOff };
            if self.is_over() && end == StopEnd::CutOff {
                self.fail("nothing after stop", format!("process {index} has nothing to do and does not stop in time"));
            }
            self.see(&Seen::Stopped { process: index, epoch, clock, end });
            self.note(4, [index as u64, 0], || format!("process {index} has stopped"));
            let down = self.processes[index].down_after_stop;
            return self.go_down(index, down);
        }
        let Some(wake) = dispatcher.next_wake(clock) else { return };
        let at = self.now + process.clock.timer(wake.since(clock)).max(1);
        let process = &mut self.processes[index];
        if at < process.wake_at {
            process.wake_at = at;
            process.wake_number += 1;
            let number = process.wake_number;
            self.at(at - START, Happening::Wake { process: index, epoch, number });
        }
    }

    fn execute(&mut self, index: usize, clock: Timestamp, command: Command) {
        match command {
            Command::Claim(request) => {
                let process = &mut self.processes[index];
                let repeated = process.last_claim.replace(request.token) == Some(request.token);
                let stopping = process.stopping;
                self.see(&Seen::Asked { process: index, stopping, repeated });
                self.call(index, What::Claim(request));
            }
            Command::ReadEndpoints(ids) => self.call(index, What::Read(ids)),
            Command::Apply(changes) => self.call(index, What::Apply(changes)),
            Command::Load(ids) => self.call(index, What::Load(ids)),
            Command::Poll => self.call(index, What::Poll),
            Command::Send(order) => self.send(index, clock, *order),
            Command::AbortAll => {
                self.mishap(Mishap::AttemptsCutOff, 0);
                for _ in 0..self.processes[index].flights.len() {
                    self.step(Taken::CutOff);
                }
                self.processes[index].flights = Flights::none();
            }
            Command::Settled(changes, outcomes) => self.settled(index, &changes, &outcomes),
            Command::Corrupt(record) => self.fail("indexes consistent", format!("{record:?} in a sound store")),
        }
    }

    fn settled(&mut self, index: usize, changes: &[Change], outcomes: &[ApplyOutcome]) {
        let held = |(change, outcome): (&Change, &ApplyOutcome)| {
            (*outcome == ApplyOutcome::Applied && change.next().state == State::Held)
                .then(|| change.next().endpoint.clone())
        };
        let held: Vec<EndpointId> = changes.iter().zip(outcomes).filter_map(held).collect();
        if outcomes.len() != changes.len() {
            self.fail("fencing", format!("{} changes got {} answers", changes.len(), outcomes.len()));
        }
        let by = (index, self.processes[index].epoch);
        self.look_later(Some(by), held);
    }

    fn send(&mut self, index: usize, clock: Timestamp, order: SendOrder) {
        let request = signed_request(&order, clock);
        let habit = self.habit_of(&order.endpoint.id);
        let meeting = script::meet(habit, &request, OVERTIME, &mut self.rng);
        self.coverage.count("receiver", habit.name());
        let config = self.config_of((index, self.processes[index].epoch));
        let rule = order.endpoint.policy.success.unwrap_or(config.policy.success);
        let success = match &meeting.reply {
            Some(Ok(response)) => match rule {
                SuccessRule::Exactly200 => response.status == 200,
                SuccessRule::Any2xx => response.status / 100 == 2,
            },
            Some(Err(_)) | None => false,
        };
        let process = &self.processes[index];
        let (epoch, delivery) = (process.epoch, order.delivery);
        let running = Running {
            all: process.flights.len() + 1,
            same_endpoint: process.flights.to(&order.endpoint.id) + 1,
            alone: process.flights.goes_alone(),
        };
        let sent = Sent { process: index, epoch, delivery, at: self.now, clock, ended: None, success };
        self.note(5, [index as u64, u64::from(order.number.get())], || {
            format!("process {index} sends {delivery} to {}, attempt {}", order.endpoint.id, order.number)
        });
        self.see(&Seen::Requested { sent: &sent, order: &order, request: &request, running, config });
        self.step(Taken::Sent);
        self.sent += 1;
        // A failover may have lost the row: the request goes out all the same.
        let (mut place, mut lost) = (usize::MAX, 0);
        if let Some(known) = self.ledger.rows.get_mut(&delivery) {
            known.requests.push(sent);
            (place, lost) = (known.requests.len() - 1, known.row.as_stored().lost_leases);
        }
        let serial = self.next_serial();
        let after = i64::try_from(meeting.after.as_millis()).unwrap_or(0);
        let flight = Flight {
            serial,
            index: place,
            endpoint: order.endpoint,
            clock,
            at: self.now,
            alone: lost >= SOLO_FROM_LOST_LEASES,
            meeting,
        };
        self.processes[index].flights.begin(delivery, flight);
        if let Some(left) = self.poison.get_mut(&order.event.key.id).filter(|left| **left > 0) {
            *left -= 1;
            self.mishap(Mishap::PayloadThatKills, 0);
            return self.crash(index, 1000);
        }
        self.after(after, Happening::Reply { process: index, epoch, delivery, serial });
    }

    pub(super) fn reply(&mut self, index: usize, epoch: u32, delivery: DeliveryId, serial: u64) {
        let process = &mut self.processes[index];
        if process.epoch != epoch || !process.flights.runs(delivery, serial) {
            return;
        }
        if process.paused_until > self.now {
            let at = process.paused_until - START;
            return self.at(at, Happening::Reply { process: index, epoch, delivery, serial });
        }
        let Some(flight) = process.flights.end(delivery, serial) else { return };
        let verdict = match flight.meeting.reply {
            Some(reply) => judged(reply, &flight.endpoint, &self.config_of((index, epoch)).policy),
            None => Verdict::of_reason(Reason::TransportPanic),
        };
        let duration = self.processes[index].clock.elapsed(flight.at, self.now);
        if let Some(sent) = self.ledger.rows.get_mut(&delivery).and_then(|known| known.requests.get_mut(flight.index)) {
            sent.ended = Some(Ended { at: self.now, duration, outcome: verdict.outcome });
        }
        if verdict.outcome == Outcome::Success && !flight.meeting.accepted {
            self.coverage.count("receiver", "another 2xx accepted");
        }
        self.coverage.count("outcome", verdict.outcome.as_str());
        self.note(6, [index as u64, 0], || format!("the attempt of {delivery} ends: {}", verdict.outcome.as_str()));
        let finished = Finished { delivery, started_at: flight.clock, duration, verdict };
        self.push_to((index, epoch), DispatchInput::Finished(Box::new(finished)));
    }

    /// The process goes on before its pause was to end: what its attempts heard meanwhile it hears now.
    pub(super) fn go_on(&mut self, index: usize) {
        let process = &self.processes[index];
        let epoch = process.epoch;
        for (delivery, serial) in process.flights.overdue(self.now) {
            self.after(0, Happening::Reply { process: index, epoch, delivery, serial });
        }
        self.schedule_turn(index);
    }

    fn habit_of(&self, id: &EndpointId) -> Habit {
        let index = id.as_str().strip_prefix("ep_").and_then(|number| number.parse::<usize>().ok());
        let habits = index.and_then(|index| self.scenario.endpoints.get(index)).map(|plan| plan.habits.as_slice());
        let now = self.now - START;
        let past = habits.unwrap_or_default().iter().filter(|(from, _)| *from <= now);
        past.map(|(_, habit)| *habit).next_back().unwrap_or(Habit::Good)
    }

    /// The process dies as it stands, and is down for so long.
    pub(super) fn crash(&mut self, index: usize, down: i64) {
        if self.processes[index].dispatcher.is_some() {
            self.note(7, [index as u64, 0], || format!("process {index} dies"));
            self.go_down(index, down);
        }
    }

    fn go_down(&mut self, index: usize, down: i64) {
        let process = &mut self.processes[index];
        *process = Process { epoch: process.epoch, paused_until: process.paused_until, ..Process::down() };
        // Nothing of that life reaches the next one.
        process.epoch += 1;
        if self.is_over() {
            return;
        }
        let down = if self.faults == super::world::Faults::Off { down.min(1000) } else { down };
        self.after(down, Happening::Start { process: index });
    }

    pub(super) fn stop(&mut self, index: usize, grace: i64, down: i64) {
        let process = &mut self.processes[index];
        if process.dispatcher.is_none() || process.stopping {
            return;
        }
        (process.stopping, process.down_after_stop) = (true, down);
        let grace = Duration::from_millis(grace.unsigned_abs());
        process.grace = grace;
        self.step(Taken::Stopping);
        self.push(index, DispatchInput::Stop { grace });
    }
}
