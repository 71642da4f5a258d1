//! The driver's own pure parts, for the simulator.

pub(crate) use super::attempt::{OVERTIME, judged, signed_request};
pub(crate) use super::backlog::stands;
pub(crate) use super::endpoints::is_kept_disabled;
pub(crate) use super::held::due_to_held;
pub(crate) use super::publisher::fanned_out;
pub(crate) use super::reserved::lease_fresh;
pub(crate) use super::stored::{Fresh, born_held};
pub(crate) use super::timekeeper::{CORRECT_EVERY, Timekeeper};
