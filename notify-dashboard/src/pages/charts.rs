//! What happened over time: one time range, its sums by column, and the charts that they make.

mod drawing;

use std::collections::BTreeMap;
use std::time::Duration;

use notify_core::delivery::Reason;
use notify_core::store::activity::{Activity, ActivityQuery, Effect, Latencies, Resolution};
use notify_core::{EndpointId, Timestamp};

use crate::failure::{Failure, sentence};
use crate::visit::Visit;
use crate::words::{When, grouped, span};
use crate::zone::Zone;

use super::filter::unreadable;
use drawing::{Key, Part, stacked};

pub(super) use drawing::Drawing;

/// The reasons that get a colour of their own; the others share one.
const REASONS: usize = 4;
const REASON_CLASSES: [&str; REASONS] = ["bad", "warn", "wait", "accent"];

/// A time range, and the columns it is shown in.
#[derive(Debug)]
pub(super) struct Range {
    word: &'static str,
    label: &'static str,
    pub(super) in_words: &'static str,
    resolution: Resolution,
    /// How many buckets make a column.
    buckets: u32,
    columns: u32,
}

/// Minutes are kept for two days, so a week is shown in hours. Sixty columns can still be told apart at 390 pixels.
const RANGES: [Range; 4] = [
    Range::new("1h", "1 hour", "the last hour", Resolution::Minute, 1, 60),
    Range::new("24h", "24 hours", "the last 24 hours", Resolution::Hour, 1, 24),
    Range::new("7d", "7 days", "the last 7 days", Resolution::Hour, 3, 56),
    Range::new("30d", "30 days", "the last 30 days", Resolution::Hour, 12, 60),
];

/// The range that is shown where none is asked for, and that sentences speak of.
pub(super) const DAY: &Range = &RANGES[1];

/// What the attempts of some time came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    pub(super) delivered: u64,
    pub(super) gave_up: u64,
    failed: BTreeMap<Reason, u64>,
    latencies: Latencies,
}

/// All charts of a page, with the choice of their range.
#[derive(Debug)]
pub(super) struct Charts {
    pub(super) ranges: Vec<RangeLink>,
    pub(super) charts: Vec<Chart>,
    pub(super) waiting: Waiting,
}

/// What waits now, in a figure and in words. Nothing samples, so there is no line over time.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) number: String,
    pub(super) words: String,
}

/// A link to the same page over another range.
#[derive(Debug)]
pub(super) struct RangeLink {
    pub(super) href: String,
    pub(super) label: &'static str,
    pub(super) current: bool,
}

/// One chart: in words, drawn, and as a table. Without anything to draw only the words are shown.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) title: &'static str,
    pub(super) summary: String,
    pub(super) drawing: Option<Drawing>,
    pub(super) heads: Vec<String>,
    pub(super) rows: Vec<(When, Vec<String>)>,
}

impl Range {
    const fn new(
        word: &'static str,
        label: &'static str,
        in_words: &'static str,
        resolution: Resolution,
        buckets: u32,
        columns: u32,
    ) -> Self {
        Self { word, label, in_words, resolution, buckets, columns }
    }

    /// The range that the address asks for.
    pub(super) fn of(visit: &Visit) -> Result<&'static Self, Failure> {
        match visit.query.get("range") {
            "" => Ok(DAY),
            asked => RANGES.iter().find(|range| range.word == asked).ok_or_else(|| unreadable("time range")),
        }
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.word == other.word
    }

    /// How long a column lasts.
    fn step(&self) -> Duration {
        self.resolution.width() * self.buckets
    }

    /// The end of the bucket that is being filled.
    fn until(&self, now: Timestamp) -> Timestamp {
        self.resolution.bucket(now).saturating_add(self.resolution.width())
    }

    fn since(&self, now: Timestamp) -> Timestamp {
        self.until(now).saturating_sub(self.step() * self.columns)
    }

    fn start_of(&self, column: usize, now: Timestamp) -> Timestamp {
        self.since(now).saturating_add(self.step() * u32::try_from(column).unwrap_or(u32::MAX))
    }

    /// What happened in this range to one endpoint, or to all of the tenant's.
    pub(super) async fn read(&self, visit: &Visit, endpoint: Option<&EndpointId>) -> Result<Vec<Activity>, Failure> {
        let query = ActivityQuery {
            tenant: visit.tenant.clone(),
            resolution: self.resolution,
            since: self.since(visit.now),
            until: self.until(visit.now),
            endpoint: endpoint.cloned(),
        };
        Ok(visit.engine().history().activity(&query).await?)
    }

    /// One sum for each column, oldest first.
    pub(super) fn columns<'a>(&self, now: Timestamp, activity: impl IntoIterator<Item = &'a Activity>) -> Vec<Sums> {
        let since = self.since(now);
        let mut columns = vec![Sums::default(); self.columns as usize];
        for one in activity {
            let column = one.start.since(since).as_millis() / self.step().as_millis().max(1);
            if let Some(sums) = usize::try_from(column).ok().and_then(|column| columns.get_mut(column)) {
                sums.count(one);
            }
        }
        columns
    }
}

