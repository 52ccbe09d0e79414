//! `runs-as-non-root`: no process of a service has user id 0 on the host.
//!
//! Owns: looking at the process list twice. Must not: trust what the image says of itself.

use std::collections::BTreeSet;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{HttpRequest, Process};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Lists every process of the container with its user id as the host sees it, when it has
/// started and again after a request.
///
/// Why it matters: whoever breaks out of a root process is root on the host.
///
/// How it is cheated: a `USER` line that the entrypoint or Compose undoes, or a program that makes
/// itself root again, shows in the process list. So does one that only hides: a process that has set its
/// effective user id alone has kept root's, and can take it back. A program that begins as root and gives that up does
/// so for itself alone: Docker runs the container's health check as the user that the container begins with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunsAsNonRoot {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The port in the container that gets a request; without it the list is only read twice.
    #[serde(default)]
    pub port: Option<u16>,
    /// The path of the request.
    #[serde(default = "default_path")]
    pub path: String,
    /// The image that the learner builds for it, if so, to show its `USER` line.
    #[serde(default)]
    pub image: Option<String>,
}

fn default_path() -> String {
    "/".into()
}

/// The processes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Before the request.
    pub before: Vec<Process>,
    /// After it.
    pub after: Vec<Process>,
    /// The `user` key or the `USER` line; without either, the service.
    pub at: Option<Location>,
    /// The user that the image or Compose names for the container; empty when neither does.
    #[serde(default)]
    pub user: String,
    /// Whether the container has a health check.
    #[serde(default)]
    pub health_check: bool,
}

#[async_trait]
impl Check for RunsAsNonRoot {
    type Evidence = Evidence;
    const KIND: &'static str = "runs-as-non-root";

    fn needs(&self) -> Vec<Resource> {
        self.image.iter().map(Resource::image).chain([Resource::stack(&self.stack)]).collect()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let before = sandbox.processes(at).await?;
        if let Some(port) = self.port {
            sandbox.http(at, &HttpRequest::get(port, &self.path)).await?;
        }
        let after = sandbox.processes(at).await?;
        let key = !sandbox.model(&self.stack)["services"][&self.service]["user"].is_null();
        let line = self.image.as_ref().filter(|_| !key).and_then(|image| sandbox.locate_instruction(image, "USER"));
        let container = sandbox.container(at).await?;
        let (user, health_check) = (container.user, container.health.is_some());
        Ok(Evidence { before, after, at: line.or_else(|| sandbox.locate_key(at, &["user"])), user, health_check })
    }

    fn time_explains(&self, _: &Evidence) -> bool {
        false
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!("no process of {} is root (user id 0 on the host)", self.service);
        let later = if self.port.is_some() { "after a request" } else { "a moment later" };
        let lists = [("when it has started", &evidence.before), (later, &evidence.after)];
        if let Some((when, _)) = lists.iter().find(|(_, list)| list.is_empty()) {
            return Verdict::Fail(Finding::new(wanted, format!("no process runs {when}")).at(evidence.at.clone()));
        }
        let is_root = |process: &&Process| process.uid == 0 || process.keeps_root;
        let Some((when, list, root)) =
            lists.iter().find_map(|(when, list)| Some((when, list, list.iter().find(is_root)?)))
        else {
            if evidence.health_check && is_named_root(evidence.asked()) {
                let measured = "the app gives up root, but Docker runs the health check as user 0, again and again";
                let note = "The health check gets the user that the container begins with. Name that user in the image or in Compose.";
                return Verdict::Fail(Finding::new(wanted, measured).at(evidence.at.clone()).note(note));
            }
            let uids: BTreeSet<u32> =
                lists.iter().flat_map(|(_, list)| list.iter().map(|process| process.uid)).collect();
            let uids: Vec<String> = uids.iter().map(ToString::to_string).collect();
            return Verdict::Pass(Finding::new(wanted, format!("all run as user {}", uids.join(", "))));
        };
        let command: String = root.command.chars().take(60).collect();
        let measured = if root.uid == 0 {
            format!("`{command}` runs as user 0")
        } else {
            format!("`{command}` shows user {}, but has kept root's id: it can be root again at any time", root.uid)
        };
        let note = match evidence.asked() {
            _ if root.keeps_root => {
                "Only the effective user id was changed. Start the process as another user, or set all of its ids."
            }
            "" => "Nothing names a user, neither the image nor Compose: then it is root.",
            "0" | "root" => "This user was asked for: `root` and `0` are the same.",
            _ => "The process list counts, not this line: something makes the process root when the container starts.",
        };
        let id = |p: &Process| if p.keeps_root { format!("{}, can be 0", p.uid) } else { p.uid.to_string() };
        let rows = list.iter().map(|p| vec![id(p), p.command.chars().take(70).collect()]).collect();
        let table = Detail::table(&format!("processes {when}"), &["user id", "command"], rows);
        Verdict::Fail(Finding::new(wanted, measured).at(evidence.at.clone()).with(table).note(note))
    }
}

impl Evidence {
    /// The user without the group.
    fn asked(&self) -> &str {
        self.user.split(':').next().unwrap_or_default()
    }
}

/// Whether a user that was asked for is root; so is none.
fn is_named_root(user: &str) -> bool {
    ["", "0", "root"].contains(&user)
}

crate::register!(RunsAsNonRoot);
