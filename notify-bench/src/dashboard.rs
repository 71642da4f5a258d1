//! `bench dashboard`: how long the server takes for the dashboard's pages over many deliveries in SQLite.
//!
//! The database is filled by the engine itself, over thirty days of a clock that is moved by hand, with receivers that
//! answer at once; then it is opened anew and its pages are asked for in turn, without a network between.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Empty};
use notify_core::delivery::State;
use notify_core::engine::Clock;
use notify_core::testing::ManualClock;
use notify_core::transport::{Request, Response, SendFailure, Transport};
use notify_core::{Engine, InvalidInput, NewEndpoint, NewEvent, RetrySchedule, Timestamp};
use notify_dashboard::{Access, Dashboard, Scope};
use notify_store_sqlite::SqliteStore;
use serde::Serialize;
use tokio::task::JoinSet;
use tower_service::Service;

use crate::engine_run::open_sqlite;
use crate::error::BenchError;
use crate::place::Place;
use crate::storage::{Storage, Sync};
use crate::workload;

/// The pages that are measured.
const PAGES: [&str; 6] = ["/", "/logs", "/?range=1h", "/?range=30d", "/logs?by=delivery", "/webhooks"];
const WEBHOOKS: u64 = 10;
/// Each event goes to this many webhooks.
const FAN_OUT: u64 = 2;
const TYPES: u64 = WEBHOOKS / FAN_OUT;
/// Hours, and then one hour minute by minute, so that charts of minutes have something to show too.
const HOURS: u64 = 30 * 24 - 1;
const MINUTES: u64 = 60;
const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);
/// Every so many attempts one fails: most succeed later, the last webhook's have no other attempt.
const FAILS: u64 = 40;
/// Every so many events one is for later.
const WAITS: u64 = 100;
/// Tasks that publish while the store is filled.
const PUBLISHERS: u64 = 256;
/// Requests of each page before measuring begins.
const WARM_UP: u32 = 3;

/// What to measure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DashboardPlan {
    /// Where the store's files go; removed afterwards.
    pub directory: PathBuf,
    /// How many deliveries there are.
    pub deliveries: u64,
    /// How often each page is asked for.
    pub requests: u32,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DashboardReport {
    /// `dashboard`.
    pub bench: &'static str,
    /// How many deliveries there are.
    pub deliveries: u64,
    /// How many of them stand where, by the store's word for it.
    pub by_state: BTreeMap<&'static str, u64>,
    /// How many webhooks they are for.
    pub webhooks: u64,
    /// How often each page was asked for.
    pub requests: u32,
    /// Each page.
    pub pages: Vec<PageFigures>,
}

/// One page.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PageFigures {
    /// Its path below the mount path.
    pub path: &'static str,
    /// Half of the requests took at most this, in milliseconds.
    pub median_ms: f64,
    /// 99 of 100 took at most this; with fewer than 100 requests that is the slowest.
    pub p99_ms: f64,
    /// How long the page is.
    pub bytes: usize,
}

/// Answers at once, with a failure now and then.
#[derive(Clone, Debug, Default)]
struct Receivers {
    attempts: Arc<AtomicU64>,
}

#[async_trait]
impl Transport for Receivers {
    fn check(&self, _: &str) -> Result<(), InvalidInput> {
        Ok(())
    }

    async fn send(&self, _: Request) -> Result<Response, SendFailure> {
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        Ok(Response::new(if attempt % FAILS == FAILS - 1 { 503 } else { 200 }))
    }
}

/// Fills a database and measures the pages over it.
///
/// # Errors
/// The engine, its store or a page failed, or the store does not count as many deliveries as were published.
pub async fn run(plan: &DashboardPlan) -> Result<DashboardReport, BenchError> {
    let events = plan.deliveries / FAN_OUT;
    if events == 0 || plan.requests == 0 {
        return Err(BenchError::NothingMeasured);
    }
    let sync = Sync::Normal;
    let place = Place::new(Storage::Sqlite { sync }, &plan.directory)?;
    let start = Timestamp::from(SystemTime::now()).saturating_sub(HOUR * 30 * 24);
    let clock = ManualClock::at(start);
    fill(&engine(open_sqlite(place.address(), sync).await?, &clock)?, &clock, events).await?;

    let engine = engine(open_sqlite(place.address(), sync).await?, &clock)?;
    let stats = engine.history().stats(None).await.map_err(BenchError::engine("count the deliveries"))?;
    let found: u64 = stats.by_state.values().sum();
    if found != events * FAN_OUT {
        return Err(BenchError::Unsettled { state: "in all", expected: events * FAN_OUT, found });
    }
    Ok(DashboardReport {
        bench: "dashboard",
        deliveries: found,
        by_state: stats.by_state.iter().map(|(state, number)| (State::as_str(*state), *number)).collect(),
        webhooks: WEBHOOKS,
        requests: plan.requests,
        pages: measure(&engine, plan.requests).await?,
    })
}

