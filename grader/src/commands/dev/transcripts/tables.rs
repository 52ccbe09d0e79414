//! What a page puts into the daemon, and that it is cleared away, whatever happens in between.
//!
//! Owns: knowing a page's things from everybody else's. Must not: remove anything that the page
//! does not name, or that was there before.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use crate::course::blocks::Step;
use crate::fault::Fault;

/// The label by which Compose knows its things.
const PROJECT: &str = "com.docker.compose.project=";
/// The label of the grader's runs, which other tests start at the same time.
const RUN: &str = "course.grader.run=";

/// How to list each kind of thing (name and labels), and how to remove one of them.
const KINDS: [(&str, &[&str], &[&str]); 4] = [
    ("container", &["ps", "--all", "--format", "{{.Names}}\t{{.Labels}}\t{{.Image}}"], &["rm", "--force", "--volumes"]),
    ("volume", &["volume", "ls", "--format", "{{.Name}}\t{{.Labels}}"], &["volume", "rm"]),
    ("network", &["network", "ls", "--format", "{{.Name}}\t{{.Labels}}"], &["network", "rm"]),
    ("image", &["image", "ls", "--format", "{{.Repository}}:{{.Tag}}\t"], &["image", "rm", "--force"]),
];

/// The names that a page gives.
#[derive(Debug, Default)]
pub struct Names {
    projects: BTreeSet<String>,
    containers: BTreeSet<String>,
    images: BTreeSet<String>,
}

impl Names {
    /// Collects what follows `--name`, `--tag` and the like. STYLE.md asks for the long flags.
    pub fn of<'a>(steps: impl Iterator<Item = &'a Step>) -> Self {
        let mut names = Self::default();
        for line in steps.flat_map(|step| step.program.lines()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            for pair in words.windows(2) {
                names.add(pair[0], pair[1]);
            }
            if let Some(removed) = line.strip_prefix("docker image rm ") {
                removed.split_whitespace().for_each(|image| names.add("--tag", image));
            }
            if let Some(project) = line.strip_prefix("name: ") {
                names.add("--project-name", project);
            }
        }
        names
    }

    fn add(&mut self, flag: &str, name: &str) {
        match flag {
            "--project-name" => self.projects.insert(name.to_owned()),
            "--name" => self.containers.insert(name.to_owned()),
            "--tag" if name.contains(':') => self.images.insert(name.to_owned()),
            "--tag" => self.images.insert(format!("{name}:latest")),
            _ => false,
        };
    }

    fn owns(&self, thing: &Thing) -> bool {
        let is_named = match thing.kind {
            "container" => self.containers.contains(&thing.name) || self.images.contains(&thing.image),
            "image" => self.images.contains(&thing.name),
            _ => false,
        };
        is_named || thing.label(PROJECT).is_some_and(|project| self.projects.contains(project))
    }
}

/// Something in the daemon.
#[derive(Debug)]
struct Thing {
    kind: &'static str,
    name: String,
    labels: String,
    image: String,
}

impl Thing {
    fn label(&self, start: &str) -> Option<&str> {
        self.labels.split(',').find_map(|label| label.strip_prefix(start))
    }

    /// True for what tests leave alone in any case: images of others (a build cannot be told from
    /// a page's), and whatever a run of the grader or a Compose project says is its own.
    fn is_of_others(&self) -> bool {
        self.kind == "image" || self.label(RUN).is_some() || self.label(PROJECT).is_some()
    }

    fn shown(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }
}

/// The lines that a `docker` command prints; none when it fails.
fn docker(arguments: &[&str]) -> Vec<String> {
    let output = Command::new("docker").args(arguments).output();
    let printed = output.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    String::from_utf8_lossy(&printed.unwrap_or_default()).lines().map(str::to_owned).collect()
}

/// Everything in the daemon of all kinds, or only those volumes that no container uses.
fn things(volumes: &[&str]) -> Vec<Thing> {
    let mut all = Vec::new();
    for (kind, list, _) in KINDS {
        let more = if kind == "volume" { volumes } else { &[] };
        for line in docker(&[list, more].concat()) {
            let mut fields = line.split('\t').map(str::to_owned);
            let mut next = || fields.next().unwrap_or_default();
            all.push(Thing { kind, name: next(), labels: next(), image: next() });
        }
    }
    all
}

/// Who mounts which volume while a page is run. A volume without a name has no label either: only the container
/// that mounts it tells whose it is. (The daemon keeps no more than its last 256 events, so they are written down.)
struct Mounts {
    listening: Child,
    heard: NamedTempFile,
}

impl Mounts {
    fn listen() -> Option<Self> {
        let heard = NamedTempFile::new().ok()?;
        let format = "{{.Type}}\t{{.Action}}\t{{.Actor.ID}}\t{{json .Actor.Attributes}}";
        let events = ["events", "--filter", "type=container", "--filter", "type=volume", "--format", format];
        let mut command = Command::new("docker");
        let output = heard.reopen().ok()?;
        command.args(events).stdin(Stdio::null()).stderr(Stdio::null()).stdout(output);
        Some(Self { listening: command.spawn().ok()?, heard })
    }

