//! The shape of `lesson.toml`.
//!
//! Owns: the serde types of a lesson's data. Must not: read files or judge anything.
//! Unknown keys are errors everywhere.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// A lesson's exercise, as its `lesson.toml` says it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LessonSpec {
    /// `lesson` and the number, such as `lesson36`.
    pub id: String,
    /// The name in words, such as `dev-vs-prod`.
    pub slug: String,
    /// The title as the book has it.
    pub title: String,
    /// Minutes that the exercise takes a beginner.
    pub minutes: u32,
    /// Base images that must be on the machine, by their official names.
    pub images: Vec<String>,
    /// Files that the learner writes. Other files of `starter/` are given: the grader always uses
    /// the course's own copy of them.
    pub deliver: Vec<String>,
    /// Folders that a learner's machine is expected to have beside the files, such as
    /// `node_modules`: the grader's copy has one with nothing but a marker in it.
    #[serde(default)]
    pub host_folders: Vec<String>,
    /// The edit that checks make in the source.
    #[serde(default)]
    pub edit: Option<EditSpec>,
    /// The secret that is planted.
    #[serde(default)]
    pub secret: Option<SecretSpec>,
    /// Images to build out of the learner's Dockerfile.
    #[serde(default, rename = "image")]
    pub builds: Vec<ImageSpec>,
    /// Compose stacks to start.
    #[serde(default, rename = "stack")]
    pub stacks: Vec<StackSpec>,
}

/// An edit of one given file: `find` stands there exactly once.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditSpec {
    /// The file, relative to the exercise folder.
    pub file: String,
    /// The text that is replaced.
    pub find: String,
}

/// A secret whose value the grader replaces by one of its own, to look for it later.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretSpec {
    /// The file of `KEY=value` lines.
    pub file: String,
    /// The key whose value is replaced.
    pub key: String,
}

/// An image that is built from the learner's Dockerfile.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageSpec {
    /// The name that checks use.
    pub name: String,
    /// The target stage.
    pub target: String,
}

/// A Compose project that is started from the learner's files.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StackSpec {
    /// The name that checks use.
    pub name: String,
    /// The Compose files, in the order of `-f`.
    pub files: Vec<String>,
    /// The file for `--env-file`, if any.
    #[serde(default)]
    pub env_file: Option<String>,
    /// Profiles that are switched on (`--profile`).
    #[serde(default)]
    pub profiles: Vec<String>,
    /// Environment variables of the `docker compose` command. `{tag}` stands for this run's tag,
    /// `{learner}` for the learner's number.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The image (by its name in this file) that stands behind `{tag}`.
    #[serde(default)]
    pub tagged_image: Option<String>,
}

/// What every check has, whatever its kind. The kind's own parameters are under `with`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckSpec {
    /// A stable id, unique in the lesson.
    pub id: String,
    /// One line that says what holds when the check passes.
    pub title: String,
    /// The kind of check.
    pub kind: String,
    /// Points for passing.
    #[schemars(range(min = 1))]
    pub points: u32,
    /// One sentence: why it matters.
    pub why: String,
    /// Three hints, from a nudge to nearly the answer.
    pub hints: [String; 3],
    /// Checks that must pass before this one can be measured.
    #[serde(default)]
    pub after: Vec<String>,
}
