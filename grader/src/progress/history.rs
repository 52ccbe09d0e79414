//! What changed from attempt to attempt.
//!
//! Owns: the comparison. Must not: read the database.

use std::collections::BTreeMap;

use super::stored::StoredReport;

/// What an attempt changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Checks that pass, and did not when they were last judged, or never were.
    pub newly_passed: Vec<String>,
    /// Checks that fall short, and passed when they were last judged.
    pub broke: Vec<String>,
}

/// The change that each attempt made, oldest first. What an attempt could not judge (blocked,
/// refused, a fault) stays as it was: it has neither passed nor broken.
#[must_use]
pub fn changes<'a>(reports: impl Iterator<Item = &'a StoredReport>) -> Vec<Change> {
    let mut known: BTreeMap<&str, bool> = BTreeMap::new();
    let compare = |report: &'a StoredReport| {
        let mut change = Change::default();
        for check in &report.checks {
            let Some(passed) = check.passed() else { continue };
            let before = known.insert(&check.id, passed);
            match (before, passed) {
                (None | Some(false), true) => change.newly_passed.push(check.id.clone()),
                (Some(true), false) => change.broke.push(check.id.clone()),
                _ => {}
            }
        }
        change
    };
    reports.map(compare).collect()
}

#[cfg(test)]
mod tests {
    use super::super::attempts::tests::report;
    use super::*;

    #[test]
    fn a_blocked_check_keeps_what_was_last_known_of_it() {
        let attempts = [
            [("a", Some(true)), ("b", Some(false))],
            [("a", None), ("b", Some(true))],
            [("a", Some(true)), ("b", None)],
            [("a", Some(false)), ("b", Some(true))],
        ];
        let stored = attempts.map(|checks| StoredReport::read(&serde_json::to_string(&report(&checks)).expect("json")));
        let ids = |ids: &[&str]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        let change = |passed: &[&str], broke: &[&str]| Change { newly_passed: ids(passed), broke: ids(broke) };
        let expected = [change(&["a"], &[]), change(&["b"], &[]), change(&[], &[]), change(&[], &["a"])];
        assert_eq!(changes(stored.iter()), expected);
    }
}
