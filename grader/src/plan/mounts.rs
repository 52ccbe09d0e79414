//! Keeps the sources of mounts where no container can change what they are.
//!
//! Owns: which sources are taken out of a folder that containers write to, and what every container
//! sees in their place: the same files at the same paths. Must not: move anything; the sandbox does that
//! before the first start.
//!
//! The daemon follows links in the source of a bind at each start, as root. A container that has the
//! folder above such a source could put a link to any place of the machine there, and wait. So whatever
//! is mounted by itself, out of a folder that a container may write to, lies outside of it: a folder is
//! moved, and mounted again wherever its old place is seen; a file is a second name of the same file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value, json};

use super::bounds::Injected;
use crate::policy::{AdmittedStack, Source, SourceKind};

/// A source that lies outside of the stack's folder while the stack runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Where the learner has it, relative to the stack's folder.
    pub path: PathBuf,
    /// Where it is kept.
    pub at: PathBuf,
    /// How it gets there.
    pub how: How,
}

/// How a source gets to where it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// A file: a second name for it.
    Linked,
    /// A folder: it is moved, and an empty one is left in its place.
    Moved,
    /// There is none yet, and Docker would make a folder: one is made here and there.
    Made,
    /// There is none, and Docker must not make one: nothing is done, and the start fails.
    Absent,
}

impl Held {
    /// Whether there is a folder, with whatever is in it.
    fn is_folder(&self) -> bool {
        matches!(self.how, How::Moved | How::Made)
    }
}

/// Where a file of the stack's folder really is: the folder that it is below, and the path from there.
#[must_use]
pub fn place_of(held: &[Held], dir: &Path, file: &Path) -> (PathBuf, PathBuf) {
    let above = held.iter().filter(|held| held.is_folder() && held.path != *file && file.starts_with(&held.path));
    let nearest = above.max_by_key(|held| held.path.components().count());
    let moved = nearest.and_then(|held| Some((held.at.clone(), file.strip_prefix(&held.path).ok()?.to_path_buf())));
    moved.unwrap_or_else(|| (dir.to_path_buf(), file.to_path_buf()))
}

/// Rewrites the sources of all mounts, and tells what has to be moved for that, outer folders first.
pub fn keep_apart(
    started: &mut Value,
    admitted: &AdmittedStack,
    keep: &Path,
    injected: &mut BTreeMap<String, Injected>,
) -> Vec<Held> {
    let held = exposed(started, admitted, keep);
    let place = |source: &Source| {
        let at = held.iter().find(|held| held.path == source.path).map(|held| held.at.clone());
        at.unwrap_or_else(|| admitted.dir.join(&source.path)).components().collect::<PathBuf>().display().to_string()
    };
    let services = started.get_mut("services").and_then(Value::as_object_mut).into_iter().flatten();
    let services = services.filter_map(|(name, service)| Some((name.clone(), service.as_object_mut()?)));
    let mut written = BTreeMap::new();
    let mut added = BTreeMap::new();
    for (name, service) in services {
        let hiding = targets(service);
        let mut more: Vec<Value> = Vec::new();
        for bind in binds_mut(service) {
            let Some((text, source)) = source_of(bind, admitted) else { continue };
            let (place, relative) = (place(source), relative(&text, &admitted.dir));
            bind.insert("source".into(), json!(place));
            written.insert(place, relative);
            let target = tidy(bind.get("target").and_then(Value::as_str).unwrap_or_default());
            let read_only = is_read_only(bind);
            for held in held.iter().filter(|held| held.is_folder() && held.path != source.path) {
                let Ok(rest) = held.path.strip_prefix(&source.path) else { continue };
                let inner = target.join(rest);
                let is_hidden =
                    |other: &PathBuf| *other != target && other.starts_with(&target) && inner.starts_with(other);
                if !hiding.iter().any(is_hidden) {
                    more.push(json!({"type": "bind", "source": held.at, "target": inner, "read_only": read_only}));
                }
            }
        }
        let targets = more.iter().filter_map(|mount| mount["target"].as_str().map(str::to_owned));
        added.insert(name, targets.collect::<BTreeSet<String>>());
        if let Some(volumes) = service.get_mut("volumes").and_then(Value::as_array_mut) {
            volumes.append(&mut more);
        }
    }
    for kind in ["secrets", "configs"] {
        for item in started.get_mut(kind).and_then(Value::as_object_mut).into_iter().flatten() {
            let Some(text) = item.1.get("file").and_then(Value::as_str).map(str::to_owned) else { continue };
            let Some(source) = admitted.sources.get(&text) else { continue };
            let place = place(source);
            item.1["file"] = json!(place);
            written.insert(place, relative(&text, &admitted.dir));
        }
    }
    for (name, injected) in injected {
        injected.sources.clone_from(&written);
        injected.mounts = added.remove(name).unwrap_or_default();
    }
    held
}

