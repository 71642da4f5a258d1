//! What happens, told to the host as it happens.

#[cfg(feature = "tracing")]
mod tracing_observer;

use std::fmt::Debug;
use std::time::Duration;

use crate::delivery::{Outcome, State};
use crate::event::EventKey;
use crate::id::{AttemptNumber, DeliveryId, EndpointId};
use crate::time::Timestamp;

#[cfg(feature = "tracing")]
pub use tracing_observer::TracingObserver;

/// Hears what the engine does. Called on the send path: must return at once and not panic.
pub trait Observer: Debug + Send + Sync + 'static {
    /// Something happened.
    fn observe(&self, observation: &Observation<'_>);
}

/// One thing that happened. Holds ids, never a URL, a secret or a payload.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Observation<'a> {
    /// An event is stored.
    Published {
        /// Which.
        event: &'a EventKey,
        /// How many deliveries it has.
        deliveries: usize,
    },
    /// An attempt begins.
    AttemptStarted {
        /// Of which delivery.
        delivery: DeliveryId,
        /// To which endpoint.
        endpoint: &'a EndpointId,
        /// Which attempt.
        number: AttemptNumber,
    },
    /// An attempt ended.
    AttemptFinished {
        /// Of which delivery.
        delivery: DeliveryId,
        /// To which endpoint.
        endpoint: &'a EndpointId,
        /// How.
        outcome: Outcome,
        /// The status, if an answer came.
        status_code: Option<u16>,
        /// How long it took.
        duration: Duration,
    },
    /// A delivery's new state is stored.
    StateChanged {
        /// Which delivery.
        delivery: DeliveryId,
        /// To which endpoint.
        endpoint: &'a EndpointId,
        /// The event it delivers.
        event: &'a EventKey,
        /// Where it stands.
        state: State,
        /// When it is due next, if it is.
        next_attempt_at: Option<Timestamp>,
    },
    /// A change came too late: somebody else wrote first.
    ChangeStale {
        /// Which delivery.
        delivery: DeliveryId,
    },
    /// A stored row could not be read.
    CorruptRecord {
        /// Its key.
        record: &'a str,
        /// What is wrong.
        problem: &'a str,
    },
    /// The store failed; the engine tries again.
    StoreFailed {
        /// What was asked.
        operation: &'static str,
        /// The error's text.
        error: &'a str,
    },
    /// An endpoint was registered with a secret that is short enough to guess.
    WeakSecret {
        /// Which endpoint.
        endpoint: &'a EndpointId,
    },
    /// A secret was shown again: for the audit trail.
    SecretRevealed {
        /// Which endpoint's.
        endpoint: &'a EndpointId,
        /// To whom, in the host's words.
        by: &'a str,
    },
}
