//! `limits-in-force`: the kernel holds a service to a memory and a CPU limit.
//!
//! Owns: comparing cgroup values with limits. Must not: look at what was asked for.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::KernelFacts;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Finding, Location, Verdict, memory};

/// Reads the limits out of the container's cgroup (v1 or v2).
///
/// Why it matters: without a limit one leaking service takes the memory of all others.
///
/// How it is cheated: a reservation, or a limit in a file that is not used, does not reach the
/// kernel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsInForce {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The most memory that the limit may allow, bytes.
    pub memory_bytes: u64,
    /// The most CPUs that the limit may allow. Left out, CPU time may be without a limit.
    #[serde(default)]
    pub cpus: Option<f64>,
}

/// The kernel's limits.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// What the cgroup says.
    pub kernel: KernelFacts,
    /// Where limits stand, or the service.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for LimitsInForce {
    type Evidence = Evidence;
    const KIND: &'static str = "limits-in-force";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let kernel = sandbox.kernel(at).await?;
        Ok(Evidence { kernel, at: sandbox.locate_key(at, &["deploy", "resources", "limits"]) })
    }

    fn time_explains(&self, _: &Evidence) -> bool {
        false
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let kernel = &evidence.kernel;
        let cpu_wanted = self.cpus.map(|most| format!(", CPU at most {most}")).unwrap_or_default();
        let wanted = format!("memory at most {}{cpu_wanted}", memory(self.memory_bytes));
        let limit = kernel.memory_max.map_or_else(|| "no limit".to_owned(), memory);
        let cpu = kernel.most_cpus().map_or_else(|| "no limit".to_owned(), |cpus| format!("{cpus:.2} CPUs"));
        let holds = kernel.memory_max.is_some_and(|limit| limit <= self.memory_bytes)
            // A quota is a whole number of microseconds, so it may be rounded.
            && self.cpus.is_none_or(|most| kernel.most_cpus().is_some_and(|cpus| cpus <= most + 0.001));
        let finding = Finding::new(wanted, format!("memory: {limit}; CPU: {cpu} (read from the kernel's cgroup)"));
        if holds { finding.decide(true) } else { finding.at(evidence.at.clone()).decide(false) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(memory_max: Option<u64>, cpu_quota_us: Option<u64>) -> bool {
        let check =
            LimitsInForce { stack: "s".into(), service: "a".into(), memory_bytes: 536_870_912, cpus: Some(1.5) };
        let kernel = KernelFacts { memory_max, cpu_quota_us, cpu_period_us: 100_000, ..KernelFacts::default() };
        matches!(check.judge(&Evidence { kernel, at: None }), Verdict::Pass(_))
    }

    #[test]
    fn the_limit_itself_passes_and_one_more_does_not() {
        assert!(judged(Some(536_870_912), Some(150_000)));
        assert!(!judged(Some(536_870_913), Some(150_000)));
        assert!(!judged(Some(536_870_912), Some(150_200)));
    }

    #[test]
    fn no_limit_fails() {
        assert!(!judged(None, Some(150_000)));
        assert!(!judged(Some(1), None));
        let check = LimitsInForce { stack: "s".into(), service: "a".into(), memory_bytes: 2, cpus: None };
        let kernel = KernelFacts { memory_max: Some(2), ..KernelFacts::default() };
        assert!(matches!(check.judge(&Evidence { kernel, at: None }), Verdict::Pass(_)), "CPU was not asked for");
    }
}

crate::register!(LimitsInForce);
