//! A tiny driver over the memory store: it answers commands in any order, and lies as stores and networks do.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use proptest::prelude::*;

use crate::delivery::{Delivery, NewDelivery, Outcome, Reason, Start, State};
use crate::dispatch::{Command, DispatchConfig, DispatchInput, Dispatcher, Doubt, Finished, Reservation};
use crate::endpoint::{DisableReason, Disabled, Endpoint, EndpointStatus};
use crate::event::{Event, EventKey, Purpose};
use crate::fanout::delivery_id;
use crate::id::{DeliveryId, EndpointId, TenantId};
use crate::machine::Verdict;
use crate::store::{Claimed, DeliveryLog, MemoryStore, PublishBatch, PublishedEvent, Store};
use crate::time::Timestamp;

use super::fixture::{endpoint, ep, t};

pub(super) const SLOTS: u32 = 5;
pub(super) const PER_ENDPOINT: u32 = 2;

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// Time passes.
    Wait(u32),
    /// The clock goes back.
    Back(u32),
    /// One of the commands under way ends.
    Answer(usize, Fate),
    Publish(u8, Publish),
    Wake,
    /// An endpoint is written: open, disabled or gone from now on.
    Change(u8, u8),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    Well,
    /// It fails, and was not done.
    Badly,
    /// It was done, and the answer got lost.
    Lost,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Publish {
    Due,
    HandedOver,
    Released,
    DoubtfulAndStored,
    Doubtful,
    Unheard,
}

pub(super) fn acts() -> impl Strategy<Value = Vec<Act>> {
    let fate = prop_oneof![4 => Just(Fate::Well), 1 => Just(Fate::Badly), 1 => Just(Fate::Lost)];
    let publish = prop_oneof![
        Just(Publish::Due),
        Just(Publish::HandedOver),
        Just(Publish::Released),
        Just(Publish::DoubtfulAndStored),
        Just(Publish::Doubtful),
        Just(Publish::Unheard),
    ];
    let act = prop_oneof![
        4 => (0u32..2000).prop_map(Act::Wait),
        1 => (0u32..700_000).prop_map(Act::Wait),
        1 => (0u32..100_000).prop_map(Act::Back),
        12 => (any::<usize>(), fate).prop_map(|(which, fate)| Act::Answer(which, fate)),
        5 => (0u8..4, publish).prop_map(|(endpoint, how)| Act::Publish(endpoint, how)),
        1 => Just(Act::Wake),
        1 => (0u8..4, 0u8..4).prop_map(|(endpoint, how)| Act::Change(endpoint, how)),
    ];
    prop::collection::vec(act, 1..150)
}

pub(super) struct World {
    pub(super) d: Dispatcher,
    pub(super) store: MemoryStore,
    pub(super) now: i64,
    pub(super) published: Vec<DeliveryId>,
    under_way: Vec<Command>,
    flying: BTreeMap<DeliveryId, EndpointId>,
    endpoints: BTreeMap<EndpointId, u8>,
}

impl World {
    pub(super) fn new() -> Self {
        // An idle claim would hide a lost wake-up: there is none within ten days.
        let config = DispatchConfig {
            max_in_flight: SLOTS,
            per_endpoint: PER_ENDPOINT,
            idle_claim: Duration::from_secs(864_000),
            ..DispatchConfig::default()
        };
        Self {
            d: Dispatcher::new(config, 0),
            store: MemoryStore::new(),
            now: 1_000_000,
            published: Vec::new(),
            under_way: Vec::new(),
            flying: BTreeMap::new(),
            endpoints: BTreeMap::new(),
        }
    }

    pub(super) fn act(&mut self, act: Act) {
        match act {
            Act::Wait(millis) => self.now += i64::from(millis),
            Act::Back(millis) => self.now -= i64::from(millis),
            Act::Wake => return self.tell(DispatchInput::Wake),
            Act::Publish(endpoint, how) => return self.publish(&ep(["a", "b", "c", "d"][usize::from(endpoint)]), how),
            Act::Change(endpoint, how) => {
                let id = ep(["a", "b", "c", "d"][usize::from(endpoint)]);
                self.endpoints.insert(id.clone(), how);
                self.d.endpoint_changed(id);
            }
            Act::Answer(which, fate) if !self.under_way.is_empty() => {
                let command = self.under_way.remove(which % self.under_way.len());
                return self.answer(command, fate);
            }
            Act::Answer(..) => {}
        }
        self.tell(DispatchInput::Tick);
    }

