//! The rules for mounts, and what their sources really are.
//!
//! Owns: which kinds of mount there may be and where they may lead; following links in the sources of
//! binds, secrets and configs, once, before anything runs. Must not: rewrite anything; the plan sees to it
//! that no container can change what was looked at here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::limits;
use super::{Gate, entries, is_set, strings};

/// What the source of a mount is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Where it lies, with all links followed, relative to the stack's folder; empty for the folder itself.
    pub path: PathBuf,
    /// What lies there.
    pub kind: SourceKind,
}

/// What lies at the source of a mount before anything runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// Nothing: Docker makes a folder there, where the mount lets it.
    Missing,
}

/// A named volume is Docker's own, without anything of a driver.
pub fn inspect_volume(gate: &mut Gate<'_>, name: &str, item: &Value) {
    let driver = item.get("driver").and_then(Value::as_str).unwrap_or("local");
    if item.get("driver_opts").is_some_and(is_set) || !["default", "local"].contains(&driver) {
        gate.refuse(
            &["volumes", name],
            format!("the volume `{name}` sets a driver or driver options"),
            "A volume driver's options can mount any folder of this machine. Exercises use plain named volumes.",
        );
    }
}

/// Looks at the mounts of one service.
pub fn inspect(gate: &mut Gate<'_>, name: &str, service: &Value) {
    let place = ["services", name, "volumes"];
    let mut targets: Vec<(&str, String)> = Vec::new();
    for volume in service.get("volumes").and_then(Value::as_array).into_iter().flatten() {
        let text = |path: &str| volume.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let target = text("/target");
        match text("/type") {
            "bind" => gate.must_be_inside(&place, text("/source"), &format!("is mounted at {target}")),
            "volume" | "tmpfs" => {}
            kind => gate.refuse(
                &place,
                format!("`{name}` mounts something of the kind `{kind}` at {target}"),
                "Exercises mount folders of their own (`bind`), named volumes and `tmpfs`.",
            ),
        }
        if !["", "private", "rprivate"].contains(&text("/bind/propagation")) {
            gate.refuse(
                &place,
                format!("the mount at {target} is to spread to this machine"),
                "`propagation` lets mounts that a container makes appear outside of it. Leave it out.",
            );
        }
        targets.push(("volumes", target.to_owned()));
    }
    targets.extend(
        strings(service.get("tmpfs"))
            .into_iter()
            .map(|text| ("tmpfs", text.split(':').next().unwrap_or_default().to_owned())),
    );
    for key in ["secrets", "configs"] {
        let items = service.get(key).and_then(Value::as_array).into_iter().flatten();
        targets.extend(items.filter_map(|item| Some((key, item.get("target")?.as_str()?.to_owned()))));
    }
    if targets.len() > limits::MOUNTS {
        gate.refuse(
            &place,
            format!("`{name}` has {} mounts", targets.len()),
            format!("At most {} at one service: volumes, `tmpfs`, secrets and configs together.", limits::MOUNTS),
        );
    }
    for (key, target) in targets.into_iter().filter(|(_, target)| limits::is_kernels(target)) {
        gate.refuse(
            &["services", name, key],
            format!("`{name}` puts something in the place of {target}"),
            limits::KERNELS,
        );
    }
}

/// The sources of all binds, secrets and configs of a stack, by the path that the model has.
#[must_use]
pub fn sources(dir: &Path, model: &Value) -> BTreeMap<String, Source> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let volumes = entries(model, "services")
        .into_iter()
        .flat_map(|(_, service)| service.get("volumes").and_then(Value::as_array).into_iter().flatten())
        .filter(|volume| volume.get("type").and_then(Value::as_str) == Some("bind"))
        .filter_map(|volume| text(volume.get("source")));
    let files = ["secrets", "configs"].into_iter().flat_map(|kind| entries(model, kind));
    let files = files.filter_map(|(_, item)| text(item.get("file")));
    volumes.chain(files).filter_map(|path| Some((path.clone(), source(dir, Path::new(&path))?))).collect()
}

fn source(dir: &Path, path: &Path) -> Option<Source> {
    let (real, rest) =
        path.ancestors().find_map(|part| Some((part.canonicalize().ok()?, path.strip_prefix(part).ok()?)))?;
    let kind = match (rest.as_os_str().is_empty(), real.is_dir()) {
        (false, _) => SourceKind::Missing,
        (true, true) => SourceKind::Folder,
        (true, false) => SourceKind::File,
    };
    let real = real.strip_prefix(dir.canonicalize().ok()?).ok()?;
    // Joining nothing would add a slash.
    let path = if rest.as_os_str().is_empty() { real.to_path_buf() } else { real.join(rest) };
    Some(Source { path, kind })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sources_are_told_with_their_links_followed() {
        let dir = tempfile::tempdir().expect("folder");
        std::fs::create_dir_all(dir.path().join("real/deep")).expect("folder");
        std::fs::write(dir.path().join("real/pw.txt"), "x").expect("file");
        std::os::unix::fs::symlink("real", dir.path().join("alias")).expect("link");
        let at = |path: &str| dir.path().join(path).display().to_string();
        let bind = |path: &str| json!({"type": "bind", "source": at(path), "target": "/x"});
        let model = json!({
            "services": {"a": {"volumes": [bind("alias/deep"), bind("alias/new/er"), {"type": "volume", "source": "data"}]}},
            "secrets": {"pw": {"file": at("alias/pw.txt")}},
        });
        let found = sources(dir.path(), &model);
        let of = |path: &str| found.get(&at(path)).map(|source| (source.path.clone(), source.kind));
        assert_eq!(of("alias/deep"), Some(("real/deep".into(), SourceKind::Folder)));
        assert_eq!(of("alias/new/er"), Some(("real/new/er".into(), SourceKind::Missing)));
        assert_eq!(of("alias/pw.txt"), Some(("real/pw.txt".into(), SourceKind::File)));
        assert_eq!(found.len(), 3);
    }
}
