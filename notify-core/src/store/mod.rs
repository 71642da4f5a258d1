//! What a store promises: rules S1 to S14, each named where it holds.
//!
//! A store is dumb: it keeps rows, hands them out under a lease, and writes what it is given if nobody else wrote
//! first. It knows no retry rule and reads no clock. A store of the host's own implements [`Store`], and beside it
//! [`EndpointDirectory`], [`EndpointAdmin`] and [`DeliveryLog`].

pub mod activity;
mod directory;
mod error;
mod log;
mod memory;
mod model;
mod query;
#[allow(clippy::module_inception, reason = "the trait that the folder is about")]
mod store;
mod types;

pub use directory::{EndpointAdmin, EndpointDirectory, EndpointQuery, Replaced};
pub use error::{BoxError, Operation, StoreError};
pub use log::{Cursor, DeliveryLog, EventRecord, InvalidCursor, Page, Pruned, Stats};
pub use memory::MemoryStore;
pub use query::{DeliveryQuery, EventQuery, PageRequest};
pub use store::Store;
pub use types::{
    ApplyOutcome, ClaimBatch, ClaimRequest, Claimed, CorruptRecord, Free, InsertOutcome, Inserted, Mark, PublishBatch,
    PublishedEvent, SweepAction, SweepRequest, Swept,
};
