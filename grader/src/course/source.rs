//! Mistakes in text files, shown with file, line and the text at fault.
//!
//! Owns: [`CourseError`] and how a place in a file is shown, for authors' and learners' files
//! alike. Must not: know what the files mean.

use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use thiserror::Error;

/// A text file that was read, so that errors can point into it.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file's name as it is shown.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl Source {
    /// Reads the file at `path`, shown as `path` relative to `root`.
    pub fn read(root: &Path, path: &Path) -> Result<Self, CourseError> {
        let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| CourseError::Unreadable { path: path.to_path_buf(), source })?;
        Ok(Self { name, text })
    }

    /// An error at a range of bytes of this file.
    #[must_use]
    pub fn error(&self, span: Range<usize>, message: impl Into<String>, label: &str) -> CourseError {
        let message = message.into();
        let line = self.line_of(span.start);
        let shown = self.show(span, &message, label);
        CourseError::Invalid { file: self.name.clone(), line, message, shown }
    }

    /// The message with the lines around a range of bytes, the range underlined.
    #[must_use]
    pub fn show(&self, span: Range<usize>, message: &str, label: &str) -> String {
        let end = self.text.len();
        let span = span.start.min(end)..span.end.clamp(span.start.min(end), end);
        let snippet = Snippet::source(self.text.as_str())
            .path(self.name.as_str())
            .annotation(AnnotationKind::Primary.span(span).label(label));
        Renderer::plain().render(&[Level::ERROR.primary_title(message).element(snippet)])
    }

    /// The line, counted from 1, in which a byte stands.
    #[must_use]
    pub fn line_of(&self, byte: usize) -> usize {
        let upto = self.text.len().min(byte);
        memchr::memchr_iter(b'\n', &self.text.as_bytes()[..upto]).count() + 1
    }

    /// The bytes of a line (counted from 1) without its indentation and end.
    #[must_use]
    pub fn span_of_line(&self, line: usize) -> Range<usize> {
        let mut start = 0;
        for (index, text) in self.text.split_inclusive('\n').enumerate() {
            if index + 1 == line {
                let body = text.trim_end();
                let indent = body.len() - body.trim_start().len();
                return start + indent..start + body.len();
            }
            start += text.len();
        }
        self.text.len()..self.text.len()
    }
}

/// A mistake in the course's own files.
#[derive(Debug, Error)]
pub enum CourseError {
    /// A file is not there or cannot be read.
    #[error("{path}: {source}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// A file does not say what it must.
    #[error("{shown}")]
    Invalid {
        /// The file's name.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
        /// The message with the text at fault.
        shown: String,
    },
    /// No course can be found.
    #[error("no course here: neither {start} nor a folder above it has `exercises/` and `book/`. `grader init` writes one", start = .start.display())]
    NotFound {
        /// Where the search began.
        start: PathBuf,
    },
    /// There is a course, and nobody has said that it may be believed.
    #[error("{root} looks like a course, and this grader does not know it: a course decides what is built and run on this machine, and what counts as right", root = .root.display())]
    Unknown {
        /// The course's folder.
        root: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_file_line_and_text() {
        let source = Source { name: "lesson.toml".into(), text: "id = 1\ntitel = \"x\"\n".into() };
        let error = source.error(7..12, "unknown key `titel`", "did you mean `title`?");
        let shown = error.to_string();
        assert!(shown.contains("lesson.toml:2:1"), "{shown}");
        assert!(shown.contains("did you mean `title`?"), "{shown}");
    }

    #[test]
    fn a_line_is_found_without_its_indentation() {
        let source = Source { name: "x".into(), text: "a:\n    b: c\n".into() };
        assert_eq!(&source.text[source.span_of_line(2)], "b: c");
        assert_eq!(source.line_of(5), 2);
    }

    #[test]
    fn a_span_past_the_end_does_not_panic() {
        let source = Source { name: "x".into(), text: "a".into() };
        assert!(source.show(5..9, "m", "l").contains('m'));
    }
}
