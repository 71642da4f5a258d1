//! What can be seen from outside, as it happens.

use std::sync::Arc;

use crate::delivery::Delivery;
use crate::dispatch::{DispatchConfig, SendOrder};
use crate::endpoint::Endpoint;
use crate::id::DeliveryId;
use crate::machine::Change;
use crate::store::{ApplyOutcome, ClaimBatch, ClaimRequest, InsertOutcome, PublishBatch};
use crate::time::Timestamp;
use crate::transport::Request;

use super::ledger::Sent;

/// One thing that can be seen from outside. The ledger holds the state before it.
#[derive(Debug)]
pub(super) enum Seen<'a> {
    /// A batch of one event met the store; the endpoints are those that its publisher had read.
    Inserted { batch: &'a PublishBatch, outcome: &'a InsertOutcome, endpoints: &'a [Arc<Endpoint>] },
    /// A process asks for a claim.
    Asked { process: usize, stopping: bool, repeated: bool },
    /// The store carried a claim out.
    Claimed { at: i64, request: &'a ClaimRequest, batch: &'a ClaimBatch },
    /// The store carried a change out, or refused it; the row as it is now.
    Applied { change: &'a Change, outcome: ApplyOutcome, after: Option<&'a Delivery>, config: &'a DispatchConfig },
    /// A sweep moved this row.
    Swept { after: &'a Delivery },
    /// An operator sent this delivery again, or cancelled it.
    ByHand { after: &'a Delivery },
    /// A request goes out.
    Requested {
        sent: &'a Sent,
        order: &'a SendOrder,
        request: &'a Request,
        running: Running,
        config: &'a DispatchConfig,
    },
    /// A process took its turn.
    Turned { process: usize, epoch: u32, at: i64, clock: Timestamp, held: usize, config: &'a DispatchConfig },
    /// A process makes a call of the store.
    Called { process: usize, at: i64 },
    /// A process said that it has stopped.
    Stopped { process: usize, epoch: u32, clock: Timestamp, end: StopEnd },
    /// These deliveries were pruned.
    Pruned { before: Timestamp, gone: &'a [DeliveryId] },
}

/// Of which kind a thing is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Inserted,
    Asked,
    Claimed,
    Applied,
    Swept,
    ByHand,
    Requested,
    Turned,
    Called,
    Stopped,
    Pruned,
}

impl Kind {
    /// How many there are.
    pub(super) const COUNT: usize = Self::Pruned as usize + 1;
}

impl Seen<'_> {
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Inserted { .. } => Kind::Inserted,
            Self::Asked { .. } => Kind::Asked,
            Self::Claimed { .. } => Kind::Claimed,
            Self::Applied { .. } => Kind::Applied,
            Self::Swept { .. } => Kind::Swept,
            Self::ByHand { .. } => Kind::ByHand,
            Self::Requested { .. } => Kind::Requested,
            Self::Turned { .. } => Kind::Turned,
            Self::Called { .. } => Kind::Called,
            Self::Stopped { .. } => Kind::Stopped,
            Self::Pruned { .. } => Kind::Pruned,
        }
    }

    /// The delivery that it is about.
    pub(super) fn delivery(&self) -> Option<DeliveryId> {
        match self {
            Self::Requested { sent, .. } => Some(sent.delivery),
            Self::Applied { change, .. } => Some(change.delivery()),
            Self::Inserted { .. }
            | Self::Asked { .. }
            | Self::Claimed { .. }
            | Self::Swept { .. }
            | Self::ByHand { .. }
            | Self::Turned { .. }
            | Self::Called { .. }
            | Self::Stopped { .. }
            | Self::Pruned { .. } => None,
        }
    }
}

/// What else runs in the process as a request goes out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub(super) all: usize,
    pub(super) same_endpoint: usize,
    pub(super) alone: bool,
}

/// How a stop ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum StopEnd {
    /// Everything was handed back or written.
    InTime,
    /// The grace period was over.
    CutOff,
}
