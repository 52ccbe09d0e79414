//! The submissions of an exercise, and what must come of each.
//!
//! Owns: laying starter, solutions and wrong submissions over each other, and what their folders
//! promise. Must not: print.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::by_hand::{ByHand, UNDO};
use crate::commands::check::quiz_facts;
use crate::commands::quiz::Kept;
use crate::course::source::{CourseError, Source};
use crate::course::{Course, Lesson};
use crate::engine::{self, Job};
use crate::event::Events;
use crate::fault::Fault;
use crate::report::Report;
use crate::sandbox::build::BuildSettings;
use crate::sandbox::facts::QuizFacts;
use crate::sandbox::scratch::{copy_tree, personalise_tree};
use crate::verdict::Outcome;
use crate::{learner, memory};

/// A `wrong/<name>/wrong.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrong {
    /// The solution that it starts from.
    base: String,
    /// The checks that must fail; all others pass or are blocked.
    fails: BTreeSet<String>,
    /// What somebody did, and why it looks right. For authors; it is not judged.
    #[serde(rename = "story")]
    _story: String,
}

/// One submission with what must come out.
pub struct Case {
    /// Its folder, such as `wrong/no-limits`.
    pub name: String,
    files: tempfile::TempDir,
    /// A learner's number. One of its own where things are made by hand under that number, so that
    /// submissions can be graded at the same time; else this machine's, so that what two submissions have
    /// in common can be remembered.
    learner: String,
    by_hand: ByHand,
    quiz: QuizFacts,
    /// What must come out.
    pub expected: Expected,
}

impl Case {
    /// Grades the submission, with what its script makes by hand in the daemon. When `stop` ends
    /// first, the run is given up; what was made by hand is removed in either case.
    pub async fn grade(
        &self,
        lesson: &Lesson,
        settings: &BuildSettings,
        memory: memory::Use,
        stop: impl Future<Output = ()>,
    ) -> Result<Report, Fault> {
        let job = Job {
            lesson,
            dir: self.files.path().to_path_buf(),
            quiz: self.quiz.clone(),
            learner: self.learner.clone(),
            settings: settings.clone(),
            memory,
        };
        let _beside_no_page = self.by_hand.beside_no_page().await?;
        let made = self.by_hand.make().await;
        let graded = match made {
            Ok(()) => engine::grade(&job, &Events::default(), stop).await,
            Err(fault) => Err(fault),
        };
        self.by_hand.undo().await?;
        graded
    }
}

/// What must come of a submission.
pub enum Expected {
    /// Some check fails.
    Starter,
    /// Full points.
    Solution,
    /// Exactly these fail.
    Wrong(BTreeSet<String>),
}

impl Expected {
    /// What is not as it should be.
    pub fn problem(&self, report: &Report) -> Option<String> {
        if let Some(fault) = report.checks.iter().find(|check| matches!(check.outcome, Outcome::Fault { .. })) {
            return Some(format!("`{}` could not be measured", fault.id));
        }
        if let Some(refusal) = report.refusals.first() {
            return Some(format!("the gate refused it: {}", refusal.what));
        }
        let failed: BTreeSet<String> = report.failed_ids().into_iter().map(str::to_owned).collect();
        match self {
            Self::Starter => failed.is_empty().then(|| "the starter must fail".to_owned()),
            Self::Solution => (report.points != report.of).then(|| "a solution must earn full points".to_owned()),
            Self::Wrong(fails) => {
                let list = |ids: Vec<&String>| ids.into_iter().cloned().collect::<Vec<_>>().join(", ");
                let missed = list(fails.difference(&failed).collect());
                let extra = list(failed.difference(fails).collect());
                let mut parts = Vec::new();
                if !missed.is_empty() {
                    parts.push(format!("not caught: {missed}"));
                }
                if !extra.is_empty() {
                    parts.push(format!("failed besides: {extra}"));
                }
                (!parts.is_empty()).then(|| parts.join("; "))
            }
        }
    }
}

/// Every submission of an exercise: the starter, the solutions, the wrong ones.
pub fn cases(course: &Course, lesson: &Lesson) -> Result<Vec<Case>, Fault> {
    let starter = lesson.starter();
    let case = |name: &str, layers: &[&Path], expected| case(course, lesson, name, layers, expected);
    let mut cases = vec![case("starter", &[&starter], Expected::Starter)?];
    // What proves a kind of check has no starter to grade: its files come with the submissions.
    if !lesson.spec.deliver.iter().all(|file| starter.join(file).is_file()) {
        cases.clear();
    }
    for dir in folders(&lesson.dir.join("solutions"))? {
        cases.push(case(&format!("solutions/{}", file_name(&dir)), &[&starter, &dir], Expected::Solution)?);
    }
    for dir in folders(&lesson.dir.join("wrong"))? {
        let wrong = read_wrong(course, lesson, &dir)?;
        let base = lesson.dir.join("solutions").join(&wrong.base);
        cases.push(case(
            &format!("wrong/{}", file_name(&dir)),
            &[&starter, &base, &dir],
            Expected::Wrong(wrong.fails),
        )?);
    }
    Ok(cases)
}

/// Lays the folders over each other, as a learner's folder would be.
fn case(course: &Course, lesson: &Lesson, name: &str, layers: &[&Path], expected: Expected) -> Result<Case, Fault> {
    let files =
        tempfile::Builder::new().prefix("grader-case-").tempdir().map_err(Fault::file("the temporary folder"))?;
    for layer in layers {
        copy_tree(layer, files.path())?;
    }
    let _ = fs::remove_file(files.path().join("wrong.toml"));
    let is_by_hand = lesson.dir.join(UNDO).is_file();
    let learner = if is_by_hand { learner::random()? } else { learner::number(&lesson.spec.id)? };
    personalise_tree(files.path(), &learner)?;
    let by_hand = ByHand::take(lesson, files.path(), &learner)?;
    let quiz = quiz_facts(course, lesson, files.path(), &Kept::new())?;
    Ok(Case { name: name.to_owned(), files, learner, by_hand, quiz, expected })
}

fn read_wrong(course: &Course, lesson: &Lesson, dir: &Path) -> Result<Wrong, CourseError> {
    let source = Source::read(&course.root, &dir.join("wrong.toml"))?;
    let wrong: Wrong = toml::from_str(&source.text)
        .map_err(|error| source.error(error.span().unwrap_or(0..0), error.message().to_owned(), "here"))?;
    let unknown = wrong.fails.iter().find(|id| lesson.check(id).is_none());
    if let Some(id) = unknown {
        let at = source.text.find(id.as_str()).unwrap_or(0);
        return Err(source.error(at..at + id.len(), format!("the lesson has no check `{id}`"), "here"));
    }
    if !lesson.dir.join("solutions").join(&wrong.base).is_dir() {
        return Err(source.error(0..0, format!("there is no solution `{}`", wrong.base), "`base` names one"));
    }
    Ok(wrong)
}

fn folders(dir: &Path) -> Result<Vec<PathBuf>, Fault> {
    let entries = fs::read_dir(dir).map_err(Fault::file(dir))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
