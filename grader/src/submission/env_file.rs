//! Env files, read as Compose reads them.
//!
//! Owns: which variables a file sets, with what values, and where each stands. Must not: decide which
//! of them count anywhere.
//!
//! Compose has rules of its own: ` #` begins a comment unless a value is quoted, `export ` is left out,
//! quoted values span lines, double-quoted ones have escapes, and `$NAME` is filled in from what is
//! known already. A reader that splits at `=` finds other values than the containers get.

mod expand;

use std::collections::BTreeMap;
use std::ops::Range;

pub use expand::expand;

/// The most that all values of a file may become, bytes. Values that double each other grow quickly.
const MOST_BYTES: usize = 1_000_000;

/// The most variables of a file.
const MOST_VARIABLES: usize = 5_000;

const GROWN: &str = "the values of all variables are more than 1 MB";

/// What a file says of one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The variable's name.
    pub key: String,
    /// Its value; `None` when the file names a variable of the environment that is not set there.
    pub value: Option<String>,
    /// The line, from 1.
    pub line: usize,
    /// The bytes of the file that say it, without the end of the line.
    pub span: Range<usize>,
}

/// Why a file, or a line of it, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// An env file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvFile {
    /// What it says, in its order.
    pub assignments: Vec<Assignment>,
    /// The first thing that Compose would complain about. The lines behind it are read all the same.
    pub error: Option<EnvError>,
}

impl EnvFile {
    /// Reads a file. `known` tells the variables of the environment, which go before the file's own
    /// where a value names one.
    #[must_use]
    pub fn read(text: &str, known: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut reader = Reader {
            text,
            at: if text.starts_with('\u{feff}') { 3 } else { 0 },
            seen: (0, 1),
            size: 0,
            values: BTreeMap::new(),
        };
        let mut file = Self::default();
        while let Some(from) = reader.statement() {
            if file.assignments.len() >= MOST_VARIABLES {
                let what = format!("there are more than {MOST_VARIABLES} variables");
                file.error.get_or_insert(EnvError { line: reader.line(from), what });
                break;
            }
            match reader.assignment(from, known) {
                Ok(assignment) => file.assignments.push(assignment),
                Err(what) => {
                    let grown = what == GROWN;
                    file.error.get_or_insert(EnvError { line: reader.line(from), what });
                    if grown {
                        break;
                    }
                    reader.at = reader.line_end(from);
                }
            }
        }
        file
    }

    /// The variables with their values; of several lines for one variable the last one counts, and
    /// names that begin with a digit do not.
    #[must_use]
    pub fn values(&self) -> BTreeMap<String, String> {
        let named = |key: &str| key.chars().next().is_some_and(|first| !first.is_ascii_digit());
        let set = self.assignments.iter().filter(|assignment| named(&assignment.key));
        set.filter_map(|one| Some((one.key.clone(), one.value.clone()?))).collect()
    }
}

/// A file that sets these variables, whatever their values are.
#[must_use]
pub fn written(variables: &BTreeMap<String, String>) -> String {
    let escaped = |value: &str| {
        value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('\n', "\\n").replace('\r', "\\r")
    };
    variables.iter().map(|(name, value)| format!("{name}=\"{}\"\n", escaped(value))).collect()
}

/// A file's text with another value for one variable, which a plain word is; all else stays as it was.
#[must_use]
pub fn with(text: &str, key: &str, value: &str) -> String {
    let said = EnvFile::read(text, &|_| None).assignments;
    let (mut out, mut from) = (String::new(), 0);
    let mut is_there = false;
    for one in said.into_iter().filter(|one| one.key == key) {
        out.push_str(&text[from..one.span.start]);
        out.push_str(&format!("{key}={value}"));
        (from, is_there) = (one.span.end, true);
    }
    out.push_str(&text[from..]);
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    if !is_there {
        out.push_str(&format!("{key}={value}\n"));
    }
    out
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// A place that was reached, and its line.
    seen: (usize, usize),
    /// Bytes of all values so far.
    size: usize,
    values: BTreeMap<String, String>,
}

