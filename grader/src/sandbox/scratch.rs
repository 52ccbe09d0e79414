//! The copies of a submission that a run works on. The learner's own files are only read.
//!
//! Owns: a folder of the run, with one copy per use, the planted secret and the planted
//! folders. Must not: start anything.

mod copying;

use std::fs;
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use walkdir::WalkDir;

use super::run_id::RunId;
use super::sweep;
use super::sweep::as_root::IMAGE_FILE;
use crate::course::Lesson;
use crate::course::spec::{EditSpec, SecretSpec};
use crate::fault::Fault;
use crate::learner::filled;
use crate::paths::own_folder;
use crate::sandbox::facts::EditDone;
use crate::submission::dockerfile::without_syntax;
use crate::submission::env_file;
use crate::submission::{Submission, TEXT_BYTES};
use copying::{copy_again, copy_submission, make_folder, settle};
pub use copying::{copy_tree, ordinary};

/// Folders that are never copied out of a learner's folder: they are large and not theirs.
pub const NOT_COPIED: [&str; 2] = ["node_modules", ".git"];
/// The file by which a planted folder is recognised.
pub const MARKER: &str = ".from-the-host";

/// The scratch folder of a run. Removed when dropped.
pub struct Scratch {
    root: PathBuf,
    host_folders: Vec<String>,
    kept: bool,
}

impl Scratch {
    /// Copies the learner's files, with the course's own copy of the given files over them.
    /// In those, `{learner}` becomes the learner's `number`.
    pub fn prepare(cache: &Path, run: &RunId, lesson: &Lesson, learner: &Path, number: &str) -> Result<Self, Fault> {
        let root = cache.join("runs").join(run.as_str());
        let scratch = Self { root, host_folders: lesson.spec.host_folders.clone(), kept: false };
        let source = scratch.source();
        own_folder(&scratch.root)?;
        if let Some(image) = lesson.spec.images.first() {
            let path = scratch.own_file(IMAGE_FILE);
            fs::write(&path, image).map_err(Fault::file(&path))?;
        }
        copy_submission(learner, &source)?;
        for given in given_files(lesson)? {
            let to = source.join(&given);
            // From the top down, so that none of them is made by the way.
            let folders: Vec<&Path> = given.ancestors().skip(1).filter(|part| !part.as_os_str().is_empty()).collect();
            for folder in folders.iter().rev().map(|folder| source.join(folder)).filter(|folder| !folder.is_dir()) {
                make_folder(&folder, &source)?;
            }
            // A learner's link in this place must not lead the copy elsewhere.
            let _ = fs::remove_file(&to);
            let from = lesson.starter().join(&given);
            fs::copy(&from, &to).map_err(Fault::file(&from))?;
            let mode = fs::metadata(&from).map_err(Fault::file(&from))?.mode();
            settle(&to, &source, ordinary(mode))?;
            personalise(&to, number)?;
        }
        Ok(scratch)
    }

    /// The copy from which all others are made.
    #[must_use]
    pub fn source(&self) -> PathBuf {
        self.root.join("source")
    }

    /// A file of the run itself, outside of the learner's copies.
    #[must_use]
    pub fn own_file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Makes (once) the copy called `name`, as a folder on a learner's machine would look.
    pub fn copy(&self, name: &str) -> Result<PathBuf, Fault> {
        let to = self.root.join(name);
        if !to.exists() {
            copy_again(&self.source(), &to)?;
            for folder in &self.host_folders {
                let marker = to.join(folder).join(MARKER);
                make_folder(&to.join(folder), &to)?;
                fs::write(&marker, "This folder stands for the one on a developer's machine.\n")
                    .map_err(Fault::file(&marker))?;
                settle(&marker, &to, 0o644)?;
            }
        }
        Ok(to)
    }

    /// Leaves the folder to the sweep, which removes the containers that have it mounted first.
    pub fn keep(mut self) {
        self.kept = true;
    }

    /// Replaces the value of the secret in the source copy.
    pub fn plant(&self, secret: &SecretSpec, value: &str) -> Result<(), Fault> {
        let path = self.source().join(&secret.file);
        let Ok(text) = fs::read_to_string(&path) else { return Ok(()) };
        write_over(&path, &env_file::with(&text, &secret.key, value))
    }

