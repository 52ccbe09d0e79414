//! Writing a bundle while `docker save` runs.
//!
//! Owns: the temporary file, and saying how far it is. Must not: leave half a bundle under the
//! name that was asked for.

use std::fs::{File, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tempfile::NamedTempFile;
use tokio::process::Command;

use super::super::Say;
use super::super::tool::PATIENCE;
use super::archive::{self, Contents};
use super::megabytes;
use crate::fault::Fault;
use crate::sandbox::daemon;

/// Compresses what `command` writes into a file beside `file`, which takes its name at the end.
pub async fn write(command: &mut Command, contents: Contents, file: &Path, say: &mut Say<'_>) -> Result<u64, Fault> {
    let shown = daemon::shown(command);
    let failed = |error: std::io::Error| Fault::Command { command: shown.clone(), reason: error.to_string() };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = NamedTempFile::new_in(folder).map_err(Fault::file(folder))?;
    let mut child = command.spawn().map_err(failed)?;
    let saved = child.stdout.take().map(tokio::process::ChildStdout::into_owned_fd).transpose().map_err(failed)?;
    let begun = Instant::now();
    let total: u64 = contents.images.iter().map(|entry| entry.bytes).sum();
    let read = Arc::new(AtomicU64::new(0));
    let saved = saved.map(|saved| Counted { inner: File::from(saved), read: Arc::clone(&read) });
    let compress = move || {
        let Some(saved) = saved else { return Ok(temporary) };
        archive::write(&contents, saved, temporary.as_file()).map(|()| temporary)
    };
    let mut work = pin!(async { tokio::join!(tokio::task::spawn_blocking(compress), child.wait_with_output()) });
    let (compressed, ended) = loop {
        tokio::select! {
            done = &mut work => break done,
            () = tokio::time::sleep(PATIENCE) => {
                let (done, of) = (megabytes(read.load(Ordering::Relaxed)), megabytes(total));
                say(&format!("{}: {:>4} s  {done:.0} of about {of:.0} MB", file.display(), begun.elapsed().as_secs()));
            }
        }
    };
    let compressed = compressed.map_err(|error| failed(error.into()))?;
    let ended = ended.map_err(failed)?;
    let temporary = compressed.map_err(Fault::file(file))?;
    if !ended.status.success() {
        return Err(Fault::Command {
            command: shown.clone(),
            reason: String::from_utf8_lossy(&ended.stderr).trim().into(),
        });
    }
    let size = temporary.as_file().metadata().map_err(Fault::file(file))?.len();
    readable_by_all(temporary.as_file()).map_err(Fault::file(file))?;
    temporary.persist(file).map_err(|error| Fault::file(file)(error.error))?;
    Ok(size)
}

/// Temporary files are for their owner only; a bundle is made to be handed on.
fn readable_by_all(file: &File) -> std::io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o644))
}

/// Counts what is read, for those who wait.
struct Counted {
    inner: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}
