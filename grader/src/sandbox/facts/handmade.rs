//! What learners made with their own commands, and what they wrote.
//!
//! Owns: plain data about containers, volumes and networks outside of any run, and instructions
//! of a Dockerfile. Must not: have behaviour beyond small views.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ContainerFacts, KernelFacts};

/// Everything in the daemon that no run of the grader has made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handmade {
    /// Containers, running or not.
    pub containers: Vec<ContainerFacts>,
    /// Images by their names and tags, with their ids.
    pub images: BTreeMap<String, String>,
    /// Volumes.
    pub volumes: Vec<HandmadeVolume>,
    /// Networks, Docker's own (`bridge`, `host`, `none`) left out.
    pub networks: Vec<HandmadeNetwork>,
}

/// What a container does, beyond what was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doing {
    /// The command lines of its main process and of what that has started; none when it does not run.
    pub processes: Vec<String>,
    /// Entrypoint and command of its image.
    pub image_command: Vec<String>,
    /// Paths that were deleted in the container's own layer.
    pub deleted: Vec<String>,
    /// What the kernel keeps about it while it runs: its limits may be others than those that were asked for.
    #[serde(default)]
    pub kernel: Option<KernelFacts>,
    /// The namespaces of its main process while it runs: kind (`net`, `pid`, ...) to inode.
    #[serde(default)]
    pub namespaces: BTreeMap<String, u64>,
    /// Files that its command names, and whether they are the exercise's own, byte for byte; those that could not be
    /// compared are left out.
    #[serde(default)]
    pub given: BTreeMap<String, bool>,
}

/// The name that might have been meant by `wanted`: a typing mistake, or another number.
#[must_use]
pub fn nearest_name<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let scored = names.map(|name| (strsim::normalized_damerau_levenshtein(wanted, name), name));
    let near = scored.filter(|(likeness, _)| !wanted.is_empty() && *likeness >= 0.7);
    near.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// A volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandmadeVolume {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// A network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandmadeNetwork {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its driver, such as `bridge`.
    pub driver: String,
    /// Whether it has no way to the outside.
    pub internal: bool,
}

/// An instruction of the learner's Dockerfile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    /// Its name in upper case.
    pub name: String,
    /// The rest, continued lines joined by spaces.
    pub arguments: String,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// The stage that it belongs to.
    pub stage: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_is_near_and_another_name_is_not() {
        let near = |wanted: &str| nearest_name(wanted, ["kitchen-4711-job", "kitchen_4711", "postgres-1"].into_iter());
        assert_eq!(near("kitchen-4711"), Some("kitchen_4711"));
        assert_eq!(near("kitchen-4712-job"), Some("kitchen-4711-job"));
        assert_eq!((near("soup"), near("")), (None, None));
    }
}
