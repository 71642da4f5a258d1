//! `bench end-to-end`: publish to received, in turn with the bare client.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::bare::BareJob;
use crate::child::Job;
use crate::error::BenchError;
use crate::place::Place;
use crate::report::{BareReport, EndToEndReport, Pair, RunFigures, SideFigures, median};
use crate::sink_client::SinkProcess;
use crate::storage::Storage;
use crate::workload::BODY_BYTES;

/// Deliveries that are sent before measuring begins: connections are open and memory is warm by then.
const WARM_UP: u64 = 2_000;

/// What to measure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EndToEndPlan {
    /// The store.
    pub storage: Storage,
    /// Where the stores' files go; removed afterwards.
    pub directory: PathBuf,
    /// How many events are published in a run.
    pub events: u64,
    /// How many tasks publish.
    pub publishers: u32,
    /// The bare client's part.
    pub bare: BarePlan,
}

/// What the bare client does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BarePlan {
    /// How many requests it sends in a run.
    pub requests: u64,
    /// How many are under way at once; notify's number too.
    pub in_flight: u32,
    /// How many runs.
    pub runs: u32,
}

/// What the notify process shall do.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct NotifyJob {
    /// The sink.
    pub url: String,
    /// The store.
    pub storage: Storage,
    /// SQLite's file, which does not exist yet, or the server's URL.
    pub address: String,
    /// How many events are published and delivered before measuring begins.
    pub warm_up: u64,
    /// How many are measured.
    pub events: u64,
    /// How many tasks publish, each awaiting durability.
    pub publishers: u32,
    /// The engine's bound, and the endpoint's.
    pub in_flight: u32,
}

/// Measures pairs: bare, then notify, each with a sink and a process of its own.
///
/// # Errors
/// Any part of a run failed, or the sink did not get each event rightly signed.
pub async fn run(plan: &EndToEndPlan) -> Result<EndToEndReport, BenchError> {
    let mut runs = Vec::new();
    for _ in 0..plan.bare.runs {
        runs.push(Pair::new(bare(&plan.bare).await?, notify(plan).await?));
    }
    let sides = |side: fn(&Pair) -> SideFigures| SideFigures::median(&runs.iter().map(side).collect::<Vec<_>>());
    Ok(EndToEndReport {
        bench: "end-to-end",
        storage: plan.storage,
        publishers: plan.publishers,
        in_flight: plan.bare.in_flight,
        body_bytes: BODY_BYTES,
        ratio_to_bare: median(runs.iter().map(|pair| pair.ratio_to_bare).collect())
            .ok_or(BenchError::NothingMeasured)?,
        bare: sides(|pair| pair.bare).ok_or(BenchError::NothingMeasured)?,
        notify: sides(|pair| pair.notify).ok_or(BenchError::NothingMeasured)?,
        runs,
    })
}

/// Measures the bare client alone.
///
/// # Errors
/// As [`run`].
pub async fn run_bare(plan: &BarePlan) -> Result<BareReport, BenchError> {
    let mut runs = Vec::new();
    for _ in 0..plan.runs {
        runs.push(bare(plan).await?);
    }
    Ok(BareReport {
        bench: "bare",
        in_flight: plan.in_flight,
        body_bytes: BODY_BYTES,
        bare: SideFigures::median(&runs).ok_or(BenchError::NothingMeasured)?,
        runs,
    })
}

async fn bare(plan: &BarePlan) -> Result<SideFigures, BenchError> {
    let sink = SinkProcess::start().await?;
    let job =
        BareJob { url: sink.url().to_owned(), warm_up: WARM_UP, requests: plan.requests, in_flight: plan.in_flight };
    measure(&Job::Bare(job), sink).await
}

async fn notify(plan: &EndToEndPlan) -> Result<SideFigures, BenchError> {
    let place = Place::new(plan.storage, &plan.directory)?;
    let sink = SinkProcess::start().await?;
    let job = NotifyJob {
        url: sink.url().to_owned(),
        storage: plan.storage,
        address: place.address().to_owned(),
        warm_up: WARM_UP,
        events: plan.events,
        publishers: plan.publishers,
        in_flight: plan.bare.in_flight,
    };
    measure(&Job::Notify(job), sink).await
}

async fn measure(job: &Job, sink: SinkProcess) -> Result<SideFigures, BenchError> {
    let sender: RunFigures = job.in_child().await?;
    let received = WARM_UP + sender.deliveries;
    let counts = sink.finish(received).await?;
    Ok(SideFigures {
        sender,
        sink_cpu_us_per_message: counts.cpu_us as f64 / (received + counts.duplicates) as f64,
        duplicates: counts.duplicates,
    })
}
