//! The gate's look at Compose files: the text before Compose reads it, the merged model after.
//!
//! Owns: the rules for stacks, networks, volumes, secrets and configs, and collecting refusals with
//! their places. Must not: rewrite anything.
//!
//! What the gate does not know it refuses: a key that a future Compose invents is closed until
//! somebody has thought about it.

mod build;
mod include;
mod joins;
mod keys;
mod mounts;
mod network;
mod resources;
mod service;
mod text;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::{AdmittedStack, Refusal, limits};
use crate::course::spec::{LessonSpec, StackSpec};
use crate::submission::{Submission, is_inside};
pub use joins::name_services;
pub use keys::remedy;
pub use mounts::{Source, SourceKind, sources};
pub use text::{ComposeText, NEUTRAL, read};

/// Keys at the top of a model.
const TOP: [&str; 7] = ["name", "version", "services", "networks", "volumes", "secrets", "configs"];

/// What the merged model must not ask for.
pub fn inspect_model(
    lesson: &LessonSpec,
    spec: &StackSpec,
    submission: &Submission,
    stack: &AdmittedStack,
) -> Vec<Refusal> {
    let AdmittedStack { dir, model, variables, .. } = stack;
    let mut gate = Gate { lesson, spec, submission, dir, model, variables, refusals: Vec::new() };
    gate.only_known(&[], &stack.model, &TOP);
    resources::inspect_whole(&mut gate);
    let mut containers = 0;
    for (name, service) in entries(&stack.model, "services") {
        containers += replicas(service);
        service::inspect(&mut gate, name, service);
    }
    if containers > limits::SERVICES {
        gate.refuse(
            &["services"],
            format!("the stack has {containers} containers"),
            format!("At most {} run in an exercise.", limits::SERVICES),
        );
    }
    for (name, item) in entries(&stack.model, "networks") {
        own(&mut gate, "networks", name, item);
        network::inspect(&mut gate, name, item);
    }
    network::inspect_addresses(&mut gate);
    for (name, item) in entries(&stack.model, "volumes") {
        own(&mut gate, "volumes", name, item);
        mounts::inspect_volume(&mut gate, name, item);
    }
    for kind in ["secrets", "configs"] {
        for (name, item) in entries(&stack.model, kind) {
            from_file(&mut gate, kind, name, item);
        }
    }
    gate.refusals
}

/// What the stacks of a submission, which run side by side, must not ask for together.
pub fn inspect_together(
    lesson: &LessonSpec,
    submission: &Submission,
    stacks: &BTreeMap<String, AdmittedStack>,
) -> Vec<Refusal> {
    let files: Vec<String> = lesson.stacks.iter().flat_map(|spec| spec.files.clone()).collect();
    let bounds = [
        (
            "networks",
            limits::NETWORKS,
            "Docker has addresses for some thirty networks on one machine, and others need some, too",
        ),
        ("volumes", limits::VOLUMES, "Each is a folder that Docker makes and removes again"),
    ];
    let counted = bounds.map(|(kind, most, why)| {
        let count: usize = stacks.values().map(|stack| entries(&stack.model, kind).len()).sum();
        (kind, count, most, why)
    });
    let too_many = counted.into_iter().filter(|(_, count, most, _)| count > most).map(|(kind, count, most, why)| {
        let at = submission.locate_key(&files, &[kind]);
        Refusal::new(format!("your files make {count} {kind}"), format!("At most {most} in an exercise. {why}."), at)
    });
    too_many.collect()
}

/// The Dockerfiles that the stack's builds name, relative to the exercise folder, each with the
/// build arguments that it gets.
#[must_use]
pub fn dockerfiles(stack: &AdmittedStack) -> Vec<(String, BTreeMap<String, String>)> {
    entries(&stack.model, "services")
        .into_iter()
        .filter_map(|(_, service)| build::dockerfile(service, &stack.dir))
        .collect()
}

/// Networks and volumes are the exercise's own.
fn own(gate: &mut Gate<'_>, kind: &str, name: &str, item: &Value) {
    if item.get("external").is_some_and(is_set) {
        gate.refuse(
            &[kind, name, "external"],
            format!("`{name}` is external: it belongs to something else on this machine"),
            "An exercise uses only what its own files make. Remove `external`.",
        );
    }
    let known = [
        "name",
        "external",
        "driver",
        "driver_opts",
        "labels",
        "ipam",
        "internal",
        "attachable",
        "enable_ipv4",
        "enable_ipv6",
    ];
    gate.only_known(&[kind, name], item, &known);
}

