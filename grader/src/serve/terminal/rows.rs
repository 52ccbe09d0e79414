//! Lines of a terminal as data.
//!
//! Owns: turning cells into runs of text that look alike. Must not: know which line is where.

use alacritty_terminal::grid::Row as Cells;
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::vte::ansi::{Color, NamedColor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shown::{DOT, steers};

/// Marks above one letter that are shown.
const MARKS: usize = 4;

/// One line, without what is empty at its end.
pub type Row = Vec<Run>;

/// How large a terminal is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Letters in a line.
    pub columns: u16,
    /// Lines on the screen.
    pub lines: u16,
}

/// A place on the screen, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cursor {
    /// The line.
    pub line: u16,
    /// The letter in it.
    pub column: u16,
}

/// Text that looks the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Run {
    /// The text.
    pub text: String,
    /// Its colour: `0` to `15`, `#rrggbb`, or `ground` for the terminal's background.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ink: Option<String>,
    /// The colour behind it: the same, or `ink` for the terminal's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ground: Option<String>,
    /// Any of `bold`, `dim`, `italic`, `underline`, `strike`, `wide`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub look: Vec<&'static str>,
}

/// The line in these cells.
pub fn row(cells: &Cells<Cell>) -> Row {
    let mut row: Row = Vec::new();
    let mut before: Option<&Cell> = None;
    for cell in cells {
        if cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER) {
            continue;
        }
        match (row.last_mut(), before) {
            // A wide letter stands by itself, so that the page can give it the width of two.
            (Some(last), Some(before)) if looks(before) == looks(cell) && !cell.flags.contains(Flags::WIDE_CHAR) => {
                write(cell, &mut last.text);
            }
            _ => row.push(run(cell)),
        }
        before = Some(cell);
    }
    while let Some(last) = row.last_mut().filter(|last| last.ground.is_none() && !last.look.contains(&"underline")) {
        last.text.truncate(last.text.trim_end_matches(' ').len());
        if !last.text.is_empty() {
            break;
        }
        row.pop();
    }
    row
}

fn looks(cell: &Cell) -> (Color, Color, Flags) {
    (cell.fg, cell.bg, cell.flags - Flags::WRAPLINE)
}

fn write(cell: &Cell, text: &mut String) {
    if cell.flags.contains(Flags::HIDDEN) || cell.c.is_control() {
        return text.push(' ');
    }
    text.push(if steers(cell.c) { DOT } else { cell.c });
    text.extend(cell.zerowidth().unwrap_or_default().iter().filter(|mark| !steers(**mark)).take(MARKS));
}

fn run(cell: &Cell) -> Run {
    let mut text = String::new();
    write(cell, &mut text);
    let (mut ink, mut ground) = (colour(cell.fg), colour(cell.bg));
    if cell.flags.contains(Flags::INVERSE) {
        (ink, ground) = (ground.or(Some("ground".into())), ink.or(Some("ink".into())));
    }
    let looks = [
        (Flags::BOLD, "bold"),
        (Flags::DIM, "dim"),
        (Flags::ITALIC, "italic"),
        (Flags::ALL_UNDERLINES, "underline"),
        (Flags::STRIKEOUT, "strike"),
        (Flags::WIDE_CHAR, "wide"),
    ];
    let look = looks.iter().filter(|(flag, _)| cell.flags.intersects(*flag)).map(|(_, name)| *name).collect();
    Run { text, ink, ground, look }
}

/// The first sixteen colours have names, because each theme shows them in its own way.
fn colour(colour: Color) -> Option<String> {
    match colour {
        Color::Named(named) => match named as usize {
            index @ 0..16 => Some(index.to_string()),
            index if (NamedColor::DimBlack as usize..=NamedColor::DimWhite as usize).contains(&index) => {
                Some((index - NamedColor::DimBlack as usize).to_string())
            }
            _ => None,
        },
        Color::Indexed(index @ 0..16) => Some(index.to_string()),
        Color::Indexed(index @ 16..232) => {
            let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
            let index = index - 16;
            Some(hex(level(index / 36), level(index / 6 % 6), level(index % 6)))
        }
        Color::Indexed(index) => {
            let grey = 8 + 10 * (index - 232);
            Some(hex(grey, grey, grey))
        }
        Color::Spec(rgb) => Some(hex(rgb.r, rgb.g, rgb.b)),
    }
}

fn hex(red: u8, green: u8, blue: u8) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::super::screen::Screen;
    use super::*;

    fn first(written: &str) -> serde_json::Value {
        let mut screen = Screen::new(Size { columns: 30, lines: 2 });
        screen.write(written.as_bytes());
        serde_json::to_value(&screen.rows()[0]).expect("JSON")
    }

    #[test]
    fn runs_end_where_the_look_does() {
        assert_eq!(
            first("a\x1b[1;31mbc\x1b[0md  "),
            serde_json::json!([{"text": "a"}, {"text": "bc", "ink": "1", "look": ["bold"]}, {"text": "d"}])
        );
    }

    #[test]
    fn colours_are_names_or_numbers() {
        for (code, ink) in [
            ("97", "15"),
            ("38;5;9", "9"),
            ("38;5;16", "#000000"),
            ("38;5;231", "#ffffff"),
            ("38;5;208", "#ff8700"),
            ("38;5;255", "#eeeeee"),
            ("38;2;1;2;255", "#0102ff"),
        ] {
            assert_eq!(first(&format!("\x1b[{code}mx"))[0]["ink"], ink, "{code}");
        }
    }

    #[test]
    fn reverse_is_a_change_of_places() {
        let plain = first("\x1b[7mx")[0].clone();
        assert_eq!((&plain["ink"], &plain["ground"]), (&"ground".into(), &"ink".into()));
        let red = first("\x1b[7;31mx")[0].clone();
        assert_eq!((&red["ink"], &red["ground"]), (&"ground".into(), &"1".into()));
    }

    #[test]
    fn what_looks_like_markup_stays_text_and_what_is_hidden_is_not_told() {
        assert_eq!(first("<b>&")[0]["text"], "<b>&");
        assert_eq!(first("a\x1b[8msecret\x1b[0mb")[1]["text"], "      ");
    }

    #[test]
    fn wide_letters_stand_alone() {
        let row = first("a\u{6c34}\u{6c34}b");
        assert_eq!(row.as_array().map(Vec::len), Some(4));
        assert_eq!(row[1]["look"][0], "wide");
    }
}
