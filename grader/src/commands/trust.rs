//! `grader trust`: says which courses may be believed.
//!
//! Owns: what it prints. Must not: decide by itself.

use std::io::Write;
use std::path::Path;

use super::here;
use crate::fault::Fault;
use crate::trust;

/// Trusts a course, forgets one, or lists those that are trusted; gives the exit code.
pub fn run(folder: Option<&Path>, forget: bool, out: &mut dyn Write) -> Result<u8, Fault> {
    let text = match folder {
        None => list(&trust::all()?),
        Some(folder) if forget => {
            let known = trust::forget(&here()?.join(folder))?;
            format!("{} {} trusted.\n", folder.display(), if known { "is no longer" } else { "was not" })
        }
        Some(folder) => format!("{} is trusted from now on.\n", trust::trust(&here()?.join(folder))?.display()),
    };
    out.write_all(text.as_bytes()).map_err(Fault::file("standard output"))?;
    Ok(0)
}

fn list(all: &[std::path::PathBuf]) -> String {
    if all.is_empty() {
        return "No course is trusted yet: `grader trust FOLDER` trusts one, `grader init` writes one.\n".into();
    }
    all.iter().map(|root| format!("{}\n", root.display())).collect()
}
