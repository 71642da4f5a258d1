//! What happened over time: counts by minute and by hour, kept by the store in the same step as the change that they
//! count. Nothing samples, so an idle engine stays silent.

mod tally;

use std::time::Duration;

use crate::delivery::{Attempt, Outcome, Reason, State};
use crate::id::{EndpointId, EventType, TenantId};
use crate::machine::Change;
use crate::time::Timestamp;

pub use tally::Tally;

/// How wide a bucket is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Resolution {
    /// A minute; kept for 48 hours.
    Minute,
    /// An hour; kept for 90 days.
    Hour,
}

impl Resolution {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Minute, Self::Hour];

    /// How long one bucket lasts.
    #[must_use]
    pub const fn width(self) -> Duration {
        match self {
            Self::Minute => Duration::from_secs(60),
            Self::Hour => Duration::from_secs(60 * 60),
        }
    }

    /// How long buckets are kept at least, counted back from the newest one.
    #[must_use]
    pub const fn kept(self) -> Duration {
        match self {
            Self::Minute => Duration::from_secs(48 * 60 * 60),
            Self::Hour => Duration::from_secs(90 * 24 * 60 * 60),
        }
    }

    /// The start of the bucket that `time` lies in.
    #[must_use]
    pub fn bucket(self, time: Timestamp) -> Timestamp {
        let width = i64::try_from(self.width().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(time.as_millis().div_euclid(width).saturating_mul(width))
    }
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Effect {
    /// Its delivery is delivered.
    Delivered,
    /// It failed, and is followed by another, or by somebody's decision.
    Retried(Reason),
    /// It failed, and its delivery with it.
    GaveUp(Reason),
}

impl Effect {
    /// The two words that stores keep: the effect, and the reason (empty for none).
    #[must_use]
    pub const fn as_words(self) -> (&'static str, &'static str) {
        match self {
            Self::Delivered => ("delivered", ""),
            Self::Retried(reason) => ("retried", reason.as_str()),
            Self::GaveUp(reason) => ("gave_up", reason.as_str()),
        }
    }

    /// Reads what [`as_words`](Self::as_words) wrote; `None` for other words.
    #[must_use]
    pub fn parse(effect: &str, reason: &str) -> Option<Self> {
        match effect {
            "delivered" => reason.is_empty().then_some(Self::Delivered),
            "retried" => Reason::parse(reason).map(Self::Retried),
            "gave_up" => Reason::parse(reason).map(Self::GaveUp),
            _ => None,
        }
    }
}

/// How many attempts took how long: 16 classes, each up to its bound.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Latencies(pub [u64; 16]);

impl Latencies {
    /// The classes' upper bounds in milliseconds; the last has none.
    pub const BOUNDS_MS: [u64; 15] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000];

    /// The class of an attempt that took `duration`.
    #[must_use]
    pub fn class(duration: Duration) -> usize {
        Self::BOUNDS_MS.partition_point(|bound| Duration::from_millis(*bound) < duration)
    }

    /// How many there are in all.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Adds those of `other`.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count = count.saturating_add(more);
        }
    }

    /// The bound below which `percent` of 100 lie, in milliseconds: no better than the classes are. `None` for no
    /// attempt, and where it lies in the class without a bound.
    #[must_use]
    pub fn percentile(&self, percent: u8) -> Option<u64> {
        let wanted = u128::from(self.count()) * u128::from(percent.min(100));
        let mut seen = 0_u128;
        for (count, bound) in self.0.iter().zip(Self::BOUNDS_MS) {
            seen += u128::from(*count) * 100;
            if seen > 0 && seen >= wanted {
                return Some(bound);
            }
        }
        None
    }
}

/// Attempts of one endpoint, event type and effect that ended in one bucket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Activity {
    /// The bucket's start.
    pub start: Timestamp,
    /// To which endpoint.
    pub endpoint: EndpointId,
    /// Of which event type.
    pub event_type: EventType,
    /// What they came to.
    pub effect: Effect,
    /// How many, by how long they took.
    pub latencies: Latencies,
}

