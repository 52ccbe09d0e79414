//! The gate's look at one Dockerfile.
//!
//! Owns: which images, flags and sources a build may ask for, and foreign builders. Must not:
//! judge style.
//!
//! BuildKit enforces the same once more: it is given a source policy with the lesson's images and
//! no entitlements (see `sandbox::build`), so a spelling that hides something from here fails there.

use std::collections::{BTreeMap, BTreeSet};

use super::limits::{self, duration_ms};
use super::{Refusal, images};
use crate::submission::Submission;
use crate::submission::dockerfile::{Dockerfile, Instruction, syntax_line};

/// Build arguments by which BuildKit itself is steered (`BUILDKIT_SYNTAX` names another builder).
pub const STEERING: &str = "BUILDKIT_";

/// What a Dockerfile must not ask for. `bases` are the lesson's images, `args` the build arguments
/// that its Compose files give it.
pub fn inspect(submission: &Submission, file: &str, bases: &[String], args: &BTreeMap<String, String>) -> Vec<Refusal> {
    let Some(text) = submission.text(file) else { return Vec::new() };
    let parsed = Dockerfile::parse(&text);
    let mut look =
        Look { submission, file, bases, values: BTreeMap::new(), stages: BTreeSet::new(), refusals: Vec::new() };
    if let Some((line, frontend)) = foreign_frontend(&text) {
        look.refuse(
            line,
            format!("the Dockerfile is to be read by another builder, {frontend}"),
            "A `syntax=` line runs somebody else's program to read your Dockerfile. Only `# syntax=docker/dockerfile:1` is allowed; the line may also be left out.",
        );
    }
    let mut stage_number = 0;
    for instruction in &parsed.instructions {
        let instruction = unwrapped(instruction);
        match instruction.name.as_str() {
            "ARG" if stage_number == 0 => look.argument(&instruction.arguments, args),
            "FROM" => {
                look.from(&instruction);
                look.stages.extend([instruction.stage.clone(), stage_number.to_string()]);
                stage_number += 1;
            }
            "RUN" => look.run(&instruction),
            "COPY" | "ADD" => look.copy(&instruction),
            "HEALTHCHECK" => look.health(&instruction),
            "VOLUME" => look.volume(&instruction),
            _ => {}
        }
    }
    look.refusals
}

/// What `ONBUILD` keeps for later is looked at as if it stood there.
fn unwrapped(instruction: &Instruction) -> Instruction {
    let mut inner = instruction.clone();
    while inner.name == "ONBUILD" {
        let (name, arguments) = inner.arguments.split_once(' ').unwrap_or((&inner.arguments, ""));
        (inner.name, inner.arguments) = (name.to_uppercase(), arguments.to_owned());
    }
    inner
}

struct Look<'a> {
    submission: &'a Submission,
    file: &'a str,
    bases: &'a [String],
    values: BTreeMap<String, String>,
    stages: BTreeSet<String>,
    refusals: Vec<Refusal>,
}

