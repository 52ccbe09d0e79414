//! The learner's files as text, and where things stand in them.
//!
//! Owns: reading them, and finding lines in Dockerfiles and Compose files. Must not: decide what is allowed, or
//! run anything. BuildKit and Compose do the real parsing; this only locates.

pub mod compose_file;
pub mod dockerfile;
pub mod env_file;
pub mod inline;
pub mod links;
pub mod model;
pub mod plain;
pub mod yaml;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::verdict::Location;
use compose_file::ComposeFile;
use dockerfile::{Dockerfile, Instruction};
use inline::Inline;

/// An instruction of the Dockerfile as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its name in upper case.
    pub name: String,
    /// All of it, continuation lines joined.
    pub text: String,
    /// Where it stands.
    pub at: Option<Location>,
}

/// The most that a file which the grader itself reads may hold, bytes.
pub const TEXT_BYTES: u64 = 1_000_000;

/// The most characters of a line that are shown.
const LINE_SHOWN: usize = 300;

/// The files of one submission.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The folder that holds them.
    pub dir: PathBuf,
    /// Dockerfiles that stand in a Compose file (`dockerfile_inline`), by the names that [`inline`] gives them.
    pub inline: Arc<BTreeMap<String, Inline>>,
}

impl Submission {
    /// The files in a folder.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), inline: Arc::default() }
    }

    /// The Dockerfile, empty when there is none.
    #[must_use]
    pub fn dockerfile(&self) -> Dockerfile {
        Dockerfile::parse(&self.text("Dockerfile").unwrap_or_default())
    }

    /// The text of a file, if it is there and is text. A pipe would never end, a device or a huge
    /// file would fill the memory, and what a link leads to elsewhere is nobody's business: such
    /// files have no text (the policy gate says so).
    #[must_use]
    pub fn text(&self, file: &str) -> Option<String> {
        if let Some(inline) = self.inline.get(file) {
            return Some(inline.text.clone());
        }
        let path = self.dir.join(file);
        let is_plain = std::fs::metadata(&path).is_ok_and(|data| data.is_file() && data.len() <= TEXT_BYTES);
        if is_plain && is_inside(&path, &self.dir) { std::fs::read_to_string(path).ok() } else { None }
    }

    /// The line of a file as a location.
    #[must_use]
    pub fn location(&self, file: &str, line: usize) -> Option<Location> {
        if let Some(inline) = self.inline.get(file) {
            return inline.location(self, line);
        }
        let text = self.text(file)?;
        // A place is shown to people; nobody reads a line of thousands of characters.
        let line_text = text.lines().nth(line.checked_sub(1)?)?.trim_end().chars().take(LINE_SHOWN).collect();
        Some(Location { file: file.to_owned(), line, text: line_text })
    }

    /// Where a path of keys stands: in the last of `files` that has all of it, else where the
    /// longest part of it stands.
    #[must_use]
    pub fn locate_key(&self, files: &[String], path: &[&str]) -> Option<Location> {
        let texts: Vec<_> = files.iter().rev().filter_map(|file| Some((file, self.text(file)?))).collect();
        let parsed: Vec<_> = texts.iter().filter_map(|(file, text)| Some((*file, ComposeFile::parse(text)?))).collect();
        (1..=path.len()).rev().find_map(|length| {
            parsed.iter().find_map(|(file, yaml)| self.location(file, yaml.line_of(&path[..length])?))
        })
    }

    /// The last instruction of this name in the Dockerfile, within a stage or the stages that it
    /// is made from.
    #[must_use]
    pub fn locate_instruction(&self, target: &str, name: &str) -> Option<Location> {
        let line = self.dockerfile().last_in_lineage(target, name)?.line;
        self.location("Dockerfile", line)
    }

    /// The instructions of a Dockerfile that make the image of a stage, those of the stages that it is
    /// made from first. `FROM` is left out. An empty target is the last stage.
    #[must_use]
    pub fn lineage(&self, file: &str, target: &str) -> Vec<Written> {
        let parsed = Dockerfile::parse(&self.text(file).unwrap_or_default());
        let written = |i: &Instruction| Written {
            name: i.name.clone(),
            text: format!("{} {}", i.name, i.arguments),
            at: self.location(file, i.line),
        };
        parsed.lineage(target).into_iter().map(written).collect()
    }
}

/// Whether what a link says leads to a place in `dir`, by its text alone: by a relative path that does
/// not climb out on the way.
#[must_use]
pub fn stays_inside(dir: &Path, link: &Path) -> bool {
    let to = std::fs::read_link(link).unwrap_or_default();
    let from = link.parent().and_then(|parent| parent.strip_prefix(dir).ok()).unwrap_or(Path::new(""));
    let mut depth = 0_i32;
    from.join(&to).components().all(|part| {
        depth += match part {
            Component::Normal(_) => 1,
            Component::ParentDir => -1,
            Component::CurDir => 0,
            Component::RootDir | Component::Prefix(_) => -1_000,
        };
        depth >= 0
    })
}

/// Whether a path, with its symbolic links followed, lies in a folder.
#[must_use]
pub fn is_inside(path: &Path, folder: &Path) -> bool {
    let Ok(folder) = folder.canonicalize() else { return false };
    // What does not exist yet would be made by Docker: its nearest existing parent decides.
    path.ancestors().find_map(|part| part.canonicalize().ok()).is_some_and(|real| real.starts_with(&folder))
        && !path.components().any(|part| part.as_os_str() == ".." && !path.exists())
}
