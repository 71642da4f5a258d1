//! The methods of a store, as values.

use crate::store::Operation;

/// A method of one of the four traits of a store.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is named as its method is")]
pub enum StoreCall {
    Insert,
    Claim,
    Apply,
    Load,
    Attach,
    Sweep,
    Changed,
    Time,
    Subscribed,
    Get,
    Disable,
    Create,
    Replace,
    List,
    Delete,
    Event,
    Attempts,
    Events,
    Deliveries,
    Stats,
    Activity,
    FailingSince,
    TenantsWithHeld,
    Prune,
}

impl StoreCall {
    /// What an error of it names.
    #[must_use]
    pub const fn operation(self) -> Operation {
        match self {
            Self::Insert => Operation::Insert,
            Self::Claim => Operation::Claim,
            Self::Apply => Operation::Apply,
            Self::Load => Operation::Load,
            Self::Attach => Operation::Attach,
            Self::Sweep => Operation::Sweep,
            Self::Changed | Self::Time => Operation::Poll,
            Self::Subscribed | Self::Get | Self::Disable | Self::Create | Self::Replace | Self::List | Self::Delete => {
                Operation::Endpoints
            }
            Self::Event
            | Self::Attempts
            | Self::Events
            | Self::Deliveries
            | Self::Stats
            | Self::Activity
            | Self::FailingSince
            | Self::TenantsWithHeld
            | Self::Prune => Operation::Log,
        }
    }
}
