//! `single-process`: a container runs one service.
//!
//! Owns: telling services from what starts them, in a process tree. Must not: trust a label or the
//! number of processes.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::Process;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Reads the process tree and counts services. What only starts others does not count: a shell, an init
/// program, `npm`, `nodemon`, a supervisor. A child that runs the same program (or, under an interpreter,
/// the same script) as its parent is a worker of it and belongs to it. Everything else is a service.
///
/// Why it matters: Docker watches one process. When a second one in the container dies, nothing starts it
/// again, its log is mixed with the other's, and neither can be updated or scaled alone.
///
/// How it is cheated: a supervisor as the main process looks like one program, and its children are
/// counted; a service that puts itself into the background stays in the tree.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SingleProcess {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// Programs that may run beside the service, by their names, such as `tail`.
    #[serde(default)]
    pub allow: Vec<String>,
}

/// The processes of the container.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The id of the main process on the host.
    pub main: i64,
    /// Those that were there at two looks: what comes and goes is no service.
    pub processes: Vec<Process>,
    /// Where the command stands, or the service.
    pub at: Option<Location>,
}

/// Programs that only start others.
const LAUNCHERS: [&str; 22] = [
    "sh",
    "bash",
    "dash",
    "ash",
    "busybox",
    "docker-init",
    "tini",
    "dumb-init",
    "catatonit",
    "npm",
    "npx",
    "yarn",
    "pnpm",
    "nodemon",
    "supervisord",
    "s6-svscan",
    "s6-supervise",
    "runsv",
    "runsvdir",
    "su",
    "gosu",
    "runuser",
];

/// Programs whose first argument says what they run.
const INTERPRETERS: [&str; 7] = ["node", "python", "python3", "ruby", "perl", "php", "java"];

#[async_trait]
impl Check for SingleProcess {
    type Evidence = Evidence;
    const KIND: &'static str = "single-process";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let first = sandbox.processes(at).await?;
        let main = sandbox.container(at).await?.pid;
        let mut processes = sandbox.processes(at).await?;
        processes.retain(|process| first.iter().any(|before| before.pid == process.pid));
        Ok(Evidence { main, processes, at: sandbox.locate_key(at, &["command"]) })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!("`{}` runs one service", self.service);
        let tree = Tree::of(evidence);
        let services: Vec<&str> =
            tree.services().filter(|name| !self.allow.iter().any(|allowed| allowed == name)).collect();
        let measured = match services.as_slice() {
            [] => "no service, only programs that start others".to_owned(),
            [one] => format!("one: {one}"),
            many => format!("{}: {}", many.len(), many.join(", ")),
        };
        let finding = Finding::new(wanted, measured);
        if services.len() == 1 {
            return Verdict::Pass(finding);
        }
        let table = Detail::table("the process tree", &["process", "is"], tree.rows());
        let note = "Give each service a container of its own; Compose starts them together.";
        Verdict::Fail(finding.at(evidence.at.clone()).with(table).note(note))
    }
}

/// What a process runs: the script under an interpreter, else the program.
fn runs(process: &Process) -> &str {
    if !INTERPRETERS.contains(&process.name.as_str()) {
        return &process.name;
    }
    let mut words = process.command.split_whitespace().skip(1);
    match words.find(|word| !word.starts_with('-') || ["-e", "-c", "--eval"].contains(word)) {
        Some(script) if !script.starts_with('-') => script.rsplit('/').next().unwrap_or(script),
        // What follows is no file.
        _ => &process.name,
    }
}

/// The main process and all that it has started. What Docker has put beside it from outside (a health
/// check, `docker exec`) is not in it.
struct Tree<'e> {
    nodes: Vec<(&'e Process, usize)>,
}

impl<'e> Tree<'e> {
    fn of(evidence: &'e Evidence) -> Self {
        let mut tree = Self { nodes: Vec::new() };
        if let Some(main) = evidence.processes.iter().find(|process| process.pid == evidence.main) {
            tree.add(main, 0, evidence);
        }
        tree
    }

