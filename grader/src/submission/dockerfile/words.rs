//! Words as BuildKit's little shell sees them: quotation marks, escapes and variables.
//!
//! Owns: the project's one way to split into words and to fill in variables. Must not: know where
//! values come from.

mod variable;

use super::values::Values;
use super::{Escape, Reading};

/// A text with its variables filled in, as BuildKit fills in `FROM`, `ARG` and others; `None` where
/// BuildKit would refuse it.
#[must_use]
pub fn expand(text: &str, values: &Values, escape: Escape) -> Option<String> {
    filled_in(text, Unset::IsEmpty(values), escape)
}

/// The same, but `None`, too, where a variable has no value that is known.
#[must_use]
pub fn expand_known(text: &str, values: &Values, escape: Escape) -> Option<String> {
    filled_in(text, Unset::IsRefused(values), escape)
}

fn filled_in(text: &str, unset: Unset<'_>, escape: Escape) -> Option<String> {
    let lexer = Lexer { escape, keeps_quotes: false, keeps_escapes: false, unset, reading: Reading::Newer };
    lexer.run(text).ok().map(|(text, _)| text)
}

/// The words of a text, with their quotation marks and escapes, split where neither of them holds
/// them together. Variables mean nothing here.
pub fn split(text: &str, Escape(escape): Escape) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut all = text.chars();
    while let Some(c) = all.next() {
        match quote {
            None if c.is_whitespace() => {
                words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
                continue;
            }
            None if matches!(c, '"' | '\'') => quote = Some(c),
            Some(mark) if mark == c => quote = None,
            _ => {}
        }
        word.push(c);
        if c == escape && quote != Some('\'') {
            word.extend(all.next());
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

/// What is made of a variable without a value.
#[derive(Clone, Copy)]
pub enum Unset<'a> {
    /// It stays as it is written, and no variable has a value.
    Stays,
    /// It is empty, unless it is one of these.
    IsEmpty(&'a Values),
    /// What it is, only somebody else knows, unless it is one of these.
    IsRefused(&'a Values),
}

/// How a text is read.
#[derive(Clone, Copy)]
pub struct Lexer<'a> {
    /// What takes the meaning from the next character.
    pub escape: Escape,
    /// Whether quotation marks stay.
    pub keeps_quotes: bool,
    /// Whether escapes stay.
    pub keeps_escapes: bool,
    /// Variables.
    pub unset: Unset<'a>,
    /// Whose reading.
    pub reading: Reading,
}

/// BuildKit would refuse the text.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused;

impl Lexer<'_> {
    /// The words of a text.
    pub fn words(self, text: &str) -> Result<Vec<String>, Refused> {
        self.run(text).map(|(_, words)| words)
    }

    fn run(self, text: &str) -> Result<(String, Vec<String>), Refused> {
        // Go's scanner passes over such a mark at the beginning.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Cursor { lexer: self, left: text.chars().peekable(), depth: 0, was_within: false }.until(None)
    }
}

/// How deep `${a:-${b:-...}}` may go. Nobody writes more, and it must not fill our stack.
const DEPTH: usize = 50;

struct Cursor<'a, 't> {
    lexer: Lexer<'a>,
    left: std::iter::Peekable<std::str::Chars<'t>>,
    depth: usize,
    /// Whether a text within braces has just been read.
    was_within: bool,
}

/// Words that grow.
#[derive(Default)]
struct Words {
    done: Vec<String>,
    open: String,
}

impl Words {
    /// Takes a character that has its usual meaning.
    fn take(&mut self, c: char) {
        if c.is_whitespace() { self.end() } else { self.open.push(c) }
    }

    fn end(&mut self) {
        self.done.extend(Some(std::mem::take(&mut self.open)).filter(|word| !word.is_empty()));
    }
}

impl Cursor<'_, '_> {
    /// Reads up to a character (or the end): the text, and its words.
    fn until(&mut self, stop: Option<char>) -> Result<(String, Vec<String>), Refused> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Refused);
        }
        let (mut text, mut words) = (String::new(), Words::default());
        let Escape(escape) = self.lexer.escape;
        while let Some(c) = self.left.next() {
            if stop == Some(c) {
                self.depth -= 1;
                words.end();
                return Ok((text, words.done));
            }
            let piece = match c {
                '$' => self.variable()?,
                '\'' => self.single_quoted()?,
                '"' => self.double_quoted()?,
                '<' if self.lexer.reading == Reading::Newer => self.perhaps_a_here_document(),
                _ if c == escape => {
                    let kept = if self.lexer.keeps_escapes { String::from(c) } else { String::new() };
                    let Some(next) = self.left.next() else {
                        words.open.push_str(&kept);
                        text.push_str(&kept);
                        break;
                    };
                    kept + &next.to_string()
                }
                _ => {
                    words.take(c);
                    text.push(c);
                    continue;
                }
            };
            // Today's BuildKit forgets the beginning of a word here (`E${x:-}` is `${x:-}`).
            if std::mem::take(&mut self.was_within) && self.lexer.reading == Reading::Newer {
                words.open.clear();
            }
            // A value is split at its blanks; what is quoted holds together.
            if c == '$' {
                piece.chars().for_each(|c| words.take(c));
            } else {
                words.open.push_str(&piece);
            }
            text.push_str(&piece);
        }
        if stop.is_some() {
            return Err(Refused);
        }
        self.depth -= 1;
        words.end();
        Ok((text, words.done))
    }

    /// Blanks after `<<` belong to the word.
    fn perhaps_a_here_document(&mut self) -> String {
        if self.left.next_if_eq(&'<').is_none() {
            return "<".into();
        }
        let mut text = "<<".to_owned();
        while let Some(blank) = self.left.next_if(|c| matches!(c, ' ' | '\t' | '\r')) {
            text.push(blank);
        }
        text
    }

    fn quoted(&self, text: String, mark: char) -> String {
        if self.lexer.keeps_quotes { format!("{mark}{text}{mark}") } else { text }
    }

    fn single_quoted(&mut self) -> Result<String, Refused> {
        let mut text = String::new();
        loop {
            match self.left.next().ok_or(Refused)? {
                '\'' => return Ok(self.quoted(text, '\'')),
                c => text.push(c),
            }
        }
    }

    fn double_quoted(&mut self) -> Result<String, Refused> {
        let mut text = String::new();
        let Escape(escape) = self.lexer.escape;
        loop {
            match self.left.next().ok_or(Refused)? {
                '"' => return Ok(self.quoted(text, '"')),
                '$' => text.push_str(&self.variable()?),
                c if c == escape => {
                    if self.lexer.keeps_escapes {
                        text.push(c);
                    }
                    // Before other characters it stands for itself.
                    match self.left.next_if(|next| matches!(next, '"' | '$') || *next == escape) {
                        Some(next) => text.push(next),
                        None if self.left.peek().is_some() => text.push(c),
                        None => {}
                    }
                }
                c => text.push(c),
            }
        }
    }
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
