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
    close(&sources, &mut taught);
    let early = used_too_early(&pages);
    let text = match format {
        FormatName::Human => human(&sources, &taught, &early),
        FormatName::Json => json(&sources, &taught, &early),
    };
    out.write_all(text.as_bytes()).map_err(Fault::file("standard output"))?;
    Ok(u8::from(!early.is_empty()))
}

type Taught<'a> = BTreeMap<(usize, usize), Vec<&'a str>>;

/// A section whose parts are all taught is taught. From the lowest to the highest: parts have parts.
fn close(sources: &Sources, taught: &mut Taught<'_>) {
    for (index, document) in sources.documents.iter().enumerate() {
        for (heading, (section, _)) in document.headings.iter().enumerate().rev() {
            let below = format!("{section}.");
            let parts = (0..document.headings.len()).filter(|part| document.headings[*part].0.starts_with(&below));
            let lessons: Option<Vec<_>> = parts.map(|part| taught.get(&(index, part)).cloned()).collect();
            let mut lessons = lessons.unwrap_or_default().concat();
            lessons.sort_unstable();
            lessons.dedup();
            if !lessons.is_empty() {
                taught.entry((index, heading)).or_insert(lessons);
            }
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_taught_when_all_its_parts_are() {
        let toml = "[[source]]\nid = \"1\"\ntitle = \"T\"\n\
            headings = [[\"§1\", \"\"], [\"§1.1\", \"\"], [\"§1.2\", \"\"], [\"§2\", \"\"], [\"§2.1\", \"\"]]";
        let sources: Sources = toml::from_str(toml).expect("sources");
        let mut taught = Taught::from([((0, 1), vec!["a"]), ((0, 4), vec!["b"])]);
        close(&sources, &mut taught);
        assert_eq!(taught.get(&(0, 0)), None, "a part is missing");
        assert_eq!(taught.get(&(0, 3)), Some(&vec!["b"]));
        taught.insert((0, 2), vec!["c"]);
        close(&sources, &mut taught);
        assert_eq!(taught.get(&(0, 0)), Some(&vec!["a", "c"]));
    }
}
