//! A delivery as it is born.

use crate::id::{ClaimToken, DeliveryId, EndpointId};
use crate::time::Timestamp;

/// One delivery of a new event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewDelivery {
    /// Derived from tenant, event and endpoint.
    pub id: DeliveryId,
    /// Where to.
    pub endpoint: EndpointId,
    /// How it begins.
    pub start: Start,
}

/// How a delivery begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Start {
    /// Scheduled, due then.
    Due(Timestamp),
    /// In flight at once, leased with this token: the publisher hands it over in memory, which saves a claim.
    Leased {
        /// The claim's token.
        token: ClaimToken,
        /// The end of the lease.
        until: Timestamp,
    },
    /// Held, since its endpoint is disabled; due then once it is enabled.
    Held(Timestamp),
}
