//! How a world comes to its end, and what must be true then.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;

use crate::delivery::{Attempt, Delivery, Outcome, Reason, State};
use crate::endpoint::EndpointStatus;
use crate::event::EventKey;
use crate::id::{EndpointId, EventId, Round};
use crate::store::{DeliveryLog, DeliveryQuery, EndpointDirectory, PageRequest};

use super::super::super::fixture;
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
            assert!(self.body(&id).await.is_some(), "{id} was accepted, and is lost");
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
            is_true(delivery, &log, self.most_attempts(delivery.endpoint()));
            let body = self.body(&delivery.event().id).await.unwrap_or_else(|| panic!("{delivery:?} has an event"));
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

    /// The bytes of a stored event.
    async fn body(&self, id: &EventId) -> Option<Bytes> {
        let key = EventKey { tenant: tenant(), id: id.clone() };
        let found = self.memory.event(&key).await.unwrap_or_else(|error| panic!("{error}"));
        found.map(|record| record.event.body.clone())
    }

    /// How many counted attempts a round may have.
    fn most_attempts(&self, endpoint: &EndpointId) -> usize {
        let mut plans = self.scenario.endpoints.iter().enumerate();
        let plan = plans.find(|(index, _)| fixture::endpoint_id(*index).as_ref() == Some(endpoint));
        let own = plan.and_then(|(_, plan)| plan.schedule.as_ref());
        own.unwrap_or(&self.scenario.config.policy.schedule).delays().len() + 1
    }
}

/// It is delivered, failed or cancelled, or held at an endpoint that is disabled.
fn has_ended(delivery: &Delivery, now: Option<&EndpointStatus>) {
    match (delivery.state(), now) {
        (State::Delivered | State::Failed | State::Cancelled, _) | (State::Held, Some(EndpointStatus::Disabled(_))) => {
        }
        (_, now) => panic!("{delivery:?} is left at an endpoint that is {now:?}"),
    }
}

fn is_true(delivery: &Delivery, log: &[Attempt], most: usize) {
    let numbers: Vec<u32> = log.iter().map(|attempt| attempt.number.get()).collect();
    assert_eq!(numbers, (1..=u32::try_from(log.len()).unwrap_or(0)).collect::<Vec<_>>(), "{delivery:?}");
    let mut rounds: BTreeMap<Round, (usize, usize)> = BTreeMap::new();
    for attempt in log {
        let (successes, counted) = rounds.entry(attempt.round).or_default();
        match attempt.outcome {
            Outcome::Success => *successes += 1,
            Outcome::Failure(reason) => *counted += usize::from(reason.counts()),
        }
    }
    for (round, (successes, counted)) in rounds {
        assert!(counted + successes <= most && successes <= 1, "round {round:?} of {delivery:?} has {log:?}");
    }
    if delivery.state() == State::Delivered {
        assert!(log.last().is_some_and(|last| last.outcome == Outcome::Success), "{delivery:?} has {log:?}");
    }
}
