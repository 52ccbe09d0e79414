//! `process-limit`: a service that starts processes without end is stopped at a number.
//!
//! Owns: starting processes against a limit. Must not: leave any of them behind.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::ProcessPressure;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Finding, Location, Verdict};

/// Starts processes of the grader in the container's process cgroup, a few more than are
/// allowed, and ends them all again. The kernel must refuse one of them, and the service must
/// live on.
///
/// Why it matters: a program that starts itself twice (a "fork bomb", or a bug in a retry) takes
/// all process ids of the machine; then nobody can even log in to stop it.
///
/// How it is cheated: `ulimit -u` counts a user's processes and not a container's, and root's
/// not at all. A limit that the grader has set for safety does not count.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessLimit {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The most processes (and threads) that the limit may allow.
    pub processes: u64,
}

/// What the kernel did.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The cgroup's limit, without one that the grader has set.
    pub limit: Option<u64>,
    /// How far it went.
    pub pressure: ProcessPressure,
    /// The service's state afterwards.
    pub state: String,
    /// Whether it is still the same run of the service.
    pub same_run: bool,
    /// Where the limit stands, or the service.
    pub at: Option<Location>,
}

/// How many more than allowed are tried.
const MORE: u64 = 8;

#[async_trait]
impl Check for ProcessLimit {
    type Evidence = Evidence;
    const KIND: &'static str = "process-limit";
    const MANNER: Manner = Manner::Disrupts;

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        sandbox.ensure_running(at).await?;
        let before = sandbox.container(at).await?;
        let limit = sandbox.kernel(at).await?.pids_max;
        let pressure = sandbox.fork_processes(at, self.processes + MORE).await?;
        let after = sandbox.container(at).await?;
        let same_run = after.started_at == before.started_at;
        Ok(Evidence { limit, pressure, state: after.state, same_run, at: sandbox.locate_limit(at, "pids_limit") })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!(
            "`{}` can have at most {} processes, and lives on when it reaches that number",
            self.service, self.processes
        );
        let pressure = &evidence.pressure;
        let problem = match evidence.limit {
            None => {
                Some(format!("the kernel knows of no limit; {} processes were running in the end", pressure.reached))
            }
            Some(limit) if limit > self.processes => Some(format!("the limit is {limit}")),
            Some(_) if !pressure.refused || pressure.reached > self.processes => Some(format!(
                "{} more processes could be started; {} were running in the end",
                pressure.asked, pressure.reached
            )),
            Some(_) if evidence.state != "running" => Some(format!(
                "refused at {}, but the service did not survive it: it is `{}`",
                pressure.reached, evidence.state
            )),
            Some(_) if !evidence.same_run => Some(format!(
                "refused at {}, but the service did not survive it: it was started anew",
                pressure.reached
            )),
            Some(_) => None,
        };
        let Some(problem) = problem else {
            return Verdict::Pass(Finding::new(
                wanted,
                format!("refused at {}, and the service lives on", pressure.reached),
            ));
        };
        let finding = Finding::new(wanted, problem).at(evidence.at.clone());
        Verdict::Fail(match evidence.limit {
            None => finding.note("`ulimits: nproc` counts the processes of a user on the whole machine, and never root's. The limit of a container is `pids_limit`, or `deploy.resources.limits.pids`."),
            Some(_) => finding,
        })
    }
}

crate::register!(ProcessLimit);