    /// Where the Dockerfiles lie that are built in place of the learner's own, under the same names.
    #[must_use]
    pub fn dockerfiles(&self) -> PathBuf {
        self.own_file("dockerfiles")
    }

    /// Writes Dockerfiles that the builder reads in place of the learner's own. The `# syntax=` line is left out:
    /// it names the builder's own frontend (the gate refuses others), which every engine has built in, and would
    /// be fetched from a registry in each build. One that stands in a Compose file has no other place.
    pub fn write_dockerfiles<'f>(
        &self,
        submission: &Submission,
        dockerfiles: impl Iterator<Item = &'f str>,
    ) -> Result<(), Fault> {
        for file in dockerfiles {
            let (from, to) = (self.source().join(file), self.dockerfiles().join(file));
            let Some(text) = submission.text(file) else { continue };
            let is_inline = submission.inline.contains_key(file);
            let text = match without_syntax(&text) {
                Some(without) => without,
                None if is_inline => text,
                None => continue,
            };
            let folder = to.parent().unwrap_or(&to);
            fs::create_dir_all(folder).map_err(Fault::file(folder))?;
            fs::write(&to, text).map_err(Fault::file(&to))?;
            if is_inline {
                continue;
            }
            // The builder looks for it beside the Dockerfile.
            let beside = |path: &Path| path.with_file_name(format!("{}.dockerignore", name_of(path)));
            if beside(&from).is_file() {
                fs::copy(beside(&from), beside(&to)).map_err(Fault::file(&beside(&from)))?;
            }
        }
        Ok(())
    }

    /// Makes the lesson's edit in a copy, in place, as an editor that keeps the file would. A
    /// container may have the copy mounted and may have put a link in the file's place.
    pub fn edit(&self, copy: &Path, edit: &EditSpec, token: &str) -> Result<EditDone, Fault> {
        let path = copy.join(&edit.file);
        let mut file = open_below(copy, &edit.file).map_err(Fault::file(&path))?;
        let mut text = String::new();
        (&file).take(TEXT_BYTES).read_to_string(&mut text).map_err(Fault::file(&path))?;
        let text = text.replace(&edit.find, token);
        // Written over and then cut, so that a watcher never sees an empty file.
        let written =
            file.rewind().and_then(|()| file.write_all(text.as_bytes())).and_then(|()| file.set_len(text.len() as u64));
        written.map_err(Fault::file(&path))?;
        Ok(EditDone { file: edit.file.clone(), before: edit.find.clone(), after: token.to_owned() })
    }

    /// Makes one more edit, of the text that the last one left, and saves it as many editors do: a new file
    /// takes the old one's name.
    pub fn edit_by_renaming(&self, copy: &Path, last: EditDone, token: &str) -> Result<EditDone, Fault> {
        let path = copy.join(&last.file);
        let mut text = String::new();
        let read = open_below(copy, &last.file).and_then(|file| file.take(TEXT_BYTES).read_to_string(&mut text));
        read.map_err(Fault::file(&path))?;
        replace_below(copy, &last.file, &text.replace(&last.after, token)).map_err(Fault::file(&path))?;
        Ok(EditDone { before: last.after, after: token.to_owned(), ..last })
    }
}

/// Writes a text beside a file and then gives it that file's name, without following any link.
fn replace_below(folder: &Path, file: &str, text: &str) -> std::io::Result<()> {
    let old = open_below(folder, file)?;
    let parent = parent_below(folder, file)?;
    let name = file.rsplit('/').next().unwrap_or(file);
    let new = format!(".{name}.new");
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut written = fs::File::from(rustix::fs::openat(&parent, &new, flags, Mode::RUSR | Mode::WUSR)?);
    written.write_all(text.as_bytes())?;
    written.set_permissions(old.metadata()?.permissions())?;
    Ok(rustix::fs::renameat(&parent, &new, &parent, name)?)
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.kept {
            sweep::remove_unused(&self.root);
        }
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Opens the folder of a file below a folder, without following any link.
fn parent_below(folder: &Path, file: &str) -> std::io::Result<rustix::fd::OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    let mut parent = rustix::fs::open(folder, flags, Mode::empty())?;
    let folders = file.rsplit_once('/').map_or("", |(folders, _)| folders);
    for part in folders.split('/').filter(|part| !part.is_empty()) {
        parent = rustix::fs::openat(&parent, part, flags, Mode::empty())?;
    }
    Ok(parent)
}

