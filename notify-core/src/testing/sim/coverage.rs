//! How often each kind of thing happened. What never happens proves nothing.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::mishaps::{Mishap, Taken};
use super::wanted::{LEFT_OUT, WANTED};

/// Counts by name: faults, steps of a delivery, pairs of a fault and a step.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Coverage {
    counts: FxHashMap<(&'static str, &'static str), u64>,
    steps: Vec<u64>,
    /// For each fault, each step.
    pairs: Vec<u64>,
}

impl Default for Coverage {
    fn default() -> Self {
        let steps = Taken::ALL.len();
        Self { counts: FxHashMap::default(), steps: vec![0; steps], pairs: vec![0; steps * Mishap::ALL.len()] }
    }
}

impl Coverage {
    /// `kind` of `group` happened once more.
    pub(super) fn count(&mut self, group: &'static str, kind: &'static str) {
        *self.counts.entry((group, kind)).or_default() += 1;
    }

    pub(super) fn step(&mut self, step: Taken) {
        self.steps[step as usize] += 1;
    }

    /// `step` was taken while `mishap` was in force, or within a minute after it.
    pub(super) fn pair(&mut self, mishap: Mishap, step: Taken) {
        self.pairs[mishap as usize * Taken::ALL.len() + step as usize] += 1;
    }

    /// How often `kind` of `group` happened.
    #[must_use]
    pub fn of(&self, group: &str, kind: &str) -> u64 {
        self.iter().find(|(of, what, _)| (*of, *what) == (group, kind)).map_or(0, |(_, _, count)| count)
    }

    /// The counts of all groups: first those that have names of their own, then the steps.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        let named: BTreeMap<_, _> = self.counts.iter().collect();
        let named = named.into_iter().map(|((group, kind), count)| (*group, *kind, *count));
        named.chain(Taken::ALL.iter().zip(&self.steps).map(|(step, count)| ("step", step.name(), *count)))
    }

    /// For each fault and each step of a delivery: how often the step was taken while the fault was in force, or within
    /// a minute after it.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        let pairs =
            Mishap::ALL.iter().flat_map(|mishap| Taken::ALL.iter().map(move |step| (mishap.name(), step.name())));
        pairs.zip(&self.pairs).map(|((mishap, step), count)| (mishap, step, *count))
    }

    /// Adds the counts of another run.
    pub fn add(&mut self, other: &Self) {
        for (named, count) in &other.counts {
            *self.counts.entry(*named).or_default() += count;
        }
        let sums = self.steps.iter_mut().zip(&other.steps).chain(self.pairs.iter_mut().zip(&other.pairs));
        sums.for_each(|(sum, count)| *sum += count);
    }

    /// What ought to happen within some hundred seeds, and how often it did: each fault, each legal step, and each pair
    /// of a fault of the store and the call it meets.
    pub fn wanted(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        let wanted = WANTED.iter().flat_map(|(group, kinds)| kinds.iter().map(move |kind| (*group, *kind)));
        wanted.map(|(group, kind)| (group, kind, self.of(group, kind)))
    }

    /// Which of [`wanted`](Self::wanted) never happened.
    #[must_use]
    pub fn missing(&self) -> Vec<(&'static str, &'static str)> {
        self.wanted().filter(|(_, _, count)| *count == 0).map(|(group, kind, _)| (group, kind)).collect()
    }

    /// The pairs of a fault and a step that ought to happen within some thousand seeds, and how often they did.
    pub fn wanted_pairs(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        self.pairs().filter(|(mishap, step, _)| {
            !LEFT_OUT.iter().any(|(of, steps)| (of == mishap || *of == "any") && steps.contains(step))
        })
    }
}
