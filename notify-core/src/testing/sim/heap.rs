//! What happens when: ordered by time, and within a millisecond by a draw.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Events of type `T` at times in milliseconds.
#[derive(Debug)]
pub(super) struct Heap<T> {
    /// When, the draw, how many came before, and the place: the order never comes to the place. Small, for a heap moves
    /// its entries about.
    entries: BinaryHeap<Reverse<(i64, u32, u64, u32)>>,
    events: Vec<Option<T>>,
    free: Vec<u32>,
    pushed: u64,
}

impl<T> Heap<T> {
    pub(super) const fn new() -> Self {
        Self { entries: BinaryHeap::new(), events: Vec::new(), free: Vec::new(), pushed: 0 }
    }

    pub(super) fn push(&mut self, at: i64, tie: u32, event: T) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.events.push(None);
            u32::try_from(self.events.len() - 1).unwrap_or(u32::MAX)
        });
        self.events[place as usize] = Some(event);
        self.pushed += 1;
        self.entries.push(Reverse((at, tie, self.pushed, place)));
    }

    pub(super) fn pop(&mut self) -> Option<(i64, T)> {
        let Reverse((at, _, _, place)) = self.entries.pop()?;
        self.free.push(place);
        self.events[place as usize].take().map(|event| (at, event))
    }
}
