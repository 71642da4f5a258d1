//! notify on the bare client's work: publish, store, deliver, settle, in this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use notify_core::delivery::State;
use notify_core::store::{DeliveryLog, EndpointAdmin, EndpointDirectory, Store};
use notify_core::{Engine, MemoryStore, NewEndpoint, NewEvent, Secret, Timestamp};
use notify_http::HttpTransport;
use notify_store_redis::RedisStore;
use notify_store_sqlite::{SqliteStore, Synchronous};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::end_to_end::NotifyJob;
use crate::error::BenchError;
use crate::process;
use crate::report::RunFigures;
use crate::sink_client::SinkClient;
use crate::storage::{Storage, Sync};
use crate::workload;

/// Publishes `job.events` events from `job.publishers` tasks that each await durability, and measures this process
/// until the sink has them all and the engine has settled them.
///
/// # Errors
/// The engine, its store or the sink failed, or the store does not count each delivery as delivered.
pub async fn run(job: &NotifyJob) -> Result<RunFigures, BenchError> {
    match job.storage {
        Storage::Memory => measure(job, MemoryStore::new()).await,
        Storage::Sqlite { sync } => measure(job, open_sqlite(&job.address, sync).await?).await,
        Storage::Redis => measure(job, open_redis(&job.address).await?).await,
    }
}

/// Opens, or makes, the database at `path`.
///
/// # Errors
/// It cannot be opened.
pub async fn open_sqlite(path: &str, sync: Sync) -> Result<SqliteStore, BenchError> {
    let synchronous = match sync {
        Sync::Normal => Synchronous::Normal,
        Sync::Full => Synchronous::Full,
    };
    SqliteStore::builder(path)
        .synchronous(synchronous)
        .open()
        .await
        .map_err(BenchError::engine("open the SQLite store"))
}

/// Connects to the server at `url`.
///
/// # Errors
/// It does not answer, or cannot be used.
pub async fn open_redis(url: &str) -> Result<RedisStore, BenchError> {
    RedisStore::connect(url).await.map_err(BenchError::engine("open the Redis store"))
}

/// An engine over `store` that may send to loopback addresses, with `in_flight` requests at once, all of which may
/// go to one endpoint.
///
/// # Errors
/// The engine cannot be built.
pub fn build_engine<S>(store: S, in_flight: u32) -> Result<Engine, BenchError>
where
    S: Store + EndpointDirectory + EndpointAdmin + DeliveryLog + Clone,
{
    let transport = HttpTransport::builder()
        .allow_cidr("127.0.0.0/8")
        .build()
        .map_err(BenchError::engine("build the transport"))?;
    Engine::builder(store)
        .transport(transport)
        .max_in_flight(in_flight)
        .per_endpoint(in_flight)
        .build()
        .map_err(BenchError::engine("build the engine"))
}

async fn measure<S>(job: &NotifyJob, store: S) -> Result<RunFigures, BenchError>
where
    S: Store + EndpointDirectory + EndpointAdmin + DeliveryLog + Clone,
{
    let sink = SinkClient::new(job.url.clone());
    let engine = build_engine(store.clone(), job.in_flight)?;
    let secret = Secret::new(workload::SECRET).map_err(BenchError::engine("use the secret"))?;
    engine
        .endpoints()
        .create(NewEndpoint::new("bench", format!("{}/hook", job.url)).secret(secret))
        .await
        .map_err(BenchError::engine("create the endpoint"))?;
    let running = Running::start(engine.clone());
    let next = Arc::default();

    publish_until(&engine, &next, job.warm_up, job.publishers, None).await?;
    sink.wait_for(job.warm_up).await?;

    let end = job.warm_up + job.events;
    let cpu = process::cpu_time()?;
    let start = Instant::now();
    publish_until(&engine, &next, end, job.publishers, None).await?;
    sink.wait_for(end).await?;
    let elapsed = start.elapsed();
    // The last deliveries are received, not yet settled: their part of the work counts too.
    running.stop().await?;
    let cpu = process::cpu_time()?.saturating_sub(cpu);
    let figures = RunFigures::new(job.events, elapsed, cpu, process::peak_memory()?)?;
    expect_count(&store, State::Delivered, "delivered", end).await?;
    Ok(figures)
}

/// Publishes events until `end` have been published in all, from `publishers` tasks that each wait until theirs is
/// durable; due at `not_before`, or at once.
///
/// # Errors
/// A publish failed.
pub async fn publish_until(
    engine: &Engine,
    next: &Arc<AtomicU64>,
    end: u64,
    publishers: u32,
    not_before: Option<Timestamp>,
) -> Result<(), BenchError> {
    let mut tasks = JoinSet::new();
    for _ in 0..publishers {
        let (engine, next) = (engine.clone(), Arc::clone(next));
        tasks.spawn(async move {
            let take = || next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < end).then_some(n + 1));
            while let Ok(sequence) = take() {
                let mut event = NewEvent::new(workload::EVENT_TYPE, &workload::data(sequence))
                    .map_err(BenchError::engine("make an event"))?;
                if let Some(due) = not_before {
                    event = event.not_before(due);
                }
                engine.publish_event(event).await.map_err(BenchError::engine("publish an event"))?;
            }
            Ok(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(BenchError::engine("await a publisher"))??;
    }
    Ok(())
}

/// An engine that runs until it is told to stop.
#[derive(Debug)]
pub struct Running {
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), BenchError>>,
}

impl Running {
    /// Lets `engine` run on a task of its own.
    #[must_use]
    pub fn start(engine: Engine) -> Self {
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(async move { drive(&engine, async { drop(stopped.await) }).await });
        Self { stop, ended }
    }

    /// Stops the engine in order: what is in flight ends, and what is unsettled is written.
    ///
    /// # Errors
    /// The engine failed, now or before.
    pub async fn stop(self) -> Result<(), BenchError> {
        // A send that fails means that the engine has ended before; its result says why.
        let _ = self.stop.send(());
        self.ended.await.map_err(BenchError::engine("await the engine"))?
    }
}

async fn drive(engine: &Engine, shutdown: impl Future<Output = ()> + Send) -> Result<(), BenchError> {
    engine.run(shutdown).await.map_err(BenchError::engine("run the engine"))?;
    Ok(())
}

/// How many deliveries the store counts in `state`.
///
/// # Errors
/// The store does not answer.
pub async fn count<S: DeliveryLog>(store: &S, state: State) -> Result<u64, BenchError> {
    let now = Timestamp::from(SystemTime::now());
    let stats = store.stats(None, now).await.map_err(BenchError::engine("count the deliveries"))?;
    Ok(stats.by_state.get(&state).copied().unwrap_or(0))
}

async fn expect_count<S: DeliveryLog>(
    store: &S,
    state: State,
    name: &'static str,
    expected: u64,
) -> Result<(), BenchError> {
    let found = count(store, state).await?;
    if found == expected { Ok(()) } else { Err(BenchError::Unsettled { state: name, expected, found }) }
}