impl Sums {
    /// The sum of all.
    pub(super) fn of<'a>(activity: impl IntoIterator<Item = &'a Activity>) -> Self {
        let mut sums = Self::default();
        activity.into_iter().for_each(|one| sums.count(one));
        sums
    }

    fn count(&mut self, one: &Activity) {
        let number = one.latencies.count();
        self.latencies.add(&one.latencies);
        match one.effect {
            Effect::Delivered => self.delivered += number,
            Effect::Retried(reason) => *self.failed.entry(reason).or_default() += number,
            Effect::GaveUp(reason) => {
                *self.failed.entry(reason).or_default() += number;
                self.gave_up += number;
            }
        }
    }

    /// How many attempts failed, those that were followed by another included.
    pub(super) fn failed(&self) -> u64 {
        self.failed.values().sum()
    }

    /// The class that a percentile falls into; `None` without attempts.
    fn class(&self, percent: u8) -> Option<usize> {
        let bounds = &Latencies::BOUNDS_MS;
        (self.latencies.count() > 0).then(|| match self.latencies.percentile(percent) {
            Some(bound) => bounds.partition_point(|other| *other < bound),
            None => bounds.len(),
        })
    }
}

impl Charts {
    /// The charts over `activity`, which was read for `range`, on the page at `path`.
    pub(super) fn new(visit: &Visit, path: &str, range: &Range, activity: &[Activity], waiting: Waiting) -> Self {
        let columns = range.columns(visit.now, activity);
        let total = Sums::of(activity);
        let table = Table { range, now: visit.now, zone: visit.zone, columns: &columns };
        let ranges = RANGES.iter().map(|other| RangeLink {
            href: visit.links.with(path, &[("range", if other.is(DAY) { "" } else { other.word })]),
            label: other.label,
            current: other.is(range),
        });
        Self {
            ranges: ranges.collect(),
            charts: vec![deliveries(&table, &total), durations(&table, &total), failures(&table, &total)],
            waiting,
        }
    }
}

/// A small chart without words: delivered above failed attempts.
pub(super) fn spark(columns: &[Sums]) -> Option<Drawing> {
    let parts =
        [Part::new("bad", String::new(), Sums::failed), Part::new("good", String::new(), |sums: &Sums| sums.delivered)];
    stacked(columns, &parts)
}

/// The columns that all charts of a page share.
#[derive(Clone, Copy)]
struct Table<'a> {
    range: &'a Range,
    now: Timestamp,
    zone: Zone,
    columns: &'a [Sums],
}

impl Table<'_> {
    /// One row for each column in which any attempt ended.
    fn rows(&self, cells: impl Fn(&Sums) -> Vec<String>) -> Vec<(When, Vec<String>)> {
        let ended = self.columns.iter().enumerate().filter(|(_, sums)| sums.latencies.count() > 0);
        ended.map(|(index, sums)| (When::new(self.range.start_of(index, self.now), self.zone), cells(sums))).collect()
    }

    fn chart(&self, title: &'static str, summary: String, drawing: Option<Drawing>) -> Chart {
        let drawing = drawing.map(|drawing| Drawing {
            begins: When::new(self.range.start_of(0, self.now), self.zone),
            ends: When::new(self.range.until(self.now), self.zone),
            ..drawing
        });
        Chart { title, summary, drawing, heads: Vec::new(), rows: Vec::new() }
    }
}

