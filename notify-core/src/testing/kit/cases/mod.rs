//! The cases, a file a group. Each is named for what a right store does; the table says of which sentence it is one.

pub(super) mod apply;
pub(super) mod claim;
pub(super) mod insert;

use super::case::NotOffered;
use super::subject::Subject;

/// How a case ends: it returns, or panics, or the store lacks what it needs.
type Done = Result<(), NotOffered>;
