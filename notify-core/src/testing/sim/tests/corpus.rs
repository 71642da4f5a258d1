//! Seeds that once found something, run on every change.

use super::Runs;

/// A seed, and what it showed. The first ones are faults of the simulator's own driver, which lost what a failover had
/// lost; each is a way in which a run can go wrong.
const CORPUS: &[(u64, &str)] = &[
    (71, "a request of a delivery that a failover lost"),
    (101, "an insert that is carried out after its answer was given up"),
    (152, "a claim that is carried out after its lease has ended"),
    (332, "an attempt of a lost delivery keeps its slot until it ends"),
    (407, "an event that was lost and published anew has another body"),
    (414, "a second publish that comes after everything else has ended"),
    (501, "a wall clock that jumps between two processes' corrections"),
    (1_372_494_350_581, "a disable that is repeated while another operator enables: its rows stayed held for ever"),
    (
        1_372_494_350_493,
        "a process stands still past its lease, then stops: the claim had failed, and took rows all the same",
    ),
    (1_372_494_350_627, "more deliveries hang at one receiver than a calm world had slots"),
    (1277, "a delivery that was published anew while its first request ran"),
    (100_951, "an operator's act that went on after all acts had been repeated"),
    (1_061_417, "a publish that was dropped, and stored after the engine had looked for its rows: nobody claimed them"),
    (1_060_986, "attempts that went on standing still when their process went on"),
    (1_056_180, "a receiver that sent back a signature with the letters `whsec` in it, which was taken for a secret"),
];

#[test]
fn every_sentence_holds_for_the_corpus() {
    Runs::of(CORPUS.iter().map(|(seed, _)| *seed)).assert_all_held();
}
