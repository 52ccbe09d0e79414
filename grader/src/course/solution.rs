//! A lesson's reference solutions.
//!
//! Owns: finding them, and which of their files differ from the starter. Must not: decide who may
//! see them.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::Lesson;
use crate::fault::Fault;

/// One solution: files over the starter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solution {
    /// Its name, such as `nodemon-stock-user`.
    pub name: String,
    /// Its folder.
    pub dir: PathBuf,
}

/// A file of a solution that differs from the starter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SolutionFile {
    /// Its name, relative to the exercise folder.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Whether the starter has a file of this name.
    pub in_starter: bool,
}

impl Solution {
    /// All solutions of a lesson, by name.
    pub fn all(lesson: &Lesson) -> Result<Vec<Self>, Fault> {
        let folder = lesson.dir.join("solutions");
        let entries = fs::read_dir(&folder).map_err(Fault::file(&folder))?;
        let mut all: Vec<Self> = entries
            .flatten()
            .filter(|entry| entry.path().is_dir())
            .map(|entry| Self { name: entry.file_name().to_string_lossy().into_owned(), dir: entry.path() })
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// The files that differ from the starter, by name.
    pub fn files(&self, lesson: &Lesson) -> Result<Vec<SolutionFile>, Fault> {
        let mut files = Vec::new();
        for entry in WalkDir::new(&self.dir).sort_by_file_name() {
            let entry = entry.map_err(|error| Fault::file(&self.dir)(error.into()))?;
            if !entry.file_type().is_file() {
                continue;
            }
            let relative = entry.path().strip_prefix(&self.dir).unwrap_or(entry.path());
            let text = read(entry.path())?;
            let starter = lesson.starter().join(relative);
            let in_starter = starter.is_file();
            if !in_starter || read(&starter)? != text {
                files.push(SolutionFile { name: relative.display().to_string(), text, in_starter });
            }
        }
        Ok(files)
    }

    /// The text of one file of the whole: the solution's, or else the starter's.
    pub fn text_of(&self, lesson: &Lesson, file: &str) -> Result<Option<String>, Fault> {
        let places = [self.dir.join(file), lesson.starter().join(file)];
        places.iter().find(|path| path.is_file()).map(|path| read(path)).transpose()
    }
}

fn read(path: &Path) -> Result<String, Fault> {
    let bytes = fs::read(path).map_err(Fault::file(path))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
