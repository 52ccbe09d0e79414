//! The base images of the course, as `images/` describes them.
//!
//! Owns: reading and validating every `images/*/image.toml`, and the order in which images are
//! made. Must not: talk to Docker.

mod description;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::course::{CourseError, nearest};
use crate::fault::Fault;
use description::{Described, folder};

/// How a stand-in is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Method {
    /// A script that writes a root file system to its standard output.
    #[serde(rename = "rootfs.sh")]
    RootFs,
    /// A build by `docker buildx`.
    Dockerfile,
}

/// One image of the course.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// What a Dockerfile or a Compose file writes, such as `node:22-bookworm-slim`.
    pub reference: String,
    /// One sentence that says what it is.
    pub summary: String,
    /// The image that its stand-in is built on.
    pub on: Option<String>,
    /// Whether its recipe gets the lessons' lockfiles.
    pub lockfiles: bool,
    /// How its stand-in is made.
    pub method: Method,
    /// Its folder.
    pub dir: PathBuf,
    /// The fingerprint of all that its stand-in is made from.
    pub fingerprint: String,
}

/// All images of the course; what an image stands on comes before it.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// The course's folder.
    pub root: PathBuf,
    /// The images.
    pub recipes: Vec<Recipe>,
}

impl Catalogue {
    /// Reads all descriptions and the fingerprints of their recipes.
    pub fn load(root: &Path) -> Result<Self, CourseError> {
        let images = root.join("images");
        let unreadable = |source| CourseError::Unreadable { path: images.clone(), source };
        let mut waiting = BTreeMap::new();
        for entry in std::fs::read_dir(&images).map_err(unreadable)? {
            let dir = entry.map_err(unreadable)?.path();
            if dir.is_dir() {
                let described = Described::read(root, dir)?;
                waiting.insert(described.toml.reference.get_ref().clone(), described);
            }
        }
        let mut catalogue = Self { root: root.to_path_buf(), recipes: Vec::new() };
        while !waiting.is_empty() {
            let placed = |on: &Spanned<String>| catalogue.get(on.get_ref()).is_some();
            let ready = waiting.iter().find(|(_, described)| described.toml.on.as_ref().is_none_or(placed));
            let Some(next) = ready.map(|(reference, _)| reference.clone()) else {
                return stuck(&waiting).map_or(Ok(catalogue), Err);
            };
            if let Some(described) = waiting.remove(&next) {
                let recipe = described.recipe(&catalogue)?;
                catalogue.recipes.push(recipe);
            }
        }
        Ok(catalogue)
    }

    /// The image with this reference.
    #[must_use]
    pub fn get(&self, reference: &str) -> Option<&Recipe> {
        self.recipes.iter().find(|recipe| recipe.reference == reference)
    }

    /// The images that a person names, by reference or folder, in the order in which they are
    /// made; all of them when none is named.
    pub fn named(&self, called: &[String]) -> Result<Vec<&Recipe>, Fault> {
        let answers = |recipe: &Recipe, called: &String| *called == recipe.reference || *called == recipe.folder();
        for name in called {
            if !self.recipes.iter().any(|recipe| answers(recipe, name)) {
                let hint = nearest(name, self.recipes.iter().map(|recipe| recipe.reference.as_str())).map_or_else(
                    || "`grader images list` shows them.".to_owned(),
                    |near| format!("Did you mean `{near}`?"),
                );
                return Err(Fault::Usage { message: format!("no image of the course is called `{name}`. {hint}") });
            }
        }
        let wanted = |recipe: &&Recipe| called.is_empty() || called.iter().any(|name| answers(recipe, name));
        Ok(self.recipes.iter().filter(wanted).collect())
    }
}

impl Recipe {
    /// The name of its folder, such as `node-22-bookworm-slim`.
    #[must_use]
    pub fn folder(&self) -> String {
        folder(&self.reference)
    }
}

/// Why none of the images that are left can come next: the one that it stands on is unknown, or
/// they stand on each other.
fn stuck(waiting: &BTreeMap<String, Described>) -> Option<CourseError> {
    let lost = waiting.values().filter_map(|described| Some((described, described.toml.on.as_ref()?)));
    let mut lost: Vec<_> = lost.collect();
    lost.sort_by_key(|(_, on)| waiting.contains_key(on.get_ref()));
    let (described, on) = lost.first()?;
    let label =
        if waiting.contains_key(on.get_ref()) { "they stand on each other" } else { "no folder of images/ has it" };
    Some(described.source.error(on.span(), format!("the image cannot stand on {}", on.get_ref()), label))
}