/// What is mounted by itself out of a folder that a container may write to.
fn exposed(started: &Value, admitted: &AdmittedStack, keep: &Path) -> Vec<Held> {
    let services = started.get("services").and_then(Value::as_object).into_iter().flatten();
    let binds = services.filter_map(|(_, service)| service.as_object()).flat_map(binds);
    let (mut writable, mut mounted) = (BTreeSet::new(), BTreeMap::new());
    for bind in binds {
        let Some((_, source)) = source_of(bind, admitted) else { continue };
        if !is_read_only(bind) {
            writable.insert(&source.path);
        }
        let makes = bind.get("bind").and_then(|bind| bind.get("create_host_path")) == Some(&Value::Bool(true));
        *mounted.entry(source).or_insert(false) |= makes;
    }
    let files = ["secrets", "configs"].into_iter().filter_map(|kind| started.get(kind)?.as_object()).flatten();
    for source in files.filter_map(|(_, item)| admitted.sources.get(item.get("file")?.as_str()?)) {
        mounted.entry(source).or_insert(false);
    }
    let is_exposed = |source: &Source| writable.iter().any(|w| **w != source.path && source.path.starts_with(w));
    let exposed = mounted.into_iter().filter(|(source, _)| is_exposed(source));
    let held = |(number, (source, makes)): (usize, (&Source, bool))| Held {
        path: source.path.clone(),
        at: keep.join(number.to_string()),
        how: match source.kind {
            SourceKind::File => How::Linked,
            SourceKind::Folder => How::Moved,
            SourceKind::Missing if makes => How::Made,
            SourceKind::Missing => How::Absent,
        },
    };
    // A path comes before those below it.
    exposed.enumerate().map(held).collect()
}

fn binds(service: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let volumes = service.get("volumes").and_then(Value::as_array).into_iter().flatten();
    volumes.filter_map(Value::as_object).filter(|volume| is_bind(volume))
}

fn binds_mut(service: &mut Map<String, Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    let volumes = service.get_mut("volumes").and_then(Value::as_array_mut).into_iter().flatten();
    volumes.filter_map(Value::as_object_mut).filter(|volume| is_bind(volume))
}

fn is_bind(volume: &Map<String, Value>) -> bool {
    volume.get("type").and_then(Value::as_str) == Some("bind")
}

fn is_read_only(bind: &Map<String, Value>) -> bool {
    bind.get("read_only") == Some(&Value::Bool(true))
}

/// The source as the model has it, and what it is.
fn source_of<'a>(bind: &Map<String, Value>, admitted: &'a AdmittedStack) -> Option<(String, &'a Source)> {
    let text = bind.get("source")?.as_str()?;
    Some((text.to_owned(), admitted.sources.get(text)?))
}

/// Where a service has something of its own mounted.
fn targets(service: &Map<String, Value>) -> Vec<PathBuf> {
    let volumes = service.get("volumes").and_then(Value::as_array).into_iter().flatten();
    let volumes = volumes.filter_map(|volume| volume.get("target")?.as_str());
    let tmpfs = service.get("tmpfs").and_then(Value::as_array).into_iter().flatten();
    let tmpfs = tmpfs.filter_map(|text| text.as_str()?.split(':').next());
    volumes.chain(tmpfs).map(tidy).collect()
}

/// A path in a container without a slash at its end.
fn tidy(target: &str) -> PathBuf {
    Path::new(target).components().filter(|part| *part != Component::CurDir).collect()
}

/// A path of the stack's folder as the learner would write it; `.` for the folder itself.
fn relative(text: &str, dir: &Path) -> String {
    let path = Path::new(text).strip_prefix(dir).map(|path| path.display().to_string()).unwrap_or(text.to_owned());
    if path.is_empty() { ".".into() } else { path }
}

#[cfg(test)]
#[path = "mounts_tests.rs"]
mod tests;
