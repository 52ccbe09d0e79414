//! `grader compare`: one service in two of the learner's stacks, side by side.
//!
//! Owns: which service and stacks are compared, and in which form. Must not: measure, or judge.

use std::collections::BTreeSet;
use std::io::Write;

use super::look;
use crate::check::Check;
use crate::checks::environment_map::{EnvironmentMap, Side, rows, side};
use crate::checks::stack_starts::StackStarts;
use crate::cli::{CompareArgs, LookFormat};
use crate::course::Lesson;
use crate::fault::Fault;
use crate::looks::Trouble;
use crate::looks::map::{Map, SCHEMA};
use crate::picture;
use crate::plan::Plan;
use crate::report::terminal::write_trouble;
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::{At, Sandbox};
use crate::verdict::Verdict;

/// Starts both stacks, looks, and writes what was found. 1 when a stack could not be shown.
pub async fn run(args: &CompareArgs, out: &mut dyn Write) -> Result<u8, Fault> {
    let lesson = look::lesson_of(&args.look)?;
    let stacks = stacks(&lesson, &args.stacks)?;
    let work = async |sandbox: &DockerSandbox| compare(&lesson, sandbox, &stacks, args.service.as_deref()).await;
    let Some(compared) = look::look(&args.look, &lesson, work, out).await? else { return Ok(1) };
    let map = match compared {
        Ok(map) => map,
        Err(trouble) => {
            if args.look.format == LookFormat::Json {
                let object = serde_json::json!({"schema": SCHEMA, "lesson": lesson.spec.id, "trouble": trouble});
                look::put(&args.look, &look::json(&object)?, out)?;
            } else {
                let text =
                    look::written(|out| write_trouble(&trouble.message, trouble.at.as_ref(), &trouble.log, out))?;
                anstream::eprint!("{text}");
            }
            return Ok(1);
        }
    };
    let text = match args.look.format {
        LookFormat::Human => look::written(|out| map.write(look::columns(&args.look), out))?,
        LookFormat::Json => look::json(&map)?,
        LookFormat::Svg => picture::map(&map),
    };
    look::put(&args.look, &text, out)?;
    Ok(0)
}

/// What the lesson's own check of this kind compares, if it has one.
#[must_use]
pub fn of_lesson(lesson: &Lesson) -> Option<&EnvironmentMap> {
    lesson.checks.iter().find_map(|check| check.check.parameters().downcast_ref())
}

/// The two stacks that were named, else those of the lesson's check, else its first two.
pub fn stacks(lesson: &Lesson, named: &[String]) -> Result<[String; 2], Fault> {
    let known: Vec<&String> = lesson.spec.stacks.iter().map(|stack| &stack.name).collect();
    let id = &lesson.spec.id;
    let usage = |message: String| Err(Fault::Usage { message });
    let list = || known.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    match (named, of_lesson(lesson), known.as_slice()) {
        (_, _, few) if few.len() < 2 => usage(format!("{id} has no two stacks to compare")),
        ([left, right], _, _) => match [left, right].into_iter().find(|name| !known.contains(name)) {
            Some(name) => usage(format!("{id} has no stack called `{name}`; it has: {}", list())),
            None => Ok([left.clone(), right.clone()]),
        },
        ([], Some(check), _) => Ok(check.stacks.clone()),
        ([], None, [left, right, ..]) => Ok([(*left).clone(), (*right).clone()]),
        _ => usage(format!("--stacks wants two names with a comma between them, such as {}", list())),
    }
}

/// The service that was named, else the one of the lesson's check, else the first that both stacks have,
/// one that is built here before others.
fn service(lesson: &Lesson, plan: &Plan, stacks: &[String; 2], named: Option<&str>) -> Result<String, Fault> {
    let services = |stack: &String| -> BTreeSet<String> {
        let started = plan.stack(stack).and_then(|stack| stack.started["services"].as_object());
        started.map(|services| services.keys().cloned().collect()).unwrap_or_default()
    };
    let both: Vec<String> = services(&stacks[0]).intersection(&services(&stacks[1])).cloned().collect();
    let wanted = named.or_else(|| of_lesson(lesson).map(|check| check.service.as_str()));
    let built = || both.iter().find(|service| stacks.iter().all(|stack| image(plan, stack, service).is_some()));
    match wanted {
        Some(service) if both.iter().any(|one| one == service) => Ok(service.to_owned()),
        Some(service) => Err(Fault::Usage {
            message: format!(
                "`{service}` is not a service of both stacks; {} and {} share: {}",
                stacks[0],
                stacks[1],
                if both.is_empty() { "none".to_owned() } else { both.join(", ") }
            ),
        }),
        None => built().or(both.first()).cloned().ok_or_else(|| Fault::Usage {
            message: format!("{} and {} have no service in common", stacks[0], stacks[1]),
        }),
    }
}

/// The image of ours that a service runs.
fn image<'p>(plan: &'p Plan, stack: &str, service: &str) -> Option<&'p str> {
    let reference = plan.stack(stack)?.started["services"][service]["image"].as_str()?;
    plan.builds.iter().find(|build| build.reference == reference).map(|build| build.name.as_str())
}

/// Starts both stacks and looks at a service in each; or what stands in the way.
pub async fn compare(
    lesson: &Lesson,
    sandbox: &DockerSandbox,
    stacks: &[String; 2],
    named: Option<&str>,
) -> Result<Result<Map, Trouble>, Fault> {
    let plan = sandbox.plan();
    let service = service(lesson, plan, stacks, named)?;
    let look = async |stack: &String| {
        for image in plan.stack(stack).into_iter().flat_map(|stack| &stack.images) {
            if let Some(failure) = sandbox.built(image).await?.failure {
                return Ok(Err(Trouble::build(image, failure)));
            }
        }
        // Only what has come up, and stays up, can be looked at: the kind of check that knows says so.
        let up = StackStarts::with_service(stack, &service);
        if let Verdict::Fail(finding) = up.judge(&up.measure(sandbox).await?) {
            return Ok(Err(Trouble::stack(stack, finding)));
        }
        let at = At { stack, service: &service };
        side(sandbox, at, image(plan, stack, &service)).await.map(Ok)
    };
    let (left, right) = tokio::try_join!(look(&stacks[0]), look(&stacks[1]))?;
    let sides: [Side; 2] = match (left, right) {
        (Ok(left), Ok(right)) => [left, right],
        (Err(trouble), _) | (_, Err(trouble)) => return Ok(Err(trouble)),
    };
    Ok(Ok(Map {
        schema: SCHEMA,
        lesson: lesson.spec.id.clone(),
        title: lesson.spec.title.clone(),
        service,
        stacks: stacks.clone(),
        rows: rows(&sides),
    }))
}
