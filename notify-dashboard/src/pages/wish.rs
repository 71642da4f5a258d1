//! What may be done to each of many deliveries.

use notify_core::DeliveryId;
use notify_core::delivery::{Delivery, State};
use notify_core::engine::ControlError;

use crate::visit::Visit;

/// What is done to them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wish {
    Resend,
    Cancel,
}

impl Wish {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "resend" => Some(Self::Resend),
            "cancel" => Some(Self::Cancel),
            _ => None,
        }
    }

    /// The word of forms and addresses.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Resend => "resend",
            Self::Cancel => "cancel",
        }
    }

    /// What was done, in words.
    pub(super) const fn done(self) -> &'static str {
        match self {
            Self::Resend => "sent again",
            Self::Cancel => "cancelled",
        }
    }

    /// Whether all that stand so are meant where nobody picked them one by one: what ended is sent again, and what waits
    /// is cancelled.
    pub(super) const fn is_for(self, state: State) -> bool {
        match state {
            State::Delivered | State::Failed | State::Cancelled => matches!(self, Self::Resend),
            State::Scheduled | State::Held => matches!(self, Self::Cancel),
            State::InFlight => false,
        }
    }

    pub(super) async fn carry_out(self, visit: &Visit, id: &DeliveryId) -> Result<Delivery, ControlError> {
        match self {
            Self::Resend => visit.engine().deliveries().resend(&visit.tenant, id).await,
            Self::Cancel => visit.engine().deliveries().cancel(&visit.tenant, id).await,
        }
    }
}

/// Whether it concerns this delivery alone, so that the others can go on.
pub(super) const fn concerns_one(error: &ControlError) -> bool {
    matches!(error, ControlError::Refused(_) | ControlError::Contended | ControlError::NoSuchDelivery)
}