fn engine(store: SqliteStore, clock: &ManualClock) -> Result<Engine, BenchError> {
    Engine::builder(store)
        .transport(Receivers::default())
        .clock(clock.clone())
        .build()
        .map_err(BenchError::engine("build the engine"))
}

async fn fill(engine: &Engine, clock: &ManualClock, events: u64) -> Result<(), BenchError> {
    for number in 0..WEBHOOKS {
        let event_type = format!("bench.type_{}", number % TYPES);
        let mut new = NewEndpoint::new(format!("webhook {number}"), format!("https://receiver-{number}.example.com/"));
        new = new.events([event_type]);
        if number + 1 == WEBHOOKS {
            new.options.schedule = Some(Some(RetrySchedule::never()));
        }
        engine.endpoints().create(new).await.map_err(BenchError::engine("create a webhook"))?;
    }
    let steps = HOURS + MINUTES;
    // Beyond all steps.
    let far = clock.wall().saturating_add(HOUR * 24 * 365);
    for step in 0..steps {
        let (from, to) = (events * step / steps, events * (step + 1) / steps);
        publish(engine, from, to, far).await?;
        engine.run_once().await.map_err(BenchError::engine("send what is due"))?;
        clock.advance(if step < HOURS { HOUR } else { MINUTE });
    }
    Ok(())
}

async fn publish(engine: &Engine, from: u64, to: u64, far: Timestamp) -> Result<(), BenchError> {
    let mut tasks = JoinSet::new();
    for first in from..to.min(from + PUBLISHERS) {
        let engine = engine.clone();
        tasks.spawn(async move {
            for sequence in (first..to).step_by(PUBLISHERS as usize) {
                let event_type = format!("bench.type_{}", sequence % TYPES);
                let mut event = NewEvent::new(&event_type, &workload::data(sequence))
                    .map_err(BenchError::engine("make an event"))?;
                if sequence % WAITS == 0 {
                    event = event.not_before(far);
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

async fn measure(engine: &Engine, requests: u32) -> Result<Vec<PageFigures>, BenchError> {
    let dashboard = Dashboard::builder(engine)
        .authorize(|_| std::future::ready(Access::admin(Scope::All)))
        .build()
        .map_err(BenchError::engine("build the dashboard"))?;
    let mut router = dashboard.router();
    let mut times: [Vec<f64>; PAGES.len()] = Default::default();
    let mut bytes = [0; PAGES.len()];
    // In turn, so that whatever else the machine does hits all pages alike.
    for round in 0..WARM_UP + requests {
        for (index, path) in PAGES.into_iter().enumerate() {
            let began = Instant::now();
            let request = http::Request::get(path).header(http::header::HOST, "bench.example.com");
            let request = request.body(Empty::<Bytes>::new()).map_err(BenchError::engine("make a request"))?;
            let response = router.call(request).await.map_err(BenchError::engine("get a page"))?;
            let status = response.status();
            let body = response.into_body().collect().await.map_err(BenchError::engine("read a page"))?.to_bytes();
            let took = began.elapsed().as_secs_f64() * 1e3;
            if status != StatusCode::OK {
                return Err(BenchError::Status(status.as_u16()));
            }
            bytes[index] = body.len();
            if round >= WARM_UP {
                times[index].push(took);
            }
        }
    }
    let figures = PAGES.into_iter().zip(times).zip(bytes).map(|((path, mut times), bytes)| {
        times.sort_by(f64::total_cmp);
        let at = |percent: usize| times[(times.len() * percent).div_ceil(100).saturating_sub(1)];
        PageFigures { path, median_ms: at(50), p99_ms: at(99), bytes }
    });
    Ok(figures.collect())
}

impl fmt::Display for DashboardReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "dashboard, sqlite, {} deliveries to {} webhooks", self.deliveries, self.webhooks)?;
        for (state, number) in &self.by_state {
            writeln!(f, "{number:>9} {state}")?;
        }
        writeln!(f, "{} requests of each page     median ms    p99 ms     bytes", self.requests)?;
        for page in &self.pages {
            writeln!(f, "{:<26} {:>10.1} {:>9.1} {:>9}", page.path, page.median_ms, page.p99_ms, page.bytes)?;
        }
        Ok(())
    }
}
