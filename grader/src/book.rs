//! The book: lesson pages with their quiz and exercise blocks, built by mdBook.
//!
//! Owns: calling mdBook, in this process or as the program that a plain `mdbook build` calls.
//! Must not: know what a block looks like (`render`) or means (`course`).
//!
//! `book.toml` configures this program as the preprocessor `grader`, for people who run `mdbook`
//! themselves. [`build`] registers its own preprocessor under the same name. mdBook keeps
//! preprocessors by name, so ours takes the place of the configured command: pages are processed
//! once, in the configured order, and no other program is started.
//!
//! A plain `mdbook build` makes pages without answers and without our scripts ([`Site::Served`]): they
//! send readers to the terminal.

mod alone;
mod preprocessor;
pub mod reference;
mod render;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use mdbook_driver::MDBook;
use mdbook_preprocessor::MDBOOK_VERSION;
use thiserror::Error;

use crate::course::CourseError;
use crate::fault::Fault;
use preprocessor::Blocks;

/// The book could not be built.
#[derive(Debug, Error)]
pub enum BookError {
    /// A page or a lesson's file is wrong.
    #[error(transparent)]
    Course(#[from] CourseError),
    /// mdBook could not do its part.
    #[error("{action} {path}: {reason}", path = .path.display())]
    MdBook {
        /// What was being done.
        action: &'static str,
        /// The book's folder.
        path: PathBuf,
        /// mdBook's messages, from the outermost to the cause.
        reason: String,
    },
    /// A page that mdBook has made could not be given what it needs.
    #[error("{path}: {source}", path = .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// What mdBook sent on standard input is not a book.
    #[error(
        "mdBook {MDBOOK_VERSION} is needed to build this book with `mdbook build`: {reason}; or run `grader book build`"
    )]
    Protocol {
        /// What could not be read or written.
        reason: String,
    },
}

impl From<BookError> for Fault {
    fn from(error: BookError) -> Self {
        match error {
            BookError::Course(error) => Self::Course(error),
            other => Self::Unreadable { what: "the book".into(), reason: other.to_string() },
        }
    }
}

/// Who judges the answers to a page's questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// The server from which the page comes: nothing about what is right is in the page.
    Served,
    /// The page itself: what is right is in it, sealed, and a script that judges.
    Alone,
}

/// Builds the book of the course at `root` into `out`, or into the folder that `book.toml` names.
/// Gives back the folder with the HTML.
pub fn build(root: &Path, out: Option<&Path>, site: Site) -> Result<PathBuf, BookError> {
    let folder = root.join("book");
    // An absolute path, because mdBook takes relative ones from the book's folder.
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    let mut book = MDBook::load(&folder).map_err(wrap("loading", &folder))?;
    if let Some(out) = out {
        book.config.build.build_dir = std::path::absolute(out).unwrap_or_else(|_| out.to_path_buf());
    }
    book.with_preprocessor(Blocks(site));
    book.build().map_err(wrap("building", &folder))?;
    let html = book.build_dir_for("html");
    if site == Site::Alone {
        alone::equip(&html).map_err(|(path, error)| BookError::Write { path, source: error })?;
    }
    Ok(html)
}

/// How a question begins in a page, and how an exercise does: by these a page that needs our scripts is known.
pub const QUESTION: &str = "<fieldset class=\"quiz\"";
/// See [`QUESTION`].
pub const EXERCISE: &str = "<section class=\"exercise\"";

/// Whether a page has a text. The standard library's search would be compiled here, without optimisation; pages are
/// long, and there are many.
#[must_use]
pub fn has(page: &str, text: &str) -> bool {
    memchr::memmem::find(page.as_bytes(), text.as_bytes()).is_some()
}

/// A short piece of Markdown as HTML, in which HTML is shown and not obeyed.
#[must_use]
pub fn shown_markdown(text: &str) -> String {
    render::markdown(text)
}

/// Answers mdBook's question whether pages for `renderer` can be processed: blocks become HTML,
/// which Markdown may hold too.
#[must_use]
pub fn supports(renderer: &str) -> bool {
    matches!(renderer, "html" | "markdown")
}

/// Speaks mdBook's preprocessor protocol: a book comes in as JSON and goes out as JSON.
pub fn preprocess(input: impl Read, mut output: impl Write) -> Result<(), BookError> {
    let protocol = |reason: String| BookError::Protocol { reason };
    let (mut context, book) =
        mdbook_preprocessor::parse_input(input).map_err(|error| protocol(format!("{error:#}")))?;
    if context.root.is_relative() {
        // Such a path is relative to where mdBook was started, but we are started in the book's folder.
        context.root = std::env::current_dir().map_err(|error| protocol(error.to_string()))?;
    }
    let book = preprocessor::process(&context, book, Site::Served)?;
    serde_json::to_writer(&mut output, &book).map_err(|error| protocol(error.to_string()))?;
    output.flush().map_err(|error| protocol(error.to_string()))
}

/// Finds the course's error in one of mdBook's, which wraps those of preprocessors.
fn wrap(action: &'static str, folder: &Path) -> impl FnOnce(mdbook_preprocessor::errors::Error) -> BookError {
    let path = folder.to_path_buf();
    move |error| match error.downcast::<CourseError>() {
        Ok(course) => BookError::Course(course),
        Err(other) => BookError::MdBook { action, path, reason: format!("{other:#}") },
    }
}

#[cfg(test)]
mod tests;