    fn add(&mut self, process: &'e Process, depth: usize, evidence: &'e Evidence) {
        self.nodes.push((process, depth));
        for child in evidence.processes.iter().filter(|child| child.parent == process.pid && child.pid != process.pid) {
            self.add(child, depth + 1, evidence);
        }
    }

    fn services(&self) -> impl Iterator<Item = &'e str> {
        self.nodes.iter().filter(|(process, _)| self.role(process) == Role::Service).map(|(process, _)| runs(process))
    }

    fn role(&self, process: &Process) -> Role {
        let parent = self.nodes.iter().find(|(other, _)| other.pid == process.parent);
        let has_children = self.nodes.iter().any(|(other, _)| other.parent == process.pid);
        if parent.is_some_and(|(parent, _)| runs(parent) == runs(process)) && !LAUNCHERS.contains(&runs(process)) {
            Role::Worker
        } else if has_children && LAUNCHERS.contains(&runs(process).trim_end_matches(".js")) {
            Role::Launcher
        } else {
            Role::Service
        }
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let word = |role| match role {
            Role::Launcher => "starts others",
            Role::Worker => "a worker of the one above",
            Role::Service => "a service",
        };
        let command = |process: &Process| process.command.chars().take(70).collect::<String>();
        let row = |(process, depth): &(&Process, usize)| {
            vec![format!("{}{}", "  ".repeat(*depth), command(process)), word(self.role(process)).to_owned()]
        };
        self.nodes.iter().map(row).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Launcher,
    Worker,
    Service,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Processes as (id, parent, command line); the first one is the main process.
    fn counted(processes: &[(i64, i64, &str)]) -> Vec<String> {
        let process = |(pid, parent, command): &(i64, i64, &str)| Process {
            pid: *pid,
            parent: *parent,
            name: command.split([' ', ':']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default().into(),
            command: (*command).into(),
            ..Process::default()
        };
        let evidence = Evidence { main: processes[0].0, processes: processes.iter().map(process).collect(), at: None };
        Tree::of(&evidence).services().map(str::to_owned).collect()
    }

    #[test]
    fn what_starts_others_does_not_count() {
        assert_eq!(
            counted(&[(1, 0, "npm start"), (2, 1, "sh -c node server.js"), (3, 2, "node server.js")]),
            ["server.js"]
        );
        assert_eq!(counted(&[(1, 0, "/sbin/docker-init -- node a.js"), (2, 1, "node a.js")]), ["a.js"]);
        assert_eq!(counted(&[(1, 0, "node /usr/bin/nodemon a.js"), (2, 1, "node a.js")]), ["a.js"]);
    }

    #[test]
    fn workers_belong_to_their_parent() {
        assert_eq!(counted(&[(1, 0, "nginx: master"), (2, 1, "nginx: worker"), (3, 1, "nginx: worker")]), ["nginx"]);
        assert_eq!(counted(&[(1, 0, "node --watch a.js"), (2, 1, "node a.js")]), ["a.js"]);
    }

    #[test]
    fn two_services_count_twice_however_they_were_started() {
        assert_eq!(counted(&[(1, 0, "sh -c x"), (2, 1, "node a.js"), (3, 1, "node b.js")]), ["a.js", "b.js"]);
        assert_eq!(counted(&[(1, 0, "sh -c x"), (2, 1, "node a.js"), (3, 1, "node a.js")]), ["a.js", "a.js"]);
        assert_eq!(
            counted(&[(1, 0, "node a.js"), (2, 1, "nginx: master"), (3, 2, "nginx: worker")]),
            ["a.js", "nginx"]
        );
        assert_eq!(counted(&[(1, 0, "node all.js"), (2, 1, "node a.js"), (3, 1, "node b.js")]).len(), 3);
    }

    #[test]
    fn what_docker_runs_beside_it_does_not_count() {
        assert_eq!(counted(&[(1, 0, "node a.js"), (9, 77, "node -e fetch()")]), ["a.js"]);
    }
}

crate::register!(SingleProcess);
