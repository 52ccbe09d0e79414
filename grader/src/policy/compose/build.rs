//! The rules for a service's `build`.
//!
//! Owns: what Compose may ask a build for. Must not: read Dockerfiles.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::super::dockerfile::STEERING;
use super::{Gate, is_set, object};
use crate::submission::inline;
use crate::submission::model::build_args;

/// Keys of a build that are refused, with the reason.
const NEVER: [(&str, &str); 8] = [
    ("privileged", "A privileged build is root on this machine. No exercise needs it."),
    ("entitlements", "Entitlements give a build the host's network or root's rights. No exercise needs them."),
    ("ssh", "No exercise needs the keys of this machine."),
    ("additional_contexts", "It reads other folders, images or addresses. Only files of the exercise are built."),
    ("cache_from", "It reads from a registry or a folder of this machine. The builder keeps its own cache."),
    ("cache_to", "It writes to a registry or a folder of this machine. The builder keeps its own cache."),
    ("secrets", "The grader does not hand secrets to builds."),
    ("extra_hosts", "It gives names to addresses of this machine. A build needs none of them."),
];

/// Keys of a build that are known; those that say how to build or name the result are passed over.
/// [`inline::take`] has made a name of `dockerfile_inline` before the model is looked at.
const KNOWN: [&str; 10] =
    ["context", "dockerfile", inline::KEY, "target", "args", "labels", "tags", "pull", "no_cache", "network"];

/// Looks at a build.
pub fn inspect(gate: &mut Gate<'_>, name: &str, service: &Value) {
    let Some(build) = service.get("build") else { return };
    let at = |key| ["services", name, "build", key];
    match build.get("network").and_then(Value::as_str).unwrap_or_default() {
        "" | "default" | "none" => {}
        network => gate.refuse(
            &at("network"),
            format!("`{name}` is built on the network of {}", if network == "host" { "this machine" } else { network }),
            "A build with the host's network can reach every service of this machine. Remove `network`.",
        ),
    }
    for (key, why) in NEVER {
        if build.get(key).is_some_and(is_set) {
            gate.refuse(&at(key), format!("the build of `{name}` sets `{key}`"), why);
        }
    }
    for (argument, _) in object(build.get("args")).filter(|(argument, _)| argument.starts_with(STEERING)) {
        gate.refuse(
            &["services", name, "build", "args", argument],
            format!("the build of `{name}` steers the builder by {argument}"),
            "Arguments that begin with BUILDKIT_ change how the builder itself works. Leave it out.",
        );
    }
    let context = build.get("context").and_then(Value::as_str).unwrap_or(".");
    if context.starts_with('/') {
        gate.must_be_inside(&at("context"), context, "is a build context");
        let dockerfile = build.get("dockerfile").and_then(Value::as_str).unwrap_or("Dockerfile");
        let path = Path::new(context).join(dockerfile).display().to_string();
        gate.must_be_inside(&at("dockerfile"), &path, "is a Dockerfile");
    } else {
        let what = format!("`{name}` is built from {context}");
        gate.refuse(&at("context"), what, "Only files of the exercise are built.");
    }
    gate.only_known(&["services", name, "build"], build, &known());
}

/// All keys that a build may have, those among them that are refused whatever they say.
pub fn known() -> Vec<&'static str> {
    KNOWN.into_iter().chain(NEVER.map(|(key, _)| key)).collect()
}

/// The Dockerfile of a service's build, relative to `dir`, with its arguments.
pub fn dockerfile(service: &Value, dir: &Path) -> Option<(String, BTreeMap<String, String>)> {
    let build = service.get("build")?;
    let text = |key: &str| build.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let path = Path::new(text("context").unwrap_or(".")).join(text("dockerfile").unwrap_or("Dockerfile"));
    let file = path.strip_prefix(dir).unwrap_or(&path).components().collect::<std::path::PathBuf>();
    Some((file.display().to_string(), build_args(build)))
}
