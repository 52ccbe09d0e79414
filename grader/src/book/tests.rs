//! Builds small books in temporary folders, in this process and by mdBook's protocol.

use std::fs;

use mdbook_preprocessor::PreprocessorContext;
use mdbook_preprocessor::book::{Book, BookItem, Chapter};
use tempfile::TempDir;

use super::*;
use crate::course::quiz::SAMPLE;

const BOOK_TOML: &str = include_str!("../../../book/book.toml");

/// A course with one page, and with the course's own `book.toml`.
fn course(page: &str) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for folder in ["book/src", "book/theme", "exercises"] {
        fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    fs::write(root.path().join("book/book.toml"), BOOK_TOML).unwrap();
    for file in ["course.css", "course.js"] {
        fs::write(root.path().join("book/theme").join(file), "/* */").unwrap();
    }
    fs::write(root.path().join("book/src/SUMMARY.md"), "- [Page](lesson36-dev-vs-prod.md)\n").unwrap();
    fs::write(root.path().join("book/src/lesson36-dev-vs-prod.md"), page).unwrap();
    root
}

fn html(root: &TempDir, site: Site) -> String {
    let out = build(root.path(), Some(&root.path().join("out")), site).unwrap();
    assert_eq!(out, root.path().join("out"));
    fs::read_to_string(out.join("lesson36-dev-vs-prod.html")).unwrap()
}

#[test]
fn a_page_with_every_kind_of_question_becomes_html_without_answers() {
    let html = html(&course(SAMPLE), Site::Served);
    assert_eq!(html.matches("<fieldset class=\"quiz\"").count(), 6);
    assert!(html.contains("volumes:\n  - .:/app\n\n  - /app/node_modules"), "{html}");
    assert!(html.contains("Prose before the questions."));
    assert!(!html.contains("because") && !html.contains("language-quiz"));
}

#[test]
fn a_page_that_stands_alone_is_the_served_one_with_sealed_answers() {
    let served = html(&course(SAMPLE), Site::Served);
    assert!(!served.contains("data-sealed") && !served.contains("data-salt") && !served.contains("quiz.js"));
    let root = course(SAMPLE);
    let alone = html(&root, Site::Alone);
    assert_eq!(alone.matches(" data-sealed=\"").count(), 6);
    let bare = without(
        &without(&alone, " data-salt=", "><legend>", "><legend>"),
        "<link rel=\"stylesheet\" href=\"grader/",
        "</script>",
        "",
    );
    assert_eq!(bare, served);
    let version = fs::read_dir(root.path().join("out/grader")).unwrap().next().unwrap().unwrap();
    let names = ["app.css", "quiz.css", "quiz.js"].map(|name| version.path().join(name).is_file());
    assert_eq!((names, alone.contains("../")), ([true; 3], false));
}

/// The text without what stands from each `start` to the next `end`, in whose place comes `instead`.
fn without(text: &str, start: &str, end: &str, instead: &str) -> String {
    let mut parts = text.split(start);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.extend([instead, part.split_once(end).unwrap().1]);
    }
    out
}

#[test]
fn the_configured_command_is_neither_needed_nor_run() {
    let root = course(SAMPLE);
    let config = BOOK_TOML.replace("grader preprocess", "no-such-program");
    assert_ne!(config, BOOK_TOML);
    fs::write(root.path().join("book/book.toml"), config).unwrap();
    assert_eq!(html(&root, Site::Served).matches("<fieldset class=\"quiz\"").count(), 6);
}

#[test]
fn without_a_folder_for_it_the_book_goes_where_book_toml_says() {
    let root = course("# Page\n");
    assert_eq!(build(root.path(), None, Site::Served).unwrap(), root.path().join("book/book"));
    assert!(root.path().join("book/book/index.html").is_file());
}

#[test]
fn a_bad_block_fails_the_build_with_file_and_line() {
    for (page, place, message) in [
        ("# T\n\n```quiz\nid = 1\n```\n", 4, "invalid type"),
        ("# T\n\n```exercise\nleson = 1\n```\n", 4, "unknown field `leson`"),
        ("# T\n\n```exercise\nlesson = \"lesson99\"\n```\n", 4, "`lesson99` has no exercise"),
        ("# T\n\n\n```exercise\n```\n", 4, "`lesson36` has no exercise"),
    ] {
        let root = course(page);
        let error = build(root.path(), None, Site::Served).unwrap_err();
        assert!(matches!(error, BookError::Course(_)), "{error:?}");
        let shown = error.to_string();
        assert!(shown.contains(message), "{shown}");
        assert!(shown.contains(&format!("book/src/lesson36-dev-vs-prod.md:{place}:")), "{shown}");
        assert!(!root.path().join("book/book/index.html").exists());
    }
}

#[test]
fn a_quiz_outside_of_a_lesson_is_an_error() {
    let root = course("# Page\n");
    fs::write(root.path().join("book/src/SUMMARY.md"), "- [Page](about.md)\n").unwrap();
    fs::write(root.path().join("book/src/about.md"), SAMPLE).unwrap();
    let error = build(root.path(), None, Site::Served).unwrap_err().to_string();
    assert!(error.contains("book/src/about.md:5:1") && error.contains("belongs into a lesson's page"), "{error}");
}

#[test]
fn a_page_that_is_not_there_is_named() {
    let root = course("# Page\n");
    fs::write(root.path().join("book/src/SUMMARY.md"), "- [Page](lesson1-gone.md)\n").unwrap();
    let error = build(root.path(), None, Site::Served).unwrap_err().to_string();
    assert!(error.contains("lesson1-gone.md"), "{error}");
    assert!(!root.path().join("book/src/lesson1-gone.md").exists(), "mdBook must not make pages up");
}

#[test]
fn mdbooks_protocol_gives_the_same_html() {
    let root = course(SAMPLE);
    let context = PreprocessorContext::new(root.path().join("book"), mdbook_config(), "html".into());
    let chapter = Chapter::new("Page", SAMPLE.into(), "lesson36-dev-vs-prod.md", Vec::new());
    let book = Book::new_with_items(vec![BookItem::Chapter(chapter)]);
    let input = serde_json::to_vec(&(context, book)).unwrap();
    let mut output = Vec::new();
    preprocess(input.as_slice(), &mut output).unwrap();
    let answer: Book = serde_json::from_slice(&output).unwrap();
    let text = &answer.chapters().next().unwrap().content;
    assert_eq!(text.matches("<fieldset class=\"quiz\"").count(), 6);
    assert!(text.starts_with("# A page with one question of each kind\n\nProse before the questions.\n\n"));
    assert!(supports("html") && !supports("epub"));
}

#[test]
fn what_is_not_a_book_is_a_clear_error() {
    let error = preprocess("[]".as_bytes(), Vec::new()).unwrap_err().to_string();
    assert!(error.starts_with("mdBook 0.5"), "{error}");
    assert!(error.contains("Unable to parse the input"), "{error}");
}

fn mdbook_config() -> mdbook_preprocessor::config::Config {
    BOOK_TOML.parse().unwrap()
}