/// Opens a plain file below a folder for reading and writing, without following any link.
fn open_below(folder: &Path, file: &str) -> std::io::Result<fs::File> {
    let parent = parent_below(folder, file)?;
    let name = file.rsplit('/').next().unwrap_or(file);
    // NONBLOCK: a pipe in the file's place must not keep us waiting.
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::File::from(rustix::fs::openat(&parent, name, flags, Mode::empty())?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(std::io::Error::other("it is no plain file any more")) }
}

/// The files of the starter that are not the learner's to write, relative to it.
pub fn given_files(lesson: &Lesson) -> Result<Vec<PathBuf>, Fault> {
    let starter = lesson.starter();
    let mut given = Vec::new();
    for entry in WalkDir::new(&starter).into_iter().filter_entry(|entry| !is_never_copied(entry.file_name())) {
        let entry = entry.map_err(|error| Fault::file(&starter)(error.into()))?;
        let relative = entry.path().strip_prefix(&starter).unwrap_or(entry.path());
        let delivered = lesson.spec.deliver.iter().any(|file| Path::new(file) == relative);
        if entry.file_type().is_file() && !delivered {
            given.push(relative.to_path_buf());
        }
    }
    Ok(given)
}

/// Puts the learner's number into a text file that asks for it.
pub fn personalise(path: &Path, number: &str) -> Result<(), Fault> {
    // What is no text has no words in it.
    let Ok(text) = fs::read_to_string(path) else { return Ok(()) };
    let own = filled(&text, number);
    if own == text { Ok(()) } else { write_over(path, &own) }
}

/// Writes over a file of a copy, also one that may only be read, and leaves its mode as it was.
fn write_over(path: &Path, text: &str) -> Result<(), Fault> {
    let mode = fs::metadata(path).map_err(Fault::file(path))?.mode() & 0o777;
    copying::set_mode(path, mode | 0o600)?;
    fs::write(path, text).map_err(Fault::file(path))?;
    copying::set_mode(path, mode)
}

/// Puts the learner's number into every text file below a folder.
pub fn personalise_tree(folder: &Path, number: &str) -> Result<(), Fault> {
    for entry in WalkDir::new(folder).into_iter().flatten().filter(|entry| entry.file_type().is_file()) {
        personalise(entry.path(), number)?;
    }
    Ok(())
}

fn is_never_copied(name: &std::ffi::OsStr) -> bool {
    NOT_COPIED.iter().any(|left_out| name == *left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_or_a_pipe_in_the_place_of_a_file_is_not_opened() {
        let dir = tempfile::tempdir().expect("folder");
        let (folder, outside) = (dir.path().join("copy"), dir.path().join("outside"));
        fs::create_dir_all(folder.join("src")).expect("folder");
        fs::create_dir(&outside).expect("folder");
        for at in [folder.join("src/a.js"), outside.join("a.js")] {
            fs::write(at, "x").expect("write");
        }
        assert!(open_below(&folder, "src/a.js").is_ok());
        std::os::unix::fs::symlink(outside.join("a.js"), folder.join("src/link.js")).expect("link");
        std::os::unix::fs::symlink(&outside, folder.join("lib")).expect("link");
        let pipe = rustix::fs::mkfifoat(rustix::fs::CWD, folder.join("src/pipe"), Mode::RWXU);
        pipe.expect("pipe");
        for bad in ["src/link.js", "lib/a.js", "src/pipe"] {
            assert!(open_below(&folder, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_save_by_renaming_makes_another_file_with_the_same_rights() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let dir = tempfile::tempdir().expect("folder");
        fs::create_dir(dir.path().join("src")).expect("folder");
        let path = dir.path().join("src/a.js");
        fs::write(&path, "old").expect("write");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("mode");
        let before = fs::metadata(&path).expect("file").ino();
        replace_below(dir.path(), "src/a.js", "new").expect("saved");
        let after = fs::metadata(&path).expect("file");
        assert_eq!(fs::read_to_string(&path).expect("text"), "new");
        assert_eq!(after.mode() & 0o777, 0o640);
        assert_ne!(after.ino(), before);
        assert_eq!(fs::read_dir(dir.path().join("src")).expect("folder").count(), 1);
    }
}
