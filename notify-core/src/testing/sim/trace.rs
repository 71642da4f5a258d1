//! What happened: a hash over all of it, and in a replay each line.

use std::fmt;

use sha2::{Digest, Sha256};

/// How many of the last lines a failure shows.
const SHOWN: usize = 60;

/// Whether lines are kept: they cost more than the simulation itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Lines {
    Kept,
    Dropped,
}

#[derive(Debug)]
pub(super) struct Trace {
    hash: Sha256,
    waiting: Vec<u8>,
    events: u64,
    lines: Option<std::collections::VecDeque<String>>,
}

impl Trace {
    pub(super) fn new(lines: Lines) -> Self {
        let lines = (lines == Lines::Kept).then(std::collections::VecDeque::new);
        Self { hash: Sha256::new(), waiting: Vec::with_capacity(4096), events: 0, lines }
    }

    /// Something happened: what, to whom, and in words. The words are made only if somebody reads them.
    pub(super) fn note(&mut self, at: i64, what: u8, whom: [u64; 2], words: impl FnOnce() -> String) {
        self.events += 1;
        let mut record = [what; 25];
        record[..8].copy_from_slice(&at.to_be_bytes());
        record[9..17].copy_from_slice(&whom[0].to_be_bytes());
        record[17..].copy_from_slice(&whom[1].to_be_bytes());
        self.waiting.extend_from_slice(&record);
        if self.waiting.len() > 4000 {
            self.hash.update(&self.waiting);
            self.waiting.clear();
        }
        if let Some(lines) = &mut self.lines {
            if lines.len() == SHOWN {
                lines.pop_front();
            }
            lines.push_back(format!("{} {}", Since(at), words()));
        }
    }

    pub(super) fn finish(mut self) -> (String, u64, Vec<String>) {
        self.hash.update(&self.waiting);
        let lines = self.lines.unwrap_or_default().into();
        (hex::encode(self.hash.finalize()), self.events, lines)
    }
}

/// Milliseconds since the start, to be read.
pub(super) struct Since(pub(super) i64);

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0.div_euclid(1000), self.0.rem_euclid(1000));
        write!(f, "{:02}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}
