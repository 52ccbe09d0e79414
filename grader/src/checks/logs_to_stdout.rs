//! `logs-to-stdout`: a request shows in the container's log, and no file grows in the container.
//!
//! Owns: one marked request and where it leaves a trace. Must not: judge the log's format.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Door, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::HttpRequest;
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Sends a request with a mark that is new in every run and looks for the mark in `docker logs`;
/// then lists the files in the container's writable layer.
///
/// Why it matters: a log in a file dies with the container, and fills its disk until then.
///
/// How it is cheated: a line that is always there does not have the run's mark; a copy of the log in a file
/// is found in the writable layer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogsToStdout {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The port in the container.
    pub port: u16,
    /// The path to request; the mark is added as its query.
    pub path: String,
    /// Folders in which files may change.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Milliseconds for which the log is watched for the mark. Where the log goes elsewhere, it never comes.
    #[serde(default = "default_limit")]
    pub within_ms: u64,
}

/// A busy machine must not cost anybody points.
fn default_limit() -> u64 {
    10_000
}

/// The trace.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The line with the mark.
    pub line: Option<String>,
    /// The last lines of the log.
    pub log: Vec<String>,
    /// Files in the writable layer.
    pub files: Vec<String>,
    /// The log driver.
    #[serde(default)]
    pub driver: String,
    /// Where the log's settings stand, when the driver keeps nothing.
    #[serde(default)]
    pub at: Option<Location>,
}

/// The driver that throws everything away.
const KEEPS_NOTHING: &str = "none";

#[async_trait]
impl Check for LogsToStdout {
    type Evidence = Evidence;
    const KIND: &'static str = "logs-to-stdout";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    fn asks_at(&self) -> Vec<Door> {
        vec![Door::of(&self.stack, &self.service, self.port)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let mark = format!("mark={}", sandbox.tag());
        let request = HttpRequest::get(self.port, &format!("{}?{mark}", self.path));
        // Asked again each time: the first request may come before the service is quite up.
        let marked = || async {
            sandbox.http(at, &request).await?;
            let lines = sandbox.log_lines(at, 2_000).await?;
            let line = lines.into_iter().find(|line| line.contains(&mark));
            Ok::<_, Fault>(line.map(|line| line.chars().take(500).collect()))
        };
        let facts = sandbox.container(at).await?;
        let (mounts, driver) = (facts.mounts, facts.log_driver);
        // What is thrown away does not come, however long one waits.
        let keeps = driver != KEEPS_NOTHING;
        let line = if keeps { until(&sandbox.within(self.within_ms), marked).await? } else { None };
        let log = sandbox.log_story(at, 6).await?;
        let mut ignored: Vec<&String> = self.ignore.iter().collect();
        ignored.extend(mounts.iter().map(|mount| &mount.target));
        let is_ignored = |path: &String| {
            ignored.iter().any(|folder| {
                path == *folder || path.starts_with(&format!("{folder}/")) || folder.starts_with(&format!("{path}/"))
            })
        };
        let files = sandbox.changed_paths(at).await?.into_iter().filter(|path| !is_ignored(path)).collect();
        let at = if keeps { None } else { sandbox.locate_key(at, &["logging"]) };
        Ok(Evidence { line, log, files, driver, at })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted =
            format!("a request shows in `docker logs` of {}, and no file is written in the container", self.service);
        let files = || {
            Detail::log("files in the container's writable layer", evidence.files.iter().take(10).cloned().collect())
        };
        if evidence.driver == KEEPS_NOTHING {
            let measured = format!("the log driver `{KEEPS_NOTHING}` keeps nothing of what the service writes");
            let note = "Leave `logging` out, or use `json-file` or `local` with a bound: then `docker logs` shows what happened.";
            return Verdict::Fail(Finding::new(wanted, measured).at(evidence.at.clone()).note(note));
        }
        match (&evidence.line, evidence.files.is_empty()) {
            (Some(line), true) => {
                let line: String = line.chars().take(140).collect();
                Verdict::Pass(Finding::new(wanted, line))
            }
            (Some(_), false) => {
                let first = &evidence.files[0];
                let measured = match evidence.files.len() {
                    1 => format!("it shows, but {first} was written in the container"),
                    count => format!("it shows, but {count} files were written in the container, {first} among them"),
                };
                let note = "They are gone with the container, and fill its disk until then. What must stay needs a volume, what need not a `tmpfs`.";
                Verdict::Fail(Finding::new(wanted, measured).with(files()).note(note))
            }
            (None, empty) => {
                let nothing = evidence.log.is_empty();
                let measured = if nothing { "the log is empty" } else { "the request is not in the log" };
                let finding = Finding::new(wanted, measured);
                let finding = if nothing {
                    finding
                } else {
                    finding.with(Detail::log("the log's last lines", evidence.log.clone()))
                };
                let finding = if empty { finding } else { finding.with(files()) };
                Verdict::Fail(finding.note("Docker collects what the main process and its children write to stdout and stderr, and nothing else."))
            }
        }
    }
}

crate::register!(LogsToStdout);
