//! One submission of the corpus: what somebody tries, and what must come out.
//!
//! Owns: `hostile.toml` and comparing a report with it. Must not: run anything.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use tests::Ended;

use super::make::Action;
use super::{corpus, ended_as};

/// How the grader treats a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is not run at all.
    Refused,
    /// It is run, and limits hold it.
    Contained,
}

/// A submission with what must come out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    #[serde(skip)]
    pub name: String,
    /// What somebody tries, in one sentence.
    #[expect(dead_code, reason = "it is for people")]
    story: String,
    pub outcome: Outcome,
    /// The lesson that it is laid over.
    #[serde(default = "tiny")]
    pub lesson: String,
    /// Refused: each of these stands in a refusal. Contained: in the report.
    #[serde(default)]
    says: Vec<String>,
    /// The file that the first refusal of `says` names, and a part of the line.
    file: Option<String>,
    #[serde(default)]
    line_has: String,
    /// At least so many refusals.
    #[serde(default)]
    refusals: usize,
    /// Checks that pass, that are judged to fail, and that end in a fault.
    #[serde(default)]
    passes: Vec<String>,
    #[serde(default)]
    fails: Vec<String>,
    #[serde(default)]
    faults: Vec<String>,
    /// More arguments of the grader.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Whether the report for people is looked at, too.
    #[serde(default)]
    pub terminal: bool,
    /// What git cannot hold.
    #[serde(default)]
    pub make: Vec<Action>,
}

fn tiny() -> String {
    "lesson01".into()
}

impl Case {
    /// All submissions, by name.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = std::fs::read_dir(corpus())
            .expect("the corpus")
            .flatten()
            .filter(|entry| entry.path().join("hostile.toml").is_file())
            .map(|entry| {
                let text = std::fs::read_to_string(entry.path().join("hostile.toml")).expect("read");
                let case: Self =
                    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", entry.path().display()));
                assert!(
                    case.outcome == Outcome::Contained || !case.says.is_empty(),
                    "{}: says nothing",
                    entry.path().display()
                );
                Self { name: entry.file_name().to_string_lossy().into_owned(), ..case }
            })
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// The course that it is graded in.
    pub fn course(&self) -> PathBuf {
        if self.lesson == "lesson36" { tests::course() } else { corpus().join("course") }
    }

    /// What a right submission of the lesson has, in the order in which it is laid.
    pub fn beneath(&self) -> Vec<PathBuf> {
        let exercises = self.course().join("exercises");
        match self.lesson.as_str() {
            "lesson36" => {
                vec![tests::lesson36().join("starter"), tests::lesson36().join("solutions/nodemon-stock-user")]
            }
            "lesson02" => vec![exercises.join("lesson02-disturbed/starter")],
            _ => vec![exercises.join("lesson01-tiny/starter")],
        }
    }

    /// What is not as it should be.
    pub fn complaints(&self, report: &Value, ended: &Ended) -> Vec<String> {
        match self.outcome {
            Outcome::Refused => self.refused(report, ended),
            Outcome::Contained => self.contained(report, ended),
        }
    }

    fn refused(&self, report: &Value, ended: &Ended) -> Vec<String> {
        if (ended.code, report["result"].as_str()) != (1, Some("refused")) {
            return vec![format!("it is {} with code {}: {}", report["result"], ended.code, brief(report))];
        }
        let mut wrong = Vec::new();
        let none = Vec::new();
        let refusals = report["refusals"].as_array().unwrap_or(&none);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for (index, words) in self.says.iter().enumerate() {
            let Some(refusal) = refusals.iter().find(|refusal| text(&refusal["what"]).contains(words)) else {
                wrong.push(format!("nothing says {words:?}: {:#}", report["refusals"]));
                continue;
            };
            let at = &refusal["at"];
            if let (0, Some(file)) = (index, &self.file)
                && (text(&at["file"]) != *file
                    || !text(&at["text"]).contains(&self.line_has)
                    || at["line"].as_u64().is_none())
            {
                wrong.push(format!("the line at fault is not {:?} in {file} but {at}", self.line_has));
            }
        }
        if refusals.len() < self.refusals.max(1) || refusals.iter().any(|refusal| text(&refusal["why"]).is_empty()) {
            wrong.push(format!("{} refusals: {:#}", refusals.len(), report["refusals"]));
        }
        if report["checks"].as_array().is_none_or(|all| all.iter().any(|check| check["status"] != "blocked")) {
            wrong.push("something was measured".into());
        }
        wrong
    }

    fn contained(&self, report: &Value, ended: &Ended) -> Vec<String> {
        let result = report["result"].as_str().unwrap_or_default();
        let expected = if self.faults.is_empty() { "failed" } else { "fault" };
        if result != expected && result != "passed" {
            return vec![format!("it is {result}, code {}: {:#}{}", ended.code, report["refusals"], brief(report))];
        }
        let ways =
            [(&self.passes, ("judged", "pass")), (&self.fails, ("judged", "fail")), (&self.faults, ("fault", ""))];
        let mut wrong: Vec<String> =
            ways.iter().flat_map(|(ids, how)| ids.iter().filter_map(|id| ended_as(report, id, *how))).collect();
        for words in &self.says {
            if !ended.stdout.contains(words) {
                wrong.push(format!("nothing says {words:?}"));
            }
        }
        if ended.stdout.len() > 400_000 {
            wrong.push(format!("the report has {} bytes", ended.stdout.len()));
        }
        if !wrong.is_empty() {
            wrong.push(brief(report));
        }
        wrong
    }
}

/// How each check has ended, in a line.
fn brief(report: &Value) -> String {
    let checks = report["checks"].as_array().into_iter().flatten();
    let lines = checks.map(|check| {
        format!("\n    {} {}{}{}", check["id"], check["status"], check["verdict"]["measured"], check["message"])
    });
    lines.collect()
}