    /// Everything ends well from now on; runs until nothing is open but what is held. No poll is answered: the one
    /// wake-up tells of what others wrote.
    pub(super) fn heal(&mut self) {
        self.tell(DispatchInput::Wake);
        for _ in 0..2000 {
            if let Some(index) = self.under_way.iter().position(|command| *command != Command::Poll) {
                let command = self.under_way.remove(index);
                self.answer(command, Fate::Well);
                continue;
            }
            let open = |state| matches!(state, State::Scheduled | State::InFlight);
            if self.d.is_idle(t(self.now)) && !self.deliveries().iter().any(|row| open(row.state())) {
                return;
            }
            self.now = self.d.next_wake(t(self.now)).unwrap().as_millis();
            self.tell(DispatchInput::Tick);
        }
        panic!("still busy: {:?} {:?}", self.d, self.under_way);
    }

    /// Stops, while everything ends well, and says how the stop went.
    pub(super) fn stop(&mut self) -> crate::dispatch::StopReport {
        self.tell(DispatchInput::Stop { grace: Duration::from_secs(25) });
        for _ in 0..2000 {
            if let Some(report) = self.d.stopped(t(self.now)) {
                return report;
            }
            match self.under_way.pop() {
                Some(command) => self.answer(command, Fate::Well),
                None => {
                    self.now = self.d.next_wake(t(self.now)).unwrap().as_millis();
                    self.tell(DispatchInput::Tick);
                }
            }
        }
        panic!("does not stop: {:?}", self.d);
    }

    pub(super) fn deliveries(&self) -> Vec<Delivery> {
        ready(self.store.load(&self.published)).unwrap()
    }

    pub(super) fn attempts(&self, id: &DeliveryId) -> Vec<u32> {
        let attempts = ready(self.store.attempts(id)).unwrap();
        attempts.iter().map(|attempt| attempt.number.get()).collect()
    }

    fn tell(&mut self, input: DispatchInput) {
        for command in self.d.handle(t(self.now), input) {
            match command {
                Command::AbortAll => {
                    self.flying.clear();
                    self.under_way.retain(|command| !matches!(command, Command::Send(_)));
                }
                Command::Settled(..) | Command::Corrupt(_) => {}
                command => {
                    self.check(&command);
                    self.under_way.push(command);
                }
            }
        }
        assert_eq!(self.d.in_flight() as usize, self.flying.len());
        if self.d.stopped(t(self.now)).is_none() {
            let wake = self.d.next_wake(t(self.now));
            assert!(wake.is_none_or(|at| at > t(self.now)), "it would spin: {wake:?} at {:?}", self.now);
            assert!(wake.is_some() || !self.under_way.is_empty(), "nothing would ever happen again: {:?}", self.d);
        }
    }

    fn check(&mut self, command: &Command) {
        if let Command::Send(order) = command {
            let before = self.flying.insert(order.delivery, order.endpoint.id.clone());
            assert_eq!(before, None, "sent again before its attempt ended");
            let same = self.flying.values().filter(|endpoint| **endpoint == order.endpoint.id).count();
            assert!(same <= PER_ENDPOINT as usize, "too many at one endpoint");
            assert!(self.flying.len() <= SLOTS as usize, "too many at once");
        }
        let kind = std::mem::discriminant(command);
        let twice = self.under_way.iter().any(|other| std::mem::discriminant(other) == kind);
        assert!(!twice || matches!(command, Command::Send(_)), "two at a time: {command:?}");
    }

