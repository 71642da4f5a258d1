//! Figures of sending, and how they are shown. The JSON names are stable: `docs/performance.md` lists them.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::BenchError;
use crate::storage::Storage;

/// What one measuring process has to say about itself.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct RunFigures {
    /// How many distinct deliveries were measured.
    pub deliveries: u64,
    /// From the first publish (or request) until the sink had the last one.
    pub seconds: f64,
    /// `deliveries / seconds`.
    pub deliveries_per_second: f64,
    /// User and system time of the sender's process for each delivery, in microseconds. notify's includes all of its
    /// writing and settling, after the last delivery too.
    pub cpu_us_per_message: f64,
    /// The most memory that the sender's process had resident, in bytes.
    pub peak_memory_bytes: u64,
}

impl RunFigures {
    /// The figures of `deliveries` in `elapsed`, for `cpu` in all.
    ///
    /// # Errors
    /// There were none, or they took no time: nothing was measured.
    pub fn new(deliveries: u64, elapsed: Duration, cpu: Duration, peak_memory_bytes: u64) -> Result<Self, BenchError> {
        let count = deliveries as f64;
        let seconds = elapsed.as_secs_f64();
        if deliveries == 0 || seconds == 0.0 {
            return Err(BenchError::NothingMeasured);
        }
        Ok(Self {
            deliveries,
            seconds,
            deliveries_per_second: count / seconds,
            cpu_us_per_message: cpu.as_secs_f64() * 1e6 / count,
            peak_memory_bytes,
        })
    }
}

/// One sender with its sink.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SideFigures {
    /// The sender.
    #[serde(flatten)]
    pub sender: RunFigures,
    /// The sink's CPU time for each request, in microseconds.
    pub sink_cpu_us_per_message: f64,
    /// Requests whose event the sink had already: 0, unless a lease was lost.
    pub duplicates: u64,
}

impl SideFigures {
    /// The median of each figure by itself; `None` of none.
    #[must_use]
    pub fn median(runs: &[Self]) -> Option<Self> {
        let of = |figure: fn(&Self) -> f64| median(runs.iter().map(figure).collect());
        Some(Self {
            sender: RunFigures {
                deliveries: runs.first()?.sender.deliveries,
                seconds: of(|run| run.sender.seconds)?,
                deliveries_per_second: of(|run| run.sender.deliveries_per_second)?,
                cpu_us_per_message: of(|run| run.sender.cpu_us_per_message)?,
                peak_memory_bytes: of(|run| run.sender.peak_memory_bytes as f64)? as u64,
            },
            sink_cpu_us_per_message: of(|run| run.sink_cpu_us_per_message)?,
            duplicates: runs.iter().map(|run| run.duplicates).max()?,
        })
    }
}

/// The bare client by itself.
#[derive(Clone, Debug, Serialize)]
pub struct BareReport {
    /// `bare`.
    pub bench: &'static str,
    /// Requests under way at once.
    pub in_flight: u32,
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Medians.
    pub bare: SideFigures,
    /// Each run, in order.
    pub runs: Vec<SideFigures>,
}

/// notify beside the bare client.
#[derive(Clone, Debug, Serialize)]
pub struct EndToEndReport {
    /// `end-to-end`.
    pub bench: &'static str,
    /// The store.
    #[serde(flatten)]
    pub storage: Storage,
    /// Tasks that publish, each awaiting durability before its next event.
    pub publishers: u32,
    /// Requests under way at once, on both sides.
    pub in_flight: u32,
    /// Bytes of a body, on both sides.
    pub body_bytes: usize,
    /// Median of the pairs' ratios of `deliveries_per_second`, notify to bare.
    pub ratio_to_bare: f64,
    /// Medians.
    pub bare: SideFigures,
    /// Medians.
    pub notify: SideFigures,
    /// Each pair, in order.
    pub runs: Vec<Pair>,
}

/// The bare client and notify, measured one after the other.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Pair {
    /// The first.
    pub bare: SideFigures,
    /// The second.
    pub notify: SideFigures,
    /// `deliveries_per_second`, notify to bare.
    pub ratio_to_bare: f64,
}

impl Pair {
    /// Both with their ratio.
    #[must_use]
    pub fn new(bare: SideFigures, notify: SideFigures) -> Self {
        let ratio_to_bare = notify.sender.deliveries_per_second / bare.sender.deliveries_per_second;
        Self { bare, notify, ratio_to_bare }
    }
}

impl fmt::Display for SideFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>9.0}/s  {:>6.1} µs CPU a message  {:>6.1} MiB peak  (sink {:.1} µs)",
            self.sender.deliveries_per_second,
            self.sender.cpu_us_per_message,
            self.sender.peak_memory_bytes as f64 / f64::from(1 << 20),
            self.sink_cpu_us_per_message,
        )
    }
}

impl fmt::Display for BareReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "bare client, {} in flight, median of {}", self.in_flight, self.runs.len())?;
        writeln!(f, "bare    {}", self.bare)
    }
}

impl fmt::Display for EndToEndReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "end to end, {}, {} publishers, {} in flight, median of {}",
            self.storage,
            self.publishers,
            self.in_flight,
            self.runs.len()
        )?;
        writeln!(f, "bare    {}", self.bare)?;
        writeln!(f, "notify  {}", self.notify)?;
        writeln!(f, "ratio   {:.2}", self.ratio_to_bare)
    }
}

/// The middle value, or the mean of the two; `None` of none.
#[must_use]
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = if values.len().is_multiple_of(2) { values[values.len() / 2 - 1] } else { upper };
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_order_and_one_outlier() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn figures_are_per_message_and_per_second() {
        let figures = RunFigures::new(2_000, Duration::from_millis(500), Duration::from_millis(20), 7).unwrap();
        assert_eq!((figures.deliveries_per_second, figures.cpu_us_per_message), (4_000.0, 10.0));
        assert!(RunFigures::new(0, Duration::from_secs(1), Duration::ZERO, 7).is_err());
    }

    /// The names are a promise to those who keep the figures over time.
    #[test]
    fn the_json_has_the_documented_names() {
        let side = SideFigures {
            sender: RunFigures::new(4, Duration::from_secs(2), Duration::from_micros(8), 9).unwrap(),
            sink_cpu_us_per_message: 1.0,
            duplicates: 0,
        };
        let report = EndToEndReport {
            bench: "end-to-end",
            storage: Storage::Sqlite { sync: crate::storage::Sync::Full },
            publishers: 64,
            in_flight: 64,
            body_bytes: 300,
            ratio_to_bare: 1.0,
            bare: side,
            notify: side,
            runs: vec![Pair::new(side, side)],
        };
        let side = r#"{"deliveries":4,"seconds":2.0,"deliveries_per_second":2.0,"cpu_us_per_message":2.0,"peak_memory_bytes":9,"sink_cpu_us_per_message":1.0,"duplicates":0}"#;
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            format!(
                r#"{{"bench":"end-to-end","store":"sqlite","sync":"full","publishers":64,"in_flight":64,"body_bytes":300,"ratio_to_bare":1.0,"bare":{side},"notify":{side},"runs":[{{"bare":{side},"notify":{side},"ratio_to_bare":1.0}}]}}"#
            )
        );
    }
}
