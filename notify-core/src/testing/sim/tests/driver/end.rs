//! How a world comes to its end, and what must be true then.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::sleep;

use crate::delivery::{Attempt, Delivery, Outcome, Reason, State};
use crate::endpoint::EndpointStatus;
use crate::event::EventKey;
use crate::id::{EndpointId, EventId, Round};
use crate::store::{DeliveryLog, DeliveryQuery, EndpointDirectory, EventRecord, PageRequest};

use super::super::super::fixture;
use super::super::super::scenario::{Action, Operation};
use super::receivers::tenant;
use super::{Sum, World};

/// Twice as long as it may take until somebody looks at what is held, and a little more.
const LOOKS: Duration = Duration::from_secs(1260);

impl World {
    pub(super) async fn deliveries(&self) -> Vec<Delivery> {
        let page = PageRequest { after: None, limit: u32::MAX };
        let query = DeliveryQuery { page, ..DeliveryQuery::default() };
        self.memory.deliveries(&query).await.unwrap_or_else(|error| panic!("{error}")).items
    }

    /// Until nothing is scheduled or in flight any more, and everybody has looked at what is held.
    pub(super) async fn settle(&self) {
        let own = self.scenario.endpoints.iter().filter_map(|endpoint| endpoint.schedule.as_ref());
        let longest = own.chain([&self.scenario.config.policy.schedule]);
        let longest = longest.map(|schedule| schedule.delays().iter().sum::<Duration>()).max().unwrap_or_default();
        // What was published last may be due later by two hours, and each attempt may take its time.
        let bound = longest * 2 + Duration::from_secs(6 * 3600);
        let mut waited = Duration::ZERO;
        loop {
            let open = self.deliveries().await.into_iter().find(|row| row.state().is_claimable());
            let Some(open) = open else { break };
            assert!(waited < bound, "{} s after the faults, a delivery has not ended: {open:?}", waited.as_secs());
            sleep(Duration::from_secs(60)).await;
            waited += Duration::from_secs(60);
        }
        sleep(LOOKS).await;
    }

    pub(super) async fn check(&self, sum: &mut Sum) {
        let deliveries = self.deliveries().await;
        let accepted = self.shared().accepted.clone();
        for id in accepted {
            let found = self.stored(&id).await.unwrap_or_else(|| panic!("{id} was accepted, and is lost"));
            self.goes_where_it_is_wanted(&found);
        }
        let mut status = BTreeMap::new();
        for index in 0..self.scenario.endpoints.len() {
            let id = fixture::endpoint_id(index).unwrap_or_else(|| panic!("it is an id"));
            let found = self.memory.get(std::slice::from_ref(&id)).await.unwrap_or_default().pop().flatten();
            status.insert(id, (index, found.map(|endpoint| endpoint.status.clone())));
        }
        for delivery in &deliveries {
            let log = self.memory.attempts(&delivery.id()).await.unwrap_or_else(|error| panic!("{error}"));
            let (index, now) = &status[delivery.endpoint()];
            has_ended(delivery, now.as_ref());
            self.is_true(delivery, &log);
            let event = self.stored(&delivery.event().id).await.unwrap_or_else(|| panic!("{delivery:?} has an event"));
            let body = event.event.body.clone();
            let requests = self.receivers.got().requests.remove(&(body, *index)).unwrap_or(0);
            // A lost lease has a row too, whether its request went out or not.
            assert!(requests as usize <= log.len(), "{requests} requests and {} rows of {delivery:?}", log.len());
            sum.requests += u64::from(requests);
            sum.lost_leases += log.iter().filter(|row| row.outcome == Outcome::Failure(Reason::WorkerLost)).count();
        }
        {
            let got = self.receivers.got();
            assert_eq!(got.problems, [""; 0]);
            let strange = got.requests.keys().next();
            assert_eq!(strange, None, "what a receiver got is no stored event's bytes");
        }
        sum.deliveries += deliveries.len();
        sum.failed_calls += self.door.failed();
        sum.lives += self.shared().lives;
    }

