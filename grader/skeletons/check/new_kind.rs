//! `new-kind`: a service runs as few processes as it needs.
//!
//! Owns: counting processes. Must not: stop any.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::Process;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Lists the processes of a service's container as the host sees them, and counts them.
///
/// Why it matters: Docker watches the main process only. Nobody notices when another one ends.
///
/// How it is cheated: a process in a session or a process group of its own is still in the
/// container's process list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKind {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The most processes that may run.
    pub most: usize,
}

/// The processes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Every process of the container.
    pub processes: Vec<Process>,
    /// Where the service's command stands, or the service.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for NewKind {
    type Evidence = Evidence;
    const KIND: &'static str = "new-kind";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let processes = sandbox.processes(at).await?;
        Ok(Evidence { processes, at: sandbox.locate_key(at, &["command"]) })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let count = evidence.processes.len();
        let wanted = format!("{} runs at most {} processes", self.service, self.most);
        let finding = Finding::new(wanted, format!("{count} run"));
        // A container without any process was not looked at in time: that is no pass.
        if (1..=self.most).contains(&count) {
            return Verdict::Pass(finding);
        }
        let rows = evidence.processes.iter().map(|process| vec![process.command.clone()]).collect();
        let table = Detail::table("processes", &["command"], rows);
        Verdict::Fail(finding.at(evidence.at.clone()).with(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(most: usize) -> NewKind {
        let parameters = serde_json::json!({"stack": "s", "service": "a", "most": most});
        serde_json::from_value(parameters).expect("parameters")
    }

    fn passes(most: usize, count: usize) -> bool {
        let process = Process { pid: 1, uid: 1000, command: "sleep".into(), ..Process::default() };
        let evidence = Evidence { processes: vec![process; count], at: None };
        matches!(check(most).judge(&evidence), Verdict::Pass(_))
    }

    #[test]
    fn the_limit_itself_passes_and_one_more_does_not() {
        assert!(passes(2, 2));
        assert!(!passes(2, 3));
    }

    #[test]
    fn no_process_at_all_fails() {
        assert!(!passes(2, 0));
    }
}

crate::register!(NewKind);
