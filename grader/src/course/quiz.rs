//! The quiz of a lesson: the questions that stand in its page.
//!
//! Owns: what a question is, loading all of a page's, and the order in which options are shown.
//! Must not: ask, print, store, or know the book's HTML.
//!
//! A question is one fenced block with the info string `quiz` and TOML inside:
//!
//! ````markdown
//! ```quiz
//! id = "target-flag"
//! kind = "short"
//! question = "Which flag of `docker build` picks a stage?"
//! accept = ["--target"]
//! because = "`--target NAME` stops the build after the stage NAME."
//! ```
//! ````

mod answers;
mod judge;
mod keys;
mod parse;
pub mod typed;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use answers::{Graded, StoredAnswer, load_answers};
pub use judge::Judgement;
pub(crate) use judge::plain;

use super::fence::{FenceKind, fences};
use super::source::{CourseError, Source};

/// The seed of the order in which the book shows options. The terminal uses the same one, so that
/// both have the same numbers.
pub const PAGE_SEED: u64 = 0;

/// The questions of a page, from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiz {
    /// The questions.
    pub questions: Vec<Question>,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// A stable id, unique in the page. Answers are kept under it.
    pub id: String,
    /// The question, as Markdown.
    pub text: String,
    /// How it is answered.
    pub kind: Kind,
    /// For a prediction: the commands whose output the test suite compares. Empty otherwise.
    pub commands: Vec<Confirmation>,
    /// The line of the page on which its `id` stands.
    pub line: usize,
}

/// How a question is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// By exactly one of several options.
    Choice(Vec<Choice>),
    /// By all right ones of several options.
    Multi(Vec<Choice>),
    /// By putting items in order.
    Order {
        /// The items in the right order.
        items: Vec<String>,
        /// Why this is the order.
        because: String,
    },
    /// By a short text.
    Short {
        /// The texts that are right.
        accept: Vec<String>,
        /// Whether `A` and `a` differ.
        case: bool,
        /// Why it is right.
        because: String,
        /// Usual wrong answers.
        near: Vec<Near>,
    },
}

/// An option of a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What it says, as Markdown.
    pub text: String,
    /// Whether it is right.
    pub right: bool,
    /// Why it is right or wrong.
    pub because: String,
}

/// A usual wrong answer to a question that wants a short text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// What people write.
    pub text: String,
    /// Why it is wrong.
    pub because: String,
}

/// A command that shows that a prediction's answer is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// What is typed into a shell.
    pub program: String,
    /// What it must print.
    pub expect: String,
}

/// An answer. Indexes count in the page's order, so they do not depend on what was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "kebab-case")]
pub enum Answer {
    /// One option.
    Choice(usize),
    /// Several options.
    Multi(Vec<usize>),
    /// All items, first to last.
    Order(Vec<usize>),
    /// A text.
    Text(String),
}

impl Quiz {
    /// Reads the questions of the page at `page`; `root` is the course's folder.
    pub fn load(root: &Path, page: &Path) -> Result<Self, CourseError> {
        Self::parse(&Source::read(root, page)?)
    }

    /// Reads the questions of a page that was read before.
    pub fn parse(page: &Source) -> Result<Self, CourseError> {
        let mut questions = Vec::new();
        let mut lines = BTreeMap::new();
        for block in fences(page)?.iter().filter(|fence| fence.kind == FenceKind::Quiz) {
            let (question, id) = parse::question(page, &block.body)?;
            if let Some(line) = lines.insert(question.id.clone(), question.line) {
                let message = format!("two questions have the id `{}`", question.id);
                return Err(page.error(id, message, &format!("the other one is in line {line}")));
            }
            questions.push(question);
        }
        Ok(Self { questions })
    }

    /// The question with this id.
    #[must_use]
    pub fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }
}

impl Question {
    /// True when the test suite confirms the answer against the daemon.
    #[must_use]
    pub fn is_prediction(&self) -> bool {
        !self.commands.is_empty()
    }

    /// The texts to choose from or to put in order, in the page's order. None for a short text.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        match &self.kind {
            Kind::Choice(options) | Kind::Multi(options) => options.iter().map(|option| option.text.as_str()).collect(),
            Kind::Order { items, .. } => items.iter().map(String::as_str).collect(),
            Kind::Short { .. } => Vec::new(),
        }
    }

    /// The order in which [`texts`](Self::texts) are shown: always the same for the same seed, and
    /// never the right order of an ordering.
    #[must_use]
    pub fn shown(&self, seed: u64) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.texts().len()).collect();
        order.sort_by_cached_key(|index| {
            let hash = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(&self.id);
            hash.chain_update((*index as u64).to_le_bytes()).finalize().to_vec()
        });
        if matches!(self.kind, Kind::Order { .. }) && order.is_sorted() {
            order.rotate_left(1);
        }
        order
    }
}

/// A page with one question of each kind, for the tests of everything that uses questions.
#[cfg(test)]
pub(crate) const SAMPLE: &str = include_str!("quiz/sample.md");

#[cfg(test)]
pub(crate) fn sample() -> Quiz {
    Quiz::parse(&Source { name: "page.md".into(), text: SAMPLE.into() }).expect("the sample is a valid page")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_gives_its_questions_in_order_with_their_lines() {
        let quiz = sample();
        let ids: Vec<_> = quiz.questions.iter().map(|question| question.id.as_str()).collect();
        assert_eq!(ids, ["where-modules", "closed-doors", "from-edit", "target-flag", "who-am-i", "exit-code"]);
        for question in &quiz.questions {
            assert!(SAMPLE.lines().nth(question.line - 1).unwrap().contains(&question.id));
        }
        assert!(quiz.question("who-am-i").unwrap().is_prediction());
        assert!(!quiz.question("from-edit").unwrap().is_prediction());
    }

    #[test]
    fn the_same_id_twice_points_at_the_second() {
        let text = SAMPLE.replace("id = \"from-edit\"", "id = \"where-modules\"");
        let error = Quiz::parse(&Source { name: "page.md".into(), text }).unwrap_err().to_string();
        assert!(error.contains("two questions have the id `where-modules`"), "{error}");
        assert!(error.contains("the other one is in line 6"), "{error}");
    }

    #[test]
    fn the_shown_order_is_a_permutation_that_depends_on_the_seed_only() {
        let quiz = sample();
        let question = quiz.question("closed-doors").unwrap();
        assert_eq!(question.shown(7), question.shown(7));
        let mut all: Vec<_> = (0..40).map(|seed| question.shown(seed)).collect();
        for order in &all {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3]);
        }
        all.sort();
        all.dedup();
        assert!(all.len() > 5, "only {} different orders in 40 seeds", all.len());
    }

    #[test]
    fn an_ordering_is_never_shown_in_the_right_order() {
        let quiz = sample();
        let question = quiz.question("from-edit").unwrap();
        for seed in 0..60 {
            assert_ne!(question.shown(seed), [0, 1, 2], "seed {seed}");
        }
    }
}
