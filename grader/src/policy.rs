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
pub mod images;
pub mod limits;

pub use compose::{ComposeText, NEUTRAL, remedy, replicas};

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use crate::course::Lesson;
use crate::course::spec::StackSpec;
use crate::submission::Submission;
use crate::verdict::Location;
pub use compose::{Source, SourceKind};
use images::Allowed;

/// A submission that has passed the gate. Its field is private: only this module can make one.
#[derive(Debug, Clone)]
pub struct Admitted {
    stacks: BTreeMap<String, AdmittedStack>,
    dockerfiles: BTreeSet<String>,
    others: BTreeMap<String, Option<Location>>,
}

impl Admitted {
    /// The Dockerfiles of its builds, relative to the exercise folder.
    pub fn dockerfiles(&self) -> impl Iterator<Item = &str> {
        self.dockerfiles.iter().map(String::as_str)
    }

    /// Images that its builds ask for and that the lesson does not name, with their lines. They are of
    /// families that it lets in; whether they are what their names say is still to be proven.
    #[must_use]
    pub fn others(&self) -> &BTreeMap<String, Option<Location>> {
        &self.others
    }

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
    /// The variables that the submission's own env file sets.
    pub variables: BTreeMap<String, String>,
    /// What the sources of its mounts are, by the path that the model has; known once it is admitted.
    pub sources: BTreeMap<String, Source>,
}

impl AdmittedStack {
    /// A stack at which the gate has not looked yet.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, model: Value) -> Self {
        Self { dir: dir.into(), model, variables: BTreeMap::new(), sources: BTreeMap::new() }
    }
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
    /// Whether it is a slip that nothing could run with, and nothing that is forbidden.
    pub is_mistake: bool,
}

impl Refusal {
    fn new(what: impl Into<String>, why: impl Into<String>, at: Option<Location>) -> Self {
        Self { what: what.into(), why: why.into(), at, is_mistake: false }
    }

    /// A slip: something that no program could make sense of.
    #[must_use]
    pub fn mistake(what: impl Into<String>, why: impl Into<String>, at: Option<Location>) -> Self {
        Self { is_mistake: true, ..Self::new(what, why, at) }
    }
}

/// Looks at the files before anything reads them: missing, empty, broken, too many, no plain files,
/// links that lead out, what a Dockerfile asks for, and Compose keys by which Compose itself would
/// read other files.
#[must_use]
pub fn inspect_files(lesson: &Lesson, submission: &Submission) -> Vec<Refusal> {
    let mut refusals = files::inspect(lesson, submission);
    refusals.extend(compose_texts(lesson, submission).err().into_iter().flatten());
    // Compose files give build arguments; where there are none, this is the only look.
    if !refusals.is_empty() || lesson.spec.stacks.is_empty() {
        refusals.extend(
            dockerfile::inspect(submission, "Dockerfile", &Allowed::of(&lesson.spec), &BTreeMap::new()).refusals,
        );
    }
    shown(refusals)
}

/// What Compose gets to read of a stack; or what must not stand in its files.
pub fn compose_text(spec: &StackSpec, submission: &Submission) -> Result<ComposeText, Vec<Refusal>> {
    let (text, refusals) = compose::read(spec, submission);
    if refusals.is_empty() { Ok(text) } else { Err(refusals) }
}

/// The same for each stack of a lesson, by name.
pub fn compose_texts(lesson: &Lesson, submission: &Submission) -> Result<BTreeMap<String, ComposeText>, Vec<Refusal>> {
    let (mut texts, mut refusals) = (BTreeMap::new(), Vec::new());
    for spec in &lesson.spec.stacks {
        match compose_text(spec, submission) {
            Ok(text) => drop(texts.insert(spec.name.clone(), text)),
            Err(more) => refusals.extend(more),
        }
    }
    if refusals.is_empty() { Ok(texts) } else { Err(shown(refusals)) }
}

/// Looks at the merged models, and at the Dockerfiles that they name.
pub fn admit(
    lesson: &Lesson,
    submission: &Submission,
    mut stacks: BTreeMap<String, AdmittedStack>,
) -> Result<Admitted, Vec<Refusal>> {
    let mut refusals: Vec<Refusal> = Vec::new();
    for stack in stacks.values_mut() {
        compose::name_services(&mut stack.model);
        stack.sources = compose::sources(&stack.dir, &stack.model);
    }
    let mut dockerfiles = vec![("Dockerfile".to_owned(), BTreeMap::new())];
    for (name, stack) in &stacks {
        if let Some(spec) = lesson.spec.stacks.iter().find(|spec| spec.name == *name) {
            refusals.extend(compose::inspect_model(&lesson.spec, spec, submission, stack));
        }
        dockerfiles.extend(compose::dockerfiles(stack));
    }
    refusals.extend(compose::inspect_together(&lesson.spec, submission, &stacks));
    let mut others = BTreeMap::new();
    for (file, args) in &dockerfiles {
        let looked = dockerfile::inspect(submission, file, &Allowed::of(&lesson.spec), args);
        refusals.extend(looked.refusals);
        others.extend(looked.others);
    }
    let refusals = shown(refusals);
    let dockerfiles = dockerfiles.into_iter().map(|(file, _)| file).collect();
    if refusals.is_empty() { Ok(Admitted { stacks, dockerfiles, others }) } else { Err(refusals) }
}

/// Each refusal once, and not more than a person reads.
fn shown(refusals: Vec<Refusal>) -> Vec<Refusal> {
    let mut once: Vec<Refusal> = Vec::new();
    for refusal in refusals {
        if !once.contains(&refusal) {
            once.push(refusal);
        }
    }
    let more = once.len().saturating_sub(limits::REFUSALS);
    once.truncate(limits::REFUSALS);
    if more > 0 {
        once.push(Refusal::new(
            format!("{more} more things are refused"),
            "Mend these first; the next check shows the others.",
            None,
        ));
    }
    once
}
