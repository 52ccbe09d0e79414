//! The gate's look at one Dockerfile.
//!
//! Owns: which images and builders a build may ask for; what steps and the image's own settings may
//! ask for is in `steps` and `settings`. Must not: judge style.
//!
//! Where engines read a text in two ways, both count. BuildKit enforces most of it once more: it is given
//! a source policy with the lesson's images and no entitlements (see `sandbox::build`), so a spelling that
//! hides something from here fails there. Nothing enforces `settings` after us, so what cannot be read
//! there is refused.

mod settings;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use super::{Refusal, images};
use crate::submission::Submission;
use crate::submission::dockerfile::{Dockerfile, Escape, Instruction, Reading, Values, expand, foreign_form, syntax};

/// Build arguments by which BuildKit itself is steered (`BUILDKIT_SYNTAX` names another builder).
pub const STEERING: &str = "BUILDKIT_";

/// What a Dockerfile must not ask for. `bases` are the lesson's images, `args` the build arguments
/// that its Compose files give it.
pub fn inspect(submission: &Submission, file: &str, bases: &[String], args: &BTreeMap<String, String>) -> Vec<Refusal> {
    let Some(text) = submission.text(file) else { return Vec::new() };
    let mut refusals = foreign_builder(submission, file, &text);
    for parsed in Dockerfile::readings(&text) {
        let mut look = Look {
            submission,
            file,
            bases,
            escape: parsed.escape,
            globals: parsed.globals(args),
            settled: parsed.settled(args),
            stages: BTreeSet::new(),
            refusals: Vec::new(),
        };
        look.all(&parsed);
        refusals.extend(look.refusals);
    }
    refusals
}

/// What a builder would run that is not the engine's own.
fn foreign_builder(submission: &Submission, file: &str, text: &str) -> Vec<Refusal> {
    let named = syntax(text).map(|found| (found.line, found.value)).filter(|(_, value)| {
        // What follows a blank is handed to the builder.
        let name = value.split(' ').next().unwrap_or_default();
        let name = name.strip_prefix("docker.io/").unwrap_or(name);
        name != "docker/dockerfile" && !name.starts_with("docker/dockerfile:")
    });
    let named = named.map(|(line, value)| (line, format!(", {value}")));
    let found = named.or_else(|| foreign_form(text).map(|line| (line, String::new())));
    let refusal = |(line, name): (usize, String)| {
        Refusal::new(
            format!("the Dockerfile is to be read by another builder{name}"),
            "A `syntax=` line runs somebody else's program to read your Dockerfile. Only `# syntax=docker/dockerfile:1` is allowed; the line may also be left out.",
            submission.location(file, line),
        )
    };
    found.map(refusal).into_iter().collect()
}

struct Look<'a> {
    submission: &'a Submission,
    file: &'a str,
    bases: &'a [String],
    escape: Escape,
    /// What may stand in `FROM`.
    globals: Values,
    /// What has one value in all stages.
    settled: Values,
    stages: BTreeSet<String>,
    refusals: Vec<Refusal>,
}

impl Look<'_> {
    fn all(&mut self, parsed: &Dockerfile) {
        let mut number = 0;
        for one in &parsed.instructions {
            if one.name == "FROM" {
                self.from(one);
                // `FROM` knows names only, `--from` numbers, too.
                self.stages.extend([one.stage.clone(), number.to_string()]);
                number += 1;
            }
            self.instruction(one);
            // What is kept for later is looked at as if it stood there.
            for reading in [Reading::Newer, Reading::Older] {
                for kept in one.kept_for_later(self.escape, reading) {
                    self.instruction(&kept);
                }
            }
        }
    }

    fn instruction(&mut self, one: &Instruction) {
        match one.name.as_str() {
            "RUN" => self.run(one),
            "COPY" | "ADD" => self.copy(one),
            "HEALTHCHECK" => self.health(one),
            "VOLUME" => self.volume(one),
            _ => {}
        }
    }

    fn refuse(&mut self, line: usize, what: impl Into<String>, why: impl Into<String>) {
        self.refusals.push(Refusal::new(what, why, self.submission.location(self.file, line)));
    }

    fn from(&mut self, one: &Instruction) {
        let written = one.base().unwrap_or_default();
        let name = expand(written, &self.globals, self.escape).filter(|name| !name.is_empty());
        let Some(name) = name else {
            return self.refuse(
                one.line,
                format!("which image `{written}` is cannot be told"),
                "Write the image's name out, or give the variable a value by an `ARG` above the first `FROM`.",
            );
        };
        self.image(one.line, &name);
    }

    /// A stage or image after `--from=` or in a mount, where BuildKit fills in no variables.
    fn source(&mut self, line: usize, written: &str) {
        if written.contains('$') {
            return self.refuse(
                line,
                format!("which image `{written}` is cannot be told"),
                "No variables are filled in here. Give the image a name of its own above, `FROM ... AS tools`, and take from that: `--from=tools`.",
            );
        }
        self.image(line, written);
    }

    /// An image or stage that a build reads from.
    fn image(&mut self, line: usize, name: &str) {
        let is_own = name == "scratch" || self.stages.contains(&name.to_lowercase());
        if !is_own && !images::is_of_lesson(self.bases, name) {
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
}

#[cfg(test)]
mod tests;