    fn answer(&mut self, command: Command, fate: Fate) {
        let input = match command {
            Command::Send(order) => {
                self.flying.remove(&order.delivery);
                let outcome =
                    if fate == Fate::Well { Outcome::Success } else { Outcome::Failure(Reason::ConnectRefused) };
                let verdict = Verdict::new(outcome);
                let (delivery, duration) = (order.delivery, Duration::from_millis(5));
                DispatchInput::Finished(Box::new(Finished { delivery, started_at: t(self.now), duration, verdict }))
            }
            Command::Poll => DispatchInput::SomebodyWrote,
            Command::ReadEndpoints(_) if fate != Fate::Well => DispatchInput::EndpointsFailed,
            Command::ReadEndpoints(ids) => {
                DispatchInput::Endpoints(ids.into_iter().map(|id| (id.clone(), self.endpoint(&id))).collect())
            }
            Command::Claim(_) if fate == Fate::Badly => DispatchInput::ClaimFailed,
            Command::Claim(request) => {
                let batch = ready(self.store.claim(&request)).unwrap();
                if fate == Fate::Lost { DispatchInput::ClaimFailed } else { DispatchInput::Claimed(batch) }
            }
            Command::Apply(_) if fate == Fate::Badly => DispatchInput::ApplyFailed,
            Command::Apply(changes) => {
                let outcomes = ready(self.store.apply(&changes)).unwrap();
                if fate == Fate::Lost { DispatchInput::ApplyFailed } else { DispatchInput::Applied(outcomes) }
            }
            Command::Load(_) if fate != Fate::Well => DispatchInput::LoadFailed,
            Command::Load(ids) => DispatchInput::Loaded(ready(self.store.load(&ids)).unwrap()),
            Command::AbortAll | Command::Settled(..) | Command::Corrupt(_) => return,
        };
        self.tell(input);
    }

    fn endpoint(&self, id: &EndpointId) -> Option<Arc<Endpoint>> {
        let open = endpoint(id.as_str());
        match self.endpoints.get(id) {
            Some(1) => {
                let disabled = Disabled { reason: DisableReason::Operator, at: t(0), by: String::new() };
                Some(Arc::new(Endpoint { status: EndpointStatus::Disabled(disabled), ..open }))
            }
            Some(2) => None,
            _ => Some(Arc::new(open)),
        }
    }

    fn publish(&mut self, endpoint: &EndpointId, how: Publish) {
        let now = t(self.now);
        let reservation = match how {
            Publish::Due | Publish::Unheard => None,
            _ => self.d.reserve(now, endpoint),
        };
        let id = format!("e{}", self.published.len()).parse().unwrap();
        let key = EventKey { tenant: TenantId::default(), id };
        let delivery = delivery_id(&key, endpoint);
        let event =
            Event { key, event_type: "a.b".parse().unwrap(), timestamp: now, body: bytes::Bytes::from_static(b"{}") };
        let event = Arc::new(event);
        let start = reservation.map_or(Start::Due(now), |Reservation { token, until }| Start::Leased { token, until });
        let new = NewDelivery { id: delivery, endpoint: endpoint.clone(), start };
        let input = match (how, reservation) {
            (Publish::Unheard, _) => DispatchInput::Tick,
            (_, None) => DispatchInput::StoredDue(vec![endpoint.clone()]),
            (Publish::Released, _) => DispatchInput::Released(vec![endpoint.clone()]),
            (Publish::Doubtful | Publish::DoubtfulAndStored, Some(Reservation { token, .. })) => {
                DispatchInput::Doubtful(vec![Doubt { endpoint: endpoint.clone(), delivery, token }])
            }
            (Publish::Due | Publish::HandedOver, _) => {
                let delivery = Delivery::begin(event.key.clone(), &new, now);
                DispatchInput::Handed(vec![Claimed { delivery, event: Arc::clone(&event) }])
            }
        };
        let stored = reservation.is_none() || !matches!(how, Publish::Released | Publish::Doubtful);
        if stored {
            self.insert(event, new, now);
        }
        self.tell(input);
    }

    fn insert(&mut self, event: Arc<Event>, new: NewDelivery, now: Timestamp) {
        self.published.push(new.id);
        let event = PublishedEvent {
            event,
            fingerprint: [0; 32],
            idempotency_key: None,
            purpose: Purpose::Live,
            deliveries: vec![new],
        };
        ready(self.store.insert(&PublishBatch { now, events: vec![event] })).unwrap();
    }
}

/// The memory store never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the memory store waited"),
    }
}
