//! What a check, an image and a stack depend on.
//!
//! Owns: the keys under which evidence is kept. Must not: look at anything by itself; all that
//! counts is handed in.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::digest::{Builder, Key};
use super::dockerfile;
use super::ignore::Ignore;
use super::models::without_run;
use super::paths_in::paths_in;
use super::surroundings::Surroundings;
use super::tree::Tree;
use crate::check::{Manner, Resource};
use crate::course::{Lesson, LessonCheck};
use crate::plan::{BuildPlan, Plan, StackPlan};
use crate::sandbox::build::BuildSettings;
use crate::sandbox::facts::QuizFacts;
use crate::submission::Submission;

/// Everything that keys are made of.
pub struct Keys<'a> {
    /// The lesson.
    pub lesson: &'a Lesson,
    /// What would be built and started.
    pub plan: &'a Plan,
    /// The submission as it was copied, before anything was planted.
    pub tree: &'a Tree,
    /// The texts of the copy.
    pub files: &'a Submission,
    /// What the grader runs on.
    pub surroundings: &'a Surroundings,
    /// The run's id, which must not count.
    pub run: &'a str,
    /// The planted secret.
    pub planted: &'a str,
    /// The learner's number, which checks may ask for.
    pub learner: &'a str,
    /// The answers to the quiz.
    pub quiz: &'a QuizFacts,
    /// How builds run.
    pub settings: &'a BuildSettings,
    /// Keys that were asked for before.
    pub made: Made,
}

/// Keys that many checks share, each made once.
#[derive(Default)]
pub struct Made {
    all: OnceCell<Key>,
    resources: RefCell<BTreeMap<Resource, Option<Key>>>,
}

/// The images from outside of a submission on which a plan depends, by their references.
#[must_use]
pub fn references(lesson: &Lesson, plan: &Plan, files: &Submission) -> BTreeSet<String> {
    let sources = plan
        .builds
        .iter()
        .filter_map(|build| {
            dockerfile::sources(&files.text(&build.file())?, &build.target, &build.args.clone().unwrap_or_default())
        })
        .flat_map(|sources| sources.images);
    let services =
        plan.stacks.iter().filter_map(|stack| stack.started["services"].as_object()).flat_map(|all| all.values());
    let ours = |image: &String| plan.builds.iter().any(|build| build.reference == *image);
    let run = services.filter_map(|service| service["image"].as_str().map(str::to_owned)).filter(|image| !ours(image));
    lesson.spec.images.iter().cloned().chain(sources).chain(run).filter(|image| image != "scratch").collect()
}

