//! The lease protocol, explored to the last state: two workers, whose clocks differ, claim and settle two deliveries
//! in a store that may once fall back to an earlier state. Claim, step and apply are production's own.
//!
//! What must never be: a change is written by a worker whose claim is not the row's claim in the store.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::delivery::{Delivery, NewDelivery, Start, State};
use crate::event::EventKey;
use crate::id::{ChangeId, ClaimToken, DeliveryId, EventId, TenantId};
use crate::machine::{Input, Step, step};
use crate::planted::{Fault, plant};
use crate::retry::Policy;
use crate::store::{ApplyOutcome, ClaimRequest, Free, MemoryStore, PublishBatch, PublishedEvent, Store};
use crate::testing::sim::ready;
use crate::time::Timestamp;

const UNIT: Duration = Duration::from_secs(25);
const LEASE: u32 = 2;
const LAST_TICK: u32 = 3;
const CLAIMS: u128 = 3;
/// Worker 1 is a unit ahead.
const SKEW: [u32; 2] = [0, 1];

/// How a claim's token is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Tokens {
    /// None comes twice.
    Random,
    /// Counted in the store, so that a failover counts again.
    Counted,
}

#[derive(Clone)]
struct World {
    store: MemoryStore,
    /// The claims counted in the store.
    counted: u128,
    snapshot: Option<(MemoryStore, u128, Vec<Option<u128>>)>,
    fell_back: bool,
    tick: u32,
    claims: u128,
    /// What each worker holds: which of its claims, and the row.
    held: [Vec<(u128, Delivery)>; 2],
    /// Which claim holds each delivery in the store, whatever its token says.
    holder: Vec<Option<u128>>,
    changes: u128,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Tick,
    Claim(usize),
    Settle(usize, usize),
    HandBack(usize, usize),
    Crash(usize),
    Snapshot,
    FallBack,
}

impl World {
    fn new() -> Self {
        let store = MemoryStore::new();
        let events = (0..2).map(|index| {
            let new = NewEventOf(index);
            PublishedEvent {
                event: std::sync::Arc::new(new.event()),
                fingerprint: [index; 32],
                idempotency_key: None,
                purpose: crate::event::Purpose::Live,
                deliveries: vec![NewDelivery {
                    id: new.id(),
                    endpoint: "ep_0".parse().unwrap(),
                    start: Start::Due(Timestamp::EPOCH),
                }],
            }
        });
        let batch = PublishBatch { now: Timestamp::EPOCH, events: events.collect() };
        ready(store.insert(&batch)).unwrap();
        Self {
            store,
            counted: 0,
            snapshot: None,
            fell_back: false,
            tick: 0,
            claims: 0,
            held: [Vec::new(), Vec::new()],
            holder: vec![None, None],
            changes: 0,
        }
    }

    fn rows(&self) -> Vec<Delivery> {
        ready(self.store.load(&[NewEventOf(0).id(), NewEventOf(1).id()])).unwrap()
    }

    fn acts(&self) -> Vec<Act> {
        let mut acts = Vec::new();
        if self.tick < LAST_TICK {
            acts.push(Act::Tick);
        }
        for worker in 0..2 {
            if self.held[worker].is_empty() && self.claims < CLAIMS {
                acts.push(Act::Claim(worker));
            }
            for index in 0..self.held[worker].len() {
                acts.extend([Act::Settle(worker, index), Act::HandBack(worker, index)]);
            }
            if !self.held[worker].is_empty() {
                acts.push(Act::Crash(worker));
            }
        }
        match (&self.snapshot, self.fell_back) {
            (None, _) => acts.push(Act::Snapshot),
            (Some(_), false) => acts.push(Act::FallBack),
            (Some(_), true) => {}
        }
        acts
    }

    /// The world after `act`, or what must never be.
    fn after(&self, act: Act, tokens: Tokens) -> Result<Self, String> {
        let mut next = Self { store: self.store.snapshot(), ..self.clone() };
        match act {
            Act::Tick => next.tick += 1,
            Act::Claim(worker) => next.claim(worker, tokens),
            Act::Settle(worker, index) => next.write(worker, index, Ending::Success)?,
            Act::HandBack(worker, index) => next.write(worker, index, Ending::HandBack)?,
            Act::Crash(worker) => next.held[worker].clear(),
            Act::Snapshot => next.snapshot = Some((self.store.snapshot(), self.counted, self.holder.clone())),
            Act::FallBack => {
                if let Some((store, counted, holder)) = &self.snapshot {
                    (next.store, next.counted, next.holder) = (store.snapshot(), *counted, holder.clone());
                }
                next.fell_back = true;
            }
        }
        Ok(next)
    }

    fn claim(&mut self, worker: usize, tokens: Tokens) {
        self.claims += 1;
        self.counted += 1;
        let token = match tokens {
            Tokens::Random => self.claims,
            Tokens::Counted => self.counted,
        };
        let now = self.clock(worker);
        let request = ClaimRequest {
            now,
            lease_until: now.saturating_add(UNIT * LEASE),
            token: ClaimToken::new(token),
            limit: 2,
            free: Free { default: 2, busy: Vec::new() },
        };
        let batch = ready(self.store.claim(&request)).unwrap();
        for row in batch.claimed {
            let index = usize::from(row.delivery.id() == NewEventOf(1).id());
            self.holder[index] = Some(self.claims);
            self.held[worker].push((self.claims, row.delivery));
        }
    }

