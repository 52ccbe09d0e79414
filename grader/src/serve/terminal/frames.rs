//! What a page gets to see of a terminal, and what it may ask.
//!
//! Owns: what has changed since the last frame, and the messages both ways. Must not: know the connection.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::Key;
use super::rows::{Cursor, Row, Size};
use super::shell::Shell;

/// What has changed on the screen.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Frame {
    /// How large the terminal is.
    pub size: Size,
    /// Lines that have scrolled out since the last frame, at most the newest 2,000.
    pub out: Vec<Row>,
    /// Counts lines that have scrolled out; it grows by more than were told where some are lost.
    pub gone: u64,
    /// Lines of the screen that have changed, by their number from 0.
    pub rows: BTreeMap<usize, Row>,
    /// Where the next letter comes; absent when the program hides that.
    pub cursor: Option<Cursor>,
    /// The title that a program has given.
    pub title: String,
    /// Whether a program has taken the whole screen.
    pub taken: bool,
    /// Whether pasted lines wait for Enter; where not, the program reads them as if they were typed.
    pub holds: bool,
    /// How the shell ended. Nothing comes after that.
    pub over: Option<String>,
}

/// What a page may ask.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Wish {
    /// Type a text.
    Type {
        /// The text.
        text: String,
    },
    /// Press a key that is no plain letter.
    Press(Key),
    /// Paste a text.
    Paste {
        /// The text.
        text: String,
    },
    /// Take another size.
    Resize(Size),
    /// The page has shown the last frame, and can take the next one. It gets none before.
    Shown,
    /// End the shell.
    End,
}

/// What is told in every frame.
type Rest = (Option<Cursor>, String, bool, bool, Option<String>);

/// What one page has seen.
#[derive(Default)]
pub struct Seen {
    size: Size,
    gone: u64,
    rows: Vec<Row>,
    rest: Option<Rest>,
}

impl Seen {
    /// What is new; `None` where nothing is.
    pub fn news(&mut self, shell: &Shell) -> Option<Frame> {
        // Asked before the screen is looked at: whoever hears of the end has seen everything.
        let over = shell.over();
        let mut screen = shell.screen();
        let size = screen.size();
        let (gone, out) = screen.out_from(self.gone);
        let now = screen.rows();
        let rest = (screen.cursor(), screen.title(), screen.is_taken(), screen.modes().bracketed_paste, over);
        drop(screen);
        let is_new = |at: usize| self.size != size || self.rows.get(at) != now.get(at);
        let rows: BTreeMap<_, _> =
            now.iter().enumerate().filter(|(at, _)| is_new(*at)).map(|(at, row)| (at, row.clone())).collect();
        if rows.is_empty() && out.is_empty() && self.rest.as_ref() == Some(&rest) {
            return None;
        }
        (self.size, self.gone, self.rows, self.rest) = (size, gone, now, Some(rest.clone()));
        let (cursor, title, taken, holds, over) = rest;
        Some(Frame { size, out, gone, rows, cursor, title, taken, holds, over })
    }
}

/// Does what a page asks.
pub fn obey(shell: &Shell, wish: Wish) {
    match wish {
        Wish::Type { text } => shell.type_text(text),
        Wish::Press(key) => shell.press(&key),
        Wish::Paste { text } => shell.paste(&text),
        Wish::Resize(size) => shell.resize(size),
        Wish::End => shell.stop(),
        Wish::Shown => {}
    }
}
