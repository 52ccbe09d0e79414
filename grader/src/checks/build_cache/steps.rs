//! Steps of a build beside the lines of the Dockerfile.
//!
//! Owns: finding the instruction behind a step, its whole text, and words in it. Must not: judge.

use std::collections::BTreeMap;

use crate::sandbox::facts::{BuildStep, Instruction};

/// The instructions of a Dockerfile, as steps name them.
pub struct Steps<'a> {
    lines: Vec<&'a str>,
    instructions: &'a [Instruction],
    stages: Vec<&'a str>,
}

/// The instructions that BuildKit counts as steps, beside `FROM` of an image.
const COUNTED: [&str; 4] = ["ADD", "COPY", "RUN", "WORKDIR"];

impl<'a> Steps<'a> {
    /// `text` is the Dockerfile's, `instructions` what is in it.
    pub fn new(text: &'a str, instructions: &'a [Instruction]) -> Self {
        let stages = instructions.iter().filter(|one| one.name == "FROM").map(|one| one.stage.as_str()).collect();
        Self { lines: text.lines().collect(), instructions, stages }
    }

    /// The instruction behind a step, as far as it stands in this file: BuildKit counts those of a stage
    /// (`app 3/5`), and those that an image brings along come first.
    pub fn instruction(&self, step: &BuildStep) -> Option<&'a Instruction> {
        let (stage, count) = step.place.rsplit_once(' ').unwrap_or(("", &step.place));
        let stage = self.stage(stage)?;
        let (number, of) = count.split_once('/')?;
        let (number, of) = (number.parse::<usize>().ok()?, of.parse::<usize>().ok()?);
        let counted: Vec<&Instruction> =
            self.instructions.iter().filter(|one| one.stage == stage && COUNTED.contains(&one.name.as_str())).collect();
        let first = of.checked_sub(counted.len())?;
        let found = *counted.get(number.checked_sub(first + 1)?)?;
        step.instruction.split_whitespace().next().is_some_and(|name| name == found.name).then_some(found)
    }

    /// A stage as the file has it: BuildKit calls one without a name by its number, and the only one not at all.
    fn stage(&self, called: &str) -> Option<&'a str> {
        // `linux/amd64 app 3/5`: a platform stands before the stage.
        let called = called.rsplit(' ').next().unwrap_or(called);
        if called.is_empty() || called.contains('/') {
            return self.stages.last().copied();
        }
        let named = self.stages.iter().copied().find(|stage| stage.eq_ignore_ascii_case(called));
        named.or_else(|| self.stages.get(called.strip_prefix("stage-")?.parse::<usize>().ok()?).copied())
    }

    /// All that stands in the file for an instruction, here-documents too; comments are left out.
    pub fn text(&self, one: &Instruction) -> String {
        let next = self.instructions.iter().map(|one| one.line).filter(|line| *line > one.line).min();
        let end = next.map_or(self.lines.len(), |next| next - 1).min(self.lines.len());
        let lines = self.lines.get(one.line - 1..end).unwrap_or_default();
        lines.iter().filter(|line| !line.trim_start().starts_with('#')).copied().collect::<Vec<_>>().join("\n")
    }

    /// The stages that a step's stage is made from and itself, the lowest first.
    fn lineage(&self, stage: &str) -> Vec<&'a str> {
        let begins: BTreeMap<&str, &Instruction> =
            self.instructions.iter().filter(|one| one.name == "FROM").map(|one| (one.stage.as_str(), one)).collect();
        let mut lineage = Vec::new();
        let mut open = begins.get(stage).copied();
        while let Some(from) = open {
            lineage.insert(0, from.stage.as_str());
            let base = from.arguments.split_whitespace().find(|word| !word.starts_with("--")).unwrap_or_default();
            // A stage can only be made from one above it.
            open = begins.get(base.to_lowercase().as_str()).copied().filter(|above| above.line < from.line);
        }
        lineage
    }

    /// The step on whose account `step` ran again: the first of its stage, or of those below it, that did.
    pub fn cause<'s>(&self, steps: &'s [BuildStep], step: &'s BuildStep) -> &'s BuildStep {
        let Some(own) = self.instruction(step) else { return step };
        let ran = |stage: &&str| {
            let is_there = |one: &&BuildStep| self.instruction(one).is_some_and(|found| found.stage == *stage);
            steps.iter().filter(|one| !one.cached).find(is_there)
        };
        self.lineage(&own.stage).iter().find_map(ran).unwrap_or(step)
    }
}

