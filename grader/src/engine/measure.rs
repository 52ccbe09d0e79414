//! Runs a lesson's checks in their planned order.
//!
//! Owns: waiting, blocking, and turning faults into outcomes. Must not: know any kind of check.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Instant;

use futures_util::future::join_all;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, watch};

use super::admit::Ready;
use crate::check::{Manner, Measured, Resource};
use crate::course::{Lesson, LessonCheck};
use crate::event::{Event, Events, of_check};
use crate::fault::Fault;
use crate::plan::CheckPlan;
use crate::report::CheckReport;
use crate::sandbox::Sandbox;
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::wait::since;
use crate::verdict::Outcome;

/// The most that one check may take on a quiet machine, with the builds and starts that it waits for.
const CHECK_SECONDS: u64 = 600;

/// Outcomes as they come in, by check id.
type Ended<'a> = BTreeMap<&'a str, watch::Sender<Option<Outcome>>>;

/// One lock per stack: looking checks share it, a disrupting one has it alone.
type Locks<'a> = BTreeMap<&'a str, RwLock<()>>;

/// What came of a run's checks.
pub struct Checked {
    /// Each check, in the lesson's order.
    pub checks: Vec<CheckReport>,
    /// Whether the machine was too slow to tell about some of them.
    pub too_slow: bool,
}

/// Judges every check: those that are remembered at once, the others when they are measured. A stack
/// is removed as soon as no check needs it any more.
pub async fn measure(lesson: &Lesson, ready: &Ready, events: &Events) -> Checked {
    let too_slow = Cell::new(false);
    let Ready { sandbox, recalled, store } = ready;
    let plans = &sandbox.plan().checks;
    let ended: Ended<'_> = plans.iter().map(|plan| (plan.id.as_str(), watch::Sender::new(None))).collect();
    let locks: Locks<'_> = sandbox.plan().stacks.iter().map(|stack| (stack.name.as_str(), RwLock::new(()))).collect();
    let running = lesson.checks.iter().zip(plans).map(|(check, plan)| {
        let (ended, locks, too_slow) = (&ended, &locks, &too_slow);
        async move {
            let begun = Instant::now();
            let known = recalled.get(&plan.id);
            let (outcome, evidence) = match (blocked(plan, ended).await, known) {
                (Some(by), _) => (Outcome::Blocked { by }, None),
                (None, Some((evidence, verdict))) => {
                    (Outcome::Judged { verdict: verdict.clone() }, Some(evidence.clone()))
                }
                (None, None) => match run(check, plan, sandbox, ended, locks).await {
                    Ok(Measured { evidence, verdict, keep, lacks }) => {
                        if let Some(by) = lacks.and_then(|lacked| told_by(lesson, &lacked, &plan.id)) {
                            (Outcome::Blocked { by }, None)
                        } else {
                            if let Some(key) = recalled.key(&plan.id).filter(|_| keep) {
                                store.put(key, &evidence);
                            }
                            (Outcome::Judged { verdict }, Some(evidence))
                        }
                    }
                    Err(fault) => {
                        too_slow.set(too_slow.get() || fault.is_too_slow());
                        (Outcome::Fault { message: fault.to_string(), remedy: fault.remedy() }, None)
                    }
                },
            };
            let millis = since(begun);
            ended[plan.id.as_str()].send_replace(Some(outcome.clone()));
            events.send(Event::CheckEnded { check: plan.id.clone(), outcome: outcome.clone(), millis });
            let remembered = known.is_some() && evidence.is_some();
            CheckReport { remembered, ..CheckReport::new(check, outcome, evidence, millis) }
        }
    });
    let measured_on = |stack: &str| -> Vec<&LessonCheck> {
        let needs = |check: &&LessonCheck| check.check.needs().contains(&Resource::stack(stack));
        lesson.checks.iter().filter(needs).filter(|check| recalled.get(&check.spec.id).is_none()).collect()
    };
    let retiring = locks.keys().map(|stack| (stack, measured_on(stack))).filter(|(_, users)| !users.is_empty());
    let retiring = retiring.map(async |(stack, users)| {
        for check in users {
            outcome_of(&ended, &check.spec.id).await;
        }
        sandbox.retire(stack).await;
    });
    let checks = tokio::join!(join_all(running), join_all(retiring)).0;
    Checked { checks, too_slow: too_slow.get() }
}

/// The check that is the cause, when one that this waits for does not pass.
async fn blocked(plan: &CheckPlan, ended: &Ended<'_>) -> Option<String> {
    for id in &plan.blocked_by {
        match outcome_of(ended, id).await {
            // That one had nothing to judge, and this one tells why.
            Outcome::Blocked { by } if by == plan.id => {}
            Outcome::Blocked { by } => return Some(by),
            outcome if !outcome.is_passed() => return Some(id.clone()),
            _ => {}
        }
    }
    None
}

async fn run(
    check: &LessonCheck,
    plan: &CheckPlan,
    sandbox: &DockerSandbox,
    ended: &Ended<'_>,
    locks: &Locks<'_>,
) -> Result<Measured, Fault> {
    for id in &plan.waits_for {
        outcome_of(ended, id).await;
    }
    let _held = hold(check, locks).await;
    let limit = sandbox.pace().within(CHECK_SECONDS * 1_000);
    let action = || format!("the check `{}`", plan.id);
    limit.must(action, of_check(&plan.id, check.check.run(sandbox))).await
}

/// The check that tells why a resource did not come into being: the last that opens it, as the others of
/// them stand before it for a reason of their own.
fn told_by(lesson: &Lesson, lacked: &Resource, id: &str) -> Option<String> {
    lesson.openers(lacked).map(|opener| opener.spec.id.clone()).filter(|opener| opener != id).last()
}

/// A share of a stack, or all of it.
enum Held<'a> {
    Shared { _guard: RwLockReadGuard<'a, ()> },
    Alone { _guard: RwLockWriteGuard<'a, ()> },
}

/// Takes the locks of the stacks that a check needs, in the order of their names, so that two
/// checks cannot wait for each other.
async fn hold<'a>(check: &LessonCheck, locks: &'a Locks<'_>) -> Vec<Held<'a>> {
    let needs = check.check.needs();
    let mut held = Vec::new();
    for (stack, lock) in locks {
        if needs.contains(&Resource::stack(*stack)) {
            held.push(match check.check.manner() {
                Manner::Disrupts => Held::Alone { _guard: lock.write().await },
                Manner::Opens | Manner::Looks => Held::Shared { _guard: lock.read().await },
            });
        }
    }
    held
}

/// Waits until a check has ended. The lesson's validation makes sure that no check waits for
/// itself, so this ends.
async fn outcome_of(ended: &Ended<'_>, id: &str) -> Outcome {
    let mut outcome = ended[id].subscribe();
    let seen = outcome.wait_for(Option::is_some).await;
    seen.ok().and_then(|outcome| outcome.clone()).unwrap_or(Outcome::Blocked { by: id.to_owned() })
}