    /// The containers that mounted a volume, as far as they were made while it was listened.
    fn of(&self, volume: &str) -> Vec<Thing> {
        mounted_by(&std::fs::read_to_string(self.heard.path()).unwrap_or_default(), volume)
    }
}

impl Drop for Mounts {
    fn drop(&mut self) {
        let _ = self.listening.kill();
        let _ = self.listening.wait();
    }
}

/// The containers that mounted a volume, out of lines `type action id attributes`.
fn mounted_by(events: &str, volume: &str) -> Vec<Thing> {
    let told: Vec<(Vec<&str>, BTreeMap<String, String>)> = events
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.splitn(4, '\t').collect();
            let attributes = serde_json::from_str(fields.get(3)?).ok()?;
            Some((fields, attributes))
        })
        .collect();
    let mounts = told.iter().filter(|(fields, _)| fields[..3] == ["volume", "mount", volume]);
    let containers: BTreeSet<&String> = mounts.filter_map(|(_, attributes)| attributes.get("container")).collect();
    let is_made =
        |fields: &[&str]| fields[..2] == ["container", "create"] && containers.iter().any(|id| *id == fields[2]);
    let made = told.iter().filter(|(fields, _)| is_made(fields));
    made.map(|(_, attributes)| {
        let labels: Vec<String> = attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let get = |name: &str| attributes.get(name).cloned().unwrap_or_default();
        Thing { kind: "container", name: get("name"), labels: labels.join(","), image: get("image") }
    })
    .collect()
}

/// Stands from before a page is run until after. When it goes, nothing that the page names is left.
pub struct Tables {
    names: Names,
    before: BTreeSet<String>,
    mounts: Option<Mounts>,
}

impl Tables {
    /// Looks at the daemon before the page. Refuses if something with a name of the page's is
    /// there: it belongs to a reader, and would be removed with the page's own.
    pub fn lay(page: &str, names: Names) -> Result<Self, Fault> {
        let all = things(&[]);
        let taken: Vec<String> = all.iter().filter(|thing| names.owns(thing)).map(Thing::shown).collect();
        if !taken.is_empty() {
            let there = taken.join(", ");
            let message = format!("{page} is in use here: run the commands at its end first. There is {there}");
            return Err(Fault::Usage { message });
        }
        Ok(Self { names, before: all.iter().map(Thing::shown).collect(), mounts: Mounts::listen() })
    }

    /// What is new and stays. Without a label one cannot see whose a thing is, and other tests and
    /// people work with the same daemon; so those get some time to go away.
    pub fn left(&self) -> Vec<String> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let mut all = things(&["--filter", "dangling=true"]);
            all.retain(|thing| !self.before.contains(&thing.shown()));
            all.retain(|thing| self.names.owns(thing) || !thing.is_of_others());
            all.retain(|thing| thing.kind != "volume" || self.may_have_left(thing));
            if all.iter().all(|thing| self.names.owns(thing)) || Instant::now() > deadline {
                return all.iter().map(Thing::shown).collect();
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }
}

impl Tables {
    /// Whether a volume may be the page's: one with a label of its own, or one that a container has mounted which
    /// is not known to be of others.
    fn may_have_left(&self, volume: &Thing) -> bool {
        if self.names.owns(volume) {
            return true;
        }
        let containers = self.mounts.as_ref().map(|mounts| mounts.of(&volume.name)).unwrap_or_default();
        containers.iter().any(|thing| self.names.owns(thing) || !thing.is_of_others())
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        let all = things(&[]);
        // In the order of the kinds: containers hold on to all others.
        for thing in all.iter().filter(|thing| self.names.owns(thing)) {
            let Some((_, _, remove)) = KINDS.iter().find(|(kind, _, _)| *kind == thing.kind) else { continue };
            let _ = docker(&[remove, &[thing.name.as_str()][..]].concat());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_without_a_name_belongs_to_whoever_mounted_it() {
        let events = "container\tcreate\tc1\t{\"name\":\"x-1\",\"image\":\"db\",\"course.grader.run\":\"r\"}\n\
            volume\tmount\tv1\t{\"container\":\"c1\",\"driver\":\"local\"}\n\
            container\tcreate\tc2\t{\"name\":\"menu10\",\"image\":\"menu10:latest\"}\n\
            volume\tmount\tv2\t{\"container\":\"c2\"}\nbroken\n";
        let of = |volume| mounted_by(events, volume);
        assert!(of("v1").iter().all(Thing::is_of_others) && of("v1").len() == 1);
        assert_eq!(of("v2").iter().map(|thing| thing.name.as_str()).collect::<Vec<_>>(), ["menu10"]);
        assert!(of("v3").is_empty());
    }
}
