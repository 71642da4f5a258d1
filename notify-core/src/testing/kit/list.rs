//! The cases as a plain list.

use super::case::Case;

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
