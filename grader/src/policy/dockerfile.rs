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

use super::Refusal;
use super::images::{Allowed, Standing};
use crate::submission::Submission;
use crate::submission::dockerfile::{Dockerfile, Escape, Instruction, Reading, Values, expand, foreign_form, syntax};
use crate::verdict::Location;

/// Build arguments by which BuildKit itself is steered (`BUILDKIT_SYNTAX` names another builder).
pub const STEERING: &str = "BUILDKIT_";

/// What the gate thinks of a Dockerfile.
#[derive(Debug, Default)]
pub struct Looked {
    /// What is refused.
    pub refusals: Vec<Refusal>,
    /// Images that the lesson does not name, of a family that it lets in, with their lines.
    pub others: BTreeMap<String, Option<Location>>,
}

/// What a Dockerfile asks for. `allowed` are the lesson's images, `args` the build arguments that its
/// Compose files give it.
pub fn inspect(submission: &Submission, file: &str, allowed: &Allowed, args: &BTreeMap<String, String>) -> Looked {
    let Some(text) = submission.text(file) else { return Looked::default() };
    let mut looked = Looked { refusals: foreign_builder(submission, file, &text), ..Looked::default() };
    for parsed in Dockerfile::readings(&text) {
        let mut look = Look {
            submission,
            file,
            allowed,
            escape: parsed.escape,
            globals: parsed.globals(args),
            settled: parsed.settled(args),
            stages: BTreeSet::new(),
            named: parsed.instructions.iter().map(|one| one.stage.clone()).filter(|name| !name.is_empty()).collect(),
            looked: &mut looked,
        };
        look.all(&parsed);
    }
    looked
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
    allowed: &'a Allowed,
    escape: Escape,
    /// What may stand in `FROM`.
    globals: Values,
    /// What has one value in all stages.
    settled: Values,
    stages: BTreeSet<String>,
    /// The names of all stages, also of those that stand further down.
    named: BTreeSet<String>,
    looked: &'a mut Looked,
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
        self.looked.refusals.push(Refusal::new(what, why, self.submission.location(self.file, line)));
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
        if name == "scratch" || self.stages.contains(&name.to_lowercase()) {
            return;
        }
        match self.allowed.standing(name) {
            Standing::Named => {}
            Standing::OfFamily => {
                let at = self.submission.location(self.file, line);
                self.looked.others.entry(name.to_owned()).or_insert(at);
            }
            Standing::Foreign if self.named.contains(&name.to_lowercase()) => self.looked.refusals.push(Refusal::mistake(
                format!("the stage `{name}` is used above the line that begins it"),
                format!("Docker reads a Dockerfile from above, and takes `{name}` for an image of that name here. Move the stage, `FROM ... AS {name}`, above what uses it."),
                self.submission.location(self.file, line),
            )),
            Standing::Foreign => self.refuse(
                line,
                format!("`{name}` is no image of this lesson"),
                format!(
                    "Builds of this lesson begin with {}, with `scratch` or with a stage of your own. Another image of this machine may hold what belongs to somebody else.",
                    self.allowed.shown()
                ),
            ),
        }
    }
}

#[cfg(test)]
mod tests;
