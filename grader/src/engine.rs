//! Runs one submission in a sandbox, and grades it: from the learner's folder to a report.
//!
//! Owns: the order of stages, and removing everything that was made, however a run ends. Must
//! not: print, or know any kind of check.
//!
//! copy → gate → plan → measure and judge (images and stacks come into being when a check asks
//! for them, each once, side by side) → remove everything. Commands that only look share all but
//! the judging: [`with_sandbox`].

mod measure;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bollard::Docker;
use futures_util::future::try_join_all;

use crate::course::Lesson;
use crate::event::{Event, Events};
use crate::fault::Fault;
use crate::plan::Plan;
use crate::policy::{self, Admitted, AdmittedStack, Refusal};
use crate::report::{CheckReport, Report};
use crate::sandbox::build::BuildSettings;
use crate::sandbox::compose::{Fills, Merged, merge};
use crate::sandbox::docker::{DockerSandbox, Parts};
use crate::sandbox::facts::QuizFacts;
use crate::sandbox::layers::Needle;
use crate::sandbox::run_id::RunId;
use crate::sandbox::scratch::Scratch;
use crate::sandbox::wait::since;
use crate::sandbox::{daemon, sweep};
use crate::submission::Submission;
use crate::verdict::{Location, Outcome};
use crate::{paths, secret};

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
}

/// Grades a submission. When `stop` ends first, the run is given up.
pub async fn grade(job: &Job<'_>, events: &Events, stop: impl Future<Output = ()>) -> Result<Report, Fault> {
    let begun = Instant::now();
    let lesson = job.lesson;
    events.send(Event::RunStarted { lesson: lesson.spec.id.clone(), checks: lesson.checks.len() });
    let measure = async |sandbox: &DockerSandbox| Ok(measure::measure(lesson, sandbox, events).await);
    let (refusals, checks) = match with_sandbox(job, events, stop, measure).await? {
        Ok(checks) => (Vec::new(), checks),
        Err(refusals) => (refusals, blocked(lesson)),
    };
    Ok(Report::new(lesson, refusals, checks, since(begun)))
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
    let client = daemon::connect().await?;
    let cache = paths::cache()?;
    let run = RunId::new();
    let working = async {
        // What killed runs have left is removed beside the work. If that fails, it is not this
        // run's business; `grader sweep` tells why.
        let swept = sweep::sweep_abandoned(&client, &cache);
        let worked = async {
            let sandbox = match admit(job, &client, &run, &cache, events).await? {
                Ok(sandbox) => sandbox,
                Err(refusals) => return Ok(Err(refusals)),
            };
            let done = work(&sandbox).await;
            // Bind mounts of the stacks lead into the scratch copies: they go with the sweep.
            sandbox.into_scratch().keep();
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
        if ended.is_ok() || swept.count() == 0 {
            break;
        }
    }
    ended
}

/// Copies a submission, lets it through the gate and plans its run. Nothing is made in the daemon.
async fn admit(
    job: &Job<'_>,
    client: &Docker,
    run: &RunId,
    cache: &Path,
    events: &Events,
) -> Result<Admission<DockerSandbox>, Fault> {
    let lesson = job.lesson;
    let source = Submission { dir: job.dir.clone() };
    let refusals = policy::inspect_files(lesson, &source);
    if !refusals.is_empty() {
        return Ok(Err(refusals));
    }
    let scratch = Scratch::prepare(cache, run, lesson, &job.dir, &job.learner)?;
    scratch.use_built_in_frontend()?;
    let needles = plant(lesson, &scratch)?;
    let tag = format!("run-{run}");
    let submission = Submission { dir: scratch.source() };
    let fills = Fills { tag: &tag, learner: &job.learner };
    let merged = try_join_all(lesson.spec.stacks.iter().map(async |spec| {
        let dir = scratch.copy(&format!("stack-{}", spec.name))?;
        Ok::<_, Fault>((spec, merge(spec, &dir, &fills).await?, dir))
    }))
    .await?;
    let (mut stacks, mut complaints) = (BTreeMap::new(), Vec::new());
    for (spec, merged, dir) in merged {
        match merged {
            Merged::Model(model) => {
                stacks.insert(spec.name.clone(), AdmittedStack { dir, model });
            }
            Merged::Complaint(text) => complaints.push(complaint(&submission, &spec.files, &text, &dir)),
        }
    }
    if !complaints.is_empty() {
        complaints.dedup();
        return Ok(Err(complaints));
    }
    let admitted: Admitted = match policy::admit(lesson, &submission, stacks) {
        Ok(admitted) => admitted,
        Err(refusals) => return Ok(Err(refusals)),
    };
    let plan = Plan::make(lesson, &admitted, run.as_str(), &tag);
    DockerSandbox::new(Parts {
        client: client.clone(),
        run: run.clone(),
        plan,
        scratch,
        cache: cache.to_path_buf(),
        bases: lesson.spec.images.clone(),
        edit: lesson.spec.edit.clone(),
        needles,
        tag,
        quiz: job.quiz.clone(),
        learner: job.learner.clone(),
        settings: job.settings.clone(),
        events: events.clone(),
    })
    .map(Ok)
}

/// Puts the grader's own value in the place of the secret, and lists what must not be in an
/// image: that value first, then the values that the learner's file had.
fn plant(lesson: &Lesson, scratch: &Scratch) -> Result<Vec<Needle>, Fault> {
    let Some(spec) = &lesson.spec.secret else { return Ok(Vec::new()) };
    let planted = secret::planted()?;
    let submission = Submission { dir: scratch.source() };
    let mut needles = vec![Needle { key: spec.key.clone(), value: planted.clone() }];
    for line in submission.text(&spec.file).unwrap_or_default().lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = value.trim().trim_matches(['"', '\'']);
        // Short or plain values (`production`, a host name) stand in images for good reasons.
        if secret::is_named_like_one(key) && value.len() >= 8 {
            needles.push(Needle { key: key.trim().to_owned(), value: value.to_owned() });
        }
    }
    scratch.plant(spec, &planted)?;
    Ok(needles)
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

/// Compose's complaint with the line that it is about, as far as it says one.
fn complaint(submission: &Submission, files: &[String], text: &str, dir: &Path) -> Refusal {
    // Warnings come first; the complaint is the last line.
    let last = text.lines().last().unwrap_or(text).replace(&format!("{}/", dir.display()), "");
    let file = files.iter().rev().find(|file| last.contains(file.as_str()));
    let line =
        last.split("line ").nth(1).and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
    let named: Option<Location> = match (file, line) {
        (Some(file), Some(line)) => submission.location(file, line),
        _ => None,
    };
    let path = last.split_whitespace().find(|word| word.contains("services.")).unwrap_or_default();
    let keys: Vec<&str> = path.trim_end_matches([':', ',']).split('.').collect();
    let at = named.or_else(|| submission.locate_key(files, &keys));
    let why = if last.contains("required variable") || last.contains("is missing a value") {
        "A variable that the file asks for is not set. It must come from the file that `--env-file` names, or from the command (see the exercise: only TAG is given)."
    } else {
        "This is what `docker compose config` says. Run the exercise's own command with `config` in place of `up` to see it yourself."
    };
    Refusal { what: format!("Compose cannot use your files: {last}"), why: why.into(), at }
}
