//! Characters that must not stand in a file, and plain texts that may be something else than text.
//!
//! Owns: both lists. Must not: parse.

use super::Mistake;

const UNSEEN: &str = "Editors do not show it, and Compose may read the line otherwise than it looks. Delete it; it often comes along with text that was copied from elsewhere.";

/// The first character that Compose reads otherwise than an editor shows it, or not at all.
pub fn unseen(text: &str) -> Option<Mistake> {
    text.lines().enumerate().find_map(|(index, line)| {
        // `lines` leaves out the `\r` of `\r\n`; one that is left ends a line for Compose alone.
        let found = line.chars().find(|c| is_unseen(*c))?;
        let name = match found {
            '\u{85}' | '\u{2028}' | '\u{2029}' => ", which ends a line for Compose",
            '\r' => " (a carriage return), which ends a line for Compose",
            '\u{feff}' => " (a byte order mark), which belongs at the start of a file",
            _ => "",
        };
        let code = u32::from(found);
        Some(Mistake::new(index + 1, format!("has the invisible character U+{code:04X}{name}"), UNSEEN))
    })
}

fn is_unseen(c: char) -> bool {
    match c {
        '\t' => false,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => true,
        c => c.is_control(),
    }
}

/// Words that stand for a truth value or for nothing in some version of YAML, in lower case.
const WORDS: [&str; 10] = ["~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// Whether a plain text may be a number, a time, a truth value or nothing. It is then written plain
/// again, so that Compose alone decides what it is; every other text is one, and is quoted.
pub fn may_be_no_text(plain: &str) -> bool {
    let lower = plain.to_ascii_lowercase();
    if plain.is_empty() || WORDS.contains(&lower.as_str()) {
        return true;
    }
    if [".nan", ".inf"].contains(&lower.trim_start_matches(['+', '-'])) {
        return true;
    }
    let bytes = plain.as_bytes();
    let begins = matches!(bytes[0], b'0'..=b'9' | b'+' | b'-' | b'.');
    // A time of day may stand behind a date and a space.
    let dated = bytes.len() > 4 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-';
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-._:".contains(byte) || (dated && *byte == b' ');
    begins
        && bytes.iter().any(u8::is_ascii_digit)
        && bytes.iter().all(fits)
        && !plain.ends_with(':')
        && !plain.contains(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_editors_do_not_show_is_named_with_its_line() {
        for bad in ["\u{85}", "\u{2028}", "\u{2029}", "\u{feff}", "\0", "\r", "\u{9b}", "\u{7f}", "\u{1b}"] {
            let mistake = unseen(&format!("a: 1\nb: 2 # {bad}x\n")).expect("found");
            assert_eq!(mistake.line, 2, "{bad:?}");
        }
        assert_eq!(unseen("a:\t1\r\nb: 'ä €\u{a0}😀'\r\n"), None);
    }

    #[test]
    fn numbers_times_and_truth_values_stay_plain_and_texts_do_not() {
        for plain in [
            "",
            "~",
            "Null",
            "yes",
            "8080",
            "-1",
            "1e3",
            "0x1f",
            "1_000",
            ".5",
            "-.inf",
            "08",
            "1:30",
            "2001-12-14 21:59:43.1 -5",
        ] {
            assert!(may_be_no_text(plain), "{plain}");
        }
        for text in ["abc", "80:80:", "1 2", "- 1", "---", "-", "a1", "<<", "1: 2", "1 #2", "1,2", "127.0.0.1/8"] {
            assert!(!may_be_no_text(text), "{text}");
        }
    }
}