    fn write(&mut self, worker: usize, index: usize, ending: Ending) -> Result<(), String> {
        let (claim, row) = self.held[worker].remove(index);
        self.changes += 1;
        let now = self.clock(worker);
        let input = match ending {
            Ending::HandBack => Input::HandBack,
            Ending::Success => Input::Finished {
                gate: crate::machine::Gate::Open,
                started_at: now,
                duration: Duration::ZERO,
                url: "https://h/x".into(),
                verdict: Box::new(crate::machine::classify(
                    Ok(crate::delivery::Response::new(200)),
                    crate::retry::SuccessRule::Exactly200,
                )),
            },
        };
        let change = ChangeId::new(1000 * claim + self.changes);
        let Ok(Step::Write(change)) = step(&row, input, &Policy::default(), now, change) else { return Ok(()) };
        let outcome = ready(self.store.apply(&[change])).unwrap()[0];
        if outcome == ApplyOutcome::Applied {
            let index = usize::from(row.id() == NewEventOf(1).id());
            if self.holder[index] != Some(claim) {
                return Err(format!(
                    "claim {claim} writes delivery {index}, which claim {:?} holds",
                    self.holder[index]
                ));
            }
            self.holder[index] = None;
        }
        Ok(())
    }

    fn clock(&self, worker: usize) -> Timestamp {
        Timestamp::EPOCH.saturating_add(UNIT * (self.tick + SKEW[worker]))
    }

    /// Two worlds with the same key go on in the same way.
    fn key(&self) -> String {
        let row = |row: &Delivery| {
            let stored = row.as_stored();
            let token = stored.token.map(ClaimToken::get);
            format!(
                "{} {:?} {token:?} {} {};",
                stored.state.as_str(),
                stored.ready_at,
                stored.version,
                stored.lost_leases
            )
        };
        let rows = |store: &MemoryStore| {
            let rows = ready(store.load(&[NewEventOf(0).id(), NewEventOf(1).id()])).unwrap();
            rows.iter().map(row).collect::<String>()
        };
        let held = self
            .held
            .iter()
            .map(|held| held.iter().map(|(claim, held)| format!("{claim} {}", row(held))).collect::<String>());
        format!(
            "{}|{}|{}|{}|{:?}|{}|{}|{:?}|{:?}",
            rows(&self.store),
            self.counted,
            self.tick,
            self.claims,
            self.holder,
            held.collect::<Vec<_>>().join("/"),
            self.fell_back,
            self.snapshot.as_ref().map(|(store, counted, _)| (rows(store), *counted)),
            self.snapshot.as_ref().map(|(_, _, holder)| holder.clone()),
        )
    }
}

#[derive(Clone, Copy)]
enum Ending {
    Success,
    HandBack,
}

/// The n-th of the two events.
struct NewEventOf(u8);

impl NewEventOf {
    fn event(&self) -> crate::event::Event {
        let id: EventId = format!("e{}", self.0).parse().unwrap();
        crate::NewEvent::new("a.b", "1").unwrap().build(id, Timestamp::EPOCH)
    }

    fn id(&self) -> DeliveryId {
        let key = EventKey { tenant: TenantId::default(), id: format!("e{}", self.0).parse().unwrap() };
        crate::fanout::delivery_id(&key, &"ep_0".parse().unwrap())
    }
}

/// Every world that can be reached: how many, or the first way to what must never be.
fn explore(tokens: Tokens) -> Result<usize, String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![(World::new(), Vec::new())];
    while let Some((world, way)) = open.pop() {
        for act in world.acts() {
            let way: Vec<Act> = way.iter().copied().chain([act]).collect();
            let next = world.after(act, tokens).map_err(|wrong| format!("{wrong}, after {way:?}"))?;
            if seen.insert(next.key()) {
                open.push((next, way));
            }
        }
    }
    Ok(seen.len())
}

#[test]
fn with_the_fence_no_reachable_state_writes_past_another_claim() {
    let states = explore(Tokens::Random).unwrap();
    println!("{states} states");
    assert!(states > 1000, "{states}");
}

#[test]
fn without_the_fence_the_double_write_is_reached() {
    plant(Some(Fault::NoFence));
    let found = explore(Tokens::Random);
    plant(None);
    println!("{}", found.unwrap_err());
}

#[test]
fn with_the_version_alone_a_failover_leads_to_the_double_write() {
    plant(Some(Fault::NoTokenCheck));
    let found = explore(Tokens::Random);
    plant(None);
    let found = found.unwrap_err();
    assert!(found.contains("FallBack"), "{found}");
}

#[test]
fn with_counted_tokens_a_failover_leads_to_the_double_write() {
    let found = explore(Tokens::Counted).unwrap_err();
    assert!(found.contains("FallBack"), "{found}");
}

#[test]
fn every_delivery_can_still_be_delivered_in_the_first_world() {
    let world = World::new();
    let claimed = world.after(Act::Claim(0), Tokens::Random).unwrap();
    let one = claimed.after(Act::Settle(0, 1), Tokens::Random).unwrap();
    let both = one.after(Act::Settle(0, 0), Tokens::Random).unwrap();
    assert!(both.rows().iter().all(|row| row.state() == State::Delivered));
}
