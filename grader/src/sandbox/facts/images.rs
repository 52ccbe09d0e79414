//! What a build did, and what an image is made of.
//!
//! Owns: plain data about builds, layers and their files. Must not: have behaviour beyond small views.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::verdict::Location;

/// How a build went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildReport {
    /// The image's name in the lesson.
    pub image: String,
    /// The target stage.
    pub target: String,
    /// From start to end of `docker buildx build`.
    pub millis: u64,
    /// What a quiet machine would have needed, at the least.
    #[serde(default)]
    pub quiet_ms: u64,
    /// The steps of the Dockerfile that ran or were reused.
    pub steps: Vec<BuildStep>,
    /// The images that the build asked for (`FROM`, `COPY --from=`), as BuildKit resolved them:
    /// arguments filled in, `docker.io/library/` left out. Stages that the target does not need
    /// are not asked for.
    #[serde(default)]
    pub bases: Vec<String>,
    /// Those of `bases` that are not the lesson's own, with the digests that were taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// Why there is no image, if there is none.
    pub failure: Option<BuildFailure>,
}

/// One step of a build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildStep {
    /// The stage and number, such as `production 3/5`.
    pub place: String,
    /// The instruction as BuildKit names it, such as `RUN npm ci`.
    pub instruction: String,
    /// Whether an earlier result was reused.
    pub cached: bool,
    /// How long it ran.
    pub millis: u64,
}

/// Why a build failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildFailure {
    /// BuildKit's message.
    pub message: String,
    /// What it means and what to do, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The line of the Dockerfile.
    pub at: Option<Location>,
    /// The last lines of the failed step's output.
    pub log: Vec<String>,
    /// Whether it was stopped because it took too long.
    pub timed_out: bool,
}

/// An image's configuration and layers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// The image id.
    pub id: String,
    /// The base image of the course on which it stands, if it stands on one.
    pub base: Option<String>,
    /// History, oldest first, those of the base included.
    pub history: Vec<HistoryEntry>,
    /// How many entries of the history are the base's.
    pub base_entries: usize,
    /// Digests of the layers, lowest first.
    pub layers: Vec<String>,
    /// How many of the layers are the base's.
    pub base_layers: usize,
    /// The working directory.
    pub workdir: String,
    /// `USER`.
    pub user: String,
    /// `ENV` as `KEY=value`.
    pub env: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// `ENTRYPOINT` followed by `CMD`.
    pub command: Vec<String>,
    /// How many words of the command are the entrypoint's.
    #[serde(default)]
    pub entrypoint_words: usize,
    /// `EXPOSE`, such as `8080/tcp`.
    #[serde(default)]
    pub exposed: Vec<String>,
    /// `STOPSIGNAL`; empty for Docker's default, SIGTERM.
    #[serde(default)]
    pub stop_signal: String,
    /// `HEALTHCHECK` as the daemon keeps it: `CMD` or `CMD-SHELL`, then the command.
    #[serde(default)]
    pub health_check: Vec<String>,
    /// `ONBUILD`: instructions for images that are made from it.
    #[serde(default)]
    pub on_build: Vec<String>,
}

impl ImageFacts {
    /// Bytes that the image adds over its base.
    #[must_use]
    pub fn added_bytes(&self) -> u64 {
        self.history.iter().skip(self.base_entries).map(|entry| entry.bytes).sum()
    }

    /// Bytes of all layers, those of the base included.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.history.iter().map(|entry| entry.bytes).sum()
    }

    /// `ENTRYPOINT` and `CMD` apart.
    #[must_use]
    pub fn entrypoint_and_cmd(&self) -> (&[String], &[String]) {
        self.command.split_at(self.entrypoint_words.min(self.command.len()))
    }
}

/// One entry of an image's history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// The instruction that made it.
    pub instruction: String,
    /// Bytes of its layer.
    pub bytes: u64,
}

/// A file that a build may see.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextFile {
    /// The path in the context, without a leading slash.
    pub path: String,
    /// The file's size.
    pub bytes: u64,
}

/// An image's way through a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushFacts {
    /// The image's id when it was built.
    pub built_id: String,
    /// Why it could not be pushed or pulled.
    pub failure: Option<String>,
    /// The digest under which the registry keeps it.
    pub digest: Option<String>,
    /// The image's id after it was pulled by that digest.
    pub pulled_id: Option<String>,
}

/// Where a secret value was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Which secret: its key, never its value.
    pub key: String,
    /// `layer`, `environment`, `label`, `history`, `command` or another part of the configuration.
    pub place: String,
    /// The path, variable, label or instruction, without the value.
    pub detail: String,
    /// For a layer, which one, counted from 0.
    #[serde(default)]
    pub layer: Option<usize>,
}
