//! What goes into the dispatcher and what comes out.

use std::sync::Arc;
use std::time::Duration;

use crate::delivery::Delivery;
use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::id::{AttemptNumber, ClaimToken, DeliveryId, EndpointId};
use crate::machine::{Change, Verdict};
use crate::store::{ApplyOutcome, ClaimBatch, ClaimRequest, Claimed, CorruptRecord};
use crate::time::Timestamp;

/// Something that the dispatcher must know.
#[derive(Clone, Debug)]
pub enum DispatchInput {
    /// Time has passed.
    Tick,
    /// Rows may have become due: a resend, an endpoint enabled.
    Wake,
    /// Deliveries to these endpoints were stored as due now.
    StoredDue(Vec<EndpointId>),
    /// A delivery was stored that is due then.
    DueAt(Timestamp),
    /// Reserved deliveries were stored as leased: send them.
    Handed(Vec<Claimed>),
    /// Reserved slots are not needed: nothing was stored for them.
    Released(Vec<EndpointId>),
    /// Nobody knows whether these reserved deliveries were stored.
    Doubtful(Vec<Doubt>),
    /// The claim's answer.
    Claimed(ClaimBatch),
    /// The claim failed; rows may be leased all the same.
    ClaimFailed,
    /// The endpoints, as they are now; `None` = gone.
    Endpoints(Vec<(EndpointId, Option<Arc<Endpoint>>)>),
    /// The endpoints could not be read.
    EndpointsFailed,
    /// An attempt ended.
    Finished(Box<Finished>),
    /// The apply's answer, in the order of its changes.
    Applied(Vec<ApplyOutcome>),
    /// The apply failed; it may be written all the same.
    ApplyFailed,
    /// The load's answer.
    Loaded(Vec<Delivery>),
    /// The load failed.
    LoadFailed,
    /// The poll's answer: somebody else may have written.
    SomebodyWrote,
    /// The poll's answer: nobody wrote, or it failed.
    NobodyWrote,
    /// Stop: claim no more, hand back what is not sent, let attempts end.
    Stop {
        /// How long the stop may take in all.
        grace: Duration,
    },
}

/// A reserved delivery of which nobody knows whether it was stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Doubt {
    /// Where to.
    pub endpoint: EndpointId,
    /// Which delivery.
    pub delivery: DeliveryId,
    /// The reservation's token: the same delivery may have been stored under somebody else's.
    pub token: ClaimToken,
}

/// The end of one attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finished {
    /// Of which delivery.
    pub delivery: DeliveryId,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// How it ended.
    pub verdict: Verdict,
}

/// Something that the driver must do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Claim rows; answer with `Claimed` or `ClaimFailed`.
    Claim(ClaimRequest),
    /// Read these endpoints; answer with `Endpoints` or `EndpointsFailed`.
    ReadEndpoints(Vec<EndpointId>),
    /// Make this attempt; answer with `Finished`.
    Send(Box<SendOrder>),
    /// Write these; answer with `Applied` or `ApplyFailed`.
    Apply(Arc<[Change]>),
    /// Load these; answer with `Loaded` or `LoadFailed`.
    Load(Vec<DeliveryId>),
    /// Ask the store whether somebody wrote; answer with `SomebodyWrote` or `NobodyWrote`.
    Poll,
    /// Cut all attempts off: they are written down as interrupted.
    AbortAll,
    /// Tell the observer: these changes ended so.
    Settled(Arc<[Change]>, Vec<ApplyOutcome>),
    /// Tell the observer: this row is unreadable.
    Corrupt(CorruptRecord),
}

/// One attempt to make.
#[derive(Clone, Debug, PartialEq)]
pub struct SendOrder {
    /// Of which delivery.
    pub delivery: DeliveryId,
    /// What it sends.
    pub event: Arc<Event>,
    /// Where to, as just read.
    pub endpoint: Arc<Endpoint>,
    /// Which attempt.
    pub number: AttemptNumber,
    /// Its deadline.
    pub timeout: Duration,
}
