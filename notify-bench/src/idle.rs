//! `bench idle`: what an engine costs while it has many deliveries and none is due.
//!
//! The store is filled by one process and idled on by another, so that the memory of the filling does not count. A
//! memory store cannot be handed over: there, what the filling left behind in the allocator counts too.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::calls::CallCounts;
use crate::child::Job;
use crate::error::BenchError;
use crate::place::Place;
use crate::storage::Storage;

/// What to measure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IdlePlan {
    /// The store.
    pub storage: Storage,
    /// Where the stores' files go; removed afterwards.
    pub directory: PathBuf,
    /// How many deliveries wait.
    pub pending: u64,
    /// How long the engine is watched.
    pub seconds: u64,
}

/// What the idle process shall do.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct IdleJob {
    /// The store.
    pub storage: Storage,
    /// SQLite's file, or the server's URL.
    pub address: String,
    /// How many deliveries to publish first, due in a year.
    pub fill: u64,
    /// How long to watch; 0 = only fill.
    pub seconds: u64,
}

/// What one idle engine was seen to do.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct IdleFigures {
    /// How many scheduled deliveries the store counts, asked after the interval.
    pub pending: u64,
    /// How long it was watched.
    pub seconds: f64,
    /// CPU time of all threads, in percent of one core.
    pub cpu_percent: f64,
    /// Voluntary context switches of all threads, for each second. The watching itself adds one or two in all.
    pub wake_ups_per_second: f64,
    /// Calls of the store in the interval.
    pub store_calls: CallCounts,
    /// Resident memory at the end of the interval.
    pub resident_bytes: u64,
}

/// The figures with what the pending deliveries cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct IdleReport {
    /// `idle`.
    pub bench: &'static str,
    /// The store.
    #[serde(flatten)]
    pub storage: Storage,
    /// The engine with the pending deliveries.
    #[serde(flatten)]
    pub figures: IdleFigures,
    /// Resident memory of an engine with an empty store.
    pub empty_resident_bytes: u64,
    /// How much more is resident, for each million pending. Negative if noise outweighs it.
    pub memory_bytes_per_million_pending: f64,
    /// Size of all of the store's files for each pending delivery, its event included; `None` for other stores
    /// than SQLite.
    pub disk_bytes_per_pending: Option<f64>,
}

/// Measures an empty store, fills one, and measures that.
///
/// # Errors
/// Any part failed, or the store does not count as many pending deliveries as were published.
pub async fn run(plan: &IdlePlan) -> Result<IdleReport, BenchError> {
    if plan.pending == 0 || plan.seconds == 0 {
        return Err(BenchError::NothingMeasured);
    }
    let job = |place: &Place, fill, seconds| {
        Job::Idle(IdleJob { storage: plan.storage, address: place.address().to_owned(), fill, seconds })
    };
    let (nothing, place) = (Place::new(plan.storage, &plan.directory)?, Place::new(plan.storage, &plan.directory)?);
    let empty: IdleFigures = job(&nothing, 0, plan.seconds.min(3)).in_child().await?;
    drop(nothing);
    let (figures, disk) = match plan.storage {
        Storage::Memory => (job(&place, plan.pending, plan.seconds).in_child().await?, None),
        Storage::Sqlite { .. } | Storage::Redis => {
            job(&place, plan.pending, 0).in_child::<IdleFigures>().await?;
            let disk = place.bytes()?;
            (job(&place, 0, plan.seconds).in_child::<IdleFigures>().await?, disk)
        }
    };
    if figures.pending != plan.pending {
        return Err(BenchError::Unsettled { state: "pending", expected: plan.pending, found: figures.pending });
    }
    let pending = plan.pending as f64;
    let growth = figures.resident_bytes as f64 - empty.resident_bytes as f64;
    Ok(IdleReport {
        bench: "idle",
        storage: plan.storage,
        figures,
        empty_resident_bytes: empty.resident_bytes,
        memory_bytes_per_million_pending: growth / pending * 1e6,
        disk_bytes_per_pending: disk.map(|bytes| bytes as f64 / pending),
    })
}

impl fmt::Display for IdleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = f64::from(1 << 20);
        writeln!(f, "idle, {}, {} pending, {:.1} s", self.storage, self.figures.pending, self.figures.seconds)?;
        writeln!(f, "CPU       {:.3} % of a core", self.figures.cpu_percent)?;
        writeln!(f, "wake-ups  {:.2}/s", self.figures.wake_ups_per_second)?;
        writeln!(f, "calls     {}", self.figures.store_calls)?;
        writeln!(f, "memory    {:.2} MiB a million pending", self.memory_bytes_per_million_pending / mib)?;
        match self.disk_bytes_per_pending {
            Some(bytes) => writeln!(f, "disk      {bytes:.0} B a pending delivery"),
            None => Ok(()),
        }
    }
}
