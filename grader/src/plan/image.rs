//! Which of the planned images a service runs.
//!
//! Owns: matching services with builds, so that each image is built once. Must not: build.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::{BuildPlan, Names};
use crate::course::spec::StackSpec;
use crate::policy::AdmittedStack;
use crate::submission::model::build_args;

/// The image of ours that a service runs; `None` when it runs one that is not built here.
pub fn of_service(
    names: &Names<'_>,
    spec: &StackSpec,
    admitted: &AdmittedStack,
    service_name: &str,
    service: &Map<String, Value>,
    builds: &mut Vec<BuildPlan>,
) -> Option<BuildPlan> {
    let image = service.get("image").and_then(Value::as_str).unwrap_or_default();
    let tagged = || builds.iter().find(|build| Some(&build.name) == spec.tagged_image.as_ref()).cloned();
    if image.ends_with(&format!(":{}", names.tag)) {
        return tagged();
    }
    let built_for = |other: &Value| other.get("build").is_some() && other.get("image") == service.get("image");
    let services = admitted.model.get("services").and_then(Value::as_object);
    let other = services.into_iter().flatten().find(|(_, other)| !image.is_empty() && built_for(other));
    if service.get("build").is_none()
        && let Some((name, other)) = other.and_then(|(name, other)| Some((name, other.as_object()?)))
    {
        return of_service(names, spec, admitted, name, other, builds);
    }
    let Some(build) = service.get("build") else {
        // An image that nobody has built (`payments:latest`) is stood in for, so that one wrong
        // name is one failed check (`runs-by-tag` looks at the name) and not a dozen.
        return if names.bases.iter().any(|base| base == image) { None } else { tagged() };
    };
    let text = |key: &str| build.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let context = PathBuf::from(text("context"));
    let context = context.strip_prefix(&admitted.dir).map(PathBuf::from).unwrap_or(context);
    let context = if context.as_os_str().is_empty() { PathBuf::from(".") } else { context };
    let args = build_args(build);
    let dockerfile = Some(text("dockerfile")).filter(|name| !name.is_empty()).unwrap_or_else(|| "Dockerfile".into());
    let same = builds.iter_mut().find(|known| {
        known.target == text("target")
            && known.dockerfile == dockerfile
            && known.context == context
            && known.args.as_ref().is_none_or(|known| *known == args)
    });
    if let Some(known) = same {
        known.args = Some(args);
        return Some(known.clone());
    }
    let name = format!("{}.{service_name}", spec.name);
    let (reference, target) = (names.reference(&name), text("target"));
    let own = BuildPlan { reference, name, target, dockerfile, context, args: Some(args) };
    builds.push(own.clone());
    Some(own)
}
