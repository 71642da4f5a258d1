//! How each webhook did in the time that is shown, from the counts that the charts are made of.

use std::collections::BTreeMap;

use notify_core::EndpointId;
use notify_core::store::activity::{Activity, Effect};

use crate::failure::{Failure, sentence};
use crate::visit::Visit;
use crate::words::{When, grouped};

use super::charts::{Range, Sums};
use super::names::Names;

/// The others are on the page of all webhooks.
const SHOWN: usize = 20;

/// The table of webhooks, those that failed most first.
#[derive(Debug)]
pub(super) struct Standings {
    pub(super) caption: String,
    pub(super) rows: Vec<Standing>,
    pub(super) more: usize,
    pub(super) webhooks: String,
}

/// One webhook's row.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) name: String,
    pub(super) href: Option<String>,
    pub(super) attempts: String,
    pub(super) share: String,
    pub(super) failing: Option<When>,
    pub(super) reason: String,
}

impl Standings {
    /// Of the webhooks that `activity`, which was read for `range`, speaks of.
    pub(super) async fn of(visit: &Visit, range: &Range, activity: &[Activity]) -> Result<Self, Failure> {
        let mut by_webhook: BTreeMap<&EndpointId, Vec<&Activity>> = BTreeMap::new();
        for one in activity {
            by_webhook.entry(&one.endpoint).or_default().push(one);
        }
        let mut sums: Vec<(&EndpointId, Sums)> =
            by_webhook.iter().map(|(id, activity)| (*id, Sums::of(activity.iter().copied()))).collect();
        sums.sort_by_key(|(_, sums)| std::cmp::Reverse((sums.failed(), sums.delivered)));
        let more = sums.len().saturating_sub(SHOWN);
        sums.truncate(SHOWN);

        let ids: Vec<&EndpointId> = sums.iter().map(|(id, _)| *id).collect();
        let names = Names::of(visit, &ids).await?;
        let owned: Vec<EndpointId> = ids.into_iter().cloned().collect();
        let failing = visit.engine().history().failing_since(&owned).await?;
        let rows = sums.iter().zip(failing).map(|((id, sums), failing)| Standing {
            name: names.get(id),
            href: names.exists(id).then(|| visit.links.to(&format!("/webhooks/{id}/health"))),
            attempts: grouped(sums.delivered + sums.failed()),
            share: share(sums.delivered, sums.delivered + sums.failed()),
            failing: failing.map(|since| visit.when(since)),
            reason: by_webhook.get(id).map(|activity| last_reason(activity)).unwrap_or_default(),
        });
        Ok(Self {
            caption: format!("Webhooks in {}, those with most failed attempts first", range.in_words),
            rows: rows.collect(),
            more,
            webhooks: visit.links.to("/webhooks"),
        })
    }
}

/// Cut, not rounded: only where all succeeded it is 100.
fn share(part: u64, whole: u64) -> String {
    let tenths = u128::from(part) * 1000 / u128::from(whole.max(1));
    if tenths.is_multiple_of(10) { format!("{} %", tenths / 10) } else { format!("{}.{} %", tenths / 10, tenths % 10) }
}

/// Of the newest bucket in which an attempt failed, the reason that most had.
fn last_reason(activity: &[&Activity]) -> String {
    let failed = activity.iter().filter_map(|one| match one.effect {
        Effect::Delivered => None,
        Effect::Retried(reason) | Effect::GaveUp(reason) => Some((one.start, one.latencies.count(), reason)),
    });
    failed.max().map(|(.., reason)| sentence(reason.sentence())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_all_is_100_percent_and_only_none_is_nothing() {
        for (part, whole, text) in [
            (0, 0, "0 %"),
            (0, 7, "0 %"),
            (7, 7, "100 %"),
            (1, 3, "33.3 %"),
            (1, 2, "50 %"),
            (999_999, 1_000_000, "99.9 %"),
            (u64::MAX - 1, u64::MAX, "99.9 %"),
        ] {
            assert_eq!(share(part, whole), text);
        }
    }
}
