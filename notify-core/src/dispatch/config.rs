//! The dispatcher's numbers.

use std::time::Duration;

use crate::retry::Policy;

/// What the dispatcher may do. Made by the engine's builder, which checks it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DispatchConfig {
    /// The engine's policy; endpoints may depart from it.
    pub policy: Policy,
    /// Attempts at once, over all endpoints. Default: 256.
    pub max_in_flight: u32,
    /// Attempts at once to one endpoint. Default: 8.
    pub per_endpoint: u32,
    /// Fresh deliveries that may be leased while they are stored and wait in memory, for each attempt at once: the more,
    /// the longer a burst that needs no claims; each waits at most as long as its lease allows. Default: 2.
    pub places_per_slot: u32,
    /// Changes and deliveries held in memory before claims stop. Default: 4,096.
    pub unsettled_limit: usize,
    /// A claim that could fill less than half of the slots waits this long after the one before. Default: 2 ms.
    pub claim_pause: Duration,
    /// An idle engine claims this often all the same, in case a wake-up got lost. Default: 30 s.
    pub idle_claim: Duration,
    /// An idle engine asks this often whether somebody else wrote. Default: 1.5 s, so that what another
    /// process publishes is sent within 2 s.
    pub poll: Duration,
    /// The first and the longest pause after the store failed. Default: 100 ms, 5 s.
    pub backoff: (Duration, Duration),
}

impl DispatchConfig {
    /// What a lease has beyond the longest attempt: once before, so that nothing is sent that could outlive the
    /// lease, once after, to write the outcome.
    pub const MARGIN: Duration = Duration::from_secs(10);

    /// How long a claim leases its rows: derived, so that it cannot be shorter than an attempt.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.policy.timeout.saturating_add(Self::MARGIN.saturating_mul(2))
    }
}

impl Default for DispatchConfig {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            max_in_flight: 256,
            per_endpoint: 8,
            places_per_slot: 2,
            unsettled_limit: 4096,
            claim_pause: Duration::from_millis(2),
            idle_claim: Duration::from_secs(30),
            poll: Duration::from_millis(1500),
            backoff: (Duration::from_millis(100), Duration::from_secs(5)),
        }
    }
}
