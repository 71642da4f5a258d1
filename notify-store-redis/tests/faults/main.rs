//! What Redis, and the way to it, can do to a store: real servers on loopback, killed, cut off, filled up, failed over,
//! resharded. The rules of the contract themselves are held by the kit, in `tests/it`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod batches;
mod bounds;
mod cluster;
mod cuts;
mod full;
mod idle;
mod races;
mod restarts;
mod sentinel;
mod wake;
mod worker;
mod world;