impl Keys<'_> {
    /// The key of a check's evidence; `None` when not all of what it depends on can be named.
    #[must_use]
    pub fn check(&self, check: &LessonCheck) -> Option<Key> {
        if !check.check.remembered() {
            return None;
        }
        let needs = check.check.needs();
        let mut key = Builder::of("check")
            .with("all", self.made.all.get_or_init(|| self.all()).as_str())
            .with("kind", &check.spec.kind)
            .with("parameters", check.parameters.to_string());
        if needs.is_empty() {
            // Whatever it looks at, it can only be the files and the answers.
            let quiz = serde_json::to_string(self.quiz).ok()?;
            key = key.with("files", self.tree.key().as_str()).with("quiz", quiz);
        }
        for resource in needs.iter().chain(&self.named_by(&check.parameters)) {
            key = key.with("resource", self.resource(resource)?.as_str());
        }
        // One mistake anywhere in a Dockerfile ends the build of each of its stages.
        if check.check.manner() == Manner::Opens {
            for build in needs.iter().filter_map(|resource| self.build_of(resource)) {
                key = key.with("whole Dockerfile", self.files.text(&build.file())?);
            }
        }
        Some(key.key())
    }

    /// What counts for everything: a change of it changes every key.
    fn all(&self) -> Key {
        let spec = &self.lesson.spec;
        let bases = spec.images.iter().map(|image| format!("{image}={}", self.surroundings.image(image).unwrap_or("")));
        // Values of the secret's file are looked for in images; the edited file is built again.
        let read = spec.secret.iter().map(|secret| &secret.file).chain(spec.edit.iter().map(|edit| &edit.file));
        Builder::of("all")
            .with("surroundings", self.surroundings.key.as_str())
            .with("lesson", format!("{:?} {:?} {:?}", spec.edit, spec.secret, spec.host_folders))
            .with("planted", self.planted)
            .with("learner", self.learner)
            .with("builds", format!("{:?}", self.settings))
            .with_all("bases", bases)
            .with_all("read", read.map(|file| self.tree.key_below(Path::new(file)).to_string()))
            .key()
    }

    /// The key of a resource with all that it stands on.
    #[must_use]
    pub fn resource(&self, resource: &Resource) -> Option<Key> {
        if let Some(made) = self.made.resources.borrow().get(resource) {
            return made.clone();
        }
        let key = match resource {
            Resource::Image(name) => self.plan.build(name).and_then(|build| self.image(build)),
            Resource::Stack(name) => self.plan.stack(name).and_then(|stack| self.stack(stack)),
        };
        self.made.resources.borrow_mut().insert(resource.clone(), key.clone());
        key
    }

    fn image(&self, build: &BuildPlan) -> Option<Key> {
        let text = self.files.text(&build.file())?;
        let sources = dockerfile::sources(&text, &build.target, &build.args.clone().unwrap_or_default())?;
        let context = build.context.strip_prefix(".").unwrap_or(&build.context);
        let mut key = Builder::of("image").with("target", &build.target).with("text", &sources.text);
        for (name, value) in build.args.iter().flatten() {
            key = key.with("argument", name).with("value", value);
        }
        for image in sources.images.iter().filter(|image| *image != "scratch") {
            key = key.with("source", image).with("id", self.surroundings.image(image)?);
        }
        // The file beside the Dockerfile has precedence.
        let beside = format!("{}.dockerignore", build.file());
        let usual = context.join(".dockerignore").display().to_string();
        let ignore = self.files.text(&beside).or_else(|| self.files.text(&usual)).unwrap_or_default();
        let patterns = Ignore::parse(&ignore);
        let seen = self.tree.key_of(|path| path.strip_prefix(context).is_ok_and(|path| patterns.may_see(path)));
        Some(key.with("ignore", ignore).with("context", seen.as_str()).key())
    }

    fn stack(&self, stack: &StackPlan) -> Option<Key> {
        let mut key = Builder::of("stack")
            .with("model", without_run(&stack.model, self.run))
            .with("started", without_run(&stack.started, self.run))
            .with("variables", format!("{:?}", stack.variables));
        // The texts count, not only what they mean: evidence names their lines.
        let spec = self.lesson.spec.stacks.iter().find(|spec| spec.name == stack.name)?;
        for file in stack.files.iter().chain(&spec.env_file) {
            key = key.with("file", self.tree.key_below(Path::new(file)).as_str());
        }
        for path in paths_in(&stack.started, &format!("{}/stack-{}", self.run, stack.name)) {
            key = key.with("path", self.tree.key_below(&path).as_str());
        }
        for image in &stack.images {
            key = key.with("built", self.resource(&Resource::image(image))?.as_str());
        }
        for service in stack.started["services"].as_object()?.values() {
            let image = service["image"].as_str().unwrap_or_default();
            key = key.with("image", self.surroundings.image(image).unwrap_or("absent"));
        }
        Some(key.key())
    }

    fn build_of(&self, resource: &Resource) -> Option<&BuildPlan> {
        match resource {
            Resource::Image(name) => self.plan.build(name),
            Resource::Stack(_) => None,
        }
    }

    /// Images and stacks whose names stand in a check's parameters: it may look at more than it needs
    /// to be there.
    fn named_by(&self, parameters: &toml::Value) -> Vec<Resource> {
        match parameters {
            toml::Value::String(text) => {
                let image = self.lesson.spec.builds.iter().any(|image| image.name == *text);
                let stack = self.lesson.spec.stacks.iter().any(|stack| stack.name == *text);
                let image = image.then(|| Resource::image(text));
                image.into_iter().chain(stack.then(|| Resource::stack(text))).collect()
            }
            toml::Value::Array(items) => items.iter().flat_map(|item| self.named_by(item)).collect(),
            toml::Value::Table(table) => table.values().flat_map(|value| self.named_by(value)).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
pub(super) mod tests;