/// Secrets and configs come from files of the exercise.
fn from_file(gate: &mut Gate<'_>, kind: &str, name: &str, item: &Value) {
    if let Some(path) = item.get("file").and_then(Value::as_str) {
        let at = [kind, name, "file"];
        gate.must_be_inside(&at, path, "is read");
        if Path::new(path).is_dir() {
            let why = "It is shown to the container as one file. Name a file; for a whole folder use `volumes`.";
            gate.refuse(&at, format!("`{name}` is taken from a folder"), why);
        }
    }
    let is_own = |value: &Value| value.as_str().is_some_and(|variable| gate.variables.contains_key(variable));
    let elsewhere = [
        ("external", "An exercise uses only what its own files make. Take it from a file: `file: ./name`."),
        (
            "environment",
            "The environment of the grader is not yours to read. Take it from a variable that your own env file sets, or from a file: `file: ./name`.",
        ),
    ];
    for (key, why) in elsewhere {
        if item.get(key).is_some_and(|value| is_set(value) && !(key == "environment" && is_own(value))) {
            gate.refuse(&[kind, name, key], format!("`{name}` is taken from elsewhere (`{key}`)"), why);
        }
    }
    gate.only_known(&[kind, name], item, &["name", "file", "content", "external", "environment"]);
}

/// Collects refusals with their places.
pub struct Gate<'a> {
    lesson: &'a LessonSpec,
    spec: &'a StackSpec,
    submission: &'a Submission,
    dir: &'a Path,
    model: &'a Value,
    variables: &'a BTreeMap<String, String>,
    refusals: Vec<Refusal>,
}

impl Gate<'_> {
    fn refuse(&mut self, path: &[&str], what: impl Into<String>, why: impl Into<String>) {
        let at = self.submission.locate_key(&self.spec.files, path);
        self.refusals.push(Refusal::new(what, why, at));
    }

    /// Refuses the keys of an object that are set and that are not `known`.
    fn only_known(&mut self, path: &[&str], item: &Value, known: &[&str]) {
        let unknown = |key: &&String| !known.contains(&key.as_str()) && !key.starts_with("x-");
        let set: Vec<&String> =
            item.as_object().into_iter().flatten().filter(|(_, value)| is_set(value)).map(|(key, _)| key).collect();
        for key in set.into_iter().filter(unknown) {
            let full: Vec<&str> = path.iter().copied().chain([key.as_str()]).collect();
            let of = path.last().map(|name| format!(" at `{name}`")).unwrap_or_default();
            let at = self.submission.locate_key(&self.spec.files, &full);
            let what = format!("the grader does not know the key `{key}`{of}");
            self.refusals.push(Refusal::mistake(what, remedy(key, known), at));
        }
    }

    fn must_be_inside(&mut self, path: &[&str], file: &str, what_happens: &str) {
        if file.contains("docker.sock") {
            self.refuse(
                path,
                format!("the Docker socket ({file}) {what_happens}"),
                "Whoever has the socket is root on this machine. No exercise needs it.",
            );
        } else if !is_inside(Path::new(file), self.dir) {
            let shown = Path::new(file).strip_prefix(self.dir).map_or(file.to_owned(), |p| p.display().to_string());
            self.refuse(
                path,
                format!("{shown} {what_happens}, which lies outside of the exercise folder"),
                "A container that sees other folders of this machine can read and change them. Use paths below the exercise folder, without links that lead out.",
            );
        }
    }
}

fn entries<'v>(model: &'v Value, kind: &str) -> Vec<(&'v str, &'v Value)> {
    let Some(map) = model.get(kind).and_then(Value::as_object) else { return Vec::new() };
    map.iter().map(|(name, value)| (name.as_str(), value)).collect()
}

/// How many containers of a service are asked for.
pub fn replicas(service: &Value) -> u64 {
    let deployed = service.pointer("/deploy/replicas").and_then(Value::as_u64);
    service.get("scale").and_then(Value::as_u64).or(deployed).unwrap_or(1)
}

/// A number, written as one or as text.
fn number(value: Option<&Value>) -> Option<f64> {
    value.and_then(|value| value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()))
}

