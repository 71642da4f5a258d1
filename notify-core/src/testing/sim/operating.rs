//! An operation under way, and the steps that it takes.

use std::collections::VecDeque;

use crate::delivery::Delivery;
use crate::endpoint::Disabled;
use crate::store::{Cursor, SweepAction};

use super::scenario::Operation;

/// An operation under way.
#[derive(Debug)]
pub(super) struct Operating {
    pub(super) by: (usize, u32),
    pub(super) endpoint: usize,
    pub(super) what: Operation,
    pub(super) steps: VecDeque<Step>,
    /// What it wrote down before it cancels a backlog.
    pub(super) decision: Option<Disabled>,
    /// Held deliveries of the page that it read last.
    pub(super) page: Vec<Delivery>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    Create,
    Replace,
    Delete,
    /// The own dispatcher hears of it.
    Tell,
    Sweep(SweepAction),
    /// Writes down that the backlog is being cancelled, where there is one.
    Decide,
    /// Reads a page of held deliveries.
    ReadHeld(Option<Cursor>),
    /// Looks whether the decision stands.
    StillDecided,
    /// Cancels what was read.
    CancelHeld,
    /// One delivery is sent again, or cancelled.
    ByHand,
    Wake,
}

impl Operating {
    pub(super) fn new(by: (usize, u32), endpoint: usize, what: Operation) -> Self {
        Self { by, endpoint, what, steps: steps(what), decision: None, page: Vec::new() }
    }

    pub(super) const fn process(&self) -> usize {
        self.by.0
    }
}

fn steps(what: Operation) -> VecDeque<Step> {
    use Step::{ByHand, Create, Decide, Delete, ReadHeld, Replace, Sweep, Tell, Wake};
    match what {
        Operation::Create => [Create].into(),
        Operation::EditUrl | Operation::Rotate => [Replace, Tell].into(),
        Operation::Disable => [Replace, Tell, Sweep(SweepAction::Hold)].into(),
        Operation::EnableAndResume => [Replace, Tell, Sweep(SweepAction::Release), Wake].into(),
        Operation::EnableAndCancel => {
            let (hold, release) = (Sweep(SweepAction::Hold), Sweep(SweepAction::Release));
            [Decide, Tell, hold, ReadHeld(None), Replace, Tell, release, Wake].into()
        }
        Operation::Resend | Operation::Cancel => [ByHand, Wake].into(),
        Operation::Delete => [Delete, Tell, Sweep(SweepAction::Cancel)].into(),
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Progress {
    Done,
    /// The same step again.
    More,
    Failed,
    /// Somebody else changed what it went by.
    Outdone,
    /// There is nothing to do any more.
    Over,
}
