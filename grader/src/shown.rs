//! Text that others have written, as it may be shown.
//!
//! Owns: which characters are shown as a dot, for every output: the terminal, XML, pictures, pages. Must
//! not: be gone around. Containers, learners and people who hand files on write log lines, names and
//! answers; none of these may steer a terminal, hide a word, or make a line read as another.

use std::io::{self, Write};

use serde_json::Value;

/// What stands for a character that is not shown.
pub const DOT: char = '·';

/// Characters that change how those around them are read, or are not seen themselves, but for the
/// control characters: those for the direction of writing, of no width, that end lines, and that carry
/// what nobody sees (Unicode's `Default_Ignorable_Code_Point`, without the variation selectors that
/// choose a picture for the character before).
const UNSEEN: [(char, char); 16] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether a character is not shown as it is. Ends of lines and tabs are among them.
#[must_use]
pub fn steers(c: char) -> bool {
    c.is_control() || is_unseen(c)
}

fn is_unseen(c: char) -> bool {
    // Nearly all text is in ASCII.
    c >= '\u{ad}'
        && (UNSEEN.iter().any(|(from, to)| (*from..=*to).contains(&c)) || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

/// A text with dots for what is not shown, also for ends of lines and tabs.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if steers(c) { DOT } else { c }).collect()
}

/// The same with the ends of lines, and with tabs.
#[must_use]
pub fn lines(text: &str) -> String {
    text.chars().map(|c| if steers(c) && !matches!(c, '\n' | '\t') { DOT } else { c }).collect()
}

/// Does the same with all texts of a JSON value, but for names of fields.
pub fn every_text(value: &mut Value) {
    match value {
        Value::String(text) if text.chars().any(steers) => *text = lines(text),
        Value::Array(all) => all.iter_mut().for_each(every_text),
        Value::Object(map) => map.values_mut().for_each(every_text),
        _ => {}
    }
}

/// An output that shows nothing unseen, whoever has written it. Control characters pass: colours of our
/// own are made of them, and texts of others have lost theirs where they were put in.
pub struct Guarded<W> {
    out: W,
    /// The beginning of a character whose end has not been written yet.
    unfinished: Vec<u8>,
}

impl<W: Write> Guarded<W> {
    /// Guards an output.
    pub fn new(out: W) -> Self {
        Self { out, unfinished: Vec::new() }
    }
}

impl<W: Write> Write for Guarded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.unfinished.is_empty() && bytes.is_ascii() {
            return self.out.write(bytes);
        }
        self.unfinished.extend_from_slice(bytes);
        let all = std::mem::take(&mut self.unfinished);
        for chunk in all.utf8_chunks() {
            let shown: String = chunk.valid().chars().map(|c| if is_unseen(c) { DOT } else { c }).collect();
            self.out.write_all(shown.as_bytes())?;
            let ends_here = chunk.invalid().as_ptr_range().end == all.as_ptr_range().end;
            if ends_here && chunk.invalid().len() < 4 {
                self.unfinished = chunk.invalid().to_vec();
            } else {
                self.out.write_all(chunk.invalid())?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_hides_or_breaks_a_line_is_a_dot_and_letters_of_all_scripts_stay() {
        for c in "\u{202e}\u{2066}\u{2069}\u{200b}\u{200d}\u{200f}\u{61c}\u{2028}\u{2029}\u{85}\u{1b}\u{7}\u{feff}\u{ad}\u{e0041}".chars() {
            assert_eq!(plain(&format!("a{c}b")), "a·b", "{c:?}");
        }
        for text in ["naïve Käse", "שלום", "سلام", "日本語", "❤\u{fe0f}", "e\u{301}", "– … ·"] {
            assert_eq!(plain(text), text);
        }
        assert_eq!((plain("a\n\tb"), lines("a\n\tb\u{2028}")), ("a··b".into(), "a\n\tb·".into()));
    }

    #[test]
    fn a_guarded_output_lets_colours_pass_and_waits_for_the_end_of_a_character() {
        let mut out = Vec::new();
        let mut guarded = Guarded::new(&mut out);
        for byte in "\u{1b}[1mä\u{202e}b\u{2028}".as_bytes() {
            guarded.write_all(&[*byte]).expect("write");
        }
        guarded.write_all(b"\xff\xffc").expect("write");
        assert_eq!(String::from_utf8_lossy(&out), "\u{1b}[1mä·b·\u{fffd}\u{fffd}c");
    }

    #[test]
    fn every_text_of_a_value_is_shown_plainly() {
        let mut value = serde_json::json!({"a": ["x\u{202e}", {"b": "y\u{1b}\n"}], "c": 1});
        every_text(&mut value);
        assert_eq!(value, serde_json::json!({"a": ["x·", {"b": "y·\n"}], "c": 1}));
    }
}