fn deliveries(table: &Table<'_>, total: &Sums) -> Chart {
    let (range, delivered, gave_up) = (table.range.in_words, grouped(total.delivered), grouped(total.gave_up));
    let summary = format!("{delivered} delivered and {gave_up} given up in {range}.");
    // What gave up stands at the bottom, where one in a million is still seen.
    let parts = [
        Part::new("bad", format!("Gave up: {gave_up}"), |sums: &Sums| sums.gave_up),
        Part::new("good", format!("Delivered: {delivered}"), |sums| sums.delivered),
    ];
    let mut chart = table.chart("Deliveries", summary, stacked(table.columns, &parts));
    chart.heads = vec!["Delivered".into(), "Gave up".into()];
    chart.rows = table.rows(|sums| vec![grouped(sums.delivered), grouped(sums.gave_up)]);
    chart
}

fn durations(table: &Table<'_>, total: &Sums) -> Chart {
    let summary = match (total.class(50), total.class(95)) {
        (Some(only), _) if total.latencies.count() == 1 => format!("The one attempt took {}.", at_most(only)),
        (Some(half), Some(most)) => format!(
            "Half of the {} attempts took {}, 95 of 100 took {}, failed ones included.",
            grouped(total.latencies.count()),
            at_most(half),
            at_most(most)
        ),
        _ => format!("No attempt ended in {}.", table.range.in_words),
    };
    let lines = [("p50", "Half (p50)", 50), ("p95", "95 of 100 (p95)", 95)];
    let drawing = (total.latencies.count() > 0).then(|| {
        let lines = lines.map(|(class, label, percent)| {
            let classes: Vec<Option<usize>> = table.columns.iter().map(|sums| sums.class(percent)).collect();
            (Key { class, label: label.to_owned() }, classes)
        });
        drawing::lines(&lines)
    });
    let mut chart = table.chart("Response time", summary, drawing);
    let cell = |class: Option<usize>| class.map(at_most).unwrap_or_default();
    chart.heads = vec!["Half (p50)".into(), "95 of 100 (p95)".into()];
    chart.rows = table.rows(|sums| vec![cell(sums.class(50)), cell(sums.class(95))]);
    chart
}

fn failures(table: &Table<'_>, total: &Sums) -> Chart {
    let mut reasons: Vec<(Reason, u64)> = total.failed.iter().map(|(reason, number)| (*reason, *number)).collect();
    reasons.sort_by_key(|(reason, number)| (std::cmp::Reverse(*number), *reason));
    let summary = match reasons.first() {
        None => format!("No attempt failed in {}.", table.range.in_words),
        Some((reason, _)) if total.latencies.count() == 1 => {
            format!("The one attempt failed because {}.", reason.sentence())
        }
        Some((reason, number)) => format!(
            "{} of {} attempts failed, {} of them because {}.",
            grouped(total.failed()),
            grouped(total.latencies.count()),
            if *number == total.failed() { "all".into() } else { grouped(*number) },
            reason.sentence()
        ),
    };
    let (shown, others) = reasons.split_at(reasons.len().min(REASONS));
    let mut parts = Vec::new();
    for ((reason, number), class) in shown.iter().zip(REASON_CLASSES) {
        let reason = *reason;
        let label = format!("{}: {}", sentence(reason.sentence()).trim_end_matches('.'), grouped(*number));
        parts.push(Part::new(class, label, move |sums: &Sums| sums.failed.get(&reason).copied().unwrap_or(0)));
    }
    if !others.is_empty() {
        let label = format!("Other reasons: {}", grouped(others.iter().map(|(_, number)| number).sum()));
        let of = |sums: &Sums| others.iter().filter_map(|(reason, _)| sums.failed.get(reason)).sum();
        parts.push(Part::new("idle", label, of));
    }
    let mut chart = table.chart("Failed attempts", summary, stacked(table.columns, &parts));
    if !reasons.is_empty() {
        chart.heads = vec!["Failed".into(), "Because".into()];
        chart.rows = table.rows(|sums| vec![grouped(sums.failed()), because(sums)]);
        chart.rows.retain(|(_, cells)| cells.first().is_some_and(|failed| failed != "0"));
    }
    chart
}

fn because(sums: &Sums) -> String {
    let reasons = sums.failed.iter().map(|(reason, number)| format!("{}: {}", reason.sentence(), grouped(*number)));
    reasons.collect::<Vec<_>>().join("; ")
}

/// A class of response times in words.
fn at_most(class: usize) -> String {
    let bound = |millis: &u64| span(Duration::from_millis(*millis));
    let bounds = &Latencies::BOUNDS_MS;
    match (bounds.get(class), bounds.last()) {
        (Some(millis), _) => format!("at most {}", bound(millis)),
        (None, last) => format!("over {}", last.map(bound).unwrap_or_default()),
    }
}
