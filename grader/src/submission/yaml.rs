//! YAML, read once and written anew.
//!
//! Owns: a tree of one file with its lines, bounded in every direction, and the text that Compose gets
//! in the file's place. Must not: know what any key means.
//!
//! Two readers of one text differ somewhere, and what the gate overlooks there, Compose would do. So
//! Compose never sees what a learner wrote, but what [`Canonical`] says of the tree that the gate has
//! looked at: aliases and merge keys are written out, texts are quoted, and no tag is left but those
//! that Compose itself gives a meaning to. The scanner is a port of libyaml, as Compose's is: so an
//! honest file means the same to both, down to tabs and brackets at the left margin.

mod characters;
mod read;
mod write;

use std::rc::Rc;

pub use read::read;
pub use write::Canonical;

const TOO_MUCH: &str = "A Compose file of an exercise is far below that. Anchors and aliases multiply what they stand for: use fewer of them.";

/// A value, with the line that it begins in.
#[derive(Debug, Clone)]
pub struct Node {
    /// The line, from 1.
    pub line: usize,
    /// `!reset` or `!override`.
    pub tag: Option<&'static str>,
    /// What it is.
    pub data: Data,
    levels: usize,
}

/// What a value is.
#[derive(Debug, Clone)]
pub enum Data {
    /// One text, number, truth value or nothing.
    Scalar(Scalar),
    /// A list.
    List(Vec<Rc<Node>>),
    /// Keys and values in their order. What merge keys bring in stands behind the mapping's own.
    Map(Vec<Entry>),
}

/// A text as it was meant, and whether it stood there without quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text, escapes and folds resolved.
    pub text: String,
    /// Whether it is plain, so that it may be a number or a truth value.
    pub plain: bool,
}

/// A key with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: Scalar,
    /// The key's line, from 1.
    pub line: usize,
    /// The value.
    pub value: Rc<Node>,
}

impl Node {
    /// The text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The entries of a mapping; none for anything else.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    #[must_use]
    pub fn items(&self) -> &[Rc<Node>] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// The entry of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key.text == key)
    }
}

/// Why a file is not taken as YAML, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, as it goes on behind the file's name.
    pub what: String,
    /// The reason and the remedy.
    pub why: &'static str,
}

impl Mistake {
    fn new(line: usize, what: impl Into<String>, why: &'static str) -> Self {
        Self { line, what: what.into(), why }
    }
}
