//! The base images that lessons need: which there are, whether they are here, and where from.
//!
//! Owns: the status of an image, and what a lesson needs. Must not: make or remove anything by
//! itself; that is [`make`] and [`remove`], and they only run when a person asks for it.
//!
//! Only the exact reference says what an image is: whatever a learner builds on a stand-in
//! inherits its labels.

pub mod bundle;
pub mod catalogue;
mod fingerprint;
mod lock;
pub mod make;
pub mod remove;
mod tool;

use std::path::Path;

use bollard::Docker;
use bollard::errors::Error as DockerError;
use bollard::models::ImageInspect;
use bollard::query_parameters::TagImageOptionsBuilder;
use futures_util::future::try_join_all;
use serde::Serialize;

use crate::course::Lesson;
use crate::fault::Fault;
pub use catalogue::{Catalogue, Recipe};

/// The label that says that an image is a stand-in.
pub const STAND_IN_LABEL: &str = "course.stand-in";
/// The label with the fingerprint of the recipe that a stand-in was made by.
pub const RECIPE_LABEL: &str = "course.recipe";

/// Who hears what is being done, one line at a time.
pub type Say<'a> = dyn FnMut(&str) + 'a;

/// Whether an image is here, and where it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is not on this machine.
    Absent,
    /// It came from a registry. It is never replaced.
    Registry,
    /// It is a stand-in, made by the recipe as it is now.
    StandIn,
    /// It is a stand-in, made by a recipe that has changed since.
    Outdated,
    /// It is here and nothing says where it came from. It is used as it is.
    Unknown,
}

/// An image as the daemon has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Whether it is here, and where from.
    pub status: Status,
    /// Its id.
    pub id: Option<String>,
    /// Its size, as the daemon counts it.
    pub bytes: u64,
    /// The processor that it is for, such as `amd64`.
    pub architecture: String,
    /// The fingerprint that a stand-in carries.
    pub fingerprint: Option<String>,
}

impl Status {
    /// The status in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Registry => "from a registry",
            Self::StandIn => "stand-in",
            Self::Outdated => "stand-in, outdated",
            Self::Unknown => "of unknown origin",
        }
    }

    /// Whether `grader images make` has something to do.
    #[must_use]
    pub fn wants_making(self) -> bool {
        matches!(self, Self::Absent | Self::Outdated)
    }
}

/// Looks at one image by its exact reference. `fingerprint` is that of the recipe as it is now.
pub async fn look(client: &Docker, reference: &str, fingerprint: Option<&str>) -> Result<State, Fault> {
    match client.inspect_image(reference).await {
        Ok(image) => Ok(decide(image, fingerprint)),
        Err(DockerError::DockerResponseServerError { status_code: 404, .. }) => {
            Ok(State { status: Status::Absent, id: None, bytes: 0, architecture: String::new(), fingerprint: None })
        }
        Err(error) => Err(Fault::docker(format!("inspecting the image {reference}"))(error)),
    }
}

/// Looks at all of them at once.
pub async fn look_all(client: &Docker, recipes: &[&Recipe]) -> Result<Vec<State>, Fault> {
    try_join_all(recipes.iter().map(|recipe| look(client, &recipe.reference, Some(&recipe.fingerprint)))).await
}

fn decide(image: ImageInspect, fingerprint: Option<&str>) -> State {
    let labels = image.config.and_then(|config| config.labels).unwrap_or_default();
    let carried = labels.get(RECIPE_LABEL).cloned();
    // The labels first: an engine with containerd's image store gives digests to everything.
    let status = if labels.get(STAND_IN_LABEL).is_some_and(|value| value == "true") {
        if fingerprint.is_some_and(|now| carried.as_deref() != Some(now)) { Status::Outdated } else { Status::StandIn }
    } else if image.repo_digests.is_some_and(|digests| !digests.is_empty()) {
        Status::Registry
    } else {
        Status::Unknown
    };
    let bytes = image.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
    let architecture = image.architecture.unwrap_or_default();
    State { status, id: image.id, bytes, architecture, fingerprint: carried }
}

