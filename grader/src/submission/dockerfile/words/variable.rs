//! What stands after `$`: a name, or a name with what to make of its value.
//!
//! Owns: the modifiers that BuildKit knows (`${X:-...}`, `${X+...}`, `${X%...}`). Must not: split into words.

use super::super::patterns::{self, Cut};
use super::{Cursor, Refused, Unset};

impl Cursor<'_, '_> {
    /// What stands after `$`.
    pub(super) fn variable(&mut self) -> Result<String, Refused> {
        if self.left.next_if_eq(&'{').is_none() {
            let name = self.name();
            let stays = if name.is_empty() { Some("$".to_owned()) } else { self.stays(|| format!("${name}")) };
            return match stays {
                Some(stays) => Ok(stays),
                None => Ok(self.value(&name)?.unwrap_or_default()),
            };
        }
        if matches!(self.left.peek(), None | Some('{' | '}' | ':')) {
            return Err(Refused);
        }
        let name = self.name();
        let value = self.value(&name)?;
        let (colon, sign) = match self.left.next().ok_or(Refused)? {
            ':' => (":", self.left.next().ok_or(Refused)?),
            sign => ("", sign),
        };
        // With a colon, an empty value counts as none.
        let is_set = value.as_ref().is_some_and(|value| colon.is_empty() || !value.is_empty());
        let value = value.unwrap_or_default();
        match (colon, sign) {
            ("", '}') => Ok(self.stays(|| format!("${{{name}}}")).unwrap_or(value)),
            (_, '-' | '+' | '?') => {
                let word = self.within('}', false)?;
                match (self.stays(|| format!("${{{name}{colon}{sign}{word}}}")), sign, is_set) {
                    (Some(stays), ..) => Ok(stays),
                    (None, '-' | '?', true) => Ok(value),
                    (None, '-', false) | (None, '+', true) => Ok(word),
                    (None, '+', false) => Ok(String::new()),
                    _ => Err(Refused),
                }
            }
            ("", '#' | '%') => {
                let word = self.within('}', true)?;
                let (longest, pattern) = word.strip_prefix(sign).map_or((false, word.as_str()), |rest| (true, rest));
                let end = if sign == '#' { Cut::Beginning } else { Cut::End };
                let stays = self.stays(|| format!("${{{name}{sign}{word}}}"));
                stays.or_else(|| patterns::cut(&value, pattern, end, longest)).ok_or(Refused)
            }
            ("", '/') => {
                let all = self.left.next_if_eq(&'/').is_some();
                let (pattern, with) = (self.within('/', true)?, self.within('}', true)?);
                let stays = self.stays(|| format!("${{{name}/{pattern}/{with}}}"));
                stays.or_else(|| patterns::replaced(&value, &pattern, &with, all)).ok_or(Refused)
            }
            _ => Err(Refused),
        }
    }

    fn within(&mut self, stop: char, keeps_escapes: bool) -> Result<String, Refused> {
        let outside = std::mem::replace(&mut self.lexer.keeps_escapes, keeps_escapes);
        let text = self.until(Some(stop)).map(|(text, _)| text);
        self.lexer.keeps_escapes = outside;
        self.was_within = true;
        text
    }

    fn stays(&self, written: impl FnOnce() -> String) -> Option<String> {
        matches!(self.lexer.unset, Unset::Stays).then(written)
    }

    fn value(&self, name: &str) -> Result<Option<String>, Refused> {
        match self.lexer.unset {
            Unset::Stays => Ok(None),
            Unset::IsEmpty(values) => Ok(values.get(name).cloned()),
            Unset::IsRefused(values) => values.get(name).cloned().map(Some).ok_or(Refused),
        }
    }

    /// A variable's name: a number, one of the shell's own (`$@`), or letters, digits and `_`.
    fn name(&mut self) -> String {
        let is_number = self.left.peek().is_some_and(|c| c.is_numeric());
        if let Some(special) = self.left.next_if(|c| "@*#?-$!".contains(*c)) {
            return special.into();
        }
        let belongs = |c: &char| c.is_numeric() || !is_number && (c.is_alphabetic() || *c == '_');
        let mut name = String::new();
        while let Some(c) = self.left.next_if(belongs) {
            name.push(c);
        }
        name
    }
}
