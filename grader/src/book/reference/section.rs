//! One kind in the reference.
//!
//! Owns: the order of what is said about a kind. Must not: find examples, or describe parameters.

use super::example::Example;
use super::parameters;
use crate::check::{Kind, Manner};

/// How the paragraphs of a kind's doc comment begin, and the headings that they get.
const PARAGRAPHS: [(&str, &str); 2] =
    [("Why it matters:", "Why it matters."), ("How it is cheated:", "How it is cheated.")];

/// A kind's doc comment without the TOML in it, and that TOML.
pub fn description(kind: &Kind) -> (String, Option<String>) {
    let schema = (kind.schema)();
    let text = schema.get("description").and_then(|text| text.as_str()).unwrap_or_default();
    let Some((before, rest)) = text.split_once("```toml\n") else { return (text.to_owned(), None) };
    let (toml, after) = rest.split_once("```").unwrap_or((rest, ""));
    (format!("{}{after}", before.trim_end()), Some(toml.to_owned()))
}

/// Everything about a kind.
pub fn markdown(kind: &Kind, description: &str, example: Option<&Example>) -> String {
    let example = example.map_or_else(
        || "No lesson uses this kind yet.\n".to_owned(),
        |example| format!("**Example**, from `{}`:\n\n```toml\n{}\n```\n", example.from, example.text),
    );
    format!(
        "\n### {}\n\n{}\n\n**How it treats what it looks at.** {}\n\n{}{example}",
        kind.name,
        paragraphs(description),
        manner(kind.manner),
        parameters::markdown(&(kind.schema)().to_value()),
    )
}

/// The doc comment's paragraphs; those with a known beginning get it in bold.
fn paragraphs(description: &str) -> String {
    let emphasised = |paragraph: &str| {
        let known = PARAGRAPHS.iter().find_map(|(begin, head)| Some((head, paragraph.strip_prefix(begin)?)));
        let Some((head, rest)) = known else { return paragraph.to_owned() };
        format!("**{head}** {}", capitalised(rest.trim_start()))
    };
    description.split("\n\n").map(emphasised).collect::<Vec<_>>().join("\n\n")
}

/// After a full stop a sentence begins.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A manner in words for somebody who writes a lesson.
fn manner(manner: Manner) -> &'static str {
    match manner {
        Manner::Opens => {
            "It *opens*: it judges whether an image is built or a stack comes up. A lesson needs one such check for each \
             image and stack; when it does not pass, the other checks of that image or stack are blocked by it and cost \
             no second failure."
        }
        Manner::Looks => "It only *looks*: it changes nothing, and is measured at the same time as others.",
        Manner::Disrupts => {
            "It *disrupts*: it kills, stops or edits. It has its stack alone, after all checks that only look; several \
             such checks run in the order of `lesson.toml`."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_paragraphs_get_a_heading_and_a_capital() {
        let shown = paragraphs("Reads.\n\nWhy it matters: a leak\nspreads.\n\nHow it is cheated: it cannot be.");
        assert_eq!(shown, "Reads.\n\n**Why it matters.** A leak\nspreads.\n\n**How it is cheated.** It cannot be.");
    }

    #[test]
    fn each_kind_says_what_it_looks_at_why_it_matters_and_how_it_is_cheated() {
        for kind in Kind::all() {
            let (text, _) = description(kind);
            assert!(text.len() > 40, "{} has no doc comment that says what it looks at", kind.name);
            for (begin, _) in PARAGRAPHS {
                let has = text.split("\n\n").any(|paragraph| paragraph.starts_with(begin));
                assert!(has, "the doc comment of {} has no paragraph that begins with `{begin}`", kind.name);
            }
        }
    }
}
