//! A place in a list that goes over all shards.

use notify_core::store::Cursor;

/// A place among all tenants: the shard, and the server's own cursor within it, which is far below 2^48.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) shard: usize,
    pub(crate) within: u64,
}

impl Place {
    const BITS: u32 = 48;

    pub(crate) fn of(after: Option<Cursor>) -> Self {
        let packed = after.map_or(0, |cursor| cursor.0);
        Self {
            shard: usize::try_from(packed >> Self::BITS).unwrap_or(usize::MAX),
            within: packed & ((1 << Self::BITS) - 1),
        }
    }

    pub(crate) const fn cursor(self) -> Cursor {
        Cursor((self.shard as u64) << Self::BITS | self.within)
    }

    /// The server's cursor is 0 at the end of the shard.
    pub(crate) const fn go_on_at(&mut self, within: u64) {
        if within == 0 {
            self.shard += 1;
        }
        self.within = within;
    }
}
