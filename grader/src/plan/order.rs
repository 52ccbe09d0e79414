//! Which check waits for which.
//!
//! Owns: the order of checks. Must not: run them.
//!
//! Looking checks run side by side. A disrupting check waits until every looking check of its
//! stack has ended, and every disrupting one of that stack that stands above it. A check that looks
//! at several stacks is not waited for (the slowest stack would hold up all others): the engine lets
//! it in between two disruptions.

use super::Plan;
use crate::check::{Door, Manner, Resource};
use crate::course::{Lesson, LessonCheck};
use crate::sandbox::names::behind;

/// A check with what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckPlan {
    /// The check's id.
    pub id: String,
    /// Checks that must pass, or this one is blocked by them.
    pub blocked_by: Vec<String>,
    /// Checks that must have ended, however.
    pub waits_for: Vec<String>,
}

/// Orders a lesson's checks.
pub fn order(lesson: &Lesson, plan: &Plan) -> Vec<CheckPlan> {
    lesson
        .checks
        .iter()
        .enumerate()
        .map(|(position, check)| CheckPlan {
            id: check.spec.id.clone(),
            blocked_by: blocked_by(lesson, plan, check),
            waits_for: waits_for(lesson, check, position),
        })
        .collect()
}

/// The checks that judge what this one needs, and those that the lesson names. What lies
/// beneath comes first, so that the deepest cause is the one that is named.
fn blocked_by(lesson: &Lesson, plan: &Plan, check: &LessonCheck) -> Vec<String> {
    let mut ids = Vec::new();
    for resource in check.check.needs() {
        for needed in plan.beneath(&resource).into_iter().chain([resource.clone()]) {
            // Two opening checks of one resource do not wait for each other unless the lesson says so.
            if needed == resource && check.check.manner() == Manner::Opens {
                continue;
            }
            ids.extend(lesson.openers(&needed).map(|opener| opener.spec.id.clone()));
        }
    }
    ids.extend(check.spec.after.iter().cloned());
    // A door that is not there at all is one mistake, not one in each check that would knock.
    let shut =
        |door: &Door| plan.stack(&door.stack).is_some_and(|s| behind(&s.model, &door.service, door.port).is_none());
    for door in check.check.asks_at().iter().filter(|door| shut(door)) {
        // One that comes after others by the lesson's wish could wait for this one.
        let judges = lesson.checks.iter().filter(|other| other.spec.after.is_empty());
        let judges = judges.filter(|other| other.check.judges_doors().contains(door));
        ids.extend(judges.map(|judge| judge.spec.id.clone()).filter(|id| *id != check.spec.id));
    }
    let mut seen = std::collections::BTreeSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    ids
}

fn waits_for(lesson: &Lesson, check: &LessonCheck, position: usize) -> Vec<String> {
    if check.check.manner() != Manner::Disrupts {
        return Vec::new();
    }
    let stacks = stacks_of(check);
    lesson
        .checks
        .iter()
        .enumerate()
        .filter(|(_, other)| {
            let its = stacks_of(other);
            its.len() == 1 && its.iter().all(|stack| stacks.contains(stack))
        })
        .filter(|(other_position, other)| other.check.manner() != Manner::Disrupts || *other_position < position)
        .map(|(_, other)| other.spec.id.clone())
        .collect()
}

/// The stacks that a check looks at or disturbs.
fn stacks_of(check: &LessonCheck) -> Vec<Resource> {
    check.check.needs().into_iter().filter(|resource| matches!(resource, Resource::Stack(_))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::policy::{self, AdmittedStack};
    use crate::submission::Submission;

    fn checks_of_lesson36(ports: &serde_json::Value) -> Vec<CheckPlan> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let lesson = Lesson::load(&root, &root.join("exercises/lesson36-dev-vs-prod")).expect("the lesson");
        let dir = tempfile::tempdir().expect("a folder");
        let stack = |payments| {
            AdmittedStack::new(
                dir.path(),
                json!({"services": {"payments": payments, "db": {"image": "postgres:15-bookworm"}}}),
            )
        };
        let dev = stack(json!({"build": {"context": dir.path(), "target": "development"}, "ports": ports}));
        let prod = stack(json!({"image": "payments:t", "ports": ports}));
        let stacks = BTreeMap::from([("dev".to_owned(), dev), ("prod".to_owned(), prod)]);
        let nowhere = Submission::at("/nowhere");
        let admitted = policy::admit(&lesson, &nowhere, stacks).expect("nothing is refused");
        Plan::make(&lesson, &admitted, "run", "t").checks
    }

    fn of<'a>(checks: &'a [CheckPlan], id: &str) -> &'a CheckPlan {
        checks.iter().find(|check| check.id == id).expect("the check")
    }

    #[test]
    fn the_deepest_cause_comes_first() {
        let checks = checks_of_lesson36(&json!([{"target": 8080, "published": "3000"}]));
        assert_eq!(of(&checks, "prod-stops").blocked_by, ["targets-build", "prod-starts", "prod-pays"]);
        assert_eq!(of(&checks, "dev-starts").blocked_by, ["targets-build", "dev-modules"]);
        assert_eq!(of(&checks, "targets-build").blocked_by, Vec::<String>::new());
        assert_eq!(of(&checks, "quiz").blocked_by, Vec::<String>::new());
    }

    #[test]
    fn what_disrupts_waits_for_all_that_look_at_its_stack_and_for_what_disrupts_before_it() {
        let checks = checks_of_lesson36(&json!([{"target": 8080, "published": "3000"}]));
        let waits = &of(&checks, "prod-survives").waits_for;
        for id in ["prod-starts", "prod-not-root", "prod-logs", "prod-health", "prod-immutable"] {
            assert!(waits.iter().any(|wait| wait == id), "{id} is not in {waits:?}");
        }
        for id in ["prod-stops", "hot-reload", "env-map", "prod-survives"] {
            assert!(!waits.iter().any(|wait| wait == id), "{id} is in {waits:?}");
        }
        assert_eq!(of(&checks, "prod-logs").waits_for, Vec::<String>::new());
    }

    #[test]
    fn a_door_that_is_not_there_is_the_cause_for_all_that_would_knock() {
        let checks = checks_of_lesson36(&json!([]));
        for id in ["prod-pays", "prod-logs", "prod-immutable", "prod-survives", "prod-stops"] {
            assert!(of(&checks, id).blocked_by.contains(&"prod-ports".to_owned()), "{id}");
        }
        assert!(of(&checks, "hot-reload").blocked_by.contains(&"dev-ports".to_owned()));
        for id in ["prod-ports", "prod-not-root", "prod-health", "prod-limits"] {
            assert!(!of(&checks, id).blocked_by.contains(&"prod-ports".to_owned()), "{id}");
        }
    }
}
