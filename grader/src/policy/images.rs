//! Which images a submission may use.
//!
//! Owns: comparing names of images. Must not: talk to Docker; whether an image is there, and which one
//! a name stands for, is not the gate's business (see [`crate::sandbox::family`]).
//!
//! An image that is on this machine may hold what belongs to somebody else. So builds start only
//! from the lesson's images, from others of the same repositories where it is proven that they come
//! from there, from `scratch` and from the submission's own stages.

use crate::course::spec::LessonSpec;

/// The images that a lesson lets in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Those that it names.
    pub names: Vec<String>,
    /// Repositories of which all images are let in, in full: `docker.io/library/node`.
    pub families: Vec<String>,
}

/// What an image is to a lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// One of those that it names.
    Named,
    /// Another one of the same repository, which has to be proven.
    OfFamily,
    /// Neither.
    Foreign,
}

impl Allowed {
    /// What a lesson says.
    #[must_use]
    pub fn of(lesson: &LessonSpec) -> Self {
        let families = lesson.images.iter().filter(|_| !lesson.exact_images).map(|image| repository(image));
        Self {
            names: lesson.images.iter().chain(lesson.stand_ins.keys()).cloned().collect(),
            families: families.collect(),
        }
    }

    /// What the image that is called so is to the lesson, in whatever way its name is written.
    #[must_use]
    pub fn standing(&self, reference: &str) -> Standing {
        // A digest says which image it is; the tag before it then means nothing.
        if !reference.contains('@') && is_of_lesson(&self.names, reference) {
            return Standing::Named;
        }
        let is_of_family = is_name(reference) && self.families.contains(&repository(reference));
        if is_of_family { Standing::OfFamily } else { Standing::Foreign }
    }

    /// What builds may begin with, in words.
    #[must_use]
    pub fn shown(&self) -> String {
        let named = self.names.join(" or ");
        if self.families.is_empty() { named } else { format!("{named} (or another version of the same image)") }
    }
}

/// Whether a reference names one of these images, in whatever way it is written, with or without a
/// digest.
#[must_use]
pub fn is_of_lesson(images: &[String], reference: &str) -> bool {
    let (name, _) = reference.split_once('@').unwrap_or((reference, ""));
    images.iter().any(|image| full(image) == full(name))
}

/// The repository with its registry, as BuildKit writes it: `docker.io/library/node`.
#[must_use]
pub fn repository(reference: &str) -> String {
    let (name, _) = reference.split_once('@').unwrap_or((reference, ""));
    let full = full(name);
    full.rsplit_once(':').map_or_else(|| full.clone(), |(repository, _)| repository.to_owned())
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

/// Whether a reference has only what names of images have: the builder's list of sources knows `*`.
fn is_name(reference: &str) -> bool {
    let (name, digest) = reference.split_once('@').unwrap_or((reference, "sha256:"));
    let is_tame = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
    name.chars().all(is_tame)
        && digest.strip_prefix("sha256:").is_some_and(|hex| hex.chars().all(|c| c.is_ascii_hexdigit()))
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
    fn a_family_is_one_repository_of_one_registry() {
        let allowed = Allowed { names: vec!["node:22-slim".into()], families: vec![repository("node:22-slim")] };
        let digest = "sha256:00ff";
        for (standing, references) in [
            (Standing::Named, vec!["node:22-slim".to_owned(), "docker.io/library/node:22-slim".to_owned()]),
            (Standing::OfFamily, vec!["node".into(), "library/node:24".into(), format!("node@{digest}")]),
            (Standing::OfFamily, vec![format!("node:22-slim@{digest}")]),
            (Standing::Foreign, vec!["evil/node:22".into(), "nodes:22".into(), "evil.io/library/node:22".into()]),
            (Standing::Foreign, vec!["node:*".into(), "node@md5:00".into(), "localhost:5000/node:22".into()]),
        ] {
            for reference in references {
                assert_eq!(allowed.standing(&reference), standing, "{reference}");
            }
        }
        let exact = Allowed { families: Vec::new(), ..allowed };
        assert_eq!(exact.standing("node:24"), Standing::Foreign);
        assert_eq!(exact.standing("node:22-slim@sha256:00ff"), Standing::Foreign);
        assert_eq!(repository("127.0.0.1:5000/a/b:1@sha256:00"), "127.0.0.1:5000/a/b");
    }
}
