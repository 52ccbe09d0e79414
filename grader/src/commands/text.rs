//! Text as commands print it: paragraphs for narrow terminals, and times.
//!
//! Owns: the width, and how a stored time is shown. Must not: know what is said.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The width to which text is wrapped, columns: that of the narrowest usual terminal.
pub const WIDTH: usize = 79;

/// A text wrapped to lines, the first one after `head` and the others below its text. Words are
/// never broken, so that a name can be copied.
#[must_use]
pub fn wrapped(head: &str, text: &str) -> String {
    let below = " ".repeat(head.chars().count());
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(head)
        .subsequent_indent(&below)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(text, options)
}

/// A stored time as the day of this machine's time zone, such as `2026-11-21`.
#[must_use]
pub fn day(at: &str) -> String {
    local(at, "%Y-%m-%d")
}

/// A stored time to the minute.
#[must_use]
pub fn minute(at: &str) -> String {
    local(at, "%Y-%m-%d %H:%M")
}

fn local(at: &str, form: &str) -> String {
    let shown = |time: Timestamp| time.to_zoned(TimeZone::system()).strftime(form).to_string();
    // What is no time was kept by somebody else; it is shown as it is.
    at.parse().map_or_else(|_| at.to_owned(), shown)
}

/// `s` when there is not exactly one.
#[must_use]
pub fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_short_and_names_stay_whole() {
        let text = wrapped("  1. ", &"docker-compose.prod.yml ".repeat(9));
        assert!(text.lines().count() > 2 && text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("     d") && line.ends_with("yml")), "{text}");
    }

    #[test]
    fn what_is_no_time_is_shown_as_it_is() {
        assert_eq!(day("?"), "?");
        assert_eq!(minute("2026-11-21T10:00:00.000000Z").len(), 16);
    }
}
