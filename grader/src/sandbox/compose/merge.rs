//! Merging the Compose files of a stack, by `docker compose config`.
//!
//! Owns: a folder with nothing but what the gate has read, the environment in which Compose works
//! there, and turning its paths into those of the stack's copy. Must not: read the learner's files.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::daemon;
use super::super::pace::Pace;
use crate::course::spec::StackSpec;
use crate::fault::Fault;
use crate::learner::filled;
use crate::policy::{ComposeText, NEUTRAL};
use crate::submission::env_file;

/// How long Compose may take, milliseconds. What the gate lets through takes it a second or two.
const MOST_MS: u64 = 60_000;

/// What `docker compose config` made of the files.
pub enum Merged {
    /// The merged model.
    Model(Value),
    /// Compose's complaint about the learner's files.
    Complaint(String),
}

/// What stands for `{tag}` and `{learner}` in a lesson's environment.
#[derive(Debug, Clone, Copy)]
pub struct Fills<'a> {
    /// This run's tag.
    pub tag: &'a str,
    /// The learner's number.
    pub learner: &'a str,
}

/// Where a stack's files are merged.
pub struct Places {
    /// The folder that is made for it. Its name is the project's, where no file says another.
    pub work: PathBuf,
    /// The stack's copy of the submission, to which the paths of the model lead.
    pub copy: PathBuf,
}

/// Merges a stack's files.
pub async fn merge(
    spec: &StackSpec,
    text: &ComposeText,
    places: &Places,
    fills: &Fills<'_>,
    pace: &Pace,
) -> Result<Merged, Fault> {
    let variables = write(text, &places.work)?;
    let mut arguments: Vec<String> = Vec::new();
    arguments.extend(spec.profiles.iter().flat_map(|profile| ["--profile".to_owned(), profile.clone()]));
    arguments.extend(["--env-file".into(), variables.display().to_string()]);
    arguments.extend(spec.files.iter().flat_map(|file| ["-f".to_owned(), file.clone()]));
    arguments.extend(["config", "--format", "json"].map(str::to_owned));
    let fill = |value: &str| filled(&value.replace("{tag}", fills.tag), fills.learner);
    let own = spec.env.iter().map(|(name, value)| (name.clone(), fill(value)));
    let neutral = NEUTRAL.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let pwd = NEUTRAL.iter().find(|(name, _)| *name == "PWD").map_or("/", |(_, folder)| folder);
    let mut command = daemon::reading_compose(pwd, &arguments);
    command.current_dir(&places.work).envs(neutral.chain(own));
    let limit = pace.within(MOST_MS);
    let Some(ended) = daemon::run(command, &limit).await? else {
        return Err(Fault::TimedOut { action: "docker compose config".into(), seconds: limit.seconds() });
    };
    if ended.ok {
        let mut model = serde_json::from_str(&ended.stdout).map_err(|error| Fault::Unreadable {
            what: "the model of docker compose config".into(),
            reason: error.to_string(),
        })?;
        place(&mut model, places);
        return Ok(Merged::Model(model));
    }
    let complaint = ended.stderr.trim().to_owned();
    if complaint.contains("is not a docker command") || complaint.contains("unknown shorthand flag: 'f'") {
        return Err(Fault::Command { command: "docker compose".into(), reason: "Compose is not installed".into() });
    }
    if ["cannot allocate memory", "out of memory"].iter().any(|words| complaint.contains(words)) {
        return Ok(Merged::Complaint("they need more memory than an exercise may".into()));
    }
    Ok(Merged::Complaint(complaint.replace(&format!("{}/", places.work.display()), "")))
}

/// Writes what Compose reads, and gives the file with the variables.
fn write(text: &ComposeText, work: &Path) -> Result<PathBuf, Fault> {
    fs::create_dir_all(work).map_err(Fault::file(work))?;
    for (file, text) in text.files() {
        let path = work.join(file);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Fault::file(parent))?;
        }
        // Compose files come first. On a disk where names differ by their letters' case alone, another
        // file must not take the place of one.
        let created = fs::File::options().write(true).create_new(true).open(&path);
        created.and_then(|mut file| file.write_all(text.as_bytes())).map_err(Fault::file(&path))?;
    }
    let name = work.file_name().unwrap_or_default().to_string_lossy();
    let variables = work.with_file_name(format!("{name}.env"));
    fs::write(&variables, env_file::written(text.variables())).map_err(Fault::file(&variables))?;
    Ok(variables)
}

