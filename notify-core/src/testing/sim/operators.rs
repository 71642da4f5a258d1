//! What operators do, step by step, each step a call of its own: others act in between.

use std::sync::Arc;

use crate::delivery::{Delivery, State};
use crate::dispatch::DispatchInput;
use crate::endpoint::{DisableReason, Disabled, Endpoint, EndpointStatus};
use crate::engine::parts::{due_to_held, is_kept_disabled, stands};
use crate::id::{ChangeId, EndpointId, TenantId};
use crate::machine::{Gate, cancel, resend};
use crate::store::{EndpointAdmin, EndpointDirectory, Replaced, Store, SweepAction, SweepRequest};

use super::fixture;
use super::mishaps::Taken;
use super::operating::{Operating, Progress, Step};
use super::ready;
use super::scenario::Operation;
use super::seen::Seen;
use super::world::{Happening, START, World};

/// Rows in one step of a sweep: few, so that others act between two.
const SWEEP_STEP: u32 = 20;

impl World<'_> {
    pub(super) fn operate(&mut self, action: usize) {
        let planned = &self.scenario.actions[action];
        self.coverage.count("operator", planned.what.name());
        self.note(30, [action as u64, 0], || format!("{planned:?}"));
        self.begin(planned.by, planned.endpoint, planned.what);
    }

    fn begin(&mut self, process: usize, endpoint: usize, what: Operation) {
        let by = (process, self.processes[process].epoch);
        let number = self.next_serial();
        self.operating.insert(number, Operating::new(by, endpoint, what));
        self.after(0, Happening::OperateStep { number });
    }

    pub(super) fn operate_step(&mut self, number: u64) {
        let Some(mut operation) = self.operating.remove(&number) else { return };
        let (process, epoch) = operation.by;
        let there = &self.processes[process];
        if there.epoch != epoch || there.dispatcher.is_none() {
            return self.begin_again(&operation);
        }
        if there.paused_until > self.now {
            let at = there.paused_until - START;
            self.operating.insert(number, operation);
            return self.at(at, Happening::OperateStep { number });
        }
        let Some(step) = operation.steps.front().copied() else { return };
        match self.take_step(&mut operation, step) {
            Progress::Done => {
                operation.steps.pop_front();
                if step == Step::Sweep(SweepAction::Hold) && operation.decision.is_none() {
                    self.look_after_hold(&mut operation);
                }
            }
            // Somebody else decided otherwise: what was held here after that was not there for their sweep.
            Progress::Outdone => {
                self.coverage.count("operator", "outdone");
                operation.steps.clear();
                self.look_after_hold(&mut operation);
            }
            Progress::More => {}
            Progress::Failed => return self.begin_again(&operation),
            Progress::Over => return,
        }
        if !operation.steps.is_empty() {
            let after = self.rng.between(0, self.scenario.latency);
            self.operating.insert(number, operation);
            self.after(after, Happening::OperateStep { number });
        }
    }

    /// Somebody may have enabled or deleted the endpoint since: their sweep came before this one.
    fn look_after_hold(&self, operation: &mut Operating) {
        let Some(id) = fixture::endpoint_id(operation.endpoint) else { return };
        let now = self.ledger.endpoint(&id).map(|endpoint| &**endpoint);
        if let Some(action) = due_to_held(now) {
            operation.steps.extend([Step::Sweep(action), Step::Wake]);
        }
    }

    /// The operator repeats it, at a process that runs.
    fn begin_again(&mut self, operation: &Operating) {
        self.coverage.count("operator", "repeated");
        let number = self.next_serial();
        let process = self.rng.index(self.processes.len());
        let by = (process, self.processes[process].epoch);
        self.operating.insert(number, Operating::new(by, operation.endpoint, operation.what));
        let after = self.rng.spread(1000, 30_000);
        self.after(after, Happening::OperateStep { number });
    }

    fn take_step(&mut self, operation: &mut Operating, step: Step) -> Progress {
        let Some(id) = fixture::endpoint_id(operation.endpoint) else { return Progress::Over };
        let (process, _) = operation.by;
        match step {
            Step::Tell => {
                if let Some(dispatcher) = self.processes[process].dispatcher.as_mut() {
                    dispatcher.endpoint_changed(id.clone());
                }
                let writes = self.ledger.endpoints.entry(id).or_default();
                writes
                    .iter_mut()
                    .filter(|write| (write.by, write.epoch) == operation.by)
                    .for_each(|write| write.told = true);
                self.push(process, DispatchInput::Tick);
                return Progress::Done;
            }
            Step::Wake => {
                self.push(process, DispatchInput::Wake);
                return Progress::Done;
            }
            Step::Create
            | Step::Replace
            | Step::Delete
            | Step::Sweep(_)
            | Step::Decide
            | Step::ReadHeld(_)
            | Step::StillDecided
            | Step::CancelHeld
            | Step::ByHand => {}
        }
        let (fails_before, fails_after) = self.operator_fate();
        if fails_before {
            return Progress::Failed;
        }
        let progress = match step {
            Step::Create => {
                if ready(self.store.get(std::slice::from_ref(&id))).is_ok_and(|found| found.iter().all(Option::is_none))
                {
                    self.create_endpoint(operation.endpoint, process);
                }
                Progress::Done
            }
            Step::Replace => self.replace(operation, &id),
            Step::Delete => {
                let now = self.true_time();
                if ready(self.store.delete(&TenantId::default(), &id, now)).is_ok_and(|existed| existed) {
                    self.endpoint_written(process, id, None);
                }
                Progress::Done
            }
            Step::Sweep(action) => self.sweep(Some(process), &id, action),
            Step::Decide => self.replace(operation, &id),
            Step::ReadHeld(after) => self.read_held(operation, &id, after),
            Step::StillDecided => self.still_decided(operation, &id),
            Step::CancelHeld => self.cancel_held(operation),
            Step::ByHand => self.by_hand(operation, &id),
            Step::Tell | Step::Wake => Progress::Done,
        };
        if fails_after { Progress::Failed } else { progress }
    }

    fn replace(&mut self, operation: &mut Operating, id: &EndpointId) -> Progress {
        let (process, _) = operation.by;
        let now = self.clock_of(process);
        let found = ready(self.store.get(std::slice::from_ref(id))).unwrap_or_default();
        let Some(before) = found.into_iter().next().flatten() else { return Progress::Over };
        let mut next = Endpoint::clone(&before);
        match operation.what {
            Operation::EditUrl => {
                let url = format!("https://receiver{}.example/hook/{}", operation.endpoint, before.version);
                let Ok(url) = url.parse() else { return Progress::Over };
                next.url = url;
            }
            Operation::Disable if !is_kept_disabled(&before.status) => {
                let disabled = Disabled { reason: DisableReason::Operator, at: now, by: "simulated".into() };
                next.status = EndpointStatus::Disabled(disabled);
            }
            Operation::EnableAndCancel if operation.steps.front() == Some(&Step::Decide) => {
                if let EndpointStatus::Disabled(before) = &before.status {
                    let (reason, by) = (DisableReason::Cancelling, before.by.clone());
                    let decision = Disabled { reason, at: now, by };
                    next.status = EndpointStatus::Disabled(decision.clone());
                    operation.decision = Some(decision);
                } else {
                    operation.steps = [Step::Decide, Step::Sweep(SweepAction::Release), Step::Wake].into();
                }
            }
            Operation::EnableAndCancel => {
                let decision = operation.decision.as_ref();
                if decision.is_none_or(|decision| stands(&before.status, decision).is_err()) {
                    return Progress::Outdone;
                }
                next.status = EndpointStatus::Enabled;
            }
            Operation::EnableAndResume => next.status = EndpointStatus::Enabled,
            Operation::Rotate => {
                fixture::rotate(&mut next, operation.endpoint, &self.scenario.endpoints[operation.endpoint], now);
            }
            Operation::Disable | Operation::Create | Operation::Delete | Operation::Resend | Operation::Cancel => {}
        }
        if next == *before {
            return Progress::Done;
        }
        next.version = before.version.next();
        next.updated_at = now;
        match ready(self.store.replace(before.version, &next)) {
            Ok(Replaced::Written) => {
                self.endpoint_written(process, id.clone(), Some(Arc::new(next)));
                Progress::Done
            }
            Ok(Replaced::Stale) => Progress::More,
            Ok(Replaced::Missing) | Err(_) => Progress::Over,
        }
    }

    fn by_hand(&mut self, operation: &Operating, endpoint: &EndpointId) -> Progress {
        let ids: Vec<_> = self.ledger.by_endpoint.get(endpoint).into_iter().flatten().copied().collect();
        if ids.is_empty() {
            return Progress::Over;
        }
        let id = ids[self.rng.index(ids.len())];
        let Some(row) = ready(self.store.load(&[id])).unwrap_or_default().into_iter().next() else {
            return Progress::Over;
        };
        let found =
            ready(self.store.get(std::slice::from_ref(endpoint))).unwrap_or_default().into_iter().next().flatten();
        let gate = match found {
            None => Gate::Gone,
            Some(endpoint) if endpoint.is_enabled() => Gate::Open,
            Some(_) => Gate::Disabled,
        };
        let now = self.clock_of(operation.by.0);
        let change = ChangeId::new(u128::from(self.rng.next()));
        let made = match operation.what {
            Operation::Cancel => cancel(&row, now, change),
            _ => resend(&row, gate, now, change),
        };
        let Ok(change) = made else {
            self.coverage.count("operator", "refused by hand");
            return Progress::Over;
        };
        let _ = ready(self.store.apply(std::slice::from_ref(&change)));
        let Some(after) = ready(self.store.load(&[id])).unwrap_or_default().into_iter().next() else {
            return Progress::Over;
        };
        self.note(32, [operation.endpoint as u64, 0], || format!("by hand, {id} becomes {}", after.state().as_str()));
        self.see(&Seen::ByHand { after: &after });
        if operation.what == Operation::Resend {
            self.step(Taken::SentByHand);
        }
        self.ledger.write(&after);
        self.wrote(Some(operation.by.0));
        if after.state() == State::Held {
            self.look_later(Some(operation.by), vec![endpoint.clone()]);
        }
        Progress::Done
    }

    /// One step of a sweep.
    fn sweep(&mut self, by: Option<usize>, id: &EndpointId, action: SweepAction) -> Progress {
        let now = self.clock_by(by);
        let request = SweepRequest { endpoint: id.clone(), action, now, limit: SWEEP_STEP };
        let (swept, written) = self.store.sweep_and_show(&request);
        let mut moved = 0;
        for after in written {
            let Some(known) = self.ledger.rows.get(&after.id()).filter(|known| known.row != after) else { continue };
            self.step(Taken::between(known.row.state(), after.state()));
            moved += 1;
            self.see(&Seen::Swept { after: &after });
            self.ledger.write(&after);
        }
        self.note(31, [u64::from(swept.moved), 0], || format!("{action:?} of {id} moves {}", swept.moved));
        if moved != swept.moved {
            self.fail("legal transitions", format!("a sweep says that it moved {}, and it moved {moved}", swept.moved));
        }
        if moved > 0 {
            self.wrote(by);
        }
        if swept.moved == SWEEP_STEP {
            return Progress::More;
        }
        self.compare_with_store(id);
        Progress::Done
    }

    /// After a sweep the endpoint's open rows are as the ledger has them: nothing was moved in silence. (Once for each
    /// sweep and not for each step of it, for that takes an eighth of a run.)
    fn compare_with_store(&mut self, id: &EndpointId) {
        let open = self.ledger.by_endpoint.get(id).into_iter().flatten();
        let open = open.filter(|id| self.ledger.rows.get(id).is_some_and(|known| known.row.state().is_open()));
        let ids: Vec<_> = open.copied().collect();
        let stored = ready(self.store.load(&ids)).unwrap_or_default();
        let differs = |row: &Delivery| self.ledger.rows.get(&row.id()).is_some_and(|known| known.row != *row);
        if let Some(row) = stored.into_iter().find(differs) {
            self.fail("legal transitions", format!("a sweep moved {} and did not say so: {row:?}", row.id()));
        }
    }

    /// Deliveries were written as held: whoever wrote them looks again whether they still must be.
    pub(super) fn look_later(&mut self, by: Option<(usize, u32)>, mut endpoints: Vec<EndpointId>) {
        endpoints.sort_unstable();
        endpoints.dedup();
        if !endpoints.is_empty() {
            self.looking += 1;
            let after = self.rng.between(0, self.scenario.latency);
            self.after(after, Happening::Look { by, endpoints });
        }
    }

    pub(super) fn look(&mut self, by: Option<(usize, u32)>, endpoints: Vec<EndpointId>) {
        self.looking -= 1;
        if !self.lives(by) || self.directory_outage > 0 || self.outage > 0 {
            return;
        }
        let now = ready(self.store.get(&endpoints)).unwrap_or_default();
        for (endpoint, now) in endpoints.into_iter().zip(now) {
            if let Some(action) = due_to_held(now.as_deref()) {
                self.looking += 1;
                let after = self.rng.between(0, self.scenario.latency);
                self.after(after, Happening::Sweep { by, endpoint, action });
            }
        }
    }

    pub(super) fn sweep_on(&mut self, by: Option<(usize, u32)>, endpoint: EndpointId, action: SweepAction) {
        self.looking -= 1;
        if !self.lives(by) || self.outage > 0 {
            return;
        }
        self.coverage.count("operator", "looked again");
        let process = by.map(|(process, _)| process);
        if self.sweep(process, &endpoint, action) == Progress::More {
            self.looking += 1;
            self.after(1, Happening::Sweep { by, endpoint, action });
        }
        if let Some(by) = by {
            self.push_to(by, DispatchInput::Wake);
        }
    }

    fn lives(&self, by: Option<(usize, u32)>) -> bool {
        by.is_none_or(|(process, epoch)| self.processes[process].epoch == epoch)
    }

    /// A call that failed half-way is to be repeated: for each endpoint, what brings its rows where it stands.
    pub(super) fn repeat_operations(&mut self) {
        for endpoint in 0..self.scenario.endpoints.len() {
            let Some(id) = fixture::endpoint_id(endpoint) else { continue };
            let Some(writes) = self.ledger.endpoints.get(&id) else { continue };
            let what = match writes.last().and_then(|write| write.endpoint.as_ref()) {
                None => Operation::Delete,
                Some(now) if now.is_enabled() => Operation::EnableAndResume,
                Some(_) => Operation::Disable,
            };
            self.begin(0, endpoint, what);
        }
        self.mark_repeated();
    }
}
