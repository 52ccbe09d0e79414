//! The flags of an instruction, as BuildKit hears them.
//!
//! Owns: quotation marks and escapes in flags: `--inter"val"=1s` is `--interval=1s`. Must not: know
//! which flags there are.
//!
//! BuildKit goes through the bytes here, not through characters, and takes each for one; so do we.

use super::Escape;

/// The flags at the beginning of an instruction's arguments, and what follows them.
pub fn split(arguments: &str, escape: Escape) -> (Vec<String>, String) {
    let mut rest = arguments.as_bytes();
    let mut flags = Vec::new();
    loop {
        let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
        rest = &rest[blanks..];
        if !rest.starts_with(b"--") {
            break;
        }
        let (flag, length) = one(rest, escape);
        rest = &rest[length..];
        // `--` alone says that no more flags follow.
        if flag == "--" {
            break;
        }
        flags.push(flag);
    }
    (flags, String::from_utf8_lossy(rest).trim().to_owned())
}

/// One flag, and how many bytes it takes.
fn one(bytes: &[u8], Escape(escape): Escape) -> (String, usize) {
    let mut flag = String::new();
    let mut quote = None;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let is_escape = char::from(*byte) == escape;
        match quote {
            None if is_blank(*byte) => break,
            None if matches!(byte, b'"' | b'\'') => quote = Some(*byte),
            Some(mark) if mark == *byte => quote = None,
            _ if is_escape => {
                at += 1;
                flag.extend(bytes.get(at).map(|byte| char::from(*byte)));
            }
            _ => flag.push(char::from(*byte)),
        }
        at += 1;
    }
    (flag, at.min(bytes.len()))
}

/// What Go calls a space among the first 256 characters.
fn is_blank(byte: u8) -> bool {
    char::from(byte).is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(arguments: &str) -> (Vec<String>, String) {
        split(arguments, Escape::default())
    }

    #[test]
    fn quotation_marks_and_escapes_are_taken_off() {
        let (flags, rest) = of("--inter\"val\"=1ms --time\\out='1 s' CMD echo --x");
        assert_eq!(flags, ["--interval=1ms", "--timeout=1 s"]);
        assert_eq!(rest, "CMD echo --x");
        let other = split("--a=\\b `--x", Escape('`'));
        assert_eq!(other, (vec!["--a=\\b".to_owned()], "`--x".to_owned()));
    }

    #[test]
    fn two_dashes_end_the_flags_and_a_flag_may_be_the_end() {
        assert_eq!(of("--a -- --b"), (vec!["--a".to_owned()], "--b".to_owned()));
        assert_eq!(of("--a=\"x"), (vec!["--a=x".to_owned()], String::new()));
        assert_eq!(of("--a\\"), (vec!["--a".to_owned()], String::new()));
        assert_eq!(of("\"--a\" b"), (Vec::new(), "\"--a\" b".to_owned()));
    }

    #[test]
    fn letters_beyond_ascii_are_taken_byte_by_byte() {
        // The second byte of `à` is a space to BuildKit.
        let (flags, rest) = of("--x=à--y z");
        assert_eq!(flags, ["--x=Ã", "--y"]);
        assert_eq!(rest, "z");
    }
}