/// Which activity to read; `None` = any.
#[derive(Clone, Debug)]
pub struct ActivityQuery {
    /// Whose.
    pub tenant: TenantId,
    /// In buckets of this width.
    pub resolution: Resolution,
    /// Buckets that begin at or after this.
    pub since: Timestamp,
    /// Buckets that begin before this.
    pub until: Timestamp,
    /// To this endpoint.
    pub endpoint: Option<EndpointId>,
}

/// One attempt, as it counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Counted {
    /// When it ended.
    pub at: Timestamp,
    /// What it came to.
    pub effect: Effect,
    /// Its class in [`Latencies`].
    pub class: usize,
}

/// The attempts that `change` logs, as they count. A store adds them up, in the step that writes the change.
pub fn counted(change: &Change) -> impl Iterator<Item = Counted> {
    let last = change.attempts().len();
    change.attempts().iter().enumerate().map(move |(index, attempt)| {
        let ends = index + 1 == last && change.next().state == State::Failed;
        let effect = match attempt.outcome {
            Outcome::Success => Effect::Delivered,
            Outcome::Failure(reason) if ends => Effect::GaveUp(reason),
            Outcome::Failure(reason) => Effect::Retried(reason),
        };
        Counted { at: attempt.ended_at(), effect, class: Latencies::class(attempt.duration) }
    })
}

/// What a change says about its endpoint's health.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sign {
    /// It answered with a success.
    Well,
    /// It failed, at this time. Faults of our own side and unknown outcomes are no sign.
    Ill(Timestamp),
}

/// The sign that the last attempt of `change` gives. Endpoint health is written when it changes, never once an
/// attempt: `failing_since` is the first [`Sign::Ill`] after the last [`Sign::Well`].
#[must_use]
pub fn sign(change: &Change) -> Option<Sign> {
    let attempt: &Attempt = change.attempts().last()?;
    match attempt.outcome {
        Outcome::Success => Some(Sign::Well),
        Outcome::Failure(reason) if reason.counts() && reason != Reason::Local => Some(Sign::Ill(attempt.ended_at())),
        Outcome::Failure(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_begins_at_its_minute_or_hour_also_before_the_epoch() {
        let at = Timestamp::from_millis;
        assert_eq!(Resolution::Minute.bucket(at(59_999)), at(0));
        assert_eq!(Resolution::Minute.bucket(at(60_000)), at(60_000));
        assert_eq!(Resolution::Hour.bucket(at(7_199_999)), at(3_600_000));
        assert_eq!(Resolution::Minute.bucket(at(-1)), at(-60_000));
    }

    #[test]
    fn every_effect_reads_back_and_no_other_words_do() {
        let all = Reason::ALL.into_iter().flat_map(|reason| [Effect::Retried(reason), Effect::GaveUp(reason)]);
        for effect in all.chain([Effect::Delivered]) {
            let (word, reason) = effect.as_words();
            assert_eq!(Effect::parse(word, reason), Some(effect));
        }
        for (word, reason) in [("delivered", "dns"), ("retried", ""), ("gave_up", "no"), ("", "")] {
            assert_eq!(Effect::parse(word, reason), None);
        }
    }

    #[test]
    fn a_class_reaches_up_to_its_bound() {
        for (class, bound) in Latencies::BOUNDS_MS.into_iter().enumerate() {
            assert_eq!(Latencies::class(Duration::from_millis(bound)), class);
            assert_eq!(Latencies::class(Duration::from_millis(bound) + Duration::from_nanos(1)), class + 1);
        }
        assert_eq!(Latencies::class(Duration::MAX), 15);
    }

    #[test]
    fn a_percentile_is_the_bound_of_the_class_it_falls_in() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(50), None);
        latencies.0[3] = 95;
        latencies.0[8] = 4;
        latencies.0[15] = 1;
        assert_eq!(latencies.percentile(50), Some(10));
        assert_eq!(latencies.percentile(95), Some(10));
        assert_eq!(latencies.percentile(99), Some(500));
        assert_eq!(latencies.percentile(100), None);
        assert_eq!(latencies.percentile(0), Some(10));
    }
}
