//! What happens when: ordered by time, and within a millisecond by a draw.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Events of type `T` at times in milliseconds.
#[derive(Debug)]
pub(super) struct Heap<T> {
    entries: BinaryHeap<Reverse<Entry<T>>>,
    pushed: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: i64,
    /// Drawn: what happens in the same millisecond happens in any order.
    tie: u32,
    number: u64,
    event: T,
}

impl<T> Heap<T> {
    pub(super) const fn new() -> Self {
        Self { entries: BinaryHeap::new(), pushed: 0 }
    }

    pub(super) fn push(&mut self, at: i64, tie: u32, event: T) {
        self.pushed += 1;
        self.entries.push(Reverse(Entry { at, tie, number: self.pushed, event }));
    }

    pub(super) fn pop(&mut self) -> Option<(i64, T)> {
        self.entries.pop().map(|Reverse(entry)| (entry.at, entry.event))
    }
}

impl<T> Entry<T> {
    const fn key(&self) -> (i64, u32, u64) {
        (self.at, self.tie, self.number)
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}
