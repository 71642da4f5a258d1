//! An engine with deliveries that are not yet due, watched in this process.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use notify_core::delivery::State;
use notify_core::store::{DeliveryLog, EndpointAdmin, EndpointDirectory, Store};
use notify_core::testing::Intercepted;
use notify_core::{MemoryStore, NewEndpoint, Timestamp};

use crate::calls::Calls;
use crate::engine_run::{Running, build_engine, count, open_redis, open_sqlite, publish_until};
use crate::error::BenchError;
use crate::idle::{IdleFigures, IdleJob};
use crate::process;
use crate::storage::Storage;

/// Tasks that publish while the store is filled: enough for large group commits.
const PUBLISHERS: u32 = 256;

/// When the pending deliveries are due, from now: no test lasts that long.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// How long an engine is left alone before it is watched: its first claims are done by then.
const SETTLING: Duration = Duration::from_secs(2);

/// Publishes `job.fill` events that are due in a year, then watches an engine over them for `job.seconds`.
///
/// # Errors
/// The engine or its store failed.
pub async fn run(job: &IdleJob) -> Result<IdleFigures, BenchError> {
    match job.storage {
        Storage::Memory => fill_and_watch(job, MemoryStore::new()).await,
        Storage::Sqlite { sync } => fill_and_watch(job, open_sqlite(&job.address, sync).await?).await,
        Storage::Redis => fill_and_watch(job, open_redis(&job.address).await?).await,
    }
}

async fn fill_and_watch<S>(job: &IdleJob, store: S) -> Result<IdleFigures, BenchError>
where
    S: Store + EndpointDirectory + EndpointAdmin + DeliveryLog + Clone,
{
    if job.fill > 0 {
        fill(job.fill, store.clone()).await?;
    }
    if job.seconds == 0 { Ok(IdleFigures::default()) } else { watch(job.seconds, store).await }
}

/// The engine of the filling does not run, so it hands nothing over in memory, and it is gone before the watching.
async fn fill<S>(events: u64, store: S) -> Result<(), BenchError>
where
    S: Store + EndpointDirectory + EndpointAdmin + DeliveryLog + Clone,
{
    let engine = build_engine(store, 1)?;
    engine
        .endpoints()
        .create(NewEndpoint::new("bench", "https://127.0.0.1:8009/never"))
        .await
        .map_err(BenchError::engine("create the endpoint"))?;
    let due = Timestamp::from(SystemTime::now()).saturating_add(FAR);
    publish_until(&engine, &Arc::default(), events, PUBLISHERS, Some(due)).await
}

async fn watch<S>(seconds: u64, store: S) -> Result<IdleFigures, BenchError>
where
    S: Store + EndpointDirectory + EndpointAdmin + DeliveryLog + Clone,
{
    let store = Intercepted::new(store, Calls::default());
    let running = Running::start(build_engine(store.clone(), 64)?);
    tokio::time::sleep(SETTLING).await;

    let (start, calls) = (Instant::now(), store.between().counts());
    let (cpu, wake_ups) = (process::thread_time()?, process::wake_ups()?);
    // A timer of the runtime would wake it up several times on its way to the end.
    tokio::task::spawn_blocking(move || std::thread::sleep(Duration::from_secs(seconds)))
        .await
        .map_err(BenchError::engine("await the end of the interval"))?;
    let wake_ups = process::wake_ups()?.saturating_sub(wake_ups);
    let cpu = process::thread_time()?.saturating_sub(cpu);
    let (elapsed, calls) = (start.elapsed().as_secs_f64(), store.between().counts().since(calls));
    let resident_bytes = process::resident_memory()?;

    // Counted last: it reads the whole table, which would show in each figure above.
    let pending = count(&store, State::Scheduled).await?;
    running.stop().await?;
    Ok(IdleFigures {
        pending,
        seconds: elapsed,
        cpu_percent: cpu.as_secs_f64() / elapsed * 100.0,
        wake_ups_per_second: wake_ups as f64 / elapsed,
        store_calls: calls,
        resident_bytes,
    })
}
