//! The handle.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use notify_core::delivery::{Delivery, NewDelivery};
use notify_core::event::{Event, EventKey};
use notify_core::machine::Change;
use notify_core::store::{
    ApplyOutcome, ClaimBatch, ClaimRequest, InsertOutcome, Mark, Operation, PublishBatch, Store, StoreError,
    SweepRequest, Swept,
};
use notify_core::{DeliveryId, TenantId, Timestamp};
use redis::Value;
use tokio::time::{Instant, timeout};

use crate::bell::Bell;
use crate::builder::RedisBuilder;
use crate::error::store_error;
use crate::link::{Ack, Link};
use crate::open::{Opened, unexpected_cause};
use crate::reply::{Args, number, tuple};
use crate::rows::{self, Unreadable};
use crate::script::{self, Script};
use crate::{OpenError, keys, open};

/// How long a shard's word is waited for where others can answer, and for how long it is passed over then.
const DOWN: Duration = Duration::from_secs(1);

/// A store on a Redis server, behind Sentinel, or on a Cluster; any number of engines may share it.
///
/// Clones are the same store. Secrets are in it in plain text, as in any store.
///
/// # Where things are
/// A tenant lives whole in one shard (one hash slot): its events, deliveries, attempts, endpoints and counters. So
/// each of its writes is one script, atomic, and a publish needs no second step that a crash could forget. The shards
/// spread tenants over a cluster's nodes; one tenant's work is bounded by one node.
///
/// # Durability (S9)
/// As the server's append-only file and [`Durability`](crate::Durability) say; see the guide `docs/guides/redis.md`.
///
/// # Repeats
/// Every script may be repeated, so a call whose answer was lost is asked again, for up to the builder's
/// [`patience`](RedisBuilder::patience). A batch of events of several tenants that live in different shards is judged
/// whole before anything is written, noted whole in one shard, and written shard by shard; after a crash in between a
/// claim of any engine writes the rest, from 30 s on.
#[derive(Clone)]
pub struct RedisStore(Arc<Shared>);

struct Shared {
    opened: Opened,
    bell: Bell,
    /// Which shard goes first, in turns, when a claim is smaller than the number of shards.
    turn: AtomicU64,
    /// Until when each shard counts as down.
    down: Mutex<Vec<Option<Instant>>>,
}

