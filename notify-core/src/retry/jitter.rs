//! Spreading retries, so that what failed together does not come back together.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::id::DeliveryId;

const MAX_PERCENT: u8 = 100;

/// By how much a delay may grow, in percent of it: 0 (the default) to 100. A delay never shrinks. How much one grows
/// is a hash of the delivery and of how often it failed, so the same inputs give the same times on every node.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Jitter(u8);

impl Jitter {
    /// Delays stay as they are.
    pub const NONE: Self = Self(0);

    /// Up to this many percent more; `None` above 100.
    #[must_use]
    pub const fn percent(percent: u8) -> Option<Self> {
        if percent <= MAX_PERCENT { Some(Self(percent)) } else { None }
    }

    /// The percents.
    #[must_use]
    pub const fn as_percent(self) -> u8 {
        self.0
    }

    /// What is added to `delay` after `failures` failures of this delivery: from nothing to all that is allowed.
    #[must_use]
    pub fn of(self, delay: Duration, delivery: &DeliveryId, failures: u32) -> Duration {
        if self.0 == 0 {
            return Duration::ZERO;
        }
        let mut hash = Sha256::new();
        hash.update(delivery.as_bytes());
        hash.update(failures.to_be_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        let share = u128::from(u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]));
        let most = delay.as_millis() * u128::from(self.0) / 100;
        Duration::from_millis(u64::try_from(most * share / u128::from(u32::MAX)).unwrap_or(u64::MAX))
    }
}

impl TryFrom<u8> for Jitter {
    type Error = &'static str;

    fn try_from(percent: u8) -> Result<Self, Self::Error> {
        Self::percent(percent).ok_or("jitter is 0 to 100 percent")
    }
}

impl From<Jitter> for u8 {
    fn from(jitter: Jitter) -> Self {
        jitter.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn delivery(number: u16) -> DeliveryId {
        let mut bytes = [0; 20];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        DeliveryId::from_bytes(bytes)
    }

    #[test]
    fn a_delay_grows_by_at_most_its_share_and_the_whole_share_is_used() {
        let jitter = Jitter::percent(10).unwrap();
        let added: Vec<Duration> = (0..2000).map(|number| jitter.of(HOUR, &delivery(number), 1)).collect();
        assert!(added.iter().all(|added| *added <= HOUR / 10));
        let minutes: std::collections::BTreeSet<u64> = added.iter().map(|added| added.as_secs() / 60).collect();
        assert!((0..6).all(|minute| minutes.contains(&minute)), "{minutes:?}");
    }

    #[test]
    fn the_same_delivery_and_failure_have_the_same_jitter_and_another_failure_has_another() {
        let jitter = Jitter::percent(50).unwrap();
        assert_eq!(jitter.of(HOUR, &delivery(1), 1), jitter.of(HOUR, &delivery(1), 1));
        assert_ne!(jitter.of(HOUR, &delivery(1), 1), jitter.of(HOUR, &delivery(1), 2));
        assert_eq!(Jitter::NONE.of(HOUR, &delivery(1), 1), Duration::ZERO);
    }

    #[test]
    fn no_jitter_is_above_100_percent_also_when_it_is_read_back() {
        assert_eq!(Jitter::percent(101), None);
        assert!(serde_json::from_str::<Jitter>("101").is_err());
        let most = Jitter::percent(100).unwrap();
        assert_eq!(serde_json::from_str::<Jitter>(&serde_json::to_string(&most).unwrap()).unwrap(), most);
        assert!(most.of(Duration::MAX, &delivery(1), u32::MAX) > Duration::ZERO, "no overflow");
    }
}
