//! Which images a submission may use.
//!
//! Owns: comparing names of images. Must not: talk to Docker; whether an image is there is not the
//! gate's business.
//!
//! An image that is on this machine may hold what belongs to somebody else. So builds start only
//! from the lesson's images, `scratch` and the submission's own stages.

/// Whether a reference names one of the lesson's images, in whatever way it is written, with or
/// without a digest.
#[must_use]
pub fn is_of_lesson(images: &[String], reference: &str) -> bool {
    let (name, _) = reference.split_once('@').unwrap_or((reference, ""));
    images.iter().any(|image| full(image) == full(name))
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
}
