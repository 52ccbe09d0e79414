//! Which images a submission may use.
//!
//! Owns: comparing names of images, and filling in what `ARG` gives a Dockerfile's `FROM`. Must
//! not: talk to Docker; whether an image is there is not the gate's business.
//!
//! An image that is on this machine may hold what belongs to somebody else. So builds start only
//! from the lesson's images, `scratch` and the submission's own stages.

use std::collections::BTreeMap;

/// Whether a reference names one of the lesson's images, in whatever way it is written.
#[must_use]
pub fn is_of_lesson(images: &[String], reference: &str) -> bool {
    images.iter().any(|image| full(image) == full(reference))
}

/// The name with registry and tag, as BuildKit writes it: `docker.io/library/node:22`.
#[must_use]
pub fn full(reference: &str) -> String {
    let name = reference.strip_prefix("index.docker.io/").or_else(|| reference.strip_prefix("docker.io/"));
    let first = reference.split('/').next().unwrap_or_default();
    let has_registry = reference.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    let name = match name {
        Some(name) => format!("docker.io/{}", in_library(name)),
        None if has_registry => reference.to_owned(),
        None => format!("docker.io/{}", in_library(reference)),
    };
    let has_tag = name.rsplit('/').next().is_some_and(|last| last.contains([':', '@']));
    if has_tag { name } else { format!("{name}:latest") }
}

fn in_library(name: &str) -> String {
    if name.contains('/') { name.to_owned() } else { format!("library/{name}") }
}

/// A text with its variables filled in, as BuildKit does: `$X`, `${X}`, `${X:-else}`. `None` when
/// that cannot be told from the Dockerfile alone.
#[must_use]
pub fn expand(text: &str, values: &BTreeMap<String, String>) -> Option<String> {
    let mut parts = text.split('$');
    let mut expanded = parts.next()?.to_owned();
    for part in parts {
        let (name, otherwise, rest) = if let Some(braced) = part.strip_prefix('{') {
            let (inner, rest) = braced.split_once('}')?;
            let (name, otherwise) = inner.split_once(":-").map_or((inner, None), |(name, other)| (name, Some(other)));
            (name, otherwise, rest)
        } else {
            let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
            (&part[..end], None, &part[end..])
        };
        let value = values.get(name).map(String::as_str).filter(|value| !value.is_empty()).or(otherwise)?;
        expanded.push_str(value);
        expanded.push_str(rest);
    }
    Some(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_in_each_spelling_and_not_by_a_similar_name() {
        let images = ["node:22-slim".to_owned()];
        for same in ["node:22-slim", "library/node:22-slim", "docker.io/node:22-slim", "docker.io/library/node:22-slim"]
        {
            assert!(is_of_lesson(&images, same), "{same}");
        }
        for other in
            ["node", "node:22-slim-x", "evil/node:22-slim", "localhost/node:22-slim", "evil.io/library/node:22-slim"]
        {
            assert!(!is_of_lesson(&images, other), "{other}");
        }
    }

    #[test]
    fn variables_are_filled_in_and_unknown_ones_are_not_guessed() {
        let values = BTreeMap::from([("V".to_owned(), "22".to_owned()), ("EMPTY".to_owned(), String::new())]);
        assert_eq!(expand("node:${V}-slim", &values).as_deref(), Some("node:22-slim"));
        assert_eq!(expand("$V/${EMPTY:-x}", &values).as_deref(), Some("22/x"));
        assert_eq!(expand("${W}", &values), None);
        assert_eq!(expand("${V#2}", &values), None);
    }
}
