//! `grader doctor`: shows what this machine has and lacks.
//!
//! Owns: how the findings are printed. Must not: examine anything.

use std::io::Write;
use std::path::Path;

use crate::cli::FormatName;
use crate::doctor::{Diagnosis, Finding, Level, SCHEMA, diagnose};
use crate::fault::Fault;

/// Examines the machine for the course in `root`; gives exit code 3 when grading cannot work.
pub async fn run(root: &Path, format: FormatName, out: &mut dyn Write) -> Result<u8, Fault> {
    let findings = diagnose(root).await;
    let code = if worst(&findings) == Level::Fail { 3 } else { 0 };
    let text = match format {
        FormatName::Human => human(&findings),
        FormatName::Json => {
            let json = serde_json::to_string_pretty(&Diagnosis { schema: SCHEMA, findings });
            json.map_err(|error| Fault::Unreadable { what: "the diagnosis".into(), reason: error.to_string() })? + "\n"
        }
    };
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Fault::file("standard output"))?;
    Ok(code)
}

fn worst(findings: &[Finding]) -> Level {
    findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
}

fn human(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.name.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for finding in findings {
        lines.push(format!("{:4}  {:width$}  {}", finding.level.word(), finding.name, finding.found));
        lines.extend(finding.fix.as_ref().map(|fix| format!("{:4}  {:width$}  -> {fix}", "", "")));
    }
    let count = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
    lines.push(match worst(findings) {
        Level::Ok => "Everything is as it should be.".into(),
        Level::Warn => format!("Grading works; {} to look at.", count(Level::Warn)),
        Level::Fail => {
            format!("Grading does not work yet: {} to fix, {} to look at.", count(Level::Fail), count(Level::Warn))
        }
    });
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(name: &str, level: Level, fix: Option<&str>) -> Finding {
        Finding { name: name.into(), level, found: "x".into(), fix: fix.map(str::to_owned) }
    }

    #[test]
    fn every_finding_is_one_line_and_its_fix_the_next() {
        let text = human(&[finding("a", Level::Ok, None), finding("long", Level::Fail, Some("do it"))]);
        assert_eq!(
            text,
            "ok    a     x\nFAIL  long  x\n            -> do it\nGrading does not work yet: 1 to fix, 0 to look at.\n"
        );
    }

    #[test]
    fn a_warning_does_not_keep_anybody_from_grading() {
        assert!(human(&[finding("a", Level::Warn, None)]).ends_with("Grading works; 1 to look at.\n"));
    }
}
