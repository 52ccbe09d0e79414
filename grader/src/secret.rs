//! The secret value that the grader plants and looks for.
//!
//! Owns: one random value per machine, kept so that what was read from an unchanged layer stays
//! true for the next run. Must not: ever be printed.

use std::fs;
use std::io::Write;

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

/// Whether a variable's name says that its value is a secret.
#[must_use]
pub fn is_named_like_one(name: &str) -> bool {
    ["KEY", "PASSWORD", "SECRET", "TOKEN"].iter().any(|word| name.to_uppercase().contains(word))
}
