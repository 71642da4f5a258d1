//! Calls of the store and of the directory: late, failed before or after the work, or never answered.

use std::sync::Arc;

use crate::dispatch::DispatchInput;
use crate::id::{DeliveryId, EndpointId};
use crate::machine::Change;
use crate::store::{ApplyOutcome, ClaimRequest, EndpointDirectory, InsertOutcome, Store};

use super::mishaps::{Mishap, Taken};
use super::publishing::Insertion;
use super::ready;
use super::seen::Seen;
use super::world::{Faults, Happening, World};

/// What the engine waits for an answer, in milliseconds.
const DEADLINE: i64 = 5000;
const INSERT_DEADLINE: i64 = 30_000;

#[derive(Debug)]
pub(super) struct Call {
    /// Whose; `None` for a process that only publishes.
    by: Option<(usize, u32)>,
    what: What,
    fate: Fate,
    answer: Option<Answer>,
    answered: bool,
}

#[derive(Debug)]
pub(super) enum What {
    Claim(ClaimRequest),
    Read(Vec<EndpointId>),
    Apply(Arc<[Change]>),
    Load(Vec<DeliveryId>),
    Poll,
    Insert(Box<Insertion>),
}

/// Which half of a call happens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    /// The store does the work, and answers in the same moment.
    Both,
    Effect,
    Answer,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Well,
    FailsBefore,
    FailsAfter,
    /// The answer does not come in time; the work may be done even later.
    Lost,
}

impl Fate {
    const fn name(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::FailsBefore => "error before the work",
            Self::FailsAfter => "error after the work",
            Self::Lost => "no answer in time",
        }
    }

    const fn mishap(self) -> Option<Mishap> {
        match self {
            Self::Well => None,
            Self::FailsBefore => Some(Mishap::ErrorBefore),
            Self::FailsAfter => Some(Mishap::ErrorAfter),
            Self::Lost => Some(Mishap::NoAnswer),
        }
    }
}

#[derive(Debug)]
enum Answer {
    Input(DispatchInput),
    Stored(Option<InsertOutcome>),
}

impl What {
    const fn name(&self) -> &'static str {
        match self {
            Self::Claim(_) => "claim",
            Self::Read(_) => "read",
            Self::Apply(_) => "apply",
            Self::Load(_) => "load",
            Self::Poll => "poll",
            Self::Insert(_) => "insert",
        }
    }

    fn into_insertion(self) -> Option<Box<Insertion>> {
        if let Self::Insert(insertion) = self { Some(insertion) } else { None }
    }

    fn failure(&self) -> Answer {
        Answer::Input(match self {
            Self::Claim(_) => DispatchInput::ClaimFailed,
            Self::Read(_) => DispatchInput::EndpointsFailed,
            Self::Apply(_) => DispatchInput::ApplyFailed,
            Self::Load(_) => DispatchInput::LoadFailed,
            Self::Poll => DispatchInput::NobodyWrote,
            Self::Insert(_) => return Answer::Stored(None),
        })
    }
}

