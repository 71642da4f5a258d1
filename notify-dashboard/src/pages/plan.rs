//! A retry schedule as the times at which it tries.

use notify_core::RetrySchedule;

use crate::visit::Visit;
use crate::words::{When, span};

/// One attempt of a schedule.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) number: usize,
    pub(super) wait: String,
    pub(super) at: When,
}

/// When what is published now is tried, if every attempt fails and takes no time.
pub(super) fn plan(visit: &Visit, schedule: &RetrySchedule) -> Vec<Planned> {
    let waits = std::iter::once("at once".to_owned())
        .chain(schedule.delays().iter().map(|delay| format!("{} after the attempt before", span(*delay))));
    let times = schedule.plan(visit.now).into_iter().map(|at| visit.when(at));
    waits.zip(times).enumerate().map(|(index, (wait, at))| Planned { number: index + 1, wait, at }).collect()
}
