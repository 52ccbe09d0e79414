//! The secret value that the grader plants and looks for.
//!
//! Owns: one random value per machine, kept so that what was read from an unchanged layer stays
//! true for the next run. Must not: ever be printed.

use std::fs;
use std::io::Write;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD as STANDARD_NO_PAD;

use crate::fault::Fault;
use crate::paths;

/// The value; made when it is first asked for.
pub fn planted() -> Result<String, Fault> {
    let folder = paths::state()?;
    let path = folder.join("planted-secret");
    if let Ok(text) = fs::read_to_string(&path)
        && text.trim().len() == 40
    {
        return Ok(text.trim().to_owned());
    }
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random)
        .map_err(|error| Fault::Unreadable { what: "random bytes".into(), reason: error.to_string() })?;
    let value = format!("planted-{}", hex::encode(random));
    let mut file = tempfile::NamedTempFile::new_in(&folder).map_err(Fault::file(&path))?;
    file.write_all(value.as_bytes()).map_err(Fault::file(&path))?;
    // Of two processes that make one at the same time, the first one wins for both.
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(value),
        Err(_) => fs::read_to_string(&path).map(|text| text.trim().to_owned()).map_err(Fault::file(&path)),
    }
}

/// Pieces of a value as it looks in base64 and in hexadecimal, with the name of the form.
///
/// Pieces, because tools break long lines; each form has more pieces than a line break can hit. In
/// base64 a text looks different at each of three positions within what is encoded.
#[must_use]
pub fn encoded(planted: &str) -> Vec<(&'static str, String)> {
    /// Characters of a piece: as many as the 12 bytes that base64 makes them of tell apart.
    const PIECE: usize = 16;
    let random = planted.strip_prefix("planted-").unwrap_or(planted);
    let mut pieces = Vec::new();
    // Pieces of less could stand anywhere by chance.
    if random.len() < PIECE {
        return pieces;
    }
    let mut cut = |form, text: &str| {
        let all = text.as_bytes().chunks_exact(PIECE);
        pieces.extend(all.map(|piece| (form, String::from_utf8_lossy(piece).into_owned())));
    };
    for before in 0..3 {
        let text = STANDARD_NO_PAD.encode(format!("{}{random}", &"..."[..before]));
        // The first group may hold what stands before, the last what stands behind.
        cut("base64", &text[4..text.len() - 4]);
    }
    cut("hexadecimal", &hex::encode(random));
    pieces
}

/// Whether a variable's name says that its value is a secret, so that it is not shown.
#[must_use]
pub fn is_named_like_one(name: &str) -> bool {
    ["KEY", "PASS", "PWD", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE", "SALT"]
        .iter()
        .any(|word| name.to_uppercase().contains(word))
}

/// What must not be found in an image of a variable in a file of secrets; `None` when it is no secret.
///
/// A name can say that a value is a secret, and so can the value: most names for keys have no `KEY` in
/// them. Plain or short values (`payments`, `1234`) stand in images for good reasons, so they are looked for
/// together with their name only. The setting `PGHOST=db` is none at all.
#[must_use]
pub fn to_find(name: &str, value: &str) -> Option<String> {
    let name_is = |words: &[&str]| words.iter().any(|word| name.to_uppercase().contains(word));
    // `postgres://app:secret@db/app`: the rest says where something is.
    let after_scheme = value.split_once("://").map(|(_, rest)| rest);
    let password = after_scheme
        .and_then(|rest| rest.rsplit_once('@'))
        .and_then(|(user, _)| user.split_once(':'))
        .map(|(_, password)| password);
    if let Some(password) = password {
        return if is_plain(password) { Some(value.to_owned()) } else { Some(password.to_owned()) };
    }
    // Where a secret lies, and which version of something is meant, anybody may know.
    let is_place = name_is(&["_FILE", "_PATH", "_DIR", "PASSFILE"]) || after_scheme.is_some();
    let is_version = name_is(&["DIGEST", "COMMIT", "REVISION", "VERSION", "CHECKSUM"]) || value.starts_with("sha256:");
    if value.is_empty() || is_place || is_version {
        return None;
    }
    if is_named_like_one(name) {
        return Some(if is_plain(value) { format!("{name}={value}") } else { value.to_owned() });
    }
    is_random(value).then(|| value.to_owned())
}

/// Whether a value may stand anywhere by chance: short, or a word.
fn is_plain(value: &str) -> bool {
    value.len() < 8 || (value.len() < 12 && value.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// Whether a value looks as if nobody had thought of it: a long run of letters and digits, mixed.
fn is_random(value: &str) -> bool {
    let runs = value.split(|c: char| !c.is_ascii_alphanumeric());
    let mixed = |run: &str| run.bytes().any(|b| b.is_ascii_digit()) && run.bytes().any(|b| b.is_ascii_alphabetic());
    let is_uuid = value.len() == 36 && value.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    is_uuid || runs.into_iter().any(|run| run.len() >= 16 && mixed(run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_in_encoded_files_wherever_it_stands_and_lines_break() {
        let planted = "planted-0123456789abcdef0123456789abcdef";
        let wrapped = |text: String, width: usize| -> String {
            text.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line) + "\n").collect()
        };
        for before in 0..80 {
            let file = format!("{}KEY={planted}\nOTHER=1\n", "x".repeat(before));
            let texts = [
                ("base64", wrapped(STANDARD_NO_PAD.encode(&file), 76)),
                ("hexadecimal", wrapped(hex::encode(&file), 60)),
            ];
            for (form, text) in texts {
                let found = encoded(planted).iter().any(|(name, piece)| *name == form && text.contains(piece.as_str()));
                assert!(found, "{form} with {before} characters before it");
            }
        }
        let other = STANDARD_NO_PAD.encode("KEY=planted-ffffffffffffffff0000000000000000");
        assert!(!encoded(planted).iter().any(|(_, piece)| other.contains(piece.as_str())));
    }

    #[test]
    fn secrets_are_known_by_their_names_or_by_their_looks() {
        let find = |name: &str, value: &str| to_find(name, value).unwrap_or_default();
        assert_eq!(find("DB_PASS", "correct-horse-9"), "correct-horse-9");
        assert_eq!(find("STRIPE", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"), "sk_live_4eC39HqLyjWDarjtT1zdp7dc");
        assert_eq!(find("TENANT", "2f6b1c1e-8a4d-4f0b-9a55-0d5c2a7e9b10"), "2f6b1c1e-8a4d-4f0b-9a55-0d5c2a7e9b10");
        assert_eq!(find("DATABASE_URL", "postgres://app:hunter2-hunter2@db/payments"), "hunter2-hunter2");
        assert_eq!(find("DATABASE_URL", "postgres://app:app@db/payments"), "postgres://app:app@db/payments");
        // A word that packages have in them, too.
        assert_eq!(find("PGPASSWORD", "postgres"), "PGPASSWORD=postgres");
        assert_eq!(find("PIN_SECRET", "1234"), "PIN_SECRET=1234");
        for (name, value) in [
            ("NODE_ENV", "production"),
            ("PGHOST", "db"),
            ("TAG", "1.0.0-rc1"),
            ("IMAGE", "registry.example.com:5000/payments"),
            ("API_URL", "https://pay.example.com/v1"),
            ("PGPASSWORD_FILE", "/run/secrets/password"),
            ("GIT_COMMIT", "4eC39HqLyjWDarjtT1zdp7dc4eC39HqLyjWDarjt"),
            ("API_KEY", ""),
        ] {
            assert_eq!(to_find(name, value), None, "{name}");
        }
    }
}
