//! What Compose makes of a submission, and what it makes of the texts that the gate hands to it, must be
//! the same; or the gate refuses.
//!
//! An input is `docker-compose.yml`, and further files each behind a line `=== name`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use grader::course::spec::StackSpec;
use grader::policy::{self, NEUTRAL};
use grader::submission::{Submission, env_file};
use serde_json::Value;

/// How an input was treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treated {
    /// The gate refuses it before Compose is asked.
    Refused,
    /// Compose refuses both.
    Complained,
    /// Compose makes the same model of both.
    Same,
}

/// Looks at one input; an error says what differs.
pub fn look(input: &str) -> Result<Treated, String> {
    let root = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (theirs, ours) = (root.path().join("theirs/project"), root.path().join("ours/project"));
    for (name, text) in files(input) {
        put(&theirs.join(name), text)?;
    }
    let spec = StackSpec {
        name: "s".into(),
        files: vec!["docker-compose.yml".into()],
        env_file: None,
        profiles: Vec::new(),
        env: BTreeMap::new(),
        tagged_image: None,
    };
    let Ok(text) = policy::compose_text(&spec, &Submission::at(&theirs)) else {
        return Ok(Treated::Refused);
    };
    for (name, text) in text.files() {
        put(&ours.join(name), text)?;
    }
    let variables = root.path().join("variables");
    put(&variables, &env_file::written(text.variables()))?;
    let own = theirs.join(".env");
    let own = if own.is_file() { own } else { "/dev/null".into() };
    let (of_theirs, of_ours) = std::thread::scope(|scope| {
        let first = scope.spawn(|| model(&theirs, &own));
        let second = model(&ours, &variables);
        (first.join().unwrap_or_else(|_| Err("a panic".into())), second)
    });
    match (of_theirs, of_ours) {
        (Ok(theirs), Ok(ours)) if theirs == ours => Ok(Treated::Same),
        (Ok(theirs), Ok(ours)) => Err(format!("of the submission: {theirs:#}\nof the grader's text: {ours:#}")),
        (Err(_), Err(_)) => Ok(Treated::Complained),
        (Ok(_), Err(complaint)) => Err(format!("only the grader's text is refused: {complaint}")),
        (Err(complaint), Ok(_)) => Err(format!("only the submission is refused: {complaint}")),
    }
}

/// The files of an input. Names that lead elsewhere are left out.
fn files(input: &str) -> Vec<(&str, &str)> {
    let mut files = Vec::new();
    for (index, part) in input.split("\n=== ").enumerate() {
        let (name, text) =
            if index == 0 { ("docker-compose.yml", part) } else { part.split_once('\n').unwrap_or((part, "")) };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let is_name =
            |part: &str| !part.is_empty() && !part.starts_with("..") && part != "." && part.chars().all(is_plain);
        if name.split('/').all(is_name) {
            files.push((name, text));
        }
    }
    files
}

fn put(path: &Path, text: &str) -> Result<(), String> {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, text));
    written.map_err(|error| format!("{}: {error}", path.display()))
}

/// What `docker compose config` says, without the folder that it ran in.
fn model(folder: &Path, variables: &Path) -> Result<Value, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let docker = std::env::split_paths(&path).map(|folder| folder.join("docker")).find(|path| path.is_file());
    let mut command = Command::new(docker.unwrap_or_else(|| "docker".into()));
    command.args(["compose", "--env-file"]).arg(variables).args([
        "-f",
        "docker-compose.yml",
        "config",
        "--format",
        "json",
    ]);
    command.current_dir(folder).env_clear().envs(NEUTRAL).stdin(Stdio::null());
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout).replace(&folder.display().to_string(), "/project");
    serde_json::from_str(&text).map_err(|error| error.to_string())
}
