//! A smaller world in which the same sentence is false.

use super::scenario::Scenario;
use super::{Failure, run_scenario};

/// Leaves out what is not needed for the failure: publishes, actions, disturbances, store faults, deploys, drift. At most
/// `tries` runs; the result fails the same sentence, at the latest with the scenario of `failure` itself.
#[must_use]
pub fn shrink(failure: &Failure, tries: usize) -> Box<Failure> {
    let mut smallest = Box::new(failure.clone());
    let mut left = tries;
    loop {
        let before = left;
        let mut smaller = false;
        for candidate in candidates(&smallest.scenario) {
            if left == 0 {
                return smallest;
            }
            left -= 1;
            if let Err(found) = run_scenario(&candidate)
                && found.invariant == failure.invariant
            {
                smallest = found;
                smaller = true;
                break;
            }
        }
        if !smaller || before == left {
            return smallest;
        }
    }
}

/// Scenarios with a part left out, the largest parts first.
fn candidates(of: &Scenario) -> Vec<Scenario> {
    let mut found = Vec::new();
    let mut with = |change: &dyn Fn(&mut Scenario)| {
        let mut next = of.clone();
        change(&mut next);
        found.push(next);
    };
    for parts in [2, 4, 8, 16] {
        for part in 0..parts {
            if of.publishes.len() >= parts.max(2) {
                with(&|next| next.publishes = without(&of.publishes, part, parts));
            }
            if of.disturbances.len() >= parts {
                with(&|next| next.disturbances = without(&of.disturbances, part, parts));
            }
            if of.actions.len() >= parts {
                with(&|next| next.actions = without(&of.actions, part, parts));
            }
        }
    }
    if of.disturbances.len() == 1 {
        with(&|next| next.disturbances.clear());
    }
    if of.actions.len() == 1 {
        with(&|next| next.actions.clear());
    }
    if of.store_faults > 0 {
        with(&|next| next.store_faults = 0);
    }
    if of.lost_replies > 0 {
        with(&|next| next.lost_replies = 0);
    }
    if !of.rollouts.is_empty() {
        with(&|next| next.rollouts.clear());
    }
    if of.drifts.iter().any(|drift| *drift != 0) {
        with(&|next| next.drifts.fill(0));
    }
    if of.latency > 1 {
        with(&|next| next.latency = 1);
    }
    if of.endpoints.len() > 1 && !of.actions.iter().any(|action| action.endpoint + 1 == of.endpoints.len()) {
        with(&|next| next.endpoints.truncate(of.endpoints.len() - 1));
    }
    if of.publishes.iter().any(|publish| publish.again.is_some() || publish.dropped || publish.poison > 0) {
        with(&|next| next.publishes.iter_mut().for_each(|publish| publish.again = None));
        with(&|next| next.publishes.iter_mut().for_each(|publish| publish.dropped = false));
        with(&|next| next.publishes.iter_mut().for_each(|publish| publish.poison = 0));
    }
    found
}

fn without<T: Clone>(list: &[T], part: usize, parts: usize) -> Vec<T> {
    let (from, to) = (list.len() * part / parts, list.len() * (part + 1) / parts);
    list[..from].iter().chain(&list[to..]).cloned().collect()
}