impl RedisStore {
    /// Connects to `url` with the defaults of the [builder](Self::builder):
    /// - `redis://[user:password@]host[:port][/database]`, one server; `rediss://` with TLS (feature `tls`);
    /// - `redis-cluster://[user:password@]host:port[,host:port…]`, some nodes of a cluster;
    /// - `redis-sentinel://[user:password@]host[:port][,host…]/name-of-the-primary[/database]`.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn connect(url: &str) -> Result<Self, OpenError> {
        Self::builder(url).connect().await
    }

    /// Settings for the server at `url`.
    pub fn builder(url: &str) -> RedisBuilder {
        RedisBuilder::new(url)
    }

    /// What is dangerous about the server, if anything: log it once at the start.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.0.opened.warnings
    }

    /// Over how many shards the tenants are spread.
    #[must_use]
    pub fn shards(&self) -> usize {
        self.0.opened.shards.len()
    }

    /// The shards that did not answer just now; claims pass over them for a second at a time.
    #[must_use]
    pub fn shards_down(&self) -> Vec<usize> {
        (0..self.shards()).filter(|shard| self.is_down(*shard)).collect()
    }

    pub(crate) async fn connect_with(builder: RedisBuilder) -> Result<Self, OpenError> {
        let opened = open::open(&builder).await?;
        let down = Mutex::new(vec![None; opened.shards.len()]);
        let bell = Bell::new(Arc::clone(&opened.link), keys::channel(&builder.namespace));
        Ok(Self(Arc::new(Shared { opened, bell, turn: AtomicU64::new(0), down })))
    }

    pub(crate) fn bell(&self) -> &Bell {
        &self.0.bell
    }

    pub(crate) fn turn(&self) -> &AtomicU64 {
        &self.0.turn
    }

    pub(crate) fn shard_of(&self, tenant: &TenantId) -> usize {
        keys::shard_of(tenant, self.shards())
    }

    fn is_down(&self, shard: usize) -> bool {
        let down = self.0.down.lock().unwrap_or_else(PoisonError::into_inner);
        down.get(shard).copied().flatten().is_some_and(|until| Instant::now() < until)
    }

    fn set_down(&self, shard: usize) {
        if let Some(until) = self.0.down.lock().unwrap_or_else(PoisonError::into_inner).get_mut(shard) {
            *until = Some(Instant::now() + DOWN);
        }
    }

    /// Runs a script in one shard.
    pub(crate) async fn run(
        &self,
        operation: Operation,
        script: &Script,
        shard: usize,
        args: &Args,
    ) -> Result<Value, StoreError> {
        let meta = self.meta(operation, shard)?;
        let answer = self.0.opened.link.run(script, meta, args.as_slice()).await;
        answer.map_err(|error| store_error(operation, error))
    }

    /// Reads these events of one shard, each body by a command of its own; those that are gone or unreadable are left
    /// out or told.
    pub(crate) async fn read_events(
        &self,
        operation: Operation,
        shard: usize,
        wanted: BTreeSet<&EventKey>,
    ) -> Result<BTreeMap<EventKey, Result<Arc<Event>, Unreadable>>, StoreError> {
        let meta = self.meta(operation, shard)?;
        let read = async |key: &EventKey| {
            let hash = keys::event_hash(meta, &keys::event(key));
            let answer = self.0.opened.link.read(&hash, &["ty", "ts", "b"]).await;
            let answer = answer.map_err(|error| store_error(operation, error))?;
            Ok((key.clone(), rows::event(key.clone(), answer).map(Arc::new)))
        };
        join_all(wanted.into_iter().map(read)).await.into_iter().collect()
    }

    /// The same, as durable as the builder says.
    pub(crate) async fn run_safely(
        &self,
        operation: Operation,
        script: &Script,
        shard: usize,
        args: &Args,
    ) -> Result<Value, StoreError> {
        let Some((link, ack)) = self.publish_link() else { return self.run(operation, script, shard, args).await };
        let meta = self.meta(operation, shard)?;
        let answer = link.run_safely(script, meta, args.as_slice(), ack).await;
        answer.map_err(|error| store_error(operation, error))
    }

    /// Runs a script that only reads in every shard at once; each answer with its shard, as they come. Who has seen
    /// enough need not wait for a shard that is down.
    pub(crate) fn run_each<'s>(
        &'s self,
        operation: Operation,
        script: &'s Script,
        args: &'s Args,
    ) -> FuturesUnordered<impl Future<Output = (usize, Result<Value, StoreError>)> + Send + 's> {
        (0..self.shards()).map(|shard| async move { (shard, self.run(operation, script, shard, args).await) }).collect()
    }

    /// How often somebody wrote in a shard, as the server says it.
    pub(crate) async fn writes(&self, shard: usize) -> Result<Value, StoreError> {
        let answer = self.0.opened.link.read(self.meta(Operation::Poll, shard)?, &["w"]).await;
        answer.map_err(|error| store_error(Operation::Poll, error))
    }

    /// Asks those shards that answer soon something that only reads; their answers in order.
    ///
    /// # Errors
    /// No shard answered.
    pub(crate) async fn ask_awake<F>(
        &self,
        operation: Operation,
        question: impl Fn(usize) -> F,
    ) -> Result<Vec<(usize, Value)>, StoreError>
    where
        F: Future<Output = Result<Value, StoreError>>,
    {
        if self.shards() == 1 {
            return Ok(vec![(0, question(0).await?)]);
        }
        let ask = async |shard| self.soon(shard, question(shard)).await.map(|answer| (shard, answer));
        let (mut answers, mut failed) = (Vec::new(), None);
        for answer in join_all((0..self.shards()).map(ask)).await {
            match answer {
                Ok(answer) => answers.push(answer),
                Err(error) => failed = error.or(failed),
            }
        }
        if answers.is_empty() {
            return Err(failed.unwrap_or_else(|| StoreError::unavailable(operation, "no shard answers")));
        }
        Ok(answers)
    }

    /// What a shard answers within a second; it is passed over for as long if it does not.
    ///
    /// # Errors
    /// The shard's, or `None` for one that is passed over.
    pub(crate) async fn soon(
        &self,
        shard: usize,
        question: impl Future<Output = Result<Value, StoreError>>,
    ) -> Result<Value, Option<StoreError>> {
        if self.is_down(shard) {
            return Err(None);
        }
        let answer = timeout(DOWN, question).await;
        if !matches!(answer, Ok(Ok(_) | Err(StoreError::Full { .. }))) {
            self.set_down(shard);
        }
        answer.map_err(|_| None)?.map_err(Some)
    }

    fn publish_link(&self) -> Option<(&Link, Ack)> {
        self.0.opened.publish.as_ref().map(|(link, ack)| (link, *ack))
    }

    pub(crate) fn link(&self) -> &Link {
        &self.0.opened.link
    }

    pub(crate) fn meta(&self, operation: Operation, shard: usize) -> Result<&str, StoreError> {
        let meta = self.0.opened.shards.get(shard);
        meta.map(String::as_str).ok_or_else(|| StoreError::unavailable(operation, "no such shard"))
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("shards", &self.shards()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn insert(&self, batch: &PublishBatch) -> Result<InsertOutcome, StoreError> {
        self.publish(batch).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimBatch, StoreError> {
        self.claim_rows(request).await
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<ApplyOutcome>, StoreError> {
        self.settle(changes).await
    }

    async fn load(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        self.load_rows(ids).await
    }

    async fn attach(&self, event: &EventKey, deliveries: &[NewDelivery]) -> Result<usize, StoreError> {
        self.attach_rows(event, deliveries).await
    }

    async fn sweep(&self, request: &SweepRequest) -> Result<Swept, StoreError> {
        self.sweep_rows(request).await
    }

    async fn changed(&self, since: Mark) -> Result<Mark, StoreError> {
        self.wait_for_change(since).await
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        let answer = self.run(Operation::Poll, &script::TIME, 0, &Args::new()).await?;
        let parts = tuple(answer).and_then(|[seconds, micros]| Some((number(seconds)?, number(micros)?)));
        let (seconds, micros) =
            parts.ok_or_else(|| StoreError::unavailable(Operation::Poll, unexpected_cause("time")))?;
        Ok(Some(Timestamp::from_millis(seconds.saturating_mul(1000).saturating_add(micros / 1000))))
    }
}
