//! `read-only-root`: the container's file system cannot be written, except where it may.
//!
//! Owns: judging attempts to write. Must not: look at the option that asks for it.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::WriteAttempt;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// What the kernel says for `EROFS`.
const READ_ONLY: &str = "Read-only file system";
/// What it says for `ENOENT`.
const NOT_THERE: &str = "No such file or directory";

/// Tries to write, as root and from outside, at several places of the running container. Only a
/// refusal by the file system itself counts, not one by permissions.
///
/// Why it matters: whoever gets into the process cannot leave or change a program.
///
/// How it is cheated: `chmod`, or another user, stops neither root nor the check; folders that are mounted
/// read-only leave the others open.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadOnlyRoot {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// Folders that must refuse, where the image has them; the working directory is always one of them.
    pub refuse: Vec<String>,
    /// Folders that must let a write pass.
    #[serde(default)]
    pub allow: Vec<String>,
}

/// The attempts.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it must be refused.
    pub refuse: Vec<WriteAttempt>,
    /// Where it must work.
    pub allow: Vec<WriteAttempt>,
    /// Where `read_only` stands, or the service.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for ReadOnlyRoot {
    type Evidence = Evidence;
    const KIND: &'static str = "read-only-root";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let mut refuse = self.refuse.clone();
        let workdir = sandbox.container(at).await?.workdir;
        if !refuse.contains(&workdir) {
            refuse.push(workdir);
        }
        let folders: Vec<String> = refuse.iter().chain(&self.allow).cloned().collect();
        let mut attempts = sandbox.try_write(at, &folders).await?;
        let allow = attempts.split_off(refuse.len());
        Ok(Evidence { refuse: attempts, allow, at: sandbox.locate_key(at, &["read_only"]) })
    }

    fn time_explains(&self, _: &Evidence) -> bool {
        false
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let mut wanted = "writing is refused by the file system".to_owned();
        if !self.allow.is_empty() {
            wanted = format!("{wanted}; {} can be written", self.allow.join(", "));
        }
        let outcome = |attempt: &WriteAttempt| attempt.error.clone().unwrap_or_else(|| "written".into());
        let all = evidence.refuse.iter().chain(&evidence.allow);
        let rows = all.map(|attempt| vec![attempt.folder.clone(), outcome(attempt)]).collect();
        let table = Detail::table("attempts to write, as root", &["folder", "result"], rows);
        // An image need not have all the folders of a distribution; the others tell.
        let is_there = |attempt: &&WriteAttempt| attempt.error.as_deref() != Some(NOT_THERE);
        let refused = |attempt: &&WriteAttempt| attempt.error.as_deref() == Some(READ_ONLY);
        let all_gone = !evidence.refuse.iter().any(|attempt| is_there(&attempt));
        let writable = evidence.refuse.iter().find(|attempt| !refused(attempt) && (is_there(attempt) || all_gone));
        let closed = evidence.allow.iter().find(|attempt| attempt.error.is_some());
        let measured = match (writable, closed) {
            (Some(WriteAttempt { folder, error: None }), _) => format!("root can write to {folder}"),
            (Some(WriteAttempt { folder, error: Some(said) }), _) => {
                format!("writing to {folder} fails for another reason: {said}")
            }
            (None, Some(attempt)) => {
                format!("{}, which the app needs, cannot be written: {}", attempt.folder, outcome(attempt))
            }
            (None, None) if self.allow.is_empty() => "refused everywhere".into(),
            (None, None) => "refused everywhere but there".into(),
        };
        let holds = writable.is_none() && closed.is_none();
        let finding = Finding::new(wanted, measured).with(table);
        if holds {
            return Verdict::Pass(finding);
        }
        let note = if writable.is_some() {
            "Permissions stop a user, but not root; a mount protects only its own folder. What refuses everybody, everywhere, is a read-only root file system."
        } else {
            "What the app has to write needs a place of its own: memory (`tmpfs`) or a volume, mounted there."
        };
        Verdict::Fail(finding.at(evidence.at.clone()).note(note))
    }
}

crate::register!(ReadOnlyRoot);
