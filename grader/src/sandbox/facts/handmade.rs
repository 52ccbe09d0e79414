//! What learners made with their own commands, and what they wrote.
//!
//! Owns: plain data about containers, volumes and networks outside of any run, and instructions
//! of a Dockerfile. Must not: have behaviour beyond small views.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ContainerFacts;

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
