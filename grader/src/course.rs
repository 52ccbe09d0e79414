//! The course: where it is, which lessons it has, and how a lesson is named.
//!
//! Owns: finding and loading. Must not: grade, print, or write.

pub mod blocks;
pub mod digest;
pub mod fence;
pub mod lesson;
pub mod page;
pub mod quiz;
pub mod schema;
pub mod solution;
pub mod source;
pub mod sources;
pub mod spec;
pub mod vocabulary;
mod wording;

use std::path::{Path, PathBuf};

pub use lesson::{Lesson, LessonCheck};
pub use source::CourseError;

use crate::fault::Fault;

/// A course on disk.
#[derive(Debug, Clone)]
pub struct Course {
    /// The folder that has `book/`, `exercises/` and `images/`.
    pub root: PathBuf,
}

/// A lesson's name and folder, known without reading its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LessonName {
    /// Such as `lesson36`.
    pub id: String,
    /// Such as `dev-vs-prod`.
    pub slug: String,
    /// Its folder under `exercises/`.
    pub dir: PathBuf,
}

impl Course {
    /// The folders at `start` and above it that look like a course, the nearest first. Whether one is
    /// to be believed is not said by how it looks: see [`trust`](crate::trust).
    pub fn candidates(start: &Path) -> impl Iterator<Item = Self> {
        let looks_like_one = |dir: &&Path| dir.join("exercises").is_dir() && dir.join("book").is_dir();
        start.ancestors().filter(looks_like_one).map(|root| Self { root: root.to_path_buf() })
    }

    /// Finds the course at a folder that a person has named, or above it.
    pub fn find(named: &Path) -> Result<Self, CourseError> {
        Self::candidates(named).next().ok_or_else(|| CourseError::NotFound { start: named.to_path_buf() })
    }

    /// What the book is called.
    #[must_use]
    pub fn title(&self) -> String {
        let text = std::fs::read_to_string(self.root.join("book/book.toml")).unwrap_or_default();
        let title = text
            .parse::<toml::Table>()
            .ok()
            .and_then(|book| Some(book.get("book")?.get("title")?.as_str()?.to_owned()));
        title.unwrap_or_else(|| self.root.file_name().unwrap_or_default().to_string_lossy().into_owned())
    }

    /// The names of all lessons that have an exercise, in their order.
    pub fn names(&self) -> Result<Vec<LessonName>, CourseError> {
        let exercises = self.root.join("exercises");
        let entries = std::fs::read_dir(&exercises)
            .map_err(|source| CourseError::Unreadable { path: exercises.clone(), source })?;
        let mut names: Vec<_> = entries.flatten().filter_map(|entry| LessonName::of(&entry.path())).collect();
        names.sort_by_key(|name| (name.number(), name.slug.clone()));
        Ok(names)
    }

    /// Loads the lesson that a person calls `lesson36`, `36`, `dev-vs-prod` or by its folder.
    pub fn lesson(&self, called: &str) -> Result<Lesson, Fault> {
        let names = self.names()?;
        let wanted = called.trim().trim_end_matches('/').to_lowercase();
        let found = names.iter().find(|name| name.answers_to(&wanted));
        let Some(name) = found else {
            let known = names.iter().flat_map(|name| [name.id.as_str(), name.slug.as_str()]);
            let hint = nearest(&wanted, known).map_or_else(
                || "`grader list` shows the lessons.".to_owned(),
                |near| format!("Did you mean `{near}`?"),
            );
            return Err(Fault::Usage { message: format!("there is no lesson called `{called}`. {hint}") });
        };
        Ok(Lesson::load(&self.root, &name.dir)?)
    }

    /// The page of a lesson in the book. An exercise that is not the book's may have one beside it.
    #[must_use]
    pub fn page(&self, lesson: &Lesson) -> PathBuf {
        let beside = lesson.dir.join("page.md");
        if beside.is_file() {
            return beside;
        }
        self.root.join("book/src").join(format!("{}.md", lesson.folder()))
    }

    /// The folder in which learners' copies are made.
    #[must_use]
    pub fn workspace(&self) -> PathBuf {
        self.root.join("workspace")
    }
}

impl LessonName {
    fn of(dir: &Path) -> Option<Self> {
        let folder = dir.file_name()?.to_str()?;
        let (id, slug) = folder.split_once('-')?;
        let is_lesson = id.strip_prefix("lesson")?.parse::<u32>().is_ok() && dir.join("lesson.toml").is_file();
        is_lesson.then(|| Self { id: id.to_owned(), slug: slug.to_owned(), dir: dir.to_path_buf() })
    }

    fn number(&self) -> u32 {
        self.id.trim_start_matches("lesson").parse().unwrap_or(u32::MAX)
    }

    fn answers_to(&self, wanted: &str) -> bool {
        let number = self.number().to_string();
        wanted == self.id
            || wanted == self.slug
            || wanted.trim_start_matches('0') == number
            || wanted == format!("{}-{}", self.id, self.slug)
    }
}

/// The candidate that is nearest to what somebody typed, if any is near at all.
pub fn nearest<'a>(typed: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::jaro_winkler(typed, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> LessonName {
        LessonName { id: "lesson36".into(), slug: "dev-vs-prod".into(), dir: PathBuf::new() }
    }

    #[test]
    fn a_lesson_answers_to_its_three_names_and_its_folder() {
        for called in ["lesson36", "36", "dev-vs-prod", "lesson36-dev-vs-prod"] {
            assert!(name().answers_to(called), "{called}");
        }
        assert!(!name().answers_to("lesson3"));
    }

    #[test]
    fn the_nearest_name_is_suggested_and_nonsense_is_not() {
        let known = ["lesson36", "dev-vs-prod"];
        assert_eq!(nearest("dev-vs-prd", known.into_iter()), Some("dev-vs-prod"));
        assert_eq!(nearest("zzz", known.into_iter()), None);
    }
}
