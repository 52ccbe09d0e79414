//! The environment map in a terminal.
//!
//! Owns: columns and widths. Must not: say what differs; the data does. Each line that differs has a
//! sign, which colour only repeats.

use std::io::{self, Write};

use super::lines;
use super::map::Map;
use crate::report::terminal::{FAINT, ODD, STRONG};

/// The sign of a line that differs.
pub const DIFFERS: &str = "≠";
/// The sign of a line that does not.
pub const SAME: &str = "=";

impl Map {
    /// Writes the map.
    pub fn write(&self, columns: usize, out: &mut dyn Write) -> io::Result<()> {
        let [left, right] = &self.stacks;
        writeln!(out, "\n{STRONG}{}  {}{STRONG:#}", self.lesson, self.title)?;
        writeln!(out, "The service {} in {left} and in {right}, measured while it ran", self.service)?;
        writeln!(out, "{ODD}{DIFFERS}{ODD:#} differs   {SAME} the same in both\n")?;
        let names = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        // The sign, the name, and two columns of the same width, with two spaces between all of them.
        let room = columns.saturating_sub(1 + 2 + names + 2 + 2).max(24) / 2;
        let head = |text: &str| format!("{text:<room$}");
        writeln!(out, "   {:names$}  {STRONG}{}  {right}{STRONG:#}", "", head(left))?;
        for row in &self.rows {
            let [left, right] = row.values.each_ref().map(|value| lines(value, room));
            for at in 0..left.len().max(right.len()).max(1) {
                let (sign, name) = match (at, row.differs) {
                    (0, true) => (format!("{ODD}{DIFFERS}{ODD:#}"), row.name),
                    (0, false) => (format!("{FAINT}{SAME}{FAINT:#}"), row.name),
                    _ => (" ".to_owned(), ""),
                };
                let cell = |lines: &[String]| lines.get(at).cloned().unwrap_or_default();
                let left = cell(&left);
                let gap = " ".repeat(room.saturating_sub(left.chars().count()));
                let line = format!("{sign}  {name:<names$}  {left}{gap}  {}", cell(&right));
                writeln!(out, "{}", line.trim_end())?;
            }
        }
        writeln!(out, "\n{} of {} lines differ.", self.differing(), self.rows.len())
    }
}

#[cfg(test)]
mod tests {
    use super::super::map::samples::map;

    fn written(columns: usize) -> String {
        let mut out = Vec::new();
        map().write(columns, &mut out).expect("write");
        anstream::adapter::strip_str(&String::from_utf8(out).expect("text")).to_string()
    }

    #[test]
    fn nothing_is_wider_than_the_terminal_and_nothing_is_lost() {
        for columns in [80, 160] {
            let text = written(columns);
            assert!(text.lines().all(|line| line.chars().count() <= columns), "{text}");
            let letters = text.matches("option").count();
            assert!(
                letters <= 12 && text.split_whitespace().collect::<String>().matches("without-any-space").count() == 12
            );
        }
    }

    #[test]
    fn differences_have_a_sign_and_are_counted() {
        let text = written(80);
        assert!(text.contains("\n≠  user ids        0") && text.contains("\n=  restart policy  no"), "{text}");
        assert!(text.contains("2 of 3 lines differ."), "{text}");
    }
}
