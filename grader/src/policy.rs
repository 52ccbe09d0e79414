//! The policy gate: what a submission may not do on somebody's machine.
//!
//! Owns: [`Admitted`], which only this module can make, and from which alone a
//! [`Plan`](crate::plan::Plan) is made. Must not: build, start or change anything.
//!
//! Files are looked at before Compose reads them; the merged model after. Each refusal names the
//! line at fault and the reason.

mod compose;
mod dockerfile;
mod files;
pub mod limits;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::course::Lesson;
use crate::course::spec::StackSpec;
use crate::submission::Submission;
use crate::verdict::Location;

/// A submission that has passed the gate. Its field is private: only this module can make one.
#[derive(Debug, Clone)]
pub struct Admitted {
    stacks: BTreeMap<String, AdmittedStack>,
}

impl Admitted {
    /// A stack's folder and merged model.
    #[must_use]
    pub fn stack(&self, name: &str) -> Option<&AdmittedStack> {
        self.stacks.get(name)
    }
}

/// A stack that has passed the gate.
#[derive(Debug, Clone)]
pub struct AdmittedStack {
    /// The folder that it is started from.
    pub dir: PathBuf,
    /// The merged model, as `docker compose config --format json` gives it.
    pub model: Value,
}

/// Why a submission is not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong, in one line.
    pub what: String,
    /// Why it is refused and what to do instead.
    pub why: String,
    /// The line at fault.
    pub at: Option<Location>,
}

impl Refusal {
    fn new(what: impl Into<String>, why: impl Into<String>, at: Option<Location>) -> Self {
        Self { what: what.into(), why: why.into(), at }
    }
}

/// Looks at the files before anything reads them: missing, empty, broken, too many, links that
/// lead out, and Compose keys by which Compose itself would read other files.
#[must_use]
pub fn inspect_files(lesson: &Lesson, submission: &Submission) -> Vec<Refusal> {
    let mut refusals = files::inspect(lesson, submission);
    refusals.extend(dockerfile::inspect(submission));
    for file in lesson.spec.stacks.iter().flat_map(|stack| &stack.files).collect::<std::collections::BTreeSet<_>>() {
        refusals.extend(compose::inspect_text(submission, file));
    }
    refusals
}

/// Looks at the merged models.
pub fn admit(
    lesson: &Lesson,
    submission: &Submission,
    stacks: BTreeMap<String, AdmittedStack>,
) -> Result<Admitted, Vec<Refusal>> {
    let spec_of = |name: &String| lesson.spec.stacks.iter().find(|spec| spec.name == *name);
    let mut refusals: Vec<Refusal> = Vec::new();
    for (name, stack) in &stacks {
        let files: &[String] = spec_of(name).map_or(&[], |spec: &StackSpec| &spec.files);
        for refusal in compose::inspect_model(submission, files, stack) {
            if !refusals.contains(&refusal) {
                refusals.push(refusal);
            }
        }
    }
    if refusals.is_empty() { Ok(Admitted { stacks }) } else { Err(refusals) }
}
