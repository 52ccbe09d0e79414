//! `dockerfile`: instructions that are, or are not, in the Dockerfile.
//!
//! Owns: matching instructions of the stages that count. Must not: build, or judge what a run can
//! show.

use std::collections::BTreeSet;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::Instruction;
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Looks at the instructions of the Dockerfile, with continued lines and here-documents joined, and at its
/// `# syntax` line. Nothing is built. Only for what no run can show: `ADD` where `COPY` would do, `COPY
/// --chown` in place of a `RUN chown` after it, a cache mount. What an image is or does is measured by
/// other kinds.
///
/// Why it matters: two Dockerfiles can make the same image and differ in how long they take, what
/// they fetch and who understands them.
///
/// How it is cheated: an instruction in a comment or a here-document is none; one in a stage that the
/// target does not use does not count. A command in a here-document of `RUN` is one of that instruction.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dockerfile {
    /// The stage that is built; the last one when left out. It and the stages that it uses count.
    #[serde(default)]
    pub target: Option<String>,
    /// Instructions that must be there.
    #[serde(default)]
    pub require: Vec<Pattern>,
    /// Instructions that must not be there.
    #[serde(default)]
    pub forbid: Vec<Pattern>,
}

/// What an instruction is known by.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Its name, such as `COPY`; `# syntax` for that line.
    pub instruction: String,
    /// Text that the rest contains; `*` in it stands for any text. Left out: anything.
    #[serde(default)]
    pub matches: Option<String>,
    /// The stage in which it stands; any that counts when left out.
    #[serde(default)]
    pub stage: Option<String>,
}

/// The instructions.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// All of them, in their order.
    pub instructions: Vec<Instruction>,
    /// The first one that is forbidden, or the beginning of the stage in which one is missing.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for Dockerfile {
    type Evidence = Evidence;
    const KIND: &'static str = "dockerfile";

    fn needs(&self) -> Vec<Resource> {
        Vec::new()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let text = sandbox.file("Dockerfile").unwrap_or_default();
        let instructions = with_documents(sandbox.instructions(), &text);
        let line = {
            let counted = self.counted(&instructions);
            let forbidden = self.forbid.iter().find_map(|pattern| pattern.find(&counted)).map(|one| one.line);
            let missing = self.require.iter().find(|pattern| pattern.find(&counted).is_none());
            let begins = |pattern: &Pattern| {
                counted.iter().rfind(|one| one.name == "FROM" && pattern.is_in(one)).map(|one| one.line)
            };
            forbidden.or_else(|| missing.and_then(begins))
        };
        let at = line.and_then(|line| sandbox.locate_line("Dockerfile", line));
        Ok(Evidence { instructions, at })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let counted = self.counted(&evidence.instructions);
        let missing: Vec<&Pattern> = self.require.iter().filter(|pattern| pattern.find(&counted).is_none()).collect();
        let there: Vec<&Pattern> = self.forbid.iter().filter(|pattern| pattern.find(&counted).is_some()).collect();
        let all_well = missing.is_empty() && there.is_empty();
        // What is as wanted need not be read by somebody who looks for a mistake.
        let shown = |all: &[Pattern], wrong: &[&Pattern], word: &str| {
            let all = all.iter().filter(|one| all_well || wrong.iter().any(|wrong| std::ptr::eq(*wrong, *one)));
            all.map(|one| format!("{word} {}", one.shown())).collect::<Vec<_>>()
        };
        let wanted = [shown(&self.require, &missing, "has"), shown(&self.forbid, &there, "has no")].concat();
        let wanted = format!("the Dockerfile {}", wanted.join(", "));
        if all_well {
            return Verdict::Pass(Finding::new(wanted, "as wanted"));
        }
        let mut wrong = Vec::new();
        let mut rows = Vec::new();
        for pattern in missing {
            let elsewhere = evidence.instructions.iter().find(|one| pattern.names(one));
            let but =
                elsewhere.map(|one| format!(" (line {} is in `{}`, where it does not count)", one.line, one.stage));
            wrong.push(format!("missing: {}{}", pattern.shown(), but.unwrap_or_default()));
            let name = pattern.instruction.to_uppercase();
            rows.extend(counted.iter().filter(|one| one.name == name && pattern.is_in(one)).map(|one| row(one)));
        }
        for found in there.iter().filter_map(|pattern| pattern.find(&counted)) {
            wrong.push(format!("line {} has {} {}", found.line, found.name, found.arguments));
            rows.push(row(found));
        }
        let mut finding = Finding::new(wanted, wrong.join("; ")).at(evidence.at.clone());
        if !rows.is_empty() {
            finding = finding.with(Detail::table("instructions of that name", &["line", "stage", "instruction"], rows));
        }
        Verdict::Fail(finding)
    }
}

impl Dockerfile {
    /// The instructions of the target and of the stages that it uses, and those before any stage.
    fn counted<'i>(&self, instructions: &'i [Instruction]) -> Vec<&'i Instruction> {
        let last = instructions.iter().rfind(|one| one.name == "FROM").map(|one| one.stage.clone());
        let mut open: Vec<String> = self.target.as_ref().map(|name| name.to_lowercase()).or(last).into_iter().collect();
        let mut used = BTreeSet::from([String::new()]);
        // A stage can also be called by its number.
        let stages: Vec<&String> = instructions.iter().filter(|one| one.name == "FROM").map(|one| &one.stage).collect();
        let named = |called: String| {
            called.parse::<usize>().ok().and_then(|at| stages.get(at)).map_or(called, |name| (*name).clone())
        };
        while let Some(stage) = open.pop() {
            if used.insert(stage.clone()) {
                open.extend(instructions.iter().filter(|one| one.stage == stage).flat_map(stages_of).map(named));
            }
        }
        instructions.iter().filter(|one| used.contains(&one.stage)).collect()
    }
}

