//! `grader dev reference`: writes the book's page about all kinds of check.
//!
//! Owns: the file. Must not: know what the page says.

use std::fs;
use std::io::Write;

use crate::book::reference;
use crate::course::Course;
use crate::fault::Fault;

/// Writes the page and says where it is.
pub fn run(course: &Course, out: &mut dyn Write) -> Result<u8, Fault> {
    let path = reference::path(course);
    let page = reference::page(course)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Fault::file(folder))?;
    }
    fs::write(&path, page).map_err(Fault::file(&path))?;
    writeln!(out, "The reference is in {}", path.display()).map_err(Fault::file("standard output"))?;
    Ok(0)
}