    async fn stored(&self, id: &EventId) -> Option<EventRecord> {
        let key = EventKey { tenant: tenant(), id: id.clone() };
        self.memory.event(&key).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Nobody gets an event that its filter leaves out, and whoever was there all the time gets each of the others.
    fn goes_where_it_is_wanted(&self, found: &EventRecord) {
        for (index, plan) in self.scenario.endpoints.iter().enumerate() {
            let endpoint = fixture::endpoint(index, plan, self.clock.true_time());
            let endpoint = endpoint.unwrap_or_else(|error| panic!("{error}"));
            let wanted = endpoint.filter.matches(&found.event.event_type);
            let goes = found.deliveries.iter().any(|delivery| *delivery.endpoint() == endpoint.id);
            assert!(wanted || !goes, "{} goes to {}, whose filter leaves it out", found.event.key.id, endpoint.id);
            let deleted = |act: &Action| act.endpoint == index && act.what == Operation::Delete;
            let always_there = plan.from_start && !self.scenario.actions.iter().any(deleted);
            assert!(goes || !wanted || !always_there, "{} does not go to {}", found.event.key.id, endpoint.id);
        }
    }

    /// When the deliveries of this endpoint are tried again.
    fn delays(&self, endpoint: &EndpointId) -> &[Duration] {
        let mut plans = self.scenario.endpoints.iter().enumerate();
        let plan = plans.find(|(index, _)| fixture::endpoint_id(*index).as_ref() == Some(endpoint));
        let own = plan.and_then(|(_, plan)| plan.schedule.as_ref());
        own.unwrap_or(&self.scenario.config.policy.schedule).delays()
    }

    /// Its log and its state agree with each other and with the schedule.
    fn is_true(&self, delivery: &Delivery, log: &[Attempt]) {
        let delays = self.delays(delivery.endpoint());
        let numbers: Vec<u32> = log.iter().map(|attempt| attempt.number.get()).collect();
        assert_eq!(numbers, (1..=u32::try_from(log.len()).unwrap_or(0)).collect::<Vec<_>>(), "{delivery:?}");
        let mut rounds: BTreeMap<Round, Vec<&Attempt>> = BTreeMap::new();
        for attempt in log {
            rounds.entry(attempt.round).or_default().push(attempt);
        }
        for (round, attempts) in &rounds {
            let successes = attempts.iter().filter(|attempt| attempt.outcome == Outcome::Success).count();
            let counted = attempts.iter().filter(|attempt| counts(attempt)).count();
            let most = delays.len() + 1;
            assert!(counted + successes <= most && successes <= 1, "round {round:?} of {delivery:?} has {log:?}");
            self.keeps_the_schedule(delivery, attempts);
        }
        let last = log.last();
        match delivery.state() {
            State::Delivered => {
                assert!(last.is_some_and(|last| last.outcome == Outcome::Success), "{delivery:?} has {log:?}");
            }
            // All attempts of the round are used up, or it was lost too often.
            State::Failed if last.is_some_and(counts) => {
                let round = rounds.get(&delivery.as_stored().round).map(Vec::as_slice).unwrap_or_default();
                let counted = round.iter().filter(|attempt| counts(attempt)).count();
                assert_eq!(counted, delays.len() + 1, "{delivery:?} has {log:?}");
            }
            State::Failed => {
                let lost = last.is_some_and(|last| last.outcome == Outcome::Failure(Reason::WorkerLost));
                assert!(lost, "{delivery:?} has {log:?}");
            }
            _ => {}
        }
    }

    /// Of one round: no attempt begins before the delay after the end of the failure before it is over.
    fn keeps_the_schedule(&self, delivery: &Delivery, round: &[&Attempt]) {
        // An engine learns the time by a call of the store, which takes its time.
        let unsure = Duration::from_millis(2 * self.scenario.latency.unsigned_abs() + 50);
        let mut failures = 0;
        for (attempt, next) in round.iter().zip(round.iter().skip(1)) {
            if !counts(attempt) {
                continue;
            }
            let delay = self.delays(delivery.endpoint()).get(failures).copied().unwrap_or_default();
            failures += 1;
            let earliest = attempt.ended_at().saturating_add(delay).saturating_sub(unsure);
            assert!(
                next.started_at >= earliest,
                "too early after {delay:?}: {next:?} of {delivery:?} after {attempt:?}"
            );
        }
    }
}

/// Whether it used up one of the schedule's attempts by failing.
fn counts(attempt: &Attempt) -> bool {
    matches!(attempt.outcome, Outcome::Failure(reason) if reason.counts())
}

/// It is delivered, failed or cancelled, or held at an endpoint that is disabled.
fn has_ended(delivery: &Delivery, now: Option<&EndpointStatus>) {
    match (delivery.state(), now) {
        (State::Delivered | State::Failed | State::Cancelled, _) | (State::Held, Some(EndpointStatus::Disabled(_))) => {
        }
        (_, now) => panic!("{delivery:?} is left at an endpoint that is {now:?}"),
    }
}