impl World<'_> {
    /// A process makes a call.
    pub(super) fn call(&mut self, process: usize, what: What) {
        let by = (process, self.processes[process].epoch);
        self.see(&Seen::Called { process, at: self.now });
        self.called += 1;
        self.call_by(Some(by), what);
    }

    pub(super) fn call_by(&mut self, by: Option<(usize, u32)>, what: What) {
        let number = self.next_serial();
        let waits = matches!(what, What::Poll) && self.scenario.poll_waits;
        let fate = if matches!(what, What::Poll) { Fate::Well } else { self.draw_fate() };
        if let Some(mishap) = fate.mishap() {
            self.coverage.count(fate.name(), what.name());
            self.mishap(mishap, 0);
        }
        let deadline = if matches!(what, What::Insert(_)) { INSERT_DEADLINE } else { DEADLINE };
        self.note(10, [number, fate as u64], || format!("call {number} of {by:?}: {}, {}", what.name(), fate.name()));
        self.calls.insert(number, Box::new(Call { by, what, fate, answer: None, answered: false }));
        let latency = self.rng.between(0, self.scenario.latency);
        match fate {
            Fate::Well if waits => {
                let Some((process, _)) = by else { return };
                if std::mem::take(&mut self.processes[process].foreign) {
                    self.after(latency, Happening::Call { call: number, part: Part::Answer });
                } else {
                    self.processes[process].poll = Some(number);
                }
            }
            Fate::Well if self.rng.chance(850) => {
                self.after(latency, Happening::Call { call: number, part: Part::Both })
            }
            Fate::Well | Fate::FailsAfter => {
                let back = self.rng.between(0, self.scenario.latency);
                self.after(latency, Happening::Call { call: number, part: Part::Effect });
                self.after(latency + back + 1, Happening::Call { call: number, part: Part::Answer });
            }
            Fate::FailsBefore => self.after(latency, Happening::Call { call: number, part: Part::Answer }),
            Fate::Lost => {
                // A statement may still run when its caller has given up.
                let effect = self.rng.spread(1, 120_000);
                if self.rng.chance(700) {
                    self.after(effect, Happening::Call { call: number, part: Part::Effect });
                }
                self.after(deadline, Happening::Call { call: number, part: Part::Answer });
            }
        }
    }

    fn draw_fate(&mut self) -> Fate {
        if self.faults == Faults::Off {
            return Fate::Well;
        }
        if self.rng.chance(self.scenario.store_faults) {
            return if self.rng.chance(500) { Fate::FailsBefore } else { Fate::FailsAfter };
        }
        if self.rng.chance(self.scenario.lost_replies) { Fate::Lost } else { Fate::Well }
    }

    /// A store call of an operator: whether it fails before the work, or after it.
    pub(super) fn operator_fate(&mut self) -> (bool, bool) {
        let fate = if self.outage > 0 { Fate::FailsBefore } else { self.draw_fate() };
        (fate == Fate::FailsBefore, matches!(fate, Fate::FailsAfter | Fate::Lost))
    }

    pub(super) fn call_part(&mut self, number: u64, part: Part) {
        let Some(mut call) = self.calls.remove(&number) else { return };
        if part != Part::Answer {
            let down = self.outage > 0 || self.directory_outage > 0 && matches!(call.what, What::Read(_));
            if down && !matches!(call.what, What::Poll) {
                self.coverage.count("fault", "call in an outage");
                call.answer = Some(call.what.failure());
            } else {
                let done = self.perform(&mut call);
                if call.fate == Fate::Well {
                    call.answer = Some(done);
                }
            }
        }
        if part == Part::Effect && !call.answered {
            self.calls.insert(number, call);
            return;
        }
        if part == Part::Effect {
            return;
        }
        // Its work may come even later.
        let late = call.fate == Fate::Lost && !call.answered;
        let answer = match (call.answer.take(), &call.what) {
            (Some(answer), _) => answer,
            // It waited until somebody wrote.
            (None, What::Poll) => Answer::Input(DispatchInput::SomebodyWrote),
            (None, what) => what.failure(),
        };
        let by = call.by;
        match answer {
            Answer::Stored(outcome) => {
                let insertion = match &mut call.what {
                    What::Insert(insertion) if late => Some(Box::new(insertion.take())),
                    what => std::mem::replace(what, What::Poll).into_insertion(),
                };
                if let Some(insertion) = insertion {
                    self.inserted(*insertion, outcome);
                }
            }
            Answer::Input(input) => {
                if let Some(by) = by {
                    self.push_to(by, input);
                }
            }
        }
        if late {
            call.answered = true;
            self.calls.insert(number, call);
        }
    }

    fn perform(&mut self, call: &mut Call) -> Answer {
        let process = call.by.map(|(process, _)| process);
        Answer::Input(match &mut call.what {
            What::Claim(request) => {
                let Ok(batch) = ready(self.store.claim(request)) else { return call.what.failure() };
                let process = process.unwrap_or(0);
                self.see(&Seen::Claimed { at: self.now, request, batch: &batch });
                self.note(11, [batch.claimed.len() as u64, 0], || {
                    let ids: Vec<_> = batch.claimed.iter().map(|row| row.delivery.id().to_string()).collect();
                    format!("process {process} gets {ids:?} at {}", request.now)
                });
                for row in &batch.claimed {
                    let before = self.ledger.rows.get(&row.delivery.id()).map(|known| &known.row);
                    if let Some(before) = before.filter(|before| **before != row.delivery) {
                        self.step(Taken::between(before.state(), row.delivery.state()));
                    }
                }
                self.ledger.leased(call.by, self.now, request, &batch);
                if !batch.claimed.is_empty() {
                    self.wrote(Some(process));
                }
                DispatchInput::Claimed(batch)
            }
            What::Read(ids) => {
                let Ok(endpoints) = ready(self.store.get(ids)) else { return call.what.failure() };
                self.step(Taken::Read);
                DispatchInput::Endpoints(std::mem::take(ids).into_iter().zip(endpoints).collect())
            }
            What::Apply(changes) => {
                let changes = Arc::clone(changes);
                let outcomes = changes.iter().map(|change| self.apply(call.by, change)).collect();
                self.wrote(process);
                DispatchInput::Applied(outcomes)
            }
            What::Load(ids) => {
                self.step(Taken::Loaded);
                DispatchInput::Loaded(ready(self.store.load(ids)).unwrap_or_default())
            }
            What::Poll => {
                let foreign = process.is_some_and(|process| std::mem::take(&mut self.processes[process].foreign));
                if foreign { DispatchInput::SomebodyWrote } else { DispatchInput::NobodyWrote }
            }
            What::Insert(insertion) => return Answer::Stored(self.insert(insertion)),
        })
    }

    fn apply(&mut self, by: Option<(usize, u32)>, change: &Change) -> ApplyOutcome {
        let id = change.delivery();
        let (outcome, after) = self.store.apply_and_show(change);
        let config = self.config_of(by.unwrap_or_default());
        self.see(&Seen::Applied { change, outcome, after: after.as_ref(), config });
        self.note(12, [by.map_or(99, |(process, _)| process as u64), change.expected().get()], || {
            format!("{id} becomes {} at version {}: {outcome:?}", change.next().state.as_str(), change.expected())
        });
        if outcome != ApplyOutcome::Applied {
            self.step(Taken::Stale);
            return outcome;
        }
        if let Some(after) = after {
            let taken = self.ledger.write_with(change.attempts(), &after);
            self.step(taken.map_or(Taken::AppliedAgain, |before| Taken::between(before, after.state())));
        }
        outcome
    }
}
