//! What happens next to a delivery. Pure: the same inputs give the same answer on every node.

mod by_hand;
mod change;
mod classify;
mod step;

pub use by_hand::{Refusal, cancel, resend};
pub use change::Change;
pub use classify::{Verdict, classify};
pub use step::{Gate, IllegalTransition, Input, MAX_LOST_LEASES, SOLO_FROM_LOST_LEASES, Step, must_go_alone, step};