/// The instructions, with the lines of its here-documents behind each that has some; comments are left out.
fn with_documents(mut instructions: Vec<Instruction>, text: &str) -> Vec<Instruction> {
    let begins: Vec<usize> = instructions.iter().map(|one| one.line).collect();
    for one in instructions.iter_mut().filter(|one| one.arguments.contains("<<")) {
        let next = begins.iter().copied().filter(|line| *line > one.line).min().unwrap_or(usize::MAX);
        let lines = text.lines().take(next - 1).skip(one.line);
        for line in lines.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            one.arguments = format!("{} {line}", one.arguments);
        }
    }
    instructions
}

/// The stages (or images) that an instruction takes from.
fn stages_of(one: &Instruction) -> Vec<String> {
    let words = one.arguments.split_whitespace();
    let from = |word: &str| {
        word.split(',').find_map(|part| {
            part.trim_start_matches("--mount=").trim_start_matches("--").strip_prefix("from=").map(str::to_lowercase)
        })
    };
    match one.name.as_str() {
        "FROM" => words.filter(|word| !word.starts_with("--")).take(1).map(str::to_lowercase).collect(),
        "COPY" | "ADD" | "RUN" => words.take_while(|word| word.starts_with("--")).filter_map(from).collect(),
        _ => Vec::new(),
    }
}

fn row(one: &Instruction) -> Vec<String> {
    let text = format!("{} {}", one.name, one.arguments);
    vec![one.line.to_string(), one.stage.clone(), text.chars().take(90).collect()]
}

impl Pattern {
    fn find<'i>(&self, counted: &[&'i Instruction]) -> Option<&'i Instruction> {
        counted.iter().copied().find(|one| self.names(one) && self.is_in(one))
    }

    /// Whether it names this instruction, wherever it stands.
    fn names(&self, one: &Instruction) -> bool {
        let mut rest = one.arguments.as_str();
        one.name == self.instruction.to_uppercase()
            && self.matches.iter().flat_map(|text| text.split('*')).all(|part| match rest.split_once(part) {
                Some((_, after)) => {
                    rest = after;
                    true
                }
                None => false,
            })
    }

    fn is_in(&self, one: &Instruction) -> bool {
        self.stage.as_ref().is_none_or(|stage| stage.eq_ignore_ascii_case(&one.stage))
    }

    fn shown(&self) -> String {
        let matches = self.matches.as_ref().map_or(String::new(), |text| format!(" with `{text}`"));
        let stage = self.stage.as_ref().map_or(String::new(), |stage| format!(" in stage {stage}"));
        format!("`{}`{matches}{stage}", self.instruction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, arguments: &str, stage: &str) -> Instruction {
        Instruction { name: name.into(), arguments: arguments.into(), line: 1, stage: stage.into() }
    }

    #[test]
    fn stages_that_the_target_does_not_use_do_not_count() {
        let all = [
            one("ARG", "A", ""),
            one("FROM", "x AS Tools", "tools"),
            one("FROM", "x AS mounted", "mounted"),
            one("FROM", "x AS unused", "unused"),
            one("FROM", "--platform=a x AS app", "app"),
            one("COPY", "--chown=1 --from=tools /a /a", "app"),
            one("COPY", "--from=0 /b /b", "mounted"),
            one("RUN", "--mount=type=bind,from=mounted,target=/m ls --from=unused", "app"),
        ];
        let of = |target: Option<&str>| {
            let check = Dockerfile { target: target.map(str::to_owned), require: Vec::new(), forbid: Vec::new() };
            check
                .counted(&all)
                .iter()
                .map(|one| one.stage.clone())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        };
        assert_eq!(of(None), ["", "app", "mounted", "tools"]);
        assert_eq!(of(Some("unused")), ["", "unused"]);
    }

    #[test]
    fn a_here_document_belongs_to_its_instruction() {
        let text = "FROM a\nRUN <<EOF\n# chown\nchmod 1 x\nEOF\n\nCOPY a b\n";
        let at = |name: &str, arguments: &str, line| Instruction { line, ..one(name, arguments, "0") };
        let all = vec![at("FROM", "a", 1), at("RUN", "<<EOF", 2), at("COPY", "a b", 7)];
        let shown: Vec<String> = with_documents(all, text).into_iter().map(|one| one.arguments).collect();
        assert_eq!(shown, ["a", "<<EOF chmod 1 x EOF", "a b"]);
    }

    #[test]
    fn a_star_stands_for_any_text() {
        let pattern = |text: &str| Pattern { instruction: "copy".into(), matches: Some(text.into()), stage: None };
        let copy = one("COPY", "--chown=node:node package.json ./", "app");
        assert!(pattern("--chown=*package").names(&copy) && pattern("package").names(&copy));
        assert!(!pattern("package*--chown").names(&copy));
    }
}

crate::register!(Dockerfile);
