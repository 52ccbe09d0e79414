//! The gate's look at the files themselves.
//!
//! Owns: missing and empty files, kinds of files, names, sizes, links. Must not: read what the
//! files mean, or open anything but plain files: reading a pipe would never end.

use std::fs::{self, FileType};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use super::{Refusal, limits};
use crate::course::Lesson;
use crate::sandbox::scratch::{NOT_COPIED, given_files};
use crate::shown::{DOT, steers};
use crate::submission::{Submission, TEXT_BYTES, is_inside, links, stays_inside};
use crate::verdict::bytes;

/// Everything that is wrong with the files.
pub fn inspect(lesson: &Lesson, submission: &Submission) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> =
        lesson.spec.deliver.iter().filter_map(|file| delivered(submission, file)).collect();
    refusals.extend(in_the_way(lesson, submission));
    refusals.extend(walk(submission));
    refusals
}

fn delivered(submission: &Submission, file: &str) -> Option<Refusal> {
    let refuse = |what: String, why: &str| Some(Refusal::new(what, why, None));
    let restore =
        format!("`{file}` is one of the files to deliver. `grader reset` brings the starter's back (yours are kept).");
    let path = submission.dir.join(file);
    match fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => refuse(format!("{file} is missing"), &restore),
        Err(error) => refuse(format!("{file} cannot be read: {error}"), &restore),
        Ok(data) if !data.is_file() => refuse(format!("{file} is {}, not a file", kind(data.file_type())), &restore),
        Ok(data) if data.len() > TEXT_BYTES => {
            let most = format!("Such a file has at most {}.", bytes(TEXT_BYTES));
            refuse(format!("{file} has {}", bytes(data.len())), &most)
        }
        // The link itself is refused by the walk.
        Ok(_) if !is_inside(&path, &submission.dir) => None,
        Ok(_) => match fs::read_to_string(&path) {
            Ok(text) if text.trim().is_empty() => refuse(format!("{file} is empty"), &restore),
            Ok(text) if text.contains('\0') => {
                refuse(format!("{file} is not text: it has a zero byte"), "It must be a text file in UTF-8.")
            }
            Ok(_) => None,
            Err(error) => refuse(format!("{file} cannot be read: {error}"), "It must be a text file in UTF-8."),
        },
    }
}

/// Where a given file belongs there must not be a folder, and above it nothing but folders.
fn in_the_way(lesson: &Lesson, submission: &Submission) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for given in given_files(lesson).unwrap_or_default() {
        for part in given.ancestors().filter(|part| !part.as_os_str().is_empty()) {
            let Ok(there) = fs::symlink_metadata(submission.dir.join(part)) else { continue };
            let should_be_folder = part != given;
            if there.is_dir() != should_be_folder && (should_be_folder || there.is_dir()) {
                let wanted = if should_be_folder { "a folder" } else { "a file" };
                let what = format!("{} is {}, not {wanted}", part.display(), kind(there.file_type()));
                let why = "The exercise's own files belong there. Move what is there elsewhere.";
                refusals.push(Refusal::new(what, why, None));
            }
        }
    }
    refusals
}

fn walk(submission: &Submission) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let (mut files, mut size) = (0_usize, 0_u64);
    let entries = WalkDir::new(&submission.dir)
        .max_depth(limits::DEPTH + 1)
        .into_iter()
        .filter_entry(|entry| !NOT_COPIED.iter().any(|left_out| entry.file_name() == *left_out));
    for entry in entries {
        match entry {
            Ok(entry) => {
                files += 1;
                size += entry.metadata().map_or(0, |data| data.len());
                refusals.extend(one(submission, &entry));
            }
            Err(error) => refusals.push(unreadable(submission, error.path().unwrap_or(&submission.dir))),
        }
        // Nobody has to wait until a million files are counted.
        if files > limits::FILES || size > limits::BYTES {
            let what =
                format!("the exercise folder holds more than {} files or {}", limits::FILES, bytes(limits::BYTES));
            let why = "Only that much is graded (node_modules and .git do not count). Move what does not belong to the exercise elsewhere.";
            refusals.push(Refusal::new(what, why, None));
            break;
        }
    }
    refusals
}

/// What is wrong with one file, folder or link.
fn one(submission: &Submission, entry: &DirEntry) -> Option<Refusal> {
    let (path, file_type) = (entry.path(), entry.file_type());
    let name = relative(submission, path);
    let refuse = |what: String, why: &str| Some(Refusal::new(what, why, None));
    if entry.depth() > limits::DEPTH {
        let why = format!("At most {} folders lie in each other.", limits::DEPTH);
        return refuse("the exercise folder is very deep".into(), &why);
    }
    if entry.file_name().to_str().is_none_or(|name| name.chars().any(steers)) {
        return refuse(
            format!("the name of {name} has characters that cannot be shown"),
            "Names of files are text in UTF-8, without line ends and without characters that nobody sees. Give it another name.",
        );
    }
    if file_type.is_symlink() {
        return link(submission, path, &name);
    }
    if !file_type.is_file() && !file_type.is_dir() {
        return refuse(
            format!("{name} is {}", kind(file_type)),
            "Only files, folders and links within the exercise are graded. Remove it.",
        );
    }
    let may_read = rustix::fs::access(path, rustix::fs::Access::READ_OK).is_ok();
    if may_read { None } else { Some(unreadable(submission, path)) }
}

/// Links lead to what is there, within the folder, by a relative path: they are copied as links, and
/// must mean the same in the copy.
fn link(submission: &Submission, path: &Path, name: &str) -> Option<Refusal> {
    // It is not copied; the report says so.
    if links::is_left_out(&submission.dir, path) {
        return None;
    }
    let to = fs::read_link(path).unwrap_or_default();
    let shown = to.to_string_lossy().escape_debug().to_string();
    let refuse = |what: String| {
        Some(Refusal::new(
            what,
            "Only files of the exercise are built and mounted. Put a copy of the file in its place.",
            None,
        ))
    };
    if !stays_inside(&submission.dir, path) || (path.canonicalize().is_ok() && !is_inside(path, &submission.dir)) {
        return refuse(format!("the link {name} leads out of the exercise folder, to {shown}"));
    }
    if path.canonicalize().is_err() {
        return refuse(format!("the link {name} leads nowhere: {shown}"));
    }
    None
}

fn unreadable(submission: &Submission, path: &Path) -> Refusal {
    let what = format!("{} cannot be read", relative(submission, path));
    Refusal::new(
        what,
        "The grader works with your rights. Give yourself the right to read it (`chmod u+rwX`), or remove it.",
        None,
    )
}

/// A path as it may be shown, whatever its bytes are.
fn relative(submission: &Submission, path: &Path) -> String {
    let path = path.strip_prefix(&submission.dir).unwrap_or(path).to_string_lossy();
    let shown: String = path.escape_debug().take(200).map(|c| if steers(c) { DOT } else { c }).collect();
    if shown.is_empty() { "the exercise folder".into() } else { shown }
}

fn kind(file_type: FileType) -> &'static str {
    match file_type {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_symlink() => "a link",
        kind if kind.is_fifo() => "a named pipe",
        kind if kind.is_socket() => "a socket",
        kind if kind.is_block_device() || kind.is_char_device() => "a device",
        _ => "a file",
    }
}
