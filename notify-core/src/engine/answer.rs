//! An answer that comes in any case.

use std::sync::Arc;

use crate::dispatch::DispatchInput;

use super::shared::{RunNumber, Shared};

/// Gives the driver an input when it is dropped: the failure it began with, unless the answer was set. So a store
/// that panics, or a task that is cut off, cannot leave the dispatcher waiting.
#[derive(Debug)]
pub(super) struct Answer {
    shared: Arc<Shared>,
    run: RunNumber,
    input: Option<DispatchInput>,
}

impl Answer {
    pub(super) const fn or(shared: Arc<Shared>, run: RunNumber, failure: DispatchInput) -> Self {
        Self { shared, run, input: Some(failure) }
    }

    pub(super) fn set(&mut self, input: DispatchInput) {
        self.input = Some(input);
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(input) = self.input.take() {
            self.shared.push(self.run, input);
        }
    }
}