impl Method {
    /// The name of the file.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::RootFs => "rootfs.sh",
            Self::Dockerfile => "Dockerfile",
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    /// A course with an image `base:1` (a script that sources `lib.sh`) and `app:2` on it.
    pub fn sample_course() -> TempDir {
        let course = TempDir::new().unwrap();
        let write = |name: &str, text: &str| {
            let path = course.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("lib.sh", "# shared\n");
        write("images/base-1/rootfs.sh", "#!/bin/sh\n# shellcheck source=lib.sh\n. ./lib.sh\n");
        write("images/base-1/image.toml", "reference = \"base:1\"\nsummary = \"s\"\nrecipe = \"rootfs.sh\"\n");
        write("images/app-2/Dockerfile", "FROM base:1\n");
        let toml =
            "reference = \"app:2\"\nsummary = \"s\"\non = \"base:1\"\nlockfiles = true\nrecipe = \"Dockerfile\"\n";
        write("images/app-2/image.toml", toml);
        write("exercises/lesson01-x/starter/package.json", "{}");
        write("exercises/lesson01-x/starter/package-lock.json", "{}");
        write("exercises/lesson02-y/starter/app.py", "");
        course
    }

    fn wrong(toml: &str) -> String {
        let course = sample_course();
        fs::write(course.path().join("images/app-2/image.toml"), toml).unwrap();
        Catalogue::load(course.path()).unwrap_err().to_string()
    }

    #[test]
    fn what_an_image_stands_on_comes_first_and_changes_its_fingerprint() {
        let course = sample_course();
        let before = Catalogue::load(course.path()).unwrap();
        let order: Vec<_> = before.recipes.iter().map(|recipe| recipe.reference.as_str()).collect();
        assert_eq!(order, ["base:1", "app:2"]);
        fs::write(course.path().join("lib.sh"), "# other\n").unwrap();
        let after = Catalogue::load(course.path()).unwrap();
        assert!(before.recipes.iter().zip(&after.recipes).all(|(old, new)| old.fingerprint != new.fingerprint));
        fs::write(course.path().join("images/app-2/Dockerfile"), "FROM base:1\nUSER 1\n").unwrap();
        let last = Catalogue::load(course.path()).unwrap();
        assert_eq!(last.recipes[0].fingerprint, after.recipes[0].fingerprint);
        assert_ne!(last.recipes[1].fingerprint, after.recipes[1].fingerprint);
    }

    #[test]
    fn a_mistake_is_told_with_file_and_line() {
        let good = "reference = \"app:2\"\nsummary = \"s\"\non = \"base:1\"\nrecipe = \"Dockerfile\"\n";
        let unknown = wrong(&good.replace("summary", "sumary"));
        assert!(
            unknown.contains("images/app-2/image.toml:2:1") && unknown.contains("unknown field `sumary`"),
            "{unknown}"
        );
        assert!(wrong(&good.replace("base:1", "basis:1")).contains("no folder of images/ has it"));
        assert!(wrong(&good.replace("base:1", "app:2")).contains("they stand on each other"));
        assert!(wrong(&good.replace("app:2", "app:3")).contains("is called app-3"));
        assert!(wrong(&good.replace("app:2", "app")).contains("has a tag"));
        assert!(wrong(&good.replace("\"Dockerfile\"", "\"rootfs.sh\"")).contains("no such file"));
    }

    #[test]
    fn a_person_may_name_reference_or_folder_in_any_order() {
        let course = sample_course();
        let catalogue = Catalogue::load(course.path()).unwrap();
        let names = |called: &[&str]| -> Result<Vec<String>, Fault> {
            let called: Vec<String> = called.iter().map(ToString::to_string).collect();
            Ok(catalogue.named(&called)?.into_iter().map(|recipe| recipe.reference.clone()).collect())
        };
        assert_eq!(names(&["app-2", "base:1", "app:2"]).unwrap(), ["base:1", "app:2"]);
        assert_eq!(names(&[]).unwrap().len(), 2);
        assert!(names(&["base:2"]).unwrap_err().to_string().contains("Did you mean `base:1`?"));
    }
}
