//! One `image.toml`.
//!
//! Owns: its shape and the rules that it must keep by itself. Must not: know other images.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::super::fingerprint;
use super::{Catalogue, Method, Recipe};
use crate::course::{CourseError, source::Source};

/// The shape of `image.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageToml {
    /// What a Dockerfile writes.
    pub reference: Spanned<String>,
    /// One sentence.
    pub summary: String,
    /// The image that it is built on.
    pub on: Option<Spanned<String>>,
    /// Whether the recipe gets the lockfiles.
    #[serde(default)]
    pub lockfiles: bool,
    /// The recipe's file.
    pub recipe: Spanned<Method>,
}

/// A description that was read, with its text for error messages.
pub struct Described {
    /// The text of `image.toml`.
    pub source: Source,
    /// The image's folder.
    pub dir: PathBuf,
    /// What it says.
    pub toml: ImageToml,
}

impl Described {
    /// Reads and checks the description in a folder of `images/`.
    pub fn read(root: &Path, dir: PathBuf) -> Result<Self, CourseError> {
        let source = Source::read(root, &dir.join("image.toml"))?;
        let toml: ImageToml = toml::from_str(&source.text)
            .map_err(|error| source.error(error.span().unwrap_or(0..0), error.message().to_owned(), "here"))?;
        let reference = &toml.reference;
        let wanted = folder(reference.get_ref());
        if !reference.get_ref().rsplit('/').next().is_some_and(|name| name.contains(':')) {
            return Err(source.error(reference.span(), "a reference has a tag", "such as `debian:bookworm-slim`"));
        }
        if dir.file_name().is_none_or(|name| *name != *wanted) {
            return Err(source.error(
                reference.span(),
                format!("the folder of this image is called {wanted}"),
                "rename one of them",
            ));
        }
        if !dir.join(toml.recipe.get_ref().file()).is_file() {
            return Err(source.error(toml.recipe.span(), "there is no such file beside image.toml", "here"));
        }
        if *toml.recipe.get_ref() == Method::RootFs && (toml.lockfiles || toml.on.is_some()) {
            return Err(source.error(
                toml.recipe.span(),
                "`on` and `lockfiles` are for Dockerfiles",
                "this starts from nothing",
            ));
        }
        Ok(Self { source, dir, toml })
    }

    /// The image, with its fingerprint; `before` holds what it is built on.
    pub fn recipe(self, before: &Catalogue) -> Result<Recipe, CourseError> {
        let ImageToml { reference, summary, on, lockfiles, recipe } = self.toml;
        let on = on.map(Spanned::into_inner);
        let under = on.as_ref().and_then(|on| before.get(on)).map(|recipe| recipe.fingerprint.as_str());
        let fingerprint = fingerprint::of(&before.root, &self.dir, lockfiles, under)?;
        let (reference, method) = (reference.into_inner(), recipe.into_inner());
        Ok(Recipe { reference, summary, on, lockfiles, method, dir: self.dir, fingerprint })
    }
}

/// The name of the folder that an image with this reference has.
pub fn folder(reference: &str) -> String {
    reference.replace([':', '/'], "-")
}
