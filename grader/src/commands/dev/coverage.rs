//! `grader dev coverage`: what the lessons teach, and what none of them teaches yet.
//!
//! Owns: bringing headings and pages together. Must not: read anything but front matters and prose.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use serde_json::json;

use crate::cli::FormatName;
use crate::course::Course;
use crate::course::page::Page;
use crate::course::sources::Sources;
use crate::course::vocabulary::{Early, used_too_early};
use crate::fault::Fault;

/// Prints which heading of the source documents is taught where; 1 when a lesson uses a term before
/// the lesson that introduces it.
pub fn run(course: &Course, format: FormatName, out: &mut dyn Write) -> Result<u8, Fault> {
    let sources = Sources::load(&course.root)?;
    let pages = Page::all(course)?;
    let mut taught: BTreeMap<(usize, usize), Vec<&str>> = BTreeMap::new();
    for page in &pages {
        for heading in page.teaches.iter().flat_map(|entry| sources.covered(entry)) {
            taught.entry(heading).or_default().push(&page.id);
        }
    }
    let early = used_too_early(&pages);
    let text = match format {
        FormatName::Human => human(&sources, &taught, &early),
        FormatName::Json => json(&sources, &taught, &early),
    };
    out.write_all(text.as_bytes()).map_err(Fault::file("standard output"))?;
    Ok(u8::from(!early.is_empty()))
}

type Taught<'a> = BTreeMap<(usize, usize), Vec<&'a str>>;

fn human(sources: &Sources, taught: &Taught<'_>, early: &[Early]) -> String {
    let mut text = String::new();
    let mut all = 0;
    // Writing to a string cannot fail.
    for (index, document) in sources.documents.iter().enumerate() {
        let _ = writeln!(text, "{}  {}", document.id, document.title);
        for (heading, (section, title)) in document.headings.iter().enumerate() {
            let lessons = taught.get(&(index, heading)).map_or_else(|| "not yet".to_owned(), |ids| ids.join(", "));
            let _ = writeln!(text, "  {section:<8} {title:<58} {lessons}");
            all += 1;
        }
        text.push('\n');
    }
    let _ = writeln!(text, "{} of {all} headings are taught.", taught.len());
    if !early.is_empty() {
        text.push_str("\nUsed before the lesson that introduces it:\n");
        for Early { place, term, introduced_by } in early {
            let _ = writeln!(text, "  {place}: `{term}`, of {introduced_by}; explain it, or name that lesson there");
        }
    }
    text
}

fn json(sources: &Sources, taught: &Taught<'_>, early: &[Early]) -> String {
    let headings = sources.documents.iter().enumerate().flat_map(|(index, document)| {
        document.headings.iter().enumerate().map(move |(heading, (section, title))| {
            let lessons = taught.get(&(index, heading)).cloned().unwrap_or_default();
            json!({"document": document.id, "section": section, "title": title, "lessons": lessons})
        })
    });
    let early = early.iter().map(
        |Early { place, term, introduced_by }| json!({"place": place, "term": term, "introduced_by": introduced_by}),
    );
    let all = json!({
        "schema": "grader-coverage/1",
        "headings": headings.collect::<Vec<_>>(),
        "early_terms": early.collect::<Vec<_>>(),
    });
    format!("{all:#}\n")
}
