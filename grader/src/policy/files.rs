//! The gate's look at the files themselves.
//!
//! Owns: missing and empty files, sizes, links. Must not: read what the files mean.

use std::fs;
use std::path::Path;

use walkdir::WalkDir;

use super::{Refusal, limits};
use crate::course::Lesson;
use crate::sandbox::scratch::NOT_COPIED;
use crate::submission::{Submission, is_inside};

/// Everything that is wrong with the files.
pub fn inspect(lesson: &Lesson, submission: &Submission) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> =
        lesson.spec.deliver.iter().filter_map(|file| delivered(submission, file)).collect();
    refusals.extend(walk(submission));
    refusals
}

fn delivered(submission: &Submission, file: &str) -> Option<Refusal> {
    let path = submission.dir.join(file);
    let why =
        format!("`{file}` is one of the files to deliver. `grader reset` brings the starter's back (yours are kept).");
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().is_empty() => Some(Refusal::new(format!("{file} is empty"), why, None)),
        Ok(_) => None,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Some(Refusal::new(format!("{file} is missing"), why, None))
        }
        Err(error) => {
            Some(Refusal::new(format!("{file} cannot be read: {error}"), "It must be a text file in UTF-8.", None))
        }
    }
}

fn walk(submission: &Submission) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let (mut files, mut bytes) = (0_usize, 0_u64);
    let entries = WalkDir::new(&submission.dir)
        .into_iter()
        .filter_entry(|entry| !NOT_COPIED.iter().any(|left_out| entry.file_name() == *left_out));
    for entry in entries.flatten() {
        files += 1;
        bytes += entry.metadata().map_or(0, |data| data.len());
        if entry.path_is_symlink() && !is_inside(entry.path(), &submission.dir) {
            refusals.push(leads_out(entry.path(), submission));
        }
    }
    if files > limits::FILES || bytes > limits::BYTES {
        refusals.push(Refusal::new(
            format!("the exercise folder holds {files} files with {}", crate::verdict::bytes(bytes)),
            format!(
                "At most {} files and {} are graded (node_modules and .git do not count). Move what does not belong to the exercise elsewhere.",
                limits::FILES,
                crate::verdict::bytes(limits::BYTES)
            ),
            None,
        ));
    }
    refusals
}

fn leads_out(path: &Path, submission: &Submission) -> Refusal {
    let name = path.strip_prefix(&submission.dir).unwrap_or(path).display();
    let to = fs::read_link(path).map(|link| link.display().to_string()).unwrap_or_default();
    Refusal::new(
        format!("the link {name} leads out of the exercise folder, to {to}"),
        "Only files of the exercise are built and mounted. Put a copy of the file in its place.",
        None,
    )
}
