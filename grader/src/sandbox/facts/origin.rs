//! Which instruction made which layer.
//!
//! Owns: putting layers, the image's history and the Dockerfile side by side. Must not: read files or
//! ask the daemon.
//!
//! The daemon's history has one entry per instruction, but does not say which of them made a layer; the
//! Dockerfile has the text and the line, but knows nothing of layers.

use serde::{Deserialize, Serialize};

use super::{HistoryEntry, ImageFacts};
use crate::submission::Written;
use crate::verdict::Location;

/// A layer with where it comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerOrigin {
    /// The layer's digest.
    pub digest: String,
    /// Its bytes.
    pub bytes: u64,
    /// The instruction that made it, as in the Dockerfile; for a layer of the base, as its history has it.
    pub instruction: String,
    /// Where the instruction stands, if the learner wrote it.
    pub at: Option<Location>,
    /// Whether it is a layer of the base image.
    pub of_base: bool,
}

/// Instructions that only change settings: they make no layer.
const SETTINGS: [&str; 13] = [
    "ARG",
    "CMD",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
];

/// The origin of each layer, lowest first. `written` is what the Dockerfile has for this image, in its order.
#[must_use]
pub fn origins(image: &ImageFacts, written: &[Written]) -> Vec<LayerOrigin> {
    let (base_history, own_history) = image.history.split_at(image.base_entries.min(image.history.len()));
    let (base_layers, own_layers) = image.layers.split_at(image.base_layers.min(image.layers.len()));
    let places = places(own_history, written);
    let base = made(base_history, base_layers.len()).into_iter().map(|entry| (entry.map(|at| &base_history[at]), None));
    let own = made(own_history, own_layers.len())
        .into_iter()
        .map(|entry| (entry.map(|at| &own_history[at]), entry.and_then(|at| places[at])));
    (image.layers.iter().enumerate())
        .zip(base.chain(own))
        .map(|((index, digest), (entry, place))| LayerOrigin {
            digest: digest.clone(),
            bytes: entry.map_or(0, |entry| entry.bytes),
            instruction: place.map_or_else(
                || entry.map(|entry| without_shell(&entry.instruction)).unwrap_or_default(),
                |written| written.text.clone(),
            ),
            at: place.and_then(|written| written.at.clone()),
            of_base: index < base_layers.len(),
        })
        .collect()
}

/// For each of `count` layers the entry of the history that made it, as far as there is one.
fn made(history: &[HistoryEntry], count: usize) -> Vec<Option<usize>> {
    let makes = |entry: &HistoryEntry| entry.bytes > 0 || !SETTINGS.contains(&name(&entry.instruction).as_str());
    let mut made: Vec<usize> = (0..history.len()).filter(|at| makes(&history[*at])).collect();
    // An instruction that changed nothing need not have made a layer.
    while made.len() > count {
        let empty = made.iter().position(|at| history[*at].bytes == 0);
        made.remove(empty.unwrap_or(0));
    }
    let unknown = count - made.len();
    std::iter::repeat_n(None, unknown).chain(made.into_iter().map(Some)).collect()
}

/// For each entry of the history what the Dockerfile has for it. They are matched from the end, since an
/// unknown base has entries of its own before them.
fn places<'a>(history: &[HistoryEntry], written: &'a [Written]) -> Vec<Option<&'a Written>> {
    let mut left = written.len();
    let mut places: Vec<Option<&Written>> = history
        .iter()
        .rev()
        .map(|entry| {
            let name = name(&entry.instruction);
            left = written[..left].iter().rposition(|written| written.name == name)?;
            written.get(left)
        })
        .collect();
    places.reverse();
    places
}

/// The instruction's name in an entry of a history.
fn name(entry: &str) -> String {
    without_shell(entry).split_whitespace().next().unwrap_or_default().to_uppercase()
}

