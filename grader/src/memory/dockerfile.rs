//! Which part of a Dockerfile, and which images, an image is made from.
//!
//! Owns: the stages that a target stands on. Must not: evaluate instructions; where it is not sure,
//! the whole file counts, and where a source cannot be named, there is no answer.

use std::collections::{BTreeMap, BTreeSet};

use crate::submission::dockerfile::{Dockerfile, Instruction, Reading, expand};

/// What an image is made from, as far as the Dockerfile says it.
#[derive(Debug, PartialEq, Eq)]
pub struct Sources {
    /// The lines that matter, at their places; the others are empty.
    pub text: String,
    /// Images from outside of the file.
    pub images: BTreeSet<String>,
}

/// What the image `target` (empty: the last stage) is made from; `None` when something comes from an
/// address, from an image whose name is not known, or from what only some engines see.
pub fn sources(text: &str, target: &str, args: &BTreeMap<String, String>) -> Option<Sources> {
    let readings = Dockerfile::readings(text);
    let mut all = readings.iter().map(|file| sources_of(file, text, target, args));
    let first = all.next()??;
    all.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

fn sources_of(file: &Dockerfile, text: &str, target: &str, args: &BTreeMap<String, String>) -> Option<Sources> {
    let froms: Vec<&Instruction> = file.instructions.iter().filter(|i| i.name == "FROM").collect();
    let globals = file.globals(args);
    let position = |name: &str| {
        let numbered = name.parse().ok().filter(|number| *number < froms.len());
        froms.iter().rposition(|from| from.stage.eq_ignore_ascii_case(name)).or(numbered)
    };
    let Some(last) = froms.len().checked_sub(1) else { return Some(whole(text)) };
    let wanted = if target.is_empty() { Some(last) } else { position(target) };
    // A target that is not there: the build fails, whatever the rest of the file says.
    let Some(wanted) = wanted else { return Some(whole(text)) };
    let (mut stages, mut images, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![wanted]);
    while let Some(stage) = open.pop() {
        if !stages.insert(stage) {
            continue;
        }
        let from = froms[stage];
        let end = froms.get(stage + 1).map_or(usize::MAX, |next| next.line);
        let body = file.instructions.iter().filter(|i| (from.line..end).contains(&i.line));
        let mut references = Vec::new();
        for instruction in body {
            references.extend(references_of(instruction)?);
            for kept in instruction.kept_for_later(file.escape, Reading::Newer) {
                references.extend(references_of(&kept)?);
            }
        }
        for reference in references {
            let reference = expand(&reference, &globals, file.escape).filter(|name| !name.is_empty())?;
            // `FROM` a stage of its own name means the image of that name, so only earlier ones count.
            match position(&reference).filter(|found| *found < stage) {
                Some(found) => open.push(found),
                None => drop(images.insert(reference)),
            }
        }
    }
    let counts = |line: usize| match froms.iter().rposition(|from| from.line <= line) {
        Some(stage) => stages.contains(&stage),
        None => true,
    };
    let lines: Vec<&str> =
        text.lines().enumerate().map(|(index, line)| if counts(index + 1) { line } else { "" }).collect();
    Some(Sources { text: lines.join("\n").trim_end().to_owned(), images })
}

fn whole(text: &str) -> Sources {
    Sources { text: text.to_owned(), images: BTreeSet::new() }
}

/// The stages and images that an instruction takes something from.
fn references_of(instruction: &Instruction) -> Option<Vec<String>> {
    match instruction.name.as_str() {
        "FROM" => Some(vec![instruction.base()?.to_owned()]),
        "ADD" if ["://", "git@", "github.com/", "$"].iter().any(|mark| instruction.rest.contains(mark)) => None,
        "ADD" | "COPY" => Some(instruction.flag("from").map(str::to_owned).collect()),
        "RUN" => {
            let options = instruction.flag("mount").flat_map(|mount| mount.split(','));
            Some(options.filter_map(|part| part.strip_prefix("from=").map(str::to_owned)).collect())
        }
        _ => Some(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "ARG V=22\nFROM node:${V} AS base\nWORKDIR /app\n\nFROM base AS development\nRUN a\n\n\
        FROM golang:1 AS tool\nRUN b\nFROM base AS production\nCOPY --from=tool /x /x\nCOPY src src\n";

    fn of(text: &str, target: &str) -> Option<Sources> {
        sources(text, target, &BTreeMap::new())
    }

    #[test]
    fn a_target_depends_on_the_stages_and_images_that_it_stands_on() {
        let development = of(TEXT, "development").expect("sources");
        assert_eq!(
            development.text,
            "ARG V=22\nFROM node:${V} AS base\nWORKDIR /app\n\nFROM base AS development\nRUN a"
        );
        assert_eq!(development.images, BTreeSet::from(["node:22".to_owned()]));
        let production = of(TEXT, "production").expect("sources");
        assert_eq!(production.images, BTreeSet::from(["node:22".to_owned(), "golang:1".to_owned()]));
        assert!(!production.text.contains("RUN a") && production.text.contains("RUN b"), "{}", production.text);
    }

    #[test]
    fn an_edit_counts_where_it_matters_and_so_does_the_place_of_a_line() {
        let of_development = |text: &str| of(text, "development").expect("sources");
        let before = of_development(TEXT);
        assert_eq!(before, of_development(&TEXT.replace("COPY src src", "COPY src app")));
        assert_ne!(before, of_development(&TEXT.replace("RUN a", "RUN c")));
        assert_ne!(before, of_development(&TEXT.replace("WORKDIR /app", "WORKDIR /srv")));
        assert_ne!(before, of_development(&format!("\n{TEXT}")), "locations in evidence are lines");
    }

    #[test]
    fn mounts_and_stage_numbers_are_sources_too() {
        let text = "FROM a\nRUN x\nFROM b\nRUN y\nFROM c AS last\nRUN --mount=type=bind,from=0,target=/x z\nCOPY --from=1 /a /b\n";
        let found = of(text, "").expect("sources");
        assert_eq!(found.images.iter().map(String::as_str).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(found.text, text.trim_end());
    }

    #[test]
    fn what_cannot_be_named_has_no_answer() {
        assert_eq!(of("FROM $V\n", ""), None);
        assert_eq!(of("FROM a\nRUN cat << X\nCOPY --from=b /x /x\nX\n", ""), None, "engines differ");
        assert_eq!(of("FROM a\nADD https://example.org/x /x\n", ""), None);
        let args = BTreeMap::from([("V".to_owned(), "20".to_owned())]);
        let found = sources("ARG V=22\nFROM node:$V\n", "", &args).expect("sources");
        assert_eq!(found.images, BTreeSet::from(["node:20".to_owned()]));
    }

    #[test]
    fn a_target_that_is_not_there_depends_on_the_whole_file() {
        assert_eq!(of(TEXT, "nowhere").expect("sources").text, TEXT);
    }
}