/// The references of the images that must be here before a lesson can be graded.
#[must_use]
pub fn needed(lesson: &Lesson) -> &[String] {
    &lesson.spec.images
}

/// Makes sure that images are here; it brings none. An outdated stand-in is only told.
pub async fn ensure(client: &Docker, root: &Path, references: &[String], say: &mut Say<'_>) -> Result<(), Fault> {
    let catalogue = Catalogue::load(root)?;
    let now = |reference: &str| catalogue.get(reference).map(|recipe| recipe.fingerprint.as_str());
    let states = try_join_all(references.iter().map(|reference| look(client, reference, now(reference)))).await?;
    let with = |status: Status| {
        let of_status = references.iter().zip(&states).filter(move |(_, state)| state.status == status);
        of_status.map(|(reference, _)| reference.as_str()).collect::<Vec<_>>()
    };
    if let Some((first, others)) = with(Status::Absent).split_first() {
        let others = if others.is_empty() { String::new() } else { format!(" (and {})", others.join(", ")) };
        return Err(Fault::ImageMissing { reference: format!("{first}{others}") });
    }
    let outdated = with(Status::Outdated);
    if !outdated.is_empty() {
        say(&format!("note: older than the recipe: {}; `grader images make` makes it anew", outdated.join(", ")));
    }
    Ok(())
}

/// Gives an image a reference, which leaves the image that had it.
async fn give_name(client: &Docker, id: &str, name: &str) -> Result<(), Fault> {
    let (repository, tag) = name.rsplit_once(':').unwrap_or((name, "latest"));
    let options = TagImageOptionsBuilder::default().repo(repository).tag(tag).build();
    client.tag_image(id, Some(options)).await.map_err(Fault::docker(format!("giving an image the name {name}")))
}

#[cfg(test)]
mod tests {
    use bollard::models::ImageConfig;

    use super::*;

    fn status(labels: &[(&str, &str)], digests: &[&str], fingerprint: Option<&str>) -> Status {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let image = ImageInspect {
            repo_digests: Some(digests.iter().map(ToString::to_string).collect()),
            config: Some(ImageConfig { labels: Some(labels), ..ImageConfig::default() }),
            ..ImageInspect::default()
        };
        decide(image, fingerprint).status
    }

    #[test]
    fn a_stand_in_is_current_or_outdated_by_its_fingerprint() {
        let stand_in = [(STAND_IN_LABEL, "true"), (RECIPE_LABEL, "abc")];
        assert_eq!(status(&stand_in, &[], Some("abc")), Status::StandIn);
        assert_eq!(status(&stand_in, &[], Some("def")), Status::Outdated);
        assert_eq!(status(&stand_in[..1], &[], Some("abc")), Status::Outdated);
        assert_eq!(status(&stand_in, &[], None), Status::StandIn, "no recipe to compare with");
    }

    #[test]
    fn a_stand_in_stays_one_where_the_engine_gives_it_a_digest() {
        let stand_in = [(STAND_IN_LABEL, "true"), (RECIPE_LABEL, "abc")];
        assert_eq!(status(&stand_in, &["node@sha256:1"], Some("abc")), Status::StandIn);
    }

    #[test]
    fn without_the_label_a_digest_tells_a_registry_from_unknown_origin() {
        assert_eq!(status(&[], &["node@sha256:1"], Some("abc")), Status::Registry);
        assert_eq!(status(&[], &[], Some("abc")), Status::Unknown);
        assert_eq!(status(&[(STAND_IN_LABEL, "false")], &[], Some("abc")), Status::Unknown);
    }

    #[test]
    fn only_what_is_absent_or_outdated_is_made() {
        let all = [Status::Absent, Status::Outdated, Status::Registry, Status::StandIn, Status::Unknown];
        let made: Vec<_> = all.into_iter().filter(|status| status.wants_making()).collect();
        assert_eq!(made, [Status::Absent, Status::Outdated]);
    }
}
