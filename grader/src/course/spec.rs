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
    /// Other names that a Dockerfile may use, such as `debian:latest` in a lesson about tags, and
    /// which of `images` BuildKit takes for each. So they need not be on the machine.
    #[serde(default)]
    pub stand_ins: BTreeMap<String, String>,
    /// Whether only exactly `images` may be used. Otherwise another tag or digest of the same
    /// repositories is as good, where a registry answers or it is on the machine.
    #[serde(default)]
    pub exact_images: bool,
    /// Files that the learner writes. Other files of `starter/` are given: the grader always uses
    /// the course's own copy of them.
    pub deliver: Vec<String>,
    /// Folders that a learner's machine is expected to have beside the files, such as
    /// `node_modules`: the grader's copy has one with nothing but a marker in it.
    #[serde(default)]
    pub host_folders: Vec<String>,
    /// What the policy gate lets through in this lesson and in no other: added capabilities
    /// (`NET_ADMIN`) and switched-off protections (`seccomp=unconfined`).
    #[serde(default)]
    pub allow: Vec<Allowance>,
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

/// One thing that a lesson allows its submissions: a capability without `CAP_`, or a protection
/// that is switched off. Nothing else can be allowed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Allowance(String);

/// Protections that a lesson may allow to be switched off.
const PROTECTIONS: [&str; 2] = ["seccomp=unconfined", "apparmor=unconfined"];
/// Capabilities that a lesson may allow: they act in the container's own namespaces. Those by which
/// a container reaches the machine itself (`SYS_MODULE`, `SYS_RAWIO`, `ALL` ...) are not among them.
const CAPABILITIES: [&str; 4] = ["NET_ADMIN", "SYS_PTRACE", "SYS_NICE", "IPC_LOCK"];

impl TryFrom<String> for Allowance {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if CAPABILITIES.contains(&text.as_str()) || PROTECTIONS.contains(&text.as_str()) {
            return Ok(Self(text));
        }
        let known = CAPABILITIES.iter().chain(&PROTECTIONS).copied().collect::<Vec<_>>().join(", ");
        Err(format!("`{text}` cannot be allowed; these can: {known}"))
    }
}

impl Allowance {
    /// Whether this is the capability that a `cap_add` asks for (`NET_ADMIN`, `cap_net_admin`).
    #[must_use]
    pub fn is_capability(&self, asked: &str) -> bool {
        let asked = asked.to_uppercase();
        CAPABILITIES.contains(&self.0.as_str()) && asked.strip_prefix("CAP_").unwrap_or(&asked) == self.0
    }

    /// Whether this is what a `security_opt` switches off (`seccomp=unconfined`, `seccomp:unconfined`).
    #[must_use]
    pub fn is_protection(&self, asked: &str) -> bool {
        PROTECTIONS.contains(&self.0.as_str()) && asked.replacen(':', "=", 1) == self.0
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_in_the_container_can_be_allowed() {
        for text in ["SYS_ADMIN", "ALL", "net_admin", "privileged", "pid: host"] {
            assert!(Allowance::try_from(text.to_owned()).is_err(), "{text}");
        }
        let allowed = Allowance::try_from("NET_ADMIN".to_owned()).expect("known");
        assert!(allowed.is_capability("cap_net_admin") && !allowed.is_capability("NET_RAW"));
        let allowed = Allowance::try_from("seccomp=unconfined".to_owned()).expect("known");
        assert!(allowed.is_protection("seccomp:unconfined") && !allowed.is_protection("apparmor=unconfined"));
        assert!(!allowed.is_capability("seccomp=unconfined"));
    }
}
