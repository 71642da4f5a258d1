//! What must hold, one file each, whose first line is the sentence. Each sees everything that happens and says when the
//! sentence is false.

mod bound;
mod caps;
mod clock;
mod conservation;
mod duplicates;
mod fairness;
mod fence;
mod indexes;
mod lease;
mod legal;
mod liveness;
mod log;
mod memory;
mod retention;
mod same_bytes;
mod schedule;
mod secrecy;
mod stop;
mod success;
mod withheld;

use std::fmt::Debug;

use crate::store::MemoryStore;

use super::ledger::{Known, Ledger};
use super::scenario::Scenario;
use super::seen::{Kind, Seen};

pub(super) use liveness::bound as liveness_bound;

/// What is wrong, in words.
pub(super) type Found = Result<(), String>;

/// One sentence that must hold.
pub(super) trait Invariant: Debug {
    fn name(&self) -> &'static str;

    /// What it wants to see: nothing else is shown to it.
    fn watches(&self) -> &'static [Kind];

    /// `known` is the delivery that it is about, if it is about one.
    ///
    /// # Errors
    /// How the sentence is false.
    fn see(&mut self, seen: &Seen<'_>, ledger: &Ledger, known: Option<&Known>) -> Found;

    /// The same, over everything: asked now and then, and at the end.
    fn review(&mut self, _store: &MemoryStore, _ledger: &Ledger, _moment: Moment) -> Found {
        Ok(())
    }
}

/// When a review takes place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Moment {
    Between,
    AtTheEnd,
}

pub(super) fn all(scenario: &Scenario) -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(conservation::Conservation),
        Box::new(bound::Bound::of(scenario)),
        Box::new(schedule::Schedule::of(scenario)),
        Box::new(success::NoneAfterSuccess::of(scenario)),
        Box::new(withheld::Withheld),
        Box::new(lease::ExclusiveLease::of(scenario)),
        Box::new(fence::Fence),
        Box::new(legal::LegalSteps),
        Box::new(log::TrueLog::of(scenario)),
        Box::new(same_bytes::SameBytes::default()),
        Box::new(fairness::Fairness::default()),
        Box::new(caps::Caps),
        Box::new(indexes::Indexes),
        Box::new(duplicates::Duplicates::default()),
        Box::new(retention::Retention),
        Box::new(liveness::Liveness::of(scenario)),
        Box::new(clock::Clock::of(scenario)),
        Box::new(memory::Memory),
        Box::new(secrecy::Secrecy),
        Box::new(stop::NothingAfterStop::of(scenario)),
    ]
}
