//! What a run of all cases found, for people.

use std::collections::BTreeMap;
use std::fmt;

use super::case::{Case, CaseResult};
use super::{StoreFixture, block_on, cases};

/// What became of each case. Shown as text, it lists the rules with their sentences and cases, and at the end what the
/// store does not offer.
#[derive(Clone, Debug)]
pub struct Report(Vec<(Case, CaseResult)>);

impl Report {
    /// Each case with its result, in the order of [`cases`].
    #[must_use]
    pub fn results(&self) -> &[(Case, CaseResult)] {
        &self.0
    }

    /// Whether no case failed.
    #[must_use]
    pub fn is_green(&self) -> bool {
        !self.0.iter().any(|(_, result)| matches!(result, CaseResult::Failed(_)))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = "";
        for (case, result) in &self.0 {
            if case.sentence() != last {
                writeln!(f, "{}  {}", case.rule(), case.sentence())?;
                last = case.sentence();
            }
            let name = format!("{}::{}", case.group(), case.name());
            match result {
                CaseResult::Passed => writeln!(f, "    passed       {name}")?,
                CaseResult::NotOffered { what, .. } => writeln!(f, "    not offered  {name}: {what}")?,
                CaseResult::Skipped(why) => writeln!(f, "    skipped      {name}: {why}")?,
                CaseResult::Failed(why) => writeln!(f, "    FAILED       {name}: {}", why.replace('\n', " "))?,
            }
        }
        let count = |wanted: fn(&CaseResult) -> bool| self.0.iter().filter(|(_, result)| wanted(result)).count();
        writeln!(
            f,
            "\n{} cases: {} passed, {} failed, {} not offered, {} skipped",
            self.0.len(),
            count(|result| matches!(result, CaseResult::Passed)),
            count(|result| matches!(result, CaseResult::Failed(_))),
            count(|result| matches!(result, CaseResult::NotOffered { .. })),
            count(|result| matches!(result, CaseResult::Skipped(_))),
        )?;
        let mut missing: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (_, result) in &self.0 {
            if let CaseResult::NotOffered { what, why } = result {
                *missing.entry((what, why)).or_default() += 1;
            }
        }
        for ((what, why), count) in missing {
            writeln!(f, "not offered: {what} ({count} cases): {why}")?;
        }
        Ok(())
    }
}

/// Runs all cases on the stores that `fixture` opens, one after the other, on a runtime of its own.
///
/// # Panics
/// Inside another runtime: there, `await` [`Case::run`] for each of [`cases`].
#[must_use]
pub fn report(fixture: &dyn StoreFixture) -> Report {
    block_on(async {
        let mut results = Vec::new();
        for case in cases() {
            results.push((*case, case.run(fixture).await));
        }
        Report(results)
    })
}
