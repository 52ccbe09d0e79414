//! The learner's number: four digits that make an exercise this learner's own.
//!
//! Owns: one random number per lesson and machine, made anew when the exercise is started or
//! reset. Must not: be a secret; it stands in the learner's files.

use std::fs;
use std::path::PathBuf;

use crate::fault::Fault;
use crate::paths;

/// What stands for the number in given files, and in a lesson's own words.
const PLACE: &str = "{learner}";

/// A text with the number in its place.
#[must_use]
pub fn filled(text: &str, number: &str) -> String {
    text.replace(PLACE, number)
}

/// The number for a lesson; made when it is first asked for.
pub fn number(lesson: &str) -> Result<String, Fault> {
    match fs::read_to_string(path(lesson)?) {
        Ok(text) if text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(text),
        _ => renew(lesson),
    }
}

/// Makes another number for a lesson.
pub fn renew(lesson: &str) -> Result<String, Fault> {
    let number = random()?;
    let path = path(lesson)?;
    fs::write(&path, &number).map_err(Fault::file(&path))?;
    Ok(number)
}

/// A number from 1000 to 9999.
pub fn random() -> Result<String, Fault> {
    let bytes = getrandom::u32()
        .map_err(|error| Fault::Unreadable { what: "random bytes".into(), reason: error.to_string() })?;
    Ok((1_000 + bytes % 9_000).to_string())
}

fn path(lesson: &str) -> Result<PathBuf, Fault> {
    let folder = paths::state()?.join("learner");
    crate::paths::own_folder(&folder)?;
    Ok(folder.join(lesson))
}
