//! Which files a build may see.
//!
//! Owns: asking BuildKit itself for a context's files, by a build that copies all of it. Must
//! not: interpret `.dockerignore`; BuildKit does.

use std::fs;
use std::path::Path;

use crate::fault::Fault;
use crate::sandbox::daemon;
use crate::sandbox::facts::ContextFile;
use crate::sandbox::pace::Pace;

/// Lists the files of `context` that are left when `ignore` is applied. `own` is a folder of the
/// run for the build's own files.
pub async fn list(context: &Path, ignore: Option<&Path>, own: &Path, pace: &Pace) -> Result<Vec<ContextFile>, Fault> {
    crate::paths::own_folder(own)?;
    let dockerfile = own.join("Dockerfile");
    fs::write(&dockerfile, "FROM scratch\nCOPY . /\n").map_err(Fault::file(&dockerfile))?;
    if let Some(ignore) = ignore {
        // An ignore file beside the Dockerfile, with its name, is the one that counts.
        let copy = own.join("Dockerfile.dockerignore");
        fs::copy(ignore, &copy).map_err(Fault::file(&copy))?;
    }
    let archive = own.join("context.tar");
    let output = format!("type=tar,dest={}", archive.display());
    let text = |path: &Path| path.display().to_string();
    let arguments = ["buildx", "build", "--builder", "default", "--progress", "quiet", "--output", &output];
    let mut command = daemon::command(&arguments);
    command.args(["--file", &text(&dockerfile), &text(context)]);
    let shown = daemon::shown(&command);
    let limit = pace.within(60_000);
    match daemon::run(command, &limit).await? {
        Some(ended) if ended.ok => read(&archive).map_err(Fault::file(&archive)),
        Some(ended) => Err(Fault::Command { command: shown, reason: ended.stderr.trim().to_owned() }),
        None => Err(Fault::TimedOut { action: "listing the build context".into(), seconds: limit.seconds() }),
    }
}

fn read(archive: &Path) -> std::io::Result<Vec<ContextFile>> {
    let mut files = Vec::new();
    for entry in tar::Archive::new(fs::File::open(archive)?).entries()? {
        let entry = entry?;
        if !entry.header().entry_type().is_dir() {
            files.push(ContextFile { path: entry.path()?.display().to_string(), bytes: entry.size() });
        }
    }
    Ok(files)
}
