//! Claim tokens and change ids.

use crate::id::{ChangeId, ClaimToken};

/// An odd step, so that the sequence has the full period of 2^128.
const STEP: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// A sequence from a random start that the driver draws for each run: two runs never meet, and within a run
/// nothing repeats, also after a failover that lost a claim.
#[derive(Debug)]
pub(super) struct Tokens(u128);

impl Tokens {
    pub(super) const fn new(seed: u128) -> Self {
        Self(seed)
    }

    pub(super) const fn claim(&mut self) -> ClaimToken {
        ClaimToken::new(self.draw())
    }

    pub(super) const fn change(&mut self) -> ChangeId {
        ChangeId::new(self.draw())
    }

    const fn draw(&mut self) -> u128 {
        self.0 = self.0.wrapping_add(STEP);
        self.0
    }
}
