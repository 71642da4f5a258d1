//! Random sequences of calls to a store and to the model of the contract: the answers are the same.

mod call;
mod pair;

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::Ordering;

use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use proptest_state_machine::ReferenceStateMachine;
use sha2::{Digest, Sha256};

use super::case::{chain, skip};
use super::{FixtureError, StoreFixture, block_on};

use call::Calls;
use pair::Pair;

/// How many calls one sequence has at most.
const CALLS: usize = 40;

/// Draws one sequence, as `NOTIFY_SEED` does, instead of many.
const SEED: &str = "NOTIFY_SEED";

/// A text that many sequences are drawn from, instead of at random: that of a commit, say, so that whoever tests it again
/// draws the same.
const SEEDS_OF: &str = "NOTIFY_SEEDS_OF";

/// Seeds of sequences that found a fault once, in any store: they run first, always. These found a duplicate that was
/// told of more deliveries than there are.
const CORPUS: &[u64] = &[4_455_081_770_399_336_898, 6_903_756_276_584_952_454];

/// Compares the stores that `fixture` opens with the memory store, the contract as a plain struct: `sequences` random
/// sequences of up to 40 calls, each on a new store. All answers must be the same, as far as the contract decides
/// them, and so must all that can be read afterwards.
///
/// A sequence that fails is shrunk, and printed with its seed: `NOTIFY_SEED=7 cargo test …` runs that one again. Without
/// the variable the seeds are new in each run, or, with `NOTIFY_SEEDS_OF`, the same for the same text.
///
/// # Panics
/// The store answers otherwise than the model, or fails, or cannot be opened; inside a tokio runtime. Where the server
/// is missing: only if `NOTIFY_REQUIRE_SERVERS=1`.
pub fn compare_with_model(fixture: &dyn StoreFixture, sequences: u32) {
    if let Err(FixtureError::Skipped(why)) = block_on(fixture.open()) {
        return skip(&why);
    }
    if let Ok(seed) = std::env::var(SEED) {
        let seed = seed.parse().unwrap_or_else(|_| panic!("{SEED} is a number, not {seed:?}"));
        return compare_one(fixture, seed);
    }
    let first = match std::env::var(SEEDS_OF) {
        Ok(text) => Sha256::digest(text).iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte)),
        Err(_) => RandomState::new().hash_one(SEED),
    };
    let drawn = (0..u64::from(sequences)).map(|n| first.wrapping_add(n));
    CORPUS.iter().copied().chain(drawn).take(sequences as usize).for_each(|seed| compare_one(fixture, seed));
}

fn compare_one(fixture: &dyn StoreFixture, seed: u64) {
    let config = Config {
        cases: 1,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..Config::default()
    };
    let sequence = Calls::sequential_strategy(1..CALLS);
    let ended = TestRunner::new(config).run(&sequence, |(_, calls, seen)| {
        block_on(async {
            let opened = match fixture.open().await {
                Ok(opened) => opened,
                Err(error) => panic!("{}", chain(&error)),
            };
            let mut pair = Pair::new(opened);
            for call in calls {
                // Which calls were made: the others are dropped first when a failure is shrunk.
                if let Some(seen) = &seen {
                    seen.fetch_add(1, Ordering::SeqCst);
                }
                pair.make(call).await;
            }
            pair.read_all().await;
        });
        Ok(())
    });
    match ended {
        Ok(()) => {}
        Err(TestError::Fail(why, (_, calls, _))) => panic!(
            "the store and the model differ: {why}\nafter these calls, shrunk:\n{}\nagain: {SEED}={seed} cargo test, with this test's name",
            calls.iter().map(|call| format!("  {call:?}")).collect::<Vec<_>>().join("\n"),
        ),
        Err(TestError::Abort(why)) => panic!("{SEED}={seed} was given up: {why}"),
    }
}