/// An entry of a history without what builders write around the instruction.
#[must_use]
pub fn without_shell(entry: &str) -> String {
    let text = entry.trim().trim_end_matches("# buildkit").trim();
    // Older builders: `/bin/sh -c #(nop)  CMD ["bash"]`, and `/bin/sh -c apt-get update` for RUN.
    let classic = text.strip_prefix("/bin/sh -c ").map(|rest| {
        let setting = rest.trim_start().strip_prefix("#(nop)");
        setting.map_or_else(|| format!("RUN {rest}"), |setting| setting.trim().to_owned())
    });
    let text = classic.unwrap_or_else(|| text.to_owned());
    let Some(rest) = text.strip_prefix("RUN ") else { return text };
    // `RUN |1 VERSION=1 /bin/sh -c make`: the build arguments stand before the shell.
    match rest.split_once("/bin/sh -c ") {
        Some((before, command)) if before.is_empty() || before.starts_with('|') => format!("RUN {command}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(base: usize, layers: usize, history: &[(&str, u64)]) -> ImageFacts {
        let entry =
            |(instruction, bytes): &(&str, u64)| HistoryEntry { instruction: (*instruction).into(), bytes: *bytes };
        ImageFacts {
            history: history.iter().map(entry).collect(),
            base_entries: base,
            layers: (0..layers).map(|number| format!("sha256:{number}")).collect(),
            base_layers: base.min(1),
            ..ImageFacts::default()
        }
    }

    fn written(texts: &[&str]) -> Vec<Written> {
        let one = |(line, text): (usize, &&str)| Written {
            name: text.split(' ').next().unwrap_or_default().into(),
            text: (*text).into(),
            at: Some(Location { file: "Dockerfile".into(), line: line + 1, text: (*text).into() }),
        };
        texts.iter().enumerate().map(one).collect()
    }

    /// Instruction, bytes and line per layer.
    fn told(image: &ImageFacts, texts: &[&str]) -> Vec<(String, u64, Option<usize>)> {
        let one = |origin: LayerOrigin| (origin.instruction, origin.bytes, origin.at.map(|at| at.line));
        origins(image, &written(texts)).into_iter().map(one).collect()
    }

    #[test]
    fn settings_make_no_layer_and_empty_layers_are_not_passed_over() {
        let history = [
            ("debian", 70),
            ("CMD [\"bash\"]", 0),
            ("WORKDIR /app", 0),
            ("ENV A=b", 0),
            ("RUN |1 A=b /bin/sh -c npm ci # buildkit", 5),
            ("USER node", 0),
        ];
        let layers =
            told(&image(2, 3, &history), &["WORKDIR /app", "ENV A=b", "RUN --mount=type=cache npm ci", "USER node"]);
        let expected =
            [("debian", 70, None), ("WORKDIR /app", 0, Some(1)), ("RUN --mount=type=cache npm ci", 5, Some(3))];
        assert_eq!(layers, expected.map(|(text, bytes, line)| (text.to_owned(), bytes, line)));
    }

    #[test]
    fn an_unknown_base_does_not_take_the_lines_of_the_dockerfile() {
        let history = [("COPY /out / # buildkit", 9), ("COPY a b # buildkit", 2), ("COPY c d # buildkit", 3)];
        let layers = told(&image(0, 3, &history), &["COPY a b", "COPY c d"]);
        let expected = [("COPY /out /", 9, None), ("COPY a b", 2, Some(1)), ("COPY c d", 3, Some(2))];
        assert_eq!(layers, expected.map(|(text, bytes, line)| (text.to_owned(), bytes, line)));
    }

    #[test]
    fn a_history_with_too_many_or_too_few_entries_still_gives_every_layer_one() {
        let many = told(&image(0, 1, &[("RUN true", 0), ("COPY a b", 2)]), &[]);
        assert_eq!(many, [("COPY a b".to_owned(), 2, None)]);
        let few = told(&image(0, 2, &[("COPY a b", 2)]), &[]);
        assert_eq!(few, [(String::new(), 0, None), ("COPY a b".to_owned(), 2, None)]);
    }

    #[test]
    fn what_builders_write_around_an_instruction_is_taken_away() {
        for (entry, plain) in [
            ("RUN /bin/sh -c a && b # buildkit", "RUN a && b"),
            ("RUN |2 A=1 B=2 /bin/sh -c make # buildkit", "RUN make"),
            ("/bin/sh -c #(nop)  CMD [\"bash\"]", "CMD [\"bash\"]"),
            ("/bin/sh -c apt-get update", "RUN apt-get update"),
            ("RUN node -e '1' # buildkit", "RUN node -e '1'"),
            ("COPY a b # buildkit", "COPY a b"),
        ] {
            assert_eq!(without_shell(entry), plain);
        }
    }
}
