//! How much there is to act on, before anybody acts.

use notify_core::Timestamp;

use crate::visit::Visit;
use crate::words::When;

/// It is counted up to this: a page of the log can have as many.
const MOST_COUNTED: u32 = 100;

/// What was found, newest first, as far as it was looked at.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) count: u32,
    pub(super) newest: Option<When>,
    pub(super) oldest: Option<When>,
    /// There may be more, older ones.
    pub(super) more: bool,
}

impl Found {
    /// Adds one that was published then: none of those before is older.
    pub(super) fn add(&mut self, visit: &Visit, published: Timestamp) {
        self.count += 1;
        self.newest.get_or_insert_with(|| visit.when(published));
        self.oldest = Some(visit.when(published));
    }

    /// How many more are counted: 0 = no more.
    pub(super) const fn room(&self) -> u32 {
        MOST_COUNTED.saturating_sub(self.count)
    }

    /// `3 events`, or `100+ events`.
    pub(super) fn in_words(&self, one: &str, many: &str) -> String {
        let plus = if self.more { "+" } else { "" };
        format!("{}{plus} {}", self.count, if self.count == 1 && !self.more { one } else { many })
    }
}
