//! What the looking commands show: `grader layers` and `grader compare`.
//!
//! Owns: their data, its JSON form (described in README), and its layout in a terminal. Must not:
//! measure, judge, or know Docker.

pub mod layers;
mod layers_text;
pub mod map;
mod map_text;

use serde::Serialize;

use crate::sandbox::facts::BuildFailure;
use crate::verdict::{Detail, Finding, Location};

/// Columns of a terminal when nothing says how many there are.
pub const COLUMNS: usize = 80;

/// Why something could not be shown: it did not build, start or stay up.
#[derive(Debug, Clone, Serialize)]
pub struct Trouble {
    /// What has happened, in one line.
    pub message: String,
    /// The line in the learner's files.
    pub at: Option<Location>,
    /// The last lines of its output.
    pub log: Vec<String>,
}

impl Trouble {
    /// An image that does not build.
    #[must_use]
    pub fn build(image: &str, failure: BuildFailure) -> Self {
        let help = failure.help.map(|help| format!(" {help}")).unwrap_or_default();
        Self { message: format!("{image} does not build: {}{help}", failure.message), at: failure.at, log: failure.log }
    }

    /// A stack that does not come up.
    #[must_use]
    pub fn stack(stack: &str, finding: Finding) -> Self {
        let log = |detail| if let Detail::Log { lines, .. } = detail { lines } else { Vec::new() };
        Self {
            message: format!("the stack {stack} does not come up: {}", finding.measured),
            at: finding.at,
            log: finding.details.into_iter().flat_map(log).collect(),
        }
    }
}

/// A text in lines of at most `most` characters, without control characters. Words are broken only where
/// one is longer than a line: `max-size` is one word.
#[must_use]
pub fn lines(text: &str, most: usize) -> Vec<String> {
    let text = tame(text);
    let options = textwrap::Options::new(most).word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(&text, options.break_words(true)).into_iter().map(std::borrow::Cow::into_owned).collect()
}

/// A text of at most `most` characters. `…` stands for what is left out of its end.
#[must_use]
pub fn begin(text: &str, most: usize) -> String {
    let text = tame(text);
    if text.chars().count() <= most { text } else { text.chars().take(most.saturating_sub(1)).chain(['…']).collect() }
}

/// A path of at most `most` characters. `…` stands for what is left out of its beginning.
#[must_use]
pub fn end(path: &str, most: usize) -> String {
    let path = tame(path);
    let count = path.chars().count();
    if count <= most { path } else { std::iter::once('…').chain(path.chars().skip(count + 1 - most)).collect() }
}

/// File names and instructions must not steer the terminal, nor break a document.
#[must_use]
pub fn tame(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_shortened_to_the_very_width_and_says_so() {
        assert_eq!((begin("abcdef", 6), begin("abcdef", 5)), ("abcdef".into(), "abcd…".into()));
        assert_eq!((end("abcdef", 6), end("abcdef", 5)), ("abcdef".into(), "…cdef".into()));
    }

    #[test]
    fn lines_break_between_words_unless_a_word_is_too_long() {
        assert_eq!(lines("a max-size", 8), ["a", "max-size"]);
        assert_eq!(lines("abcdefghij", 8), ["abcdefgh", "ij"]);
    }

    #[test]
    fn control_characters_are_not_passed_on() {
        assert_eq!(tame("a\u{1b}[2Jb\n"), "a·[2Jb·");
    }
}