fn strings(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn object(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    let map: Option<&Map<String, Value>> = value.and_then(Value::as_object);
    map.into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is refused of a service in a lesson with these lines.
    fn refused(lesson: &str, service: &Value) -> Vec<String> {
        refused_of(lesson, json!({"services": {"x": service}}))
    }

    fn refused_of(lesson: &str, model: Value) -> Vec<String> {
        let head = "id = 'l'\nslug = 's'\ntitle = 't'\nminutes = 1\nimages = ['a:1']\ndeliver = []\n";
        let stack = "[[stack]]\nname = 's'\nfiles = ['c.yml']\n";
        let lesson: LessonSpec = toml::from_str(&format!("{head}{lesson}\n{stack}")).expect("lesson");
        let dir = tempfile::tempdir().expect("folder");
        let submission = Submission::at(dir.path());
        let admitted = AdmittedStack::new(dir.path(), model);
        let refusals = inspect_model(&lesson, &lesson.stacks[0], &submission, &admitted);
        refusals.into_iter().map(|refusal| refusal.what).collect()
    }

    #[test]
    fn a_lesson_allows_what_it_names_and_nothing_else() {
        let service = json!({"image": "a:1", "cap_add": ["NET_ADMIN", "SYS_ADMIN"], "security_opt": ["seccomp=unconfined", "apparmor=unconfined"]});
        assert_eq!(refused("", &service).len(), 4);
        let left = refused("allow = ['NET_ADMIN', 'seccomp=unconfined']", &service);
        assert!(left.len() == 2 && left[0].contains("SYS_ADMIN") && left[1].contains("apparmor"), "{left:?}");
    }

    #[test]
    fn a_key_that_the_gate_does_not_know_is_refused() {
        let left = refused(
            "",
            &json!({"image": "a:1", "x-mine": 1, "teleport": true, "deploy": {"resources": {}, "orbit": 1}}),
        );
        assert_eq!(
            left,
            [
                "the grader does not know the key `teleport` at `x`",
                "the grader does not know the key `orbit` at `deploy`"
            ]
        );
    }

    #[test]
    fn a_network_may_have_an_mtu_and_no_interface_of_the_machine() {
        let with = |options: Value| refused_of("", json!({"networks": {"n": {"driver_opts": options}}})).len();
        assert_eq!(with(json!({"com.docker.network.driver.mtu": "1450"})), 0);
        assert_eq!(with(json!({"com.docker.network.driver.mtu": "9001"})), 1);
        assert_eq!(with(json!({"com.docker.network.bridge.name": "docker0"})), 1);
        let joined =
            json!({"image": "a:1", "networks": {"n": {"aliases": ["b"], "ipv4_address": "10.0.0.7", "priority": 1}}});
        assert_eq!(refused("", &joined), Vec::<String>::new());
    }

    #[test]
    fn the_usual_network_of_docker_is_refused_for_what_it_is() {
        for mode in ["bridge", "default"] {
            let left = refused("", &json!({"image": "a:1", "network_mode": mode}));
            assert_eq!(left, [format!("`x` joins Docker's own network (`network_mode: {mode}`)")]);
        }
        assert!(refused("", &json!({"image": "a:1", "network_mode": "service:y"})).is_empty());
    }

    #[test]
    fn a_fixed_address_is_let_in_until_something_relies_on_it() {
        let relying = |text: &str| {
            let db = json!({"image": "a:1", "networks": {"n": {"ipv4_address": "10.0.0.7"}}});
            refused_of("", json!({"services": {"db": db, "app": {"image": "a:1", "extra_hosts": [text]}}})).len()
        };
        assert_eq!((relying("db=10.0.0.7"), relying("db=10.0.0.77"), relying("db=110.0.0.7")), (1, 0, 0));
    }

    #[test]
    fn texts_of_megabytes_are_refused() {
        let with = |length: usize| refused("", &json!({"image": "a:1", "labels": {"x": "y".repeat(length)}})).len();
        assert_eq!((with(limits::MODEL_BYTES - 200), with(limits::MODEL_BYTES)), (0, 1));
    }

    #[test]
    fn the_last_number_that_is_let_in_is_the_limit_itself() {
        let memory = |bytes: u64| refused("", &json!({"image": "a:1", "mem_limit": bytes.to_string()})).len();
        assert_eq!((memory(limits::MEMORY_MOST), memory(limits::MEMORY_MOST + 1)), (0, 1));
        let interval = |text: &str| refused("", &json!({"image": "a:1", "healthcheck": {"interval": text}})).len();
        assert_eq!((interval("200ms"), interval("199ms"), interval("0s")), (0, 1, 0));
        let quota = |quota: i64| refused("", &json!({"image": "a:1", "cpu_quota": quota})).len();
        assert_eq!((quota(400_000), quota(400_001), quota(-1)), (0, 1, 1));
    }
}
