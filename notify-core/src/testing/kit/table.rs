//! The one table of rules, sentences and cases, of which the list, the tests and the report are made.

use super::case::Case;

/// Hands the table to the macro that is named. For [`store_conformance!`](crate::store_conformance) and for the list
/// below, so that neither can lack what the other has.
#[doc(hidden)]
#[macro_export]
macro_rules! __notify_store_cases {
    ($($then:tt)+) => {
        $($then)+! {
            insert {
                "S1" "All or nothing for one batch, with an answer for each event":
                    a_new_event_is_stored_with_its_deliveries,
                    an_empty_batch_is_a_success;
                "S1" "it changes nothing and does not stop the others":
                    the_same_id_with_the_same_content_is_a_duplicate_that_names_the_first,
                    a_duplicate_changes_nothing,
                    a_duplicate_does_not_stop_the_others_of_its_batch;
                "S1" "With another fingerprint it is a conflict: nothing of the batch is written":
                    the_same_id_with_other_content_is_a_conflict,
                    a_conflict_leaves_nothing_of_its_batch;
            }
            claim {
                "S2" "A row may be claimed if and only if its state is scheduled or in flight and `ready_at <= now`":
                    a_scheduled_row_is_claimed_at_its_due_time_and_not_a_millisecond_before,
                    a_leased_row_is_claimed_at_the_end_of_its_lease_and_not_a_millisecond_before;
                "S3" "the same token again returns the same rows and leases no more":
                    the_same_token_again_returns_the_same_rows;
            }
            apply {
                "S6" "Row and log rows are written in one atomic step":
                    a_change_writes_the_row_and_its_attempt_together;
            }
        }
    };
}

/// Makes a test of each case for the stores that `fixture` opens (an expression that gives a
/// [`StoreFixture`](crate::testing::kit::StoreFixture), evaluated for each test): `insert::an_empty_batch_is_a_success`
/// and so on, one module a group. Where a crate has several fixtures, each goes into a module of its own.
///
/// ```text
/// mod in_memory { notify_core::store_conformance!(super::InMemory); }
/// mod in_a_file { notify_core::store_conformance!(super::InAFile); }
/// ```
///
/// Each test has a tokio runtime of its own with several threads.
#[macro_export]
macro_rules! store_conformance {
    ($fixture:expr) => {
        fn __notify_store_fixture() -> impl $crate::testing::kit::StoreFixture {
            $fixture
        }

        $crate::__notify_store_cases!($crate::__notify_store_tests);
    };
}

/// The tests of [`store_conformance!`](crate::store_conformance).
#[doc(hidden)]
#[macro_export]
macro_rules! __notify_store_tests {
    ($($group:ident { $($rule:literal $sentence:literal: $($case:ident),+;)+ })+) => {
        $(mod $group {
            $($(
                #[test]
                fn $case() {
                    $crate::testing::kit::test(
                        &super::__notify_store_fixture(),
                        ::core::stringify!($group),
                        ::core::stringify!($case),
                    );
                }
            )+)+
        })+
    };
}

macro_rules! list {
    ($($group:ident { $($rule:literal $sentence:literal: $($case:ident),+;)+ })+) => {
        const CASES: &[Case] = &[$($($(Case {
            group: stringify!($group),
            name: stringify!($case),
            rule: $rule,
            sentence: $sentence,
            run: |subject| Box::pin(super::cases::$group::$case(subject)),
        },)+)+)+];
    };
}

__notify_store_cases!(list);

/// All cases, in the order of the table: for test runners that want no macro, and for whoever runs one case.
///
/// ```
/// use notify_core::testing::kit;
///
/// for case in kit::cases().iter().take(1) {
///     println!("{}::{} holds {}: {}", case.group(), case.name(), case.rule(), case.sentence());
///     // case.run(&my_fixture).await
/// }
/// ```
#[must_use]
pub const fn cases() -> &'static [Case] {
    CASES
}
