//! The gate's look at Compose files: the text before Compose reads it, the merged model after.
//!
//! Owns: the rules for services, networks and volumes. Must not: rewrite anything.

mod service;

use std::path::Path;

use serde_json::Value;

use super::{AdmittedStack, Refusal, limits};
use crate::submission::compose_file::ComposeFile;
use crate::submission::{Submission, is_inside};

/// What must not stand in a Compose file, because Compose itself would read or fetch it.
pub fn inspect_text(submission: &Submission, file: &str) -> Vec<Refusal> {
    let Some(text) = submission.text(file) else { return Vec::new() };
    if let Some(error) = ComposeFile::error(&text) {
        return vec![Refusal::new(
            format!("{file} is not valid YAML: {}", error.message),
            "Compose cannot read the file. Indentation is by spaces, and each key needs a colon and a value.",
            submission.location(file, error.line),
        )];
    }
    let Some(yaml) = ComposeFile::parse(&text) else { return Vec::new() };
    let mut refusals = Vec::new();
    for (line, _) in yaml.find("include") {
        refusals.push(Refusal::new(
            "`include` reads other Compose files",
            "The files of the exercise are named by `-f`; put what you need there.",
            submission.location(file, line),
        ));
    }
    for key in ["env_file", "extends"] {
        for (line, value) in yaml.find(key) {
            for path in value.split_whitespace().filter(|word| word.contains('/')) {
                if !is_inside(&submission.dir.join(path), &submission.dir) {
                    refusals.push(Refusal::new(
                        format!("`{key}` reads {path}, outside of the exercise folder"),
                        "Only files of the exercise are read.",
                        submission.location(file, line),
                    ));
                }
            }
        }
    }
    refusals
}

/// What the merged model must not ask for.
pub fn inspect_model(submission: &Submission, files: &[String], stack: &AdmittedStack) -> Vec<Refusal> {
    let mut gate = Gate { submission, files, dir: &stack.dir, refusals: Vec::new() };
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
    for kind in ["networks", "volumes"] {
        for (name, item) in entries(&stack.model, kind) {
            if item.get("external").is_some_and(|external| external != &Value::Bool(false)) {
                gate.refuse(
                    &[kind, name, "external"],
                    format!("`{name}` is external: it belongs to something else on this machine"),
                    "An exercise uses only what its own files make. Remove `external`.",
                );
            }
            let driver = item.get("driver").and_then(Value::as_str).unwrap_or("default");
            let options = item.get("driver_opts").and_then(Value::as_object).is_some_and(|options| !options.is_empty());
            if options || !["default", "local", "bridge"].contains(&driver) {
                gate.refuse(
                    &[kind, name],
                    format!("`{name}` sets a driver or driver options"),
                    "A volume driver's options can mount any folder of this machine. Exercises use plain named volumes and networks.",
                );
            }
        }
    }
    for kind in ["secrets", "configs"] {
        for (name, item) in entries(&stack.model, kind) {
            if let Some(path) = item.get("file").and_then(Value::as_str) {
                gate.must_be_inside(&[kind, name, "file"], path, "is read");
            }
        }
    }
    gate.refusals
}

/// Collects refusals with their places.
pub struct Gate<'a> {
    submission: &'a Submission,
    files: &'a [String],
    dir: &'a Path,
    refusals: Vec<Refusal>,
}

impl Gate<'_> {
    fn refuse(&mut self, path: &[&str], what: impl Into<String>, why: impl Into<String>) {
        let at = self.submission.locate_key(self.files, path);
        self.refusals.push(Refusal::new(what, why, at));
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

fn replicas(service: &Value) -> u64 {
    let deployed = service.pointer("/deploy/replicas").and_then(Value::as_u64);
    service.get("scale").and_then(Value::as_u64).or(deployed).unwrap_or(1)
}
