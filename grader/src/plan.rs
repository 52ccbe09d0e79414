//! From an admitted submission to what has to be built, started and measured.
//!
//! Owns: [`Plan`], made without looking at anything: same input, same plan. Must not: run
//! anything, or accept a submission that has not passed the policy gate.

mod bounds;
mod image;
pub mod mounts;
mod network;
mod order;
mod stack;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, PathBuf};

use serde_json::Value;

use crate::check::Resource;
use crate::course::Lesson;
use crate::policy::Admitted;
pub use bounds::Injected;
pub use order::CheckPlan;

/// What a run will do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Images to build, each once.
    pub builds: Vec<BuildPlan>,
    /// Stacks to start, each once.
    pub stacks: Vec<StackPlan>,
    /// The checks, in the order of the lesson, with what each waits for.
    pub checks: Vec<CheckPlan>,
}

/// An image to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildPlan {
    /// The name that checks use.
    pub name: String,
    /// The target stage; empty for the last one.
    pub target: String,
    /// The Dockerfile, relative to the context.
    pub dockerfile: String,
    /// The context, relative to the exercise folder.
    pub context: PathBuf,
    /// Build arguments; `None` while no service has said any.
    pub args: Option<BTreeMap<String, String>>,
    /// The name and tag that the image gets in the daemon.
    pub reference: String,
}

impl BuildPlan {
    /// The Dockerfile, relative to the exercise folder.
    #[must_use]
    pub fn file(&self) -> String {
        let path = self.context.join(&self.dockerfile);
        path.components().filter(|part| *part != Component::CurDir).collect::<PathBuf>().display().to_string()
    }
}

/// A stack to start.
#[derive(Debug, Clone)]
pub struct StackPlan {
    /// The name that checks use.
    pub name: String,
    /// The Compose project's name, unique to the run.
    pub project: String,
    /// The Compose files that the learner wrote, in their order.
    pub files: Vec<String>,
    /// The merged model as the learner wrote it.
    pub model: Value,
    /// The model that is started: own names, ephemeral ports, images already built, limits.
    pub started: Value,
    /// Per service, what the grader put in for safety because the learner's files do not.
    pub injected: BTreeMap<String, Injected>,
    /// The images (by their names in the plan) that must be built first.
    pub images: BTreeSet<String>,
    /// The variables that `started` takes secrets from.
    pub variables: BTreeMap<String, String>,
    /// Sources of mounts that lie outside of the stack's folder while it runs.
    pub held: Vec<mounts::Held>,
}

impl Plan {
    /// Plans the grading of an admitted submission. `run` and `tag` make its names unique.
    #[must_use]
    pub fn make(lesson: &Lesson, admitted: &Admitted, run: &str, tag: &str) -> Self {
        let names = Names { run, tag, bases: &lesson.spec.images };
        let mut builds: Vec<BuildPlan> = lesson
            .spec
            .builds
            .iter()
            .map(|image| BuildPlan {
                name: image.name.clone(),
                target: image.target.clone(),
                dockerfile: "Dockerfile".into(),
                context: PathBuf::from("."),
                args: None,
                reference: names.reference(&image.name),
            })
            .collect();
        let stacks = lesson
            .spec
            .stacks
            .iter()
            .filter_map(|spec| admitted.stack(&spec.name).map(|stack| (spec, stack)))
            .map(|(spec, stack)| stack::plan(&names, spec, stack, &mut builds))
            .collect();
        let mut plan = Self { builds, stacks, checks: Vec::new() };
        plan.checks = order::order(lesson, &plan);
        plan
    }

    /// The image with this name.
    #[must_use]
    pub fn build(&self, name: &str) -> Option<&BuildPlan> {
        self.builds.iter().find(|build| build.name == name)
    }

    /// The stack with this name.
    #[must_use]
    pub fn stack(&self, name: &str) -> Option<&StackPlan> {
        self.stacks.iter().find(|stack| stack.name == name)
    }

    /// What must be there before a resource can be.
    #[must_use]
    pub fn beneath(&self, resource: &Resource) -> Vec<Resource> {
        match resource {
            Resource::Image(_) => Vec::new(),
            Resource::Stack(name) => {
                self.stack(name).into_iter().flat_map(|stack| stack.images.iter().map(Resource::image)).collect()
            }
        }
    }
}

/// What makes a run's names unique, and which images are not the learner's.
pub struct Names<'a> {
    /// The run's id.
    pub run: &'a str,
    /// The run's tag.
    pub tag: &'a str,
    /// The base images of the lesson.
    pub bases: &'a [String],
}

impl Names<'_> {
    /// The name and tag in the daemon of an image that is built.
    #[must_use]
    pub fn reference(&self, image: &str) -> String {
        format!("{REPOSITORY}/{}/{}:{}", self.run, image.replace('.', "-"), self.tag)
    }
}

/// The repository under which images of runs are named: `grader-run/<run id>/<image>:<tag>`.
pub const REPOSITORY: &str = "grader-run";
