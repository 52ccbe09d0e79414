//! Runs one submission in a sandbox, and grades it: from the learner's folder to a report.
//!
//! Owns: the order of stages, and removing everything that was made, however a run ends. Must
//! not: print, or know any kind of check.
//!
//! copy → gate → plan → measure what is not remembered, and judge (images and stacks come into being
//! when a check asks for them, each once, side by side) → remove everything. Commands that only
//! look share all but the judging: [`with_sandbox`].

mod admit;
mod measure;
mod merged;

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Instant;

use crate::course::Lesson;
use crate::event::{Event, Events};
use crate::fault::Fault;
use crate::policy::Refusal;
use crate::report::{CheckReport, Report};
use crate::sandbox::build::BuildSettings;
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::facts::QuizFacts;
use crate::sandbox::pace::Pace;
use crate::sandbox::run_id::RunId;
use crate::sandbox::sweep::Effort;
use crate::sandbox::wait::since;
use crate::sandbox::{daemon, sweep};
use crate::submission::links;
use crate::verdict::Outcome;
use crate::{memory, paths};
use admit::Ready;
use measure::Checked;

/// What a run is about.
pub struct Job<'a> {
    /// The lesson.
    pub lesson: &'a Lesson,
    /// The learner's folder. It is only read.
    pub dir: PathBuf,
    /// The learner's answers to the quiz.
    pub quiz: QuizFacts,
    /// The learner's number in this exercise.
    pub learner: String,
    /// How builds run.
    pub settings: BuildSettings,
    /// Whether earlier measurements count.
    pub memory: memory::Use,
}

/// How often a submission is run, at the most, where the machine is too slow to tell about some of its checks.
const RUNS: usize = 3;

/// Grades a submission. What the machine was too slow to tell about is measured again in a run of its own: an
/// edited or disturbed stack is not what a check expects. When `stop` ends first, the run is given up.
pub async fn grade(job: &Job<'_>, events: &Events, stop: impl Future<Output = ()>) -> Result<Report, Fault> {
    let begun = Instant::now();
    let lesson = job.lesson;
    events.send(Event::RunStarted { lesson: lesson.spec.id.clone(), checks: lesson.checks.len() });
    let measure = async |run: &Ready| Ok(measure::measure(lesson, run, events).await);
    let mut stop = pin!(stop);
    let mut runs = 1;
    let (refusals, checks) = loop {
        match with_run(job, events, stop.as_mut(), measure).await? {
            Ok(Checked { too_slow: true, .. }) if runs < RUNS => runs += 1,
            Ok(Checked { checks, .. }) => break (Vec::new(), checks),
            Err(refusals) => break (refusals, blocked(lesson)),
        }
    };
    let notes = links::notes(&job.dir);
    Ok(Report { notes, ..Report::new(lesson, refusals, checks, since(begun)) })
}

/// What came of `work`, or why the gate has not let the submission in.
pub type Admission<T> = Result<T, Vec<Refusal>>;

/// Copies a submission, lets it through the gate, and does some work in its sandbox. When `stop`
/// ends first, the run is given up; in every case all that it made is removed before this returns.
pub async fn with_sandbox<T>(
    job: &Job<'_>,
    events: &Events,
    stop: impl Future<Output = ()>,
    work: impl AsyncFnOnce(&DockerSandbox) -> Result<T, Fault>,
) -> Result<Admission<T>, Fault> {
    with_run(job, events, stop, async |run: &Ready| work(&run.sandbox).await).await
}

async fn with_run<T>(
    job: &Job<'_>,
    events: &Events,
    stop: impl Future<Output = ()>,
    work: impl AsyncFnOnce(&Ready) -> Result<T, Fault>,
) -> Result<Admission<T>, Fault> {
    let client = daemon::connect().await?;
    let cache = paths::cache()?;
    let run = RunId::new();
    let pace = Pace::start();
    let working = async {
        // What killed runs have left is removed beside the work. If that fails, it is not this
        // run's business; `grader sweep` tells why.
        let swept = sweep::sweep_abandoned(&client, &cache, Effort::Once);
        let worked = async {
            let ready = match admit::admit(job, &client, &run, &cache, events, &pace).await? {
                Ok(ready) => ready,
                Err(refusals) => return Ok(Err(refusals)),
            };
            let done = work(&ready).await;
            ready.store.tidy();
            // Bind mounts of the stacks lead into the scratch copies: they go with the sweep.
            ready.sandbox.into_scratch().keep();
            done.map(Ok)
        };
        tokio::join!(swept, worked).1
    };
    let ended = tokio::select! {
        ended = working => ended,
        () = stop => Err(Fault::Interrupted),
    };
    events.send(Event::CleaningUp);
    // A command that was cut short may have made one more thing while a sweep ran. A sweep that
    // fails loses neither report nor fault: the next run removes what is left.
    while let Ok(swept) = sweep::sweep_run(&client, &run, &cache).await {
        if ended.is_ok() || swept.removed.count() == 0 {
            break;
        }
    }
    ended
}

/// The report of a submission that the gate has not let in.
#[must_use]
pub fn refused(lesson: &Lesson, refusals: Vec<Refusal>) -> Report {
    Report::new(lesson, refusals, blocked(lesson), 0)
}

/// The checks of a submission that the gate has not let in.
fn blocked(lesson: &Lesson) -> Vec<CheckReport> {
    let outcome = || Outcome::Blocked { by: "files".into() };
    lesson.checks.iter().map(|check| CheckReport::new(check, outcome(), None, 0)).collect()
}
