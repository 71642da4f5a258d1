//! The receivers: they behave as the scenario says, and keep what they got.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::endpoint::EndpointStatus;
use crate::engine::parts::OVERTIME;
use crate::id::TenantId;
use crate::input::InvalidInput;
use crate::sign::{NOTIFY_SIGNATURE, Secret, Verifier};
use crate::store::{EndpointDirectory, MemoryStore};
use crate::transport::{Request, Response, SendFailure, Transport};

use super::super::super::fixture;
use super::super::super::rng::Rng;
use super::super::super::scenario::{PlannedEndpoint, Scenario};
use super::super::super::script::{Habit, meet};
use super::super::super::world::START;
use super::TestClock;

/// For so long after a change of the endpoint, in milliseconds, a request may come from who had read it before.
const LATE: i64 = 60_000;

#[derive(Clone, Debug)]
pub(super) struct Receivers {
    memory: MemoryStore,
    clock: TestClock,
    endpoints: Arc<[PlannedEndpoint]>,
    got: Arc<Mutex<Got>>,
}

#[derive(Debug)]
pub(super) struct Got {
    rng: Rng,
    /// How many requests came, by their bytes and the receiver.
    pub(super) requests: BTreeMap<(Bytes, usize), u32>,
    secrets: BTreeMap<usize, BTreeSet<String>>,
    /// When their deletion was done.
    pub(super) deleted: BTreeMap<usize, i64>,
    /// What was wrong with requests.
    pub(super) problems: Vec<String>,
}

impl Receivers {
    pub(super) fn new(scenario: &Scenario, memory: MemoryStore, clock: TestClock) -> Self {
        let got = Got {
            rng: Rng::stream(scenario.seed, 11),
            requests: BTreeMap::new(),
            secrets: BTreeMap::new(),
            deleted: BTreeMap::new(),
            problems: Vec::new(),
        };
        Self { memory, clock, endpoints: scenario.endpoints.clone().into(), got: Arc::new(Mutex::new(got)) }
    }

    pub(super) fn got(&self) -> MutexGuard<'_, Got> {
        self.got.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers the secrets that the endpoint has now: a request that is signed may take a while to come.
    pub(super) async fn learn_secrets(&self, index: usize) {
        let Some(id) = fixture::endpoint_id(index) else { return };
        let found = self.memory.get(&[id]).await.unwrap_or_default().into_iter().flatten().next();
        let Some(endpoint) = found else { return };
        let secrets = endpoint.secrets.iter().map(|stored| stored.secret.expose().to_owned());
        self.got().secrets.entry(index).or_default().extend(secrets);
    }

    /// Keeps a problem if the endpoint was disabled or deleted long before the request began.
    async fn may_be_sent(&self, index: usize) {
        let Some(id) = fixture::endpoint_id(index) else { return };
        let found = self.memory.get(&[id]).await.unwrap_or_default().into_iter().flatten().next();
        let disabled = found.and_then(|endpoint| match &endpoint.status {
            EndpointStatus::Disabled(disabled) => Some(disabled.at.as_millis() - START),
            EndpointStatus::Enabled => None,
        });
        let now = self.clock.elapsed();
        let mut got = self.got();
        let since = got.deleted.get(&index).copied().or(disabled);
        if let Some(since) = since.filter(|since| now - since > LATE) {
            got.problems
                .push(format!("at {now} a request came to receiver {index}, which nobody may send to since {since}"));
        }
    }

    fn habit(&self, index: usize) -> Habit {
        let now = self.clock.elapsed();
        let past = self.endpoints[index].habits.iter().filter(|(from, _)| *from <= now);
        past.map(|(_, habit)| *habit).next_back().unwrap_or(Habit::Good)
    }
}

impl Got {
    fn take(&mut self, index: usize, request: &Request) {
        let secrets = self.secrets.get(&index).into_iter().flatten();
        let verifier = Verifier::new(secrets.filter_map(|secret| Secret::new(secret.as_str()).ok()));
        let signature = request.headers.iter().find(|header| header.name == NOTIFY_SIGNATURE);
        let valid = signature.is_some_and(|header| verifier.verify(&request.body, &header.value).is_ok());
        if !valid {
            self.problems.push(format!("a request came to receiver {index} without a valid signature"));
        }
        *self.requests.entry((request.body.clone(), index)).or_default() += 1;
    }
}

/// Which receiver a URL names.
fn receiver_of(url: &str) -> Option<usize> {
    url.strip_prefix("https://receiver")?.split_once('.')?.0.parse().ok()
}

#[async_trait]
impl Transport for Receivers {
    fn check(&self, url: &str) -> Result<(), InvalidInput> {
        let known = receiver_of(url).is_some_and(|index| index < self.endpoints.len());
        if known { Ok(()) } else { Err(InvalidInput::new("url", "NTF-SIM", "names no receiver")) }
    }

    async fn send(&self, request: Request) -> Result<Response, SendFailure> {
        let index = receiver_of(&request.url).unwrap_or_else(|| panic!("{} was checked", request.url));
        self.learn_secrets(index).await;
        self.may_be_sent(index).await;
        let meeting = {
            let mut got = self.got();
            got.take(index, &request);
            meet(self.habit(index), &request, OVERTIME, &mut got.rng)
        };
        tokio::time::sleep(meeting.after).await;
        // A panic as the engine sees one, without its message.
        meeting.reply.unwrap_or_else(|| resume_unwind(Box::new("a transport that panics")))
    }
}

/// The default tenant, which all have here.
pub(super) fn tenant() -> TenantId {
    TenantId::default()
}