impl Look<'_> {
    fn refuse(&mut self, line: usize, what: impl Into<String>, why: impl Into<String>) {
        self.refusals.push(Refusal::new(what, why, self.submission.location(self.file, line)));
    }

    /// An `ARG` above the first `FROM`; what Compose gives goes before what is written.
    fn argument(&mut self, arguments: &str, args: &BTreeMap<String, String>) {
        for word in arguments.split_whitespace() {
            let (name, written) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            let written = written.and_then(|value| images::expand(value.trim_matches(['"', '\'']), &self.values));
            if let Some(value) = args.get(name).cloned().or(written) {
                self.values.insert(name.to_owned(), value);
            }
        }
    }

    fn from(&mut self, instruction: &Instruction) {
        if let Some(base) = instruction.base() {
            self.image(instruction.line, base.trim_matches(['"', '\'']));
        }
    }

    /// An image or stage that a build reads from.
    fn image(&mut self, line: usize, written: &str) {
        let Some(name) = images::expand(written, &self.values) else {
            return self.refuse(
                line,
                format!("which image `{written}` is cannot be told"),
                "Write the image's name out, or give the variable a value by an `ARG` above the first `FROM`.",
            );
        };
        let is_own = name == "scratch" || self.stages.contains(&name.to_lowercase());
        if !is_own && !images::is_of_lesson(self.bases, &name) {
            self.refuse(
                line,
                format!("`{name}` is no image of this lesson"),
                format!(
                    "Builds of this lesson begin with {}, with `scratch` or with a stage of your own. Another image of this machine may hold what belongs to somebody else.",
                    self.bases.join(" or ")
                ),
            );
        }
    }

    fn run(&mut self, instruction: &Instruction) {
        for flag in flags(&instruction.arguments) {
            let line = instruction.line;
            match flag.split_once('=').unwrap_or((flag, "")) {
                ("--network", "default" | "none") | ("--security", "sandbox") => {}
                ("--network", "host") => self.refuse(
                    line,
                    "a build step asks for the host's network",
                    "A build with the host's network can reach every service of this machine. Remove `--network=host`: steps have a network of their own.",
                ),
                ("--security", _) => self.refuse(
                    line,
                    "a build step asks to run without protection",
                    "`--security=insecure` gives a build step the rights of root on this machine. No exercise needs it.",
                ),
                ("--mount", mount) => self.mount(line, mount),
                _ => self.refuse(
                    line,
                    format!("the grader does not know `{flag}` at RUN"),
                    "Leave it out. Known are `--mount=...` and `--network=none`, in small letters.",
                ),
            }
        }
    }

    fn mount(&mut self, line: usize, mount: &str) {
        for option in mount.split(',') {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            let value = value.trim_matches(['"', '\'']);
            match (key.trim_matches(['"', '\'']).to_lowercase().as_str(), value) {
                ("type", "ssh") => self.refuse(
                    line,
                    "a build step asks for SSH keys",
                    "No exercise needs the keys of this machine. Remove `--mount=type=ssh`.",
                ),
                ("from", image) => self.image(line, image),
                _ => {}
            }
        }
    }

    fn copy(&mut self, instruction: &Instruction) {
        let line = instruction.line;
        for flag in flags(&instruction.arguments) {
            if let Some(from) = flag.strip_prefix("--from=") {
                self.image(line, from.trim_matches(['"', '\'']));
            }
        }
        let is_remote = |word: &&str| {
            let word = word.trim_matches(['[', ']', '"', '\'', ',']);
            word.contains("://") || word.starts_with("git@") || word.starts_with("github.com/")
        };
        let words = instruction.arguments.split_whitespace().filter(|word| !word.starts_with("--"));
        if instruction.name == "ADD"
            && let Some(source) = words.clone().find(is_remote)
        {
            self.refuse(
                line,
                format!("ADD fetches {source}"),
                "The Docker daemon fetches it on this machine's own network, where it reaches what you may not. Put a copy of the file into the exercise folder.",
            );
        }
    }

    fn health(&mut self, instruction: &Instruction) {
        for flag in flags(&instruction.arguments) {
            let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
            let too_often = duration_ms(value).is_some_and(|ms| ms > 0 && ms < limits::HEALTH_INTERVAL_MS);
            if ["--interval", "--start-interval"].contains(&name) && too_often {
                let line = instruction.line;
                self.refuse(line, format!("the health check runs every {value}"), limits::health_interval());
            }
        }
    }

    fn volume(&mut self, instruction: &Instruction) {
        for word in instruction.arguments.split(|c: char| c.is_whitespace() || "[],\"'".contains(c)) {
            if limits::is_kernels(word) {
                let line = instruction.line;
                self.refuse(line, format!("a volume lies over {word}"), limits::KERNELS);
            }
        }
    }
}

fn flags(arguments: &str) -> impl Iterator<Item = &str> {
    arguments.split_whitespace().take_while(|word| word.starts_with("--"))
}

fn foreign_frontend(text: &str) -> Option<(usize, String)> {
    let (line, frontend) = syntax_line(text)?;
    let written = text.trim_start_matches('\u{feff}').lines().nth(line - 1).unwrap_or_default();
    let name = frontend.strip_prefix("docker.io/").unwrap_or(&frontend);
    let official = name == "docker/dockerfile" || name.starts_with("docker/dockerfile:");
    (!official || !written.trim_start().starts_with('#')).then_some((line, frontend))
}
