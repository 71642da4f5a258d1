//! What happens when: ordered by time, and within a millisecond by a draw.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Events of type `T` at times in milliseconds.
#[derive(Debug)]
pub(super) struct Heap<T> {
    entries: BinaryHeap<Reverse<Entry>>,
    events: Vec<Option<T>>,
    free: Vec<u32>,
}

/// When, the draw, and the place among the events: one number, for a heap compares and moves its entries a lot.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Entry(u128);

impl Entry {
    fn new(at: u64, tie: u32, place: u32) -> Self {
        Self(u128::from(at) << 64 | u128::from(tie) << 32 | u128::from(place))
    }

    const fn at(self) -> u64 {
        (self.0 >> 64) as u64
    }

    const fn place(self) -> u32 {
        self.0 as u32
    }
}

impl<T> Heap<T> {
    pub(super) const fn new() -> Self {
        Self { entries: BinaryHeap::new(), events: Vec::new(), free: Vec::new() }
    }

    pub(super) fn push(&mut self, at: u64, tie: u32, event: T) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.events.push(None);
            u32::try_from(self.events.len() - 1).unwrap_or(u32::MAX)
        });
        self.events[place as usize] = Some(event);
        self.entries.push(Reverse(Entry::new(at, tie, place)));
    }

    pub(super) fn pop(&mut self) -> Option<(u64, T)> {
        let Reverse(entry) = self.entries.pop()?;
        self.free.push(entry.place());
        self.events[entry.place() as usize].take().map(|event| (entry.at(), event))
    }
}