/// Blanks within a line, as Compose counts them.
fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

impl Reader<'_> {
    /// Where the next statement begins, behind blank lines and comments.
    fn statement(&mut self) -> Option<usize> {
        loop {
            let rest = &self.text[self.at..];
            self.at += rest.find(|c: char| !c.is_whitespace())?;
            if !self.text[self.at..].starts_with('#') {
                return Some(self.at);
            }
            self.at = self.line_end(self.at);
        }
    }

    /// The line of a place that is not before the last one that was asked for.
    fn line(&mut self, at: usize) -> usize {
        let (place, line) = self.seen;
        self.seen = (at, line + self.text[place..at].matches('\n').count());
        self.seen.1
    }

    fn line_end(&self, from: usize) -> usize {
        self.text[from..].find('\n').map_or(self.text.len(), |end| from + end)
    }

    fn skip_blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches(is_blank).len();
    }

    fn assignment(&mut self, from: usize, known: &dyn Fn(&str) -> Option<String>) -> Result<Assignment, String> {
        if self.text[from..].strip_prefix("export").is_some_and(|rest| rest.starts_with(char::is_whitespace)) {
            self.at = from + "export".len();
            self.skip_blanks();
        }
        let start = self.at;
        let line = self.line(from);
        let mut end = None;
        for (index, c) in self.text[start..].char_indices() {
            match c {
                '=' | ':' | '\n' => {
                    end = Some((start + index, c));
                    break;
                }
                c if is_blank(c) || "_.-[]".contains(c) || c.is_alphabetic() || c.is_numeric() => {}
                _ => {
                    return Err(format!(
                        "`{}` is no name of a variable",
                        self.text[start..self.line_end(start)].trim()
                    ));
                }
            }
        }
        let (end, sign) = end.unwrap_or((self.text.len(), '\n'));
        let key = self.text[start..end].trim_end().to_owned();
        if key.contains(' ') {
            return Err(format!("`{key}` is no name of a variable: there is a space in it"));
        }
        self.at = end;
        if sign == '\n' {
            let value = known(&key);
            return Ok(Assignment { key, value, line, span: from..end });
        }
        self.at += 1;
        self.skip_blanks();
        let value = match self.text[self.at..].chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote, known)?,
            _ => self.plain(known)?,
        };
        self.size += value.len();
        if self.size > MOST_BYTES {
            return Err(GROWN.into());
        }
        self.values.insert(key.clone(), value.clone());
        Ok(Assignment { key, value: Some(value), line, span: from..self.at })
    }

    fn plain(&mut self, known: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
        let end = self.line_end(self.at);
        let line = &self.text[self.at..end];
        let value = line.split_once(" #").map_or(line, |(value, _)| value).trim_end();
        self.at = end;
        self.expanded(value, known)
    }

    fn quoted(&mut self, quote: char, known: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
        let begin = self.at + 1;
        let (mut value, mut escaped) = (String::new(), false);
        for (index, c) in self.text[begin..].char_indices() {
            if c == quote && !escaped {
                self.at = begin + index + 1;
                return if quote == '"' { self.expanded(&expand::escapes(&value), known) } else { Ok(value) };
            }
            if c == '\\' && !escaped {
                escaped = true;
                continue;
            }
            if escaped && c != quote {
                value.push('\\');
            }
            escaped = false;
            value.push(c);
        }
        Err(format!("the quote that begins with {} has no end", self.text[self.at..self.line_end(self.at)].trim()))
    }

    fn expanded(&self, value: &str, known: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
        expand(value, &|name| known(name).or_else(|| self.values.get(name).cloned()), MOST_BYTES)
    }
}

#[cfg(test)]
#[path = "env_file/tests.rs"]
mod tests;
