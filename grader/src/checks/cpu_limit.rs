//! `cpu-limit`: a service that computes without end gets no more than its share of the CPUs.
//!
//! Owns: busy loops against a quota. Must not: take little use for a limit.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::CpuPressure;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Quantity, Verdict, millis};

/// Lets busy loops of the grader, one per CPU of the machine, run in the container's CPU cgroup,
/// and reads how much CPU time they got and how often the kernel held them back.
///
/// Why it matters: one service in an endless loop makes all others slow.
///
/// How it is cheated: shares, reservations and pinning (`cpuset`) leave the service all that
/// others do not use, so there is no quota. Low use alone shows nothing, since the machine may be
/// busy: the kernel must have a quota, and must have held the loops back. A quota that the
/// grader has set for safety does not count.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CpuLimit {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The most CPUs that the limit may allow; 0.5 is half of one.
    pub cpus: f64,
}

/// What the loops got.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The kernel's quota in CPUs, without one that the grader has set.
    pub quota: Option<f64>,
    /// How the loops fared.
    pub pressure: CpuPressure,
    /// Where the limit stands, or the service.
    pub at: Option<Location>,
}

/// How long the loops run, milliseconds: fifteen of the kernel's usual periods.
const BURN_MS: u64 = 1_500;

/// How long they may run until the kernel holds them back for the first time.
const HELD_WITHIN_MS: u64 = 60_000;

/// A quota is a whole number of microseconds, so it may be rounded.
const ROUNDED: f64 = 0.001;

/// A quota is counted by periods, and the first and last one may be cut: 10 % more.
const TOLERANCE: f64 = 1.1;

#[async_trait]
impl Check for CpuLimit {
    type Evidence = Evidence;
    const KIND: &'static str = "cpu-limit";
    const MANNER: Manner = Manner::Disrupts;

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        sandbox.ensure_running(at).await?;
        let quota = sandbox.kernel(at).await?.cpus();
        let deadline = sandbox.within(HELD_WITHIN_MS);
        let limit = quota.map(thousandths);
        let mut pressure = sandbox.burn_cpu(at, BURN_MS, limit).await?;
        // Where other work leaves less than the quota, a right quota is not reached at first.
        let is_right = quota.is_some_and(|quota| quota <= self.cpus + ROUNDED && can_be_held(&pressure, quota));
        while is_right && pressure.throttled_periods == 0 {
            if deadline.is_over()? {
                let action = format!(
                    "waiting until `{}` could use its CPU limit: other work takes this machine's CPUs",
                    self.service
                );
                return Err(Fault::TimedOut { action, seconds: HELD_WITHIN_MS / 1_000 });
            }
            pressure = sandbox.burn_cpu(at, BURN_MS, limit).await?;
        }
        Ok(Evidence { quota, pressure, at: sandbox.locate_limit(at, "cpus") })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!("busy without end, `{}` is held to {} CPUs or less", self.service, self.cpus);
        let pressure = &evidence.pressure;
        let used = format!("busy loops used {:.2} CPUs", pressure.cpus());
        let problem = match evidence.quota {
            None => Some(format!("the kernel knows of no quota; {used}")),
            Some(quota) if quota > self.cpus + ROUNDED => Some(format!("the quota is {quota:.2} CPUs; {used}")),
            Some(quota) if pressure.cpus() > quota * TOLERANCE => Some(format!("{used} with a quota of {quota:.2}")),
            Some(quota) if can_be_held(pressure, quota) && pressure.throttled_periods == 0 => {
                Some(format!("{used}, and the kernel has not held them back"))
            }
            Some(_) => None,
        };
        let rows = vec![
            vec!["quota".into(), evidence.quota.map_or_else(|| "none".into(), |quota| format!("{quota:.2} CPUs"))],
            vec!["busy loops".into(), format!("{}, for {}", pressure.loops, millis(pressure.wall_us / 1_000))],
            vec!["CPU time that they got".into(), millis(pressure.used_us / 1_000)],
            vec!["periods in which they were held back".into(), pressure.throttled_periods.to_string()],
        ];
        let table = Detail::table("the kernel's account", &["what", "value"], rows);
        let title = format!("CPUs used in `{}`, on average over 300 ms", self.service);
        let curve = Detail::curve(title, Quantity::Cpu, evidence.quota.map(thousandths), None, &pressure.samples);
        let Some(problem) = problem else {
            let held = format!(
                "{used}, held back in {} periods (quota {:.2})",
                pressure.throttled_periods,
                evidence.quota.unwrap_or_default()
            );
            return Verdict::Pass(Finding::new(wanted, held).with_some(curve).with(table));
        };
        let finding = Finding::new(wanted, problem).at(evidence.at.clone()).with_some(curve).with(table);
        Verdict::Fail(match evidence.quota {
            None => finding.note("Shares and reservations only say who comes first when CPUs are scarce; `cpuset` says which CPUs, not how much of them. A limit is `deploy.resources.limits.cpus` or `cpus`."),
            Some(_) => finding,
        })
    }
}

/// CPUs in thousandths, for the curve.
fn thousandths(cpus: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a quota is small and above 0")]
    let thousandths = (cpus * 1e3).round() as u64;
    thousandths
}

/// As many loops as CPUs cannot use more than a quota of all CPUs.
fn can_be_held(pressure: &CpuPressure, quota: f64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "a number of CPUs")]
    let loops = pressure.loops as f64;
    quota < loops
}

crate::register!(CpuLimit);