/// Whether a text has a command with these words in it, options between them left aside: `npm ci` is in
/// `npm --omit=dev  ci` and in `["npm", "ci"]`, and not in `npm run ci`.
pub fn says(text: &str, words: &str) -> bool {
    let words: Vec<&str> = words.split_whitespace().collect();
    let plain = text.replace("\\\n", " ");
    let commands = plain.split(['\n', ';', '&', '|', '(', ')']);
    commands.into_iter().any(|command| {
        let parts = command.split(|c: char| c.is_whitespace() || "[]\",'`".contains(c));
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        (0..parts.len()).any(|from| begins(&parts[from..], &words))
    })
}

fn begins(parts: &[&str], words: &[&str]) -> bool {
    let Some((first, rest)) = words.split_first() else { return true };
    let is = |part: &str, word: &str| part == word || part.ends_with(&format!("/{word}"));
    if !parts.first().is_some_and(|part| is(part, first)) {
        return false;
    }
    let mut left = &parts[1..];
    for word in rest {
        let mut after_option = false;
        loop {
            let Some((part, more)) = left.split_first() else { return false };
            left = more;
            if part == word {
                break;
            }
            // An option, or what it is set to.
            if !part.starts_with('-') && !after_option {
                return false;
            }
            after_option = part.starts_with('-') && !part.contains('=');
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submission::dockerfile::Dockerfile;

    const TEXT: &str = "ARG A=1\nFROM node:22 AS Base\nWORKDIR /app\nCOPY . .\nFROM base AS build\nENV A=b\nRUN <<EOF\nset -eux\nnpm ci\nEOF\n# npm install\nFROM debian\nCOPY --from=build /app /app\nRUN npm \\\n  --omit=dev ci\n";

    fn instructions() -> Vec<Instruction> {
        let one = |i: crate::submission::dockerfile::Instruction| Instruction {
            name: i.name,
            arguments: i.arguments,
            line: i.line,
            stage: i.stage,
        };
        Dockerfile::parse(TEXT).instructions.into_iter().map(one).collect()
    }

    fn step(place: &str, instruction: &str, cached: bool) -> BuildStep {
        BuildStep { place: place.into(), instruction: instruction.into(), cached, millis: 0 }
    }

    #[test]
    fn a_step_is_found_by_its_number_and_has_all_of_its_text() {
        let all = instructions();
        let steps = Steps::new(TEXT, &all);
        let line = |place: &str, text: &str| steps.instruction(&step(place, text, true)).map(|one| one.line);
        assert_eq!(line("base 2/3", "WORKDIR /app"), Some(3));
        assert_eq!(line("build 1/1", "RUN <<EOF (set -eux...)"), Some(7));
        assert_eq!(line("linux/amd64 stage-2 2/3", "COPY --from=build /app /app"), Some(13));
        assert_eq!(line("base 1/3", "FROM docker.io/library/node:22"), None);
        assert_eq!(line("build 1/1", "COPY x y"), None);
        assert_eq!(steps.text(&all[6]), "RUN <<EOF\nset -eux\nnpm ci\nEOF");
    }

    #[test]
    fn the_first_step_that_ran_again_in_the_stages_below_is_the_cause() {
        let all = instructions();
        let steps = Steps::new(TEXT, &all);
        let ran = [
            step("base 2/3", "WORKDIR /app", true),
            step("base 3/3", "COPY . .", false),
            step("build 1/1", "RUN <<EOF (set -eux...)", false),
            step("stage-2 2/3", "COPY --from=build /app /app", false),
            step("stage-2 3/3", "RUN npm --omit=dev ci", false),
        ];
        assert_eq!(steps.cause(&ran, &ran[2]).place, "base 3/3");
        assert_eq!(steps.cause(&ran, &ran[4]).place, "stage-2 2/3");
        assert_eq!(steps.cause(&ran[2..], &ran[2]).place, "build 1/1");
    }

    #[test]
    fn words_are_found_in_each_form_and_not_in_another_command() {
        for text in [
            "RUN npm ci",
            "RUN  npm   --omit=dev  ci",
            "RUN npm --prefix /app ci",
            "RUN [\"npm\", \"ci\"]",
            "RUN cd /app && /usr/local/bin/npm \\\n  ci",
            "RUN <<EOF\nset -eux\nnpm ci --omit=dev\nEOF",
            "RUN sh -c 'npm ci'",
        ] {
            assert!(says(text, "npm ci"), "{text}");
        }
        for text in ["RUN npm run ci", "RUN npm config list; ci", "RUN xnpm ci", "RUN npm cin"] {
            assert!(!says(text, "npm ci"), "{text}");
        }
        assert!(says("RUN sh /install.sh", "install.sh"));
    }
}
