//! One case, and how it is run.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use tokio::task::JoinSet;

use super::{FixtureError, StoreFixture, Subject};

/// A store that hangs must not hang the whole run. Far above what any case needs, on any machine.
const HANGS_AFTER: Duration = Duration::from_secs(60);

/// The variable that makes a missing server a failure.
const REQUIRE_SERVERS: &str = "NOTIFY_REQUIRE_SERVERS";

/// One sentence of the contract, or one way to break it.
#[derive(Clone, Copy)]
pub struct Case {
    pub(super) group: &'static str,
    pub(super) name: &'static str,
    pub(super) rule: &'static str,
    pub(super) sentence: &'static str,
    pub(super) run: for<'a> fn(&'a mut Subject) -> Running<'a>,
}

/// A case that runs.
pub(super) type Running<'a> = Pin<Box<dyn Future<Output = Result<(), NotOffered>> + Send + 'a>>;

/// The store under test has not what the case needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NotOffered {
    pub(super) what: &'static str,
    pub(super) why: &'static str,
}

/// How a case ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CaseResult {
    /// The store does what the sentence says.
    Passed,
    /// The store says that it does not offer this; with its reason.
    NotOffered {
        /// What the case needs.
        what: &'static str,
        /// The reason that the fixture gives.
        why: &'static str,
    },
    /// There was no store to test, for this reason.
    Skipped(String),
    /// It does something else, or could not be opened; with what was seen.
    Failed(String),
}

impl Case {
    /// Its group, the module of its test: `insert`, `claim`, …
    #[must_use]
    pub const fn group(&self) -> &'static str {
        self.group
    }

    /// Its name, a sentence that can be false. Unique among all cases.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The rule that it holds: `S1` to `S14`, or the method of another trait.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        self.rule
    }

    /// The rule's sentence.
    #[must_use]
    pub const fn sentence(&self) -> &'static str {
        self.sentence
    }

    /// Opens a store and runs the case on it. A panic of the case or of the store is a failure. Needs a tokio
    /// runtime with time; the cases that race need several threads to find anything.
    pub async fn run(&self, fixture: &dyn StoreFixture) -> CaseResult {
        let opened = match fixture.open().await {
            Ok(opened) => opened,
            Err(FixtureError::Skipped(why)) => return CaseResult::Skipped(why),
            Err(error @ FixtureError::Failed(_)) => return CaseResult::Failed(chain(&error)),
        };
        let case = *self;
        // A task of its own, so that a panic ends the case and not the caller.
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { (case.run)(&mut Subject::new(opened)).await });
        match tokio::time::timeout(HANGS_AFTER, tasks.join_next()).await {
            Ok(Some(Ok(Ok(())))) => CaseResult::Passed,
            Ok(Some(Ok(Err(NotOffered { what, why })))) => CaseResult::NotOffered { what, why },
            Ok(Some(Err(error))) => CaseResult::Failed(message(error)),
            Ok(None) => CaseResult::Failed("it was not run".to_owned()),
            Err(_) => CaseResult::Failed(format!("it did not end within {HANGS_AFTER:?}")),
        }
    }

    /// Runs the case as a test: on a runtime of its own, with several threads.
    ///
    /// # Panics
    /// The case failed, or there is no such server although `NOTIFY_REQUIRE_SERVERS=1`.
    pub fn test(&self, fixture: &dyn StoreFixture) {
        match super::block_on(self.run(fixture)) {
            CaseResult::Passed => {}
            CaseResult::NotOffered { what, why } => println!("NOT OFFERED: {what}: {why}"),
            CaseResult::Skipped(why) => skip(&why),
            CaseResult::Failed(why) => panic!("{}: \"{}\"\n{why}", self.rule, self.sentence),
        }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("rule", &self.rule).field("name", &self.name).finish_non_exhaustive()
    }
}

/// Says that there is nothing to test.
///
/// # Panics
/// `NOTIFY_REQUIRE_SERVERS=1` says that there must be.
pub(super) fn skip(why: &str) {
    let required = std::env::var_os(REQUIRE_SERVERS).is_some_and(|value| value == "1");
    assert!(!required, "{why}, and {REQUIRE_SERVERS}=1 says that it must be there");
    println!("SKIPPED: {why}");
}

fn message(error: tokio::task::JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "it was cancelled".to_owned() };
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked without a message").to_owned()
}

/// An error with its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
