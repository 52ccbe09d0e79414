//! `grader dev reference`: writes the book's pages that are made from code.
//!
//! Owns: the files. Must not: know what the pages say.

use std::fs;
use std::io::Write;

use crate::book::reference;
use crate::course::Course;
use crate::fault::Fault;
use crate::report;

/// Writes the pages and says where they are.
pub fn run(course: &Course, out: &mut dyn Write) -> Result<u8, Fault> {
    let path = reference::path(course);
    let page = reference::page(course)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Fault::file(folder))?;
    }
    fs::write(&path, page).map_err(Fault::file(&path))?;
    let report = report::reference::write(&course.root)?;
    writeln!(out, "Written: {}\nWritten: {}", path.display(), report.display())
        .map_err(Fault::file("standard output"))?;
    Ok(0)
}
