//! What happens, as tracing events.

use super::{Observation, Observer};

/// Writes each observation as an event of the target `notify`: ids and numbers only, never a URL, a secret or a
/// payload.
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingObserver;

impl Observer for TracingObserver {
    fn observe(&self, observation: &Observation<'_>) {
        match observation {
            Observation::Published { event, deliveries } => {
                tracing::debug!(target: "notify", tenant = %event.tenant, event = %event.id, deliveries, "event published");
            }
            Observation::AttemptStarted { delivery, endpoint, number } => {
                tracing::debug!(target: "notify", %delivery, %endpoint, number = number.get(), "attempt started");
            }
            Observation::AttemptFinished { delivery, endpoint, outcome, status_code, duration } => {
                let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
                tracing::info!(target: "notify", %delivery, %endpoint, outcome = outcome.as_str(), status_code, duration_ms, "attempt finished");
            }
            Observation::StateChanged { delivery, endpoint, event, state, next_attempt_at } => {
                let next_attempt_at = next_attempt_at.map(tracing::field::display);
                tracing::debug!(target: "notify", %delivery, %endpoint, event = %event.id, state = state.as_str(), next_attempt_at, "delivery changed");
            }
            Observation::ChangeStale { delivery } => {
                tracing::info!(target: "notify", %delivery, "somebody else wrote this delivery first");
            }
            Observation::CorruptRecord { record, problem } => {
                tracing::error!(target: "notify", record, problem, "unreadable record");
            }
            Observation::StoreFailed { operation, error } => {
                tracing::warn!(target: "notify", operation, error, "store failed");
            }
            Observation::WeakSecret { endpoint } => {
                tracing::warn!(target: "notify", %endpoint, "the secret of this endpoint is under 16 bytes: easy to guess");
            }
            Observation::SecretRevealed { endpoint, by } => {
                tracing::info!(target: "notify", %endpoint, by, "the secret of this endpoint was shown again");
            }
        }
    }
}
