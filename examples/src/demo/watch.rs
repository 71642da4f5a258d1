//! From the engine's observer to the board.

use notify_core::delivery::State;
use notify_core::observe::{Observation, Observer};
use notify_core::{DeliveryId, EndpointId, Timestamp};
use tokio::sync::mpsc::UnboundedSender;

/// Hears changes and passes them on: an observer must return at once.
#[derive(Debug)]
pub(super) struct Watch(UnboundedSender<Changed>);

/// A delivery's new state is stored.
#[derive(Clone, Debug)]
pub(super) struct Changed {
    pub(super) delivery: DeliveryId,
    pub(super) endpoint: EndpointId,
    pub(super) state: State,
    pub(super) next_attempt_at: Option<Timestamp>,
}

impl Watch {
    pub(super) const fn new(changes: UnboundedSender<Changed>) -> Self {
        Self(changes)
    }
}

impl Observer for Watch {
    fn observe(&self, observation: &Observation<'_>) {
        if let Observation::StateChanged { delivery, endpoint, state, next_attempt_at, .. } = observation {
            // Nobody listens any more while the engine stops.
            let _ = self.0.send(Changed {
                delivery: *delivery,
                endpoint: (*endpoint).clone(),
                state: *state,
                next_attempt_at: *next_attempt_at,
            });
        }
    }
}
