//! Keys of a browser as a terminal's programs read them.
//!
//! Owns: the bytes of keys and of pasted text. Must not: know who presses them.

use schemars::JsonSchema;
use serde::Deserialize;

/// A key that is no plain letter, as a browser names it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Such as `ArrowUp`, or `c` for Ctrl+C.
    pub name: String,
    /// Whether Ctrl is down.
    #[serde(default)]
    pub ctrl: bool,
    /// Whether Alt is down.
    #[serde(default)]
    pub alt: bool,
    /// Whether Shift is down.
    #[serde(default)]
    pub shift: bool,
}

/// What the program has asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Modes {
    /// Arrows are written in the other of two ways.
    pub application_cursor: bool,
    /// Pasted text is marked, so that a shell does not run it.
    pub bracketed_paste: bool,
}

impl Key {
    /// What the program reads; empty where a terminal has no such key.
    pub fn bytes(&self, modes: Modes) -> Vec<u8> {
        match self.name.as_str() {
            "Enter" => self.plain(b"\r"),
            "Tab" if self.shift => b"\x1b[Z".to_vec(),
            "Tab" => self.plain(b"\t"),
            "Escape" => self.plain(b"\x1b"),
            "Backspace" => self.plain(if self.ctrl { b"\x08" } else { b"\x7f" }),
            "ArrowUp" => self.letter('A', modes.application_cursor),
            "ArrowDown" => self.letter('B', modes.application_cursor),
            "ArrowRight" => self.letter('C', modes.application_cursor),
            "ArrowLeft" => self.letter('D', modes.application_cursor),
            "Home" => self.letter('H', modes.application_cursor),
            "End" => self.letter('F', modes.application_cursor),
            "F1" => self.letter('P', true),
            "F2" => self.letter('Q', true),
            "F3" => self.letter('R', true),
            "F4" => self.letter('S', true),
            "Insert" => self.number(2),
            "Delete" => self.number(3),
            "PageUp" => self.number(5),
            "PageDown" => self.number(6),
            "F5" => self.number(15),
            "F6" => self.number(17),
            "F7" => self.number(18),
            "F8" => self.number(19),
            "F9" => self.number(20),
            "F10" => self.number(21),
            "F11" => self.number(23),
            "F12" => self.number(24),
            letter => self.typed(letter),
        }
    }

    fn plain(&self, code: &[u8]) -> Vec<u8> {
        if self.alt { [b"\x1b", code].concat() } else { code.to_vec() }
    }

    /// Shift, Alt and Ctrl as one number; 1 is none of them.
    fn held(&self) -> u8 {
        1 + u8::from(self.shift) + 2 * u8::from(self.alt) + 4 * u8::from(self.ctrl)
    }

    fn letter(&self, letter: char, application: bool) -> Vec<u8> {
        match self.held() {
            1 if application => format!("\x1bO{letter}"),
            1 => format!("\x1b[{letter}"),
            held => format!("\x1b[1;{held}{letter}"),
        }
        .into_bytes()
    }

    fn number(&self, number: u8) -> Vec<u8> {
        match self.held() {
            1 => format!("\x1b[{number}~"),
            held => format!("\x1b[{number};{held}~"),
        }
        .into_bytes()
    }

    /// A letter with Ctrl or Alt.
    fn typed(&self, text: &str) -> Vec<u8> {
        let mut letters = text.chars();
        let (Some(letter), None) = (letters.next(), letters.next()) else { return Vec::new() };
        if !self.ctrl {
            return self.plain(text.as_bytes());
        }
        match letter.to_ascii_lowercase() {
            letter @ ('a'..='z' | '[' | '\\' | ']' | '^' | '_') => self.plain(&[letter as u8 & 0x1f]),
            ' ' | '@' => self.plain(&[0]),
            '/' => self.plain(&[0x1f]),
            _ => Vec::new(),
        }
    }
}

/// Pasted text. What would end the marks, or press a key, is left out of it.
pub fn pasted(text: &str, modes: Modes) -> Vec<u8> {
    let is_text = |letter: &char| !letter.is_control() || matches!(letter, '\t' | '\r');
    let text: String = text.replace("\r\n", "\r").replace('\n', "\r").chars().filter(is_text).collect();
    if modes.bracketed_paste { format!("\x1b[200~{text}\x1b[201~").into_bytes() } else { text.into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(keys: &str, application_cursor: bool) -> String {
        let parts: Vec<_> = keys.split('+').collect();
        let held = |name| parts[..parts.len() - 1].contains(&name);
        let key =
            Key { name: parts[parts.len() - 1].to_owned(), ctrl: held("ctrl"), alt: held("alt"), shift: held("shift") };
        String::from_utf8(key.bytes(Modes { application_cursor, bracketed_paste: false })).expect("text")
    }

    #[test]
    fn keys_are_what_programs_read() {
        for (keys, bytes) in [
            ("Enter", "\r"),
            ("ctrl+c", "\x03"),
            ("ctrl+D", "\x04"),
            ("ctrl+ ", "\0"),
            ("alt+b", "\x1bb"),
            ("ArrowUp", "\x1b[A"),
            ("ctrl+ArrowLeft", "\x1b[1;5D"),
            ("Delete", "\x1b[3~"),
            ("shift+Delete", "\x1b[3;2~"),
            ("F1", "\x1bOP"),
            ("F5", "\x1b[15~"),
            ("Backspace", "\x7f"),
            ("ctrl+1", ""),
            ("AudioVolumeUp", ""),
        ] {
            assert_eq!(key(keys, false), bytes, "{keys}");
        }
        assert_eq!(key("ArrowUp", true), "\x1bOA");
        assert_eq!(key("shift+ArrowUp", true), "\x1b[1;2A");
    }

    #[test]
    fn pasted_text_can_press_no_key() {
        let evil = "echo a\nb\x1b[201~\x03rm";
        let marked = |bracketed_paste| {
            String::from_utf8(pasted(evil, Modes { application_cursor: false, bracketed_paste })).expect("text")
        };
        assert_eq!(marked(true), "\x1b[200~echo a\rb[201~rm\x1b[201~");
        assert_eq!(marked(false), "echo a\rb[201~rm");
    }
}
