//! Which checks are answered from memory, and which have to be measured.
//!
//! Owns: that choice. Must not: judge by itself, or measure.
//!
//! A check that needs a resource also needs the checks that open it: they wait until it is ready.
//! So when something is measured on a resource, its openers are measured with it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::keys::Keys;
use super::store::Store;
use super::{Key, Use};
use crate::course::{Lesson, LessonCheck};
use crate::plan::{CheckPlan, Plan};
use crate::verdict::{Outcome, Verdict};

/// What is known before a run measures anything, by check id.
#[derive(Default)]
pub struct Recalled {
    known: BTreeMap<String, (Value, Verdict)>,
    keys: BTreeMap<String, Key>,
}

impl Recalled {
    /// Looks up everything that is remembered of a submission, judged as the lesson judges today.
    #[must_use]
    pub fn look(keys: &Keys<'_>, store: &Store, wanted: Use) -> Self {
        let mut recalled = Self::default();
        for check in &keys.lesson.checks {
            let Some(key) = keys.check(check) else { continue };
            if wanted == Use::Recall
                && let Some(evidence) = store.get::<Value>(&key)
                && let Ok(verdict) = check.check.judge_stored(&evidence)
            {
                recalled.known.insert(check.spec.id.clone(), (evidence, verdict));
            }
            if wanted != Use::Nothing {
                recalled.keys.insert(check.spec.id.clone(), key);
            }
        }
        recalled.forget_openers(keys.lesson, keys.plan);
        recalled
    }

    /// What is remembered of a check.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&(Value, Verdict)> {
        self.known.get(id)
    }

    /// Where to keep what is measured for a check; `None` when it is not kept.
    #[must_use]
    pub fn key(&self, id: &str) -> Option<&Key> {
        self.keys.get(id)
    }

    /// Forgets the openers of every resource on which something is to be measured.
    fn forget_openers(&mut self, lesson: &Lesson, plan: &Plan) {
        loop {
            let states = self.states(plan);
            let measured = lesson.checks.iter().filter(|check| states.get(&check.spec.id) == Some(&State::Measured));
            let openers: Vec<String> = measured.flat_map(|check| openers_for(lesson, plan, check)).collect();
            let before = self.known.len();
            self.known.retain(|id, _| !openers.contains(id));
            if self.known.len() == before {
                return;
            }
        }
    }

    /// How each check will be answered, as far as it is known before the run.
    fn states(&self, plan: &Plan) -> BTreeMap<String, State> {
        let mut states = BTreeMap::new();
        for check in &plan.checks {
            self.state(plan, check, &mut states);
        }
        states
    }

    fn state(&self, plan: &Plan, check: &CheckPlan, states: &mut BTreeMap<String, State>) -> State {
        if let Some(state) = states.get(&check.id) {
            return *state;
        }
        let before = |id: &String| plan.checks.iter().find(|other| other.id == *id);
        let before: Vec<State> =
            check.blocked_by.iter().filter_map(before).map(|other| self.state(plan, other, states)).collect();
        let passes = |verdict: &Verdict| Outcome::Judged { verdict: verdict.clone() }.is_passed();
        let state = match self.known.get(&check.id) {
            _ if before.contains(&State::Stops) => State::Stops,
            None => State::Measured,
            Some((_, verdict)) if !passes(verdict) => State::Stops,
            Some(_) => State::Recalled,
        };
        states.insert(check.id.clone(), state);
        state
    }
}

/// How a check will be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is remembered and passes, unless something that is measured blocks it.
    Recalled,
    /// It is remembered and does not pass, or it is blocked by one of those.
    Stops,
    /// It has to be measured.
    Measured,
}

/// The checks that open what a check needs, and what lies beneath.
fn openers_for(lesson: &Lesson, plan: &Plan, check: &LessonCheck) -> Vec<String> {
    let needs = check.check.needs();
    let all = needs.iter().flat_map(|resource| plan.beneath(resource).into_iter().chain([resource.clone()]));
    all.flat_map(|resource| lesson.openers(&resource).map(|opener| opener.spec.id.clone()).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::keys::tests::World;
    use super::*;
    use crate::verdict::Finding;

    /// What is left of the memory when it has all checks of lesson 36 but `missing`, and `failed` did
    /// not pass: the ids of the checks that have to be measured.
    fn measured(missing: &[&str], failed: &[&str]) -> Vec<String> {
        World::new().with_keys(|keys| {
            let mut recalled = Recalled::default();
            for check in &keys.lesson.checks {
                let id = check.spec.id.as_str();
                let verdict = Finding::new("a", "b").decide(!failed.contains(&id));
                if !missing.contains(&id) {
                    recalled.known.insert(id.to_owned(), (Value::Null, verdict));
                }
            }
            recalled.forget_openers(keys.lesson, keys.plan);
            let unknown = |check: &&LessonCheck| !recalled.known.contains_key(&check.spec.id);
            keys.lesson.checks.iter().filter(unknown).map(|check| check.spec.id.clone()).collect()
        })
    }

    #[test]
    fn what_is_measured_brings_its_openers_and_those_beneath_with_it() {
        assert_eq!(measured(&[], &[]), Vec::<String>::new());
        assert_eq!(measured(&["quiz"], &[]), ["quiz"]);
        assert_eq!(measured(&["prod-small"], &[]), ["targets-build", "prod-small"]);
        assert_eq!(measured(&["prod-ports"], &[]), ["targets-build", "prod-starts", "prod-ports"]);
        let both = ["targets-build", "dev-modules", "dev-starts", "prod-starts", "env-map"];
        assert_eq!(measured(&["env-map"], &[]), both);
    }

    #[test]
    fn what_a_remembered_failure_blocks_is_not_measured() {
        let of_production = ["prod-pays", "prod-ports", "prod-stops"];
        assert_eq!(measured(&of_production, &["prod-starts"]), of_production, "nothing is made for them");
        let beside = measured(&["dev-pays", "prod-ports"], &["dev-starts"]);
        assert_eq!(beside, ["targets-build", "dev-pays", "prod-starts", "prod-ports"]);
    }
}
