//! `capabilities`: the main process of a service has no more rights than the lesson allows.
//!
//! Owns: comparing what the kernel grants with what is allowed. Must not: read `cap_drop`.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::Rights;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Reads the capabilities, `no_new_privs` and seccomp mode of the container's main process from
/// the kernel.
///
/// Why it matters: root in a container keeps fourteen of root's rights by default, such as
/// forging network packets or changing the owner of any file. Most programs need none of them.
///
/// How it is cheated: a user other than root has no rights in effect, but its bounding set is
/// still full: one setuid program, and the rights are back. Both sets count.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// Capabilities that it may have, without `CAP_`, such as `NET_BIND_SERVICE`; it need not.
    #[serde(default)]
    pub allowed: Vec<String>,
    /// Whether programs that it starts must be unable to gain rights (`no-new-privileges`).
    #[serde(default)]
    pub no_new_privs: bool,
    /// Whether a seccomp filter must be in force, as Docker's default is.
    #[serde(default = "yes")]
    pub seccomp: bool,
}

fn yes() -> bool {
    true
}

/// The rights.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Those of the main process.
    pub rights: Rights,
    /// Where `cap_drop` stands, or the service.
    pub at: Option<Location>,
    /// Where `security_opt` stands, or the service.
    pub security: Option<Location>,
}

#[async_trait]
impl Check for Capabilities {
    type Evidence = Evidence;
    const KIND: &'static str = "capabilities";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let rights = sandbox.rights(at).await?;
        let keys: [&[&str]; 3] = [&["cap_add"], &["cap_drop"], &[]];
        let location = keys.iter().find_map(|key| sandbox.locate_key(at, key));
        Ok(Evidence { rights, at: location, security: sandbox.locate_key(at, &["security_opt"]) })
    }

    fn time_explains(&self, _: &Evidence) -> bool {
        false
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let rights = &evidence.rights;
        let mut wanted = if self.allowed.is_empty() {
            format!("`{}` has no capabilities", self.service)
        } else {
            format!("`{}` has no capabilities but {}", self.service, self.allowed.join(", "))
        };
        if self.no_new_privs {
            wanted += ", and can gain none";
        }
        let too_many = |set: &[String]| -> Vec<String> {
            set.iter().filter(|name| !self.allowed.contains(name)).cloned().collect()
        };
        let (effective, bounding) = (too_many(&rights.effective), too_many(&rights.bounding));
        let list = |set: &[String]| if set.is_empty() { "none".to_owned() } else { set.join(", ") };
        let yes_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
        let rows = vec![
            vec!["in effect".into(), list(&rights.effective)],
            vec!["can be gained (bounding set)".into(), list(&rights.bounding)],
            vec!["cannot gain rights (no_new_privs)".into(), yes_no(rights.no_new_privs)],
            vec!["seccomp filter".into(), yes_no(rights.seccomp)],
        ];
        let table = Detail::table("rights of the main process", &["what", "value"], rows);
        let (problem, at, note) = if !effective.is_empty() {
            let note = "Docker gives root in a container fourteen capabilities unless they are dropped.";
            (format!("{} too many in effect: {}", effective.len(), some(&effective)), &evidence.at, note)
        } else if !bounding.is_empty() {
            let note = "A user other than root has none in effect, but a setuid program that it starts gets all of the bounding set. Dropping them empties both sets.";
            (
                format!("none too many in effect, but {} can be gained: {}", bounding.len(), some(&bounding)),
                &evidence.at,
                note,
            )
        } else if self.no_new_privs && !rights.no_new_privs {
            let note =
                "A setuid program such as `su` would still change the user. `no-new-privileges` takes that away.";
            ("programs that it starts can gain rights".into(), &evidence.security, note)
        } else if self.seccomp && !rights.seccomp {
            let note = "Docker's seccomp filter closes the rare and dangerous system calls; it is on unless something switches it off.";
            ("no seccomp filter is in force".into(), &evidence.security, note)
        } else {
            return Verdict::Pass(Finding::new(
                wanted,
                format!("in effect: {}; can be gained: {}", list(&rights.effective), list(&rights.bounding)),
            ));
        };
        Verdict::Fail(Finding::new(wanted, problem).at(at.clone()).with(table).note(note))
    }
}

/// The first few names of a long list.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let more = if names.len() > SHOWN { ", ..." } else { "" };
    format!("{}{more}", names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", "))
}

crate::register!(Capabilities);
