//! How often each kind of thing happened. What never happens proves nothing.

use std::collections::BTreeMap;

/// Counts by name: faults, steps of a delivery, pairs of a fault and a step.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Coverage(BTreeMap<&'static str, BTreeMap<&'static str, u64>>);

impl Coverage {
    /// `kind` of `group` happened once more.
    pub(super) fn count(&mut self, group: &'static str, kind: &'static str) {
        *self.0.entry(group).or_default().entry(kind).or_default() += 1;
    }

    /// How often `kind` of `group` happened.
    #[must_use]
    pub fn of(&self, group: &str, kind: &str) -> u64 {
        self.0.get(group).and_then(|kinds| kinds.get(kind)).copied().unwrap_or(0)
    }

    /// The counts of all groups, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        self.0.iter().flat_map(|(group, kinds)| kinds.iter().map(move |(kind, count)| (*group, *kind, *count)))
    }

    /// Adds the counts of another run.
    pub fn add(&mut self, other: &Self) {
        for (group, kind, count) in other.iter() {
            *self.0.entry(group).or_default().entry(kind).or_default() += count;
        }
    }

    /// What ought to have happened and did not: each fault kind, each legal step, and each pair of a fault of the
    /// store and the call it meets.
    #[must_use]
    pub fn missing(&self) -> Vec<(&'static str, &'static str)> {
        let wanted =
            super::wanted::WANTED.iter().flat_map(|(group, kinds)| kinds.iter().map(move |kind| (*group, *kind)));
        wanted.filter(|(group, kind)| self.of(group, kind) == 0).collect()
    }
}
