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

/// Pieces of the planted value as it looks in base64 and in hexadecimal, with the name of the form.
///
/// Pieces, because tools break long lines; each form has more pieces than a line break can hit. In
/// base64 a text looks different at each of three positions within what is encoded.
#[must_use]
pub fn encoded(planted: &str) -> Vec<(&'static str, String)> {
    /// Characters of a piece: as many as the 12 bytes that base64 makes them of tell apart.
    const PIECE: usize = 16;
    let random = planted.strip_prefix("planted-").unwrap_or(planted);
    let mut pieces = Vec::new();
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

/// Whether a variable's name says that its value is a secret.
#[must_use]
pub fn is_named_like_one(name: &str) -> bool {
    ["KEY", "PASSWORD", "SECRET", "TOKEN"].iter().any(|word| name.to_uppercase().contains(word))
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
}
