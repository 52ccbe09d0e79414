//! Ids that stay the same wherever a database is carried to.
//!
//! Owns: making and recognising them: 32 hexadecimal digits. Must not: mean anything.

use sha2::{Digest, Sha256};

use crate::fault::Fault;

/// A new id.
pub fn random() -> Result<String, Fault> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Fault::Unreadable { what: "random bytes".into(), reason: error.to_string() })?;
    Ok(hex::encode(bytes))
}

/// The id of something that was kept before there were ids: the same in every copy of it.
#[must_use]
pub fn of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex::encode(&hash.finalize()[..16])
}

/// Whether a text has the form of an id.
#[must_use]
pub fn is_uid(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_form_and_parts_do_not_run_together() {
        assert!(is_uid(&random().expect("random")) && is_uid(&of(&["a"])));
        assert_ne!(random().expect("random"), random().expect("random"));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert!(!is_uid("0123") && !is_uid(&"G".repeat(32)));
    }
}
