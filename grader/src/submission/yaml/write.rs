//! The text that Compose gets.
//!
//! Owns: writing a tree out, and the line of the learner's file for each line of the text. Must not:
//! leave anything to be decided by a reader but whether a plain text is a number.

use std::fmt::Write;
use std::rc::Rc;

use super::characters::may_be_no_text;
use super::{Data, Mistake, Node, Scalar, TOO_MUCH};

/// The most that a file may become when aliases are written out, bytes.
const MOST_BYTES: usize = 300_000;
/// The most bytes of a key: YAML itself has a limit for keys on one line.
const MOST_KEY: usize = 500;

/// A file as it is handed to Compose.
#[derive(Debug, Clone, Default)]
pub struct Canonical {
    /// The text: block style, aliases and merge keys written out, every text in double quotes.
    pub text: String,
    lines: Vec<usize>,
}

impl Canonical {
    /// Writes a mapping.
    pub fn of(root: &Node) -> Result<Self, Mistake> {
        let mut canonical = Self::default();
        canonical.children(root, 0)?;
        Ok(canonical)
    }

    /// Writes all documents of a file, each of them a mapping.
    pub fn of_all(documents: &[Rc<Node>]) -> Result<Self, Mistake> {
        let mut canonical = Self::default();
        for (index, root) in documents.iter().enumerate() {
            if index > 0 {
                canonical.begin(root.line, 0, "---\n");
            }
            canonical.children(root, 0)?;
        }
        Ok(canonical)
    }

    /// The line of the learner's file that a line of the text stands for, both from 1.
    #[must_use]
    pub fn line(&self, of_text: usize) -> Option<usize> {
        self.lines.get(of_text.checked_sub(1)?).copied()
    }

    /// What stands in a mapping or list, each on a line of its own.
    fn children(&mut self, node: &Node, level: usize) -> Result<(), Mistake> {
        for item in node.items() {
            self.begin(item.line, level, "-");
            self.value(item, level)?;
        }
        for entry in node.entries() {
            let key = written(&entry.key);
            if key.len() > MOST_KEY {
                let why = "Compose reads no key of that length. Is a quote or a colon missing?";
                return Err(Mistake::new(entry.line, format!("has a key of {} bytes", key.len()), why));
            }
            self.begin(entry.line, level, &format!("{key}:"));
            self.value(&entry.value, level)?;
        }
        Ok(())
    }

    fn begin(&mut self, line: usize, level: usize, head: &str) {
        self.lines.push(line);
        self.text.extend(std::iter::repeat_n(' ', level));
        self.text.push_str(head);
    }

    /// What stands behind a key or a dash.
    fn value(&mut self, node: &Node, level: usize) -> Result<(), Mistake> {
        if let Some(tag) = node.tag {
            self.text.push(' ');
            self.text.push_str(tag);
        }
        let short = match &node.data {
            Data::Scalar(scalar) => Some(written(scalar)),
            Data::List(items) => items.is_empty().then(|| "[]".to_owned()),
            Data::Map(entries) => entries.is_empty().then(|| "{}".to_owned()),
        };
        if let Some(short) = &short {
            self.text.push(' ');
            self.text.push_str(short);
        }
        self.text.push('\n');
        if self.text.len() > MOST_BYTES {
            let what = format!("holds more than {} kB once its aliases are written out", MOST_BYTES / 1_000);
            return Err(Mistake::new(node.line, what, TOO_MUCH));
        }
        if short.is_none() { self.children(node, level + 1) } else { Ok(()) }
    }
}

fn written(scalar: &Scalar) -> String {
    if scalar.plain && may_be_no_text(&scalar.text) {
        return if scalar.text.is_empty() { "null".to_owned() } else { scalar.text.clone() };
    }
    let mut quoted = String::with_capacity(scalar.text.len() + 2);
    quoted.push('"');
    for c in scalar.text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => escape(&mut quoted, c),
            c if c.is_control() => escape(&mut quoted, c),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn escape(to: &mut String, c: char) {
    // Writing to a string cannot fail.
    let _ = write!(to, "\\u{:04X}", u32::from(c));
}
