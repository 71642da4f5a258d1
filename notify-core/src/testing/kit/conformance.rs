//! The macro that makes a test of each case.

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
