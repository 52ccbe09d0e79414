//! `grader progress export` and `import`.
//!
//! Owns: the file. Must not: know what is in it.

use std::io::Write;
use std::path::Path;

use super::super::text::plural;
use crate::fault::Fault;
use crate::progress::Progress;

/// Writes everything to a file that must not exist, or to standard output.
pub fn export(progress: &Progress, file: &Path, out: &mut dyn Write) -> Result<(), Fault> {
    let document = progress.export()?;
    let unreadable =
        |error: serde_json::Error| Fault::Unreadable { what: "progress".into(), reason: error.to_string() };
    let mut text = serde_json::to_string_pretty(&document).map_err(unreadable)?;
    text.push('\n');
    if file == Path::new("-") {
        return out.write_all(text.as_bytes()).map_err(Fault::file("standard output"));
    }
    let exists = || Fault::Usage { message: format!("{} is there already: name a new file", file.display()) };
    if file.symlink_metadata().is_ok() {
        return Err(exists());
    }
    // Written beside its place and then renamed: a file of that name is whole.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut unfinished = tempfile::NamedTempFile::new_in(folder).map_err(Fault::file(folder))?;
    unfinished.write_all(text.as_bytes()).map_err(Fault::file(file))?;
    unfinished.as_file().sync_all().map_err(Fault::file(file))?;
    unfinished.persist_noclobber(file).map_err(|error| Fault::file(file)(error.error))?;
    let count = document.attempts.len();
    writeln!(out, "{} holds your progress: {count} attempt{}, with hints and answers.", file.display(), plural(count))
        .and_then(|()| writeln!(out, "On another machine: grader progress import {}", file.display()))
        .map_err(Fault::file("standard output"))
}

/// Merges a file into the database.
pub fn import(progress: &Progress, file: &Path, out: &mut dyn Write) -> Result<(), Fault> {
    let refused = |reason: String| Fault::Import { path: file.to_path_buf(), reason };
    let bytes = std::fs::read(file).map_err(|error| refused(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| refused("it is no text".into()))?;
    let merged = progress.import(&text)?.map_err(refused)?;
    let (new, known) = (merged.attempts, merged.known);
    let others = match merged.others {
        0 => "No hint, answer or lesson given up was new.".to_owned(),
        count => {
            format!("Of hints, answers and lessons given up, {count} {} new.", if count == 1 { "was" } else { "were" })
        }
    };
    writeln!(
        out,
        "Added {new} attempt{}; {known} {} here already.\n{others}",
        plural(new),
        if known == 1 { "was" } else { "were" }
    )
    .map_err(Fault::file("standard output"))
}
