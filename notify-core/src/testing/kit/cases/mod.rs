//! The cases, a file a group. Each is named for what a right store does; the table says of which sentence it is one.

pub(super) mod activity;
pub(super) mod apply;
pub(super) mod by_hand;
pub(super) mod cancel;
pub(super) mod claim;
pub(super) mod clock;
pub(super) mod corrupt;
pub(super) mod durable;
pub(super) mod endpoints;
pub(super) mod fairness;
pub(super) mod fencing;
pub(super) mod filters;
pub(super) mod finding;
pub(super) mod insert;
pub(super) mod keys;
pub(super) mod load;
pub(super) mod log;
pub(super) mod next;
pub(super) mod racing;
pub(super) mod retention;
pub(super) mod rotations;
pub(super) mod sizes;
pub(super) mod sweep;
pub(super) mod tenants;

use super::case::NotOffered;
use super::subject::{Subject, answer};

/// How a case ends: it returns, or panics, or the store lacks what it needs.
type Done = Result<(), NotOffered>;