/// Makes the model one of the stack's copy. Only what is a path is touched: a text that a container
/// gets keeps what `${PWD}` stood for.
fn place(model: &mut Value, places: &Places) {
    let moved = |value: &mut Value| {
        let Some(path) = value.as_str().map(Path::new) else { return };
        let pwd = NEUTRAL.iter().filter(|(name, _)| *name == "PWD").map(|(_, folder)| Path::new(*folder));
        let below = std::iter::once(places.work.as_path()).chain(pwd).find_map(|folder| path.strip_prefix(folder).ok());
        if let Some(below) = below {
            // Joining nothing would leave a slash at the end.
            let there = if below.as_os_str().is_empty() { places.copy.clone() } else { places.copy.join(below) };
            *value = there.display().to_string().into();
        }
    };
    for service in each(model, "services") {
        for volume in service.get_mut("volumes").and_then(Value::as_array_mut).into_iter().flatten() {
            if volume["type"] == "bind" {
                volume.get_mut("source").map(moved);
            }
        }
        for path in ["/build/context", "/build/dockerfile", "/credential_spec/file"] {
            service.pointer_mut(path).map(moved);
        }
        for watch in service.pointer_mut("/develop/watch").and_then(Value::as_array_mut).into_iter().flatten() {
            watch.get_mut("path").map(moved);
        }
        let Some(service) = service.as_object_mut() else { continue };
        // They have been read: what they say stands under `environment` and `labels`.
        service.remove("env_file");
        service.remove("label_file");
        // A variable that is set nowhere stays unset; starting the stack must not find another.
        if let Some(environment) = service.get_mut("environment").and_then(Value::as_object_mut) {
            environment.retain(|_, value| !value.is_null());
        }
    }
    for kind in ["secrets", "configs"] {
        each(model, kind).for_each(|item| {
            item.get_mut("file").map(moved);
        });
    }
}

fn each<'m>(model: &'m mut Value, kind: &str) -> impl Iterator<Item = &'m mut Value> {
    model.get_mut(kind).and_then(Value::as_object_mut).into_iter().flatten().map(|(_, item)| item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_lead_to_the_copy_and_texts_stay() {
        let places = Places { work: "/runs/1/compose/stack-s".into(), copy: "/runs/1/stack-s".into() };
        let mut model = json!({
            "services": {"a": {
                "build": {"context": "/runs/1/compose/stack-s", "dockerfile": "x/Dockerfile"},
                "env_file": ["/runs/1/compose/stack-s/x"],
                "environment": {"HERE": "/home/learner/exercise", "TOKEN": null},
                "volumes": [
                    {"type": "bind", "source": "/home/learner/exercise/src", "target": "/src"},
                    {"type": "bind", "source": "/home/learner/other", "target": "/other"},
                    {"type": "bind", "source": "/runs/1/compose/stack-sx", "target": "/x"},
                    {"type": "volume", "source": "data", "target": "/data"}
                ]
            }},
            "secrets": {"s": {"file": "/runs/1/compose/stack-s/key"}}
        });
        place(&mut model, &places);
        let wanted = json!({
            "services": {"a": {
                "build": {"context": "/runs/1/stack-s", "dockerfile": "x/Dockerfile"},
                "environment": {"HERE": "/home/learner/exercise"},
                "volumes": [
                    {"type": "bind", "source": "/runs/1/stack-s/src", "target": "/src"},
                    {"type": "bind", "source": "/home/learner/other", "target": "/other"},
                    {"type": "bind", "source": "/runs/1/compose/stack-sx", "target": "/x"},
                    {"type": "volume", "source": "data", "target": "/data"}
                ]
            }},
            "secrets": {"s": {"file": "/runs/1/stack-s/key"}}
        });
        assert_eq!(model, wanted);
    }
}
