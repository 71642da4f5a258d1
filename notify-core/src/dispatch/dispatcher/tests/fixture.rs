//! Words for the tests: rows, answers and commands in one line each.
//!
//! The dispatcher under test has seed 0, so `draw(n)` is its n-th token or change id. The first turn asks one poll;
//! tests leave it unanswered, so that no other follows.

use std::sync::Arc;
use std::time::Duration;

use crate::delivery::{Delivery, NewDelivery, Outcome, Reason, Start};
use crate::dispatch::{Command, DispatchConfig, DispatchInput, Dispatcher, Finished, SendOrder};
use crate::endpoint::{DisableReason, Disabled, Endpoint, EndpointStatus};
use crate::event::{Event, EventKey};
use crate::id::{AttemptNumber, ChangeId, ClaimToken, DeliveryId, EndpointId, TenantId};
use crate::machine::{Change, Gate, Input, Step, Verdict, step};
use crate::store::{ApplyOutcome, ClaimBatch, ClaimRequest, Claimed, Free};
use crate::time::Timestamp;

use super::super::Tokens;

/// The lease of the default configuration.
pub(super) const LEASE: i64 = 50_000;

pub(super) const fn t(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(super) fn draw(n: u32) -> ClaimToken {
    let mut tokens = Tokens::new(0);
    (1..n).for_each(|_| {
        tokens.claim();
    });
    tokens.claim()
}

pub(super) fn ep(name: &str) -> EndpointId {
    name.parse().unwrap()
}

pub(super) fn eps(names: &[&str]) -> Vec<EndpointId> {
    names.iter().map(|name| ep(name)).collect()
}

pub(super) fn id(n: u8) -> DeliveryId {
    DeliveryId::from_bytes([n; 20])
}

pub(super) fn event() -> Arc<Event> {
    let key = EventKey { tenant: TenantId::default(), id: "e".parse().unwrap() };
    let body = bytes::Bytes::from_static(b"{}");
    Arc::new(Event { key, event_type: "a.b".parse().unwrap(), timestamp: t(0), body })
}

pub(super) use crate::endpoint::sample as endpoint;

/// A dispatcher with this many slots in all and for each endpoint.
pub(super) fn with_slots(max_in_flight: u32, per_endpoint: u32) -> Dispatcher {
    Dispatcher::new(DispatchConfig { max_in_flight, per_endpoint, places_per_slot: 1, ..DispatchConfig::default() }, 0)
}

/// The same after its first claim (draw 1, at 0), which found nothing.
pub(super) fn idle_with_slots(max_in_flight: u32, per_endpoint: u32) -> Dispatcher {
    let mut d = with_slots(max_in_flight, per_endpoint);
    d.handle(t(0), DispatchInput::Tick);
    assert_eq!(d.handle(t(0), batch(&[], None)), vec![]);
    d
}

pub(super) fn idle() -> Dispatcher {
    idle_with_slots(256, 8)
}

/// A dispatcher whose first claim got these rows, and whose endpoints are being read.
pub(super) fn holding(rows: &[Claimed]) -> Dispatcher {
    let mut d = with_slots(256, 8);
    d.handle(t(0), DispatchInput::Tick);
    d.handle(t(0), batch(rows, None));
    d
}

/// The same, and each row is being sent since 0 (one draw a row).
pub(super) fn sending(rows: &[Claimed]) -> Dispatcher {
    let mut d = holding(rows);
    let names: Vec<&str> = rows.iter().map(|row| row.delivery.endpoint().as_str()).collect();
    let sends: Vec<Command> = rows.iter().map(send).collect();
    assert_eq!(d.handle(t(0), open(&names)), sends);
    d
}

/// A row that the first claim (draw 1, at 0) leased.
pub(super) fn row(n: u8, endpoint: &str) -> Claimed {
    leased(n, endpoint, draw(1), t(LEASE))
}

/// A scheduled row after a claim with this token.
pub(super) fn leased(n: u8, endpoint: &str, token: ClaimToken, until: Timestamp) -> Claimed {
    Claimed { delivery: scheduled(n, endpoint).claimed(token, until), event: event() }
}

/// A row as a publisher stores it under a reservation.
pub(super) fn handed(n: u8, endpoint: &str, token: ClaimToken, until: Timestamp) -> Claimed {
    Claimed { delivery: begun(n, endpoint, Start::Leased { token, until }), event: event() }
}

/// The same row, claimed again after its lease was lost.
pub(super) fn claimed_again(row: &Claimed, token: ClaimToken, until: Timestamp) -> Claimed {
    Claimed { delivery: row.delivery.claimed(token, until), event: event() }
}

/// A row that lost three leases and has waited for it: it must go alone.
pub(super) fn solo(n: u8, endpoint: &str) -> Claimed {
    let mut stored = row(n, endpoint).delivery.into_stored();
    (stored.lost_leases, stored.lost_logged) = (3, 3);
    Claimed { delivery: Delivery::restore(stored).unwrap(), event: event() }
}

fn scheduled(n: u8, endpoint: &str) -> Delivery {
    begun(n, endpoint, Start::Due(t(0)))
}

fn begun(n: u8, endpoint: &str, start: Start) -> Delivery {
    let new = NewDelivery { id: id(n), endpoint: ep(endpoint), start };
    Delivery::begin(event().key.clone(), &new, t(0))
}

// What goes in.

pub(super) fn batch(rows: &[Claimed], next_ready_at: Option<Timestamp>) -> DispatchInput {
    DispatchInput::Claimed(ClaimBatch { claimed: rows.to_vec(), corrupt: Vec::new(), next_ready_at })
}

pub(super) fn open(names: &[&str]) -> DispatchInput {
    let read = |name: &&str| (ep(name), Some(Arc::new(endpoint(name))));
    DispatchInput::Endpoints(names.iter().map(read).collect())
}

pub(super) fn disabled(name: &str) -> DispatchInput {
    let disabled = Disabled { reason: DisableReason::Operator, at: t(0), by: String::new() };
    let endpoint = Endpoint { status: EndpointStatus::Disabled(disabled), ..endpoint(name) };
    DispatchInput::Endpoints(vec![(ep(name), Some(Arc::new(endpoint)))])
}

pub(super) fn gone(name: &str) -> DispatchInput {
    DispatchInput::Endpoints(vec![(ep(name), None)])
}

/// An attempt that began at 0 and ended at `at`, well.
pub(super) fn succeeded(n: u8, at: i64) -> DispatchInput {
    ended(n, at, Outcome::Success)
}

/// An attempt that began at 0 and ended at `at`, badly.
pub(super) fn failed(n: u8, at: i64) -> DispatchInput {
    ended(n, at, Outcome::Failure(Reason::Status5xx))
}

fn ended(n: u8, at: i64, outcome: Outcome) -> DispatchInput {
    let duration = t(at).since(t(0));
    DispatchInput::Finished(Box::new(Finished {
        delivery: id(n),
        started_at: t(0),
        duration,
        verdict: verdict(outcome),
    }))
}

fn verdict(outcome: Outcome) -> Verdict {
    Verdict::new(outcome)
}

pub(super) fn applied(count: usize) -> DispatchInput {
    DispatchInput::Applied(vec![ApplyOutcome::Applied; count])
}

pub(super) fn stop(seconds: u64) -> DispatchInput {
    DispatchInput::Stop { grace: Duration::from_secs(seconds) }
}

// What comes out.

/// A claim of the default configuration.
pub(super) fn claim(now: Timestamp, token: ClaimToken, limit: u32, default: u32, busy: &[(&str, u32)]) -> Command {
    let busy = busy.iter().map(|(name, free)| (ep(name), *free)).collect();
    let lease_until = now.saturating_add(Duration::from_secs(50));
    Command::Claim(ClaimRequest { now, lease_until, token, limit, free: Free { default, busy } })
}

pub(super) fn read(names: &[&str]) -> Command {
    Command::ReadEndpoints(eps(names))
}

pub(super) fn send(row: &Claimed) -> Command {
    send_number(row, 1)
}

pub(super) fn send_number(row: &Claimed, number: u32) -> Command {
    Command::Send(Box::new(SendOrder {
        delivery: row.delivery.id(),
        event: event(),
        endpoint: Arc::new(endpoint(row.delivery.endpoint().as_str())),
        number: AttemptNumber::new(number),
        timeout: Duration::from_secs(30),
    }))
}

pub(super) fn apply(changes: &[Change]) -> Command {
    Command::Apply(changes.to_vec().into())
}

pub(super) fn settled(changes: &[Change], outcomes: &[ApplyOutcome]) -> Command {
    Command::Settled(changes.to_vec().into(), outcomes.to_vec())
}

/// The change that the machine makes of `row`, with the n-th draw as its id.
pub(super) fn change(row: &Claimed, n: u32, now: i64, input: Input) -> Change {
    let id = ChangeId::new(draw(n).get());
    match step(&row.delivery, input, &DispatchConfig::default().policy, t(now), id).unwrap() {
        Step::Write(change) => change,
        Step::Send(number) => panic!("attempt {number} starts instead of a write"),
    }
}

pub(super) fn handed_back(row: &Claimed, n: u32, now: i64) -> Change {
    change(row, n, now, Input::HandBack)
}

pub(super) fn interrupted(row: &Claimed, n: u32, now: i64) -> Change {
    change(row, n, now, Input::Interrupted { started_at: t(0), url: endpoint("a").url.shared() })
}

pub(super) fn delivered(row: &Claimed, n: u32, now: i64) -> Change {
    finished(row, n, now, now, Gate::Open, Outcome::Success)
}

/// A failure at `ended`, written down at `now`.
pub(super) fn failure(row: &Claimed, n: u32, now: i64, ended: i64, gate: Gate) -> Change {
    finished(row, n, now, ended, gate, Outcome::Failure(Reason::Status5xx))
}

fn finished(row: &Claimed, n: u32, now: i64, ended: i64, gate: Gate, outcome: Outcome) -> Change {
    let input = Input::Finished {
        gate,
        started_at: t(0),
        duration: t(ended).since(t(0)),
        url: endpoint("a").url.shared(),
        verdict: Box::new(verdict(outcome)),
    };
    change(row, n, now, input)
}
