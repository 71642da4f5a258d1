//! The kit proves the memory store, and rejects wrong ones.

mod memory;
mod report;
