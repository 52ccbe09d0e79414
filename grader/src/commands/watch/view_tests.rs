//! Pictures fit any window, and show what matters first.

use std::path::Path;

use super::*;
use crate::verdict::{Detail, Finding};

fn lesson() -> Lesson {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Lesson::load(&root, &root.join("exercises/lesson36-dev-vs-prod")).expect("the lesson")
}

/// A view of a report in which the checks with these ids failed.
fn view(failed: &[&str]) -> View {
    let lesson = lesson();
    let rows =
        (0..40).map(|row| vec![format!("/app/a/long/path/of/a/file/number/{row}"), "1.0 MB".repeat(12)]).collect();
    let finding =
        Finding::new("a wish ".repeat(30), "x".repeat(200)).with(Detail::table("files", &["path", "size"], rows));
    let checks = lesson.checks.iter().map(|check| {
        let verdict = finding.clone().decide(!failed.contains(&check.spec.id.as_str()));
        CheckReport::new(check, Outcome::Judged { verdict }, None, 1)
    });
    let mut view = View::of(&lesson);
    view.ended(Report::new(&lesson, Vec::new(), checks.collect(), 84));
    view
}

fn plain(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect()
}

#[test]
fn every_page_fits_every_window() {
    let pages = [Page::Finding, Page::List, Page::AskReset, Page::Hint("a hint that is long ".repeat(20))];
    for (columns, rows) in [(80, 24), (200, 60), (40, 10), (12, 4)] {
        for page in &pages {
            let mut view = view(&["prod-small"]);
            view.page = page.clone();
            view.tell(&"a message that is long ".repeat(20));
            let lines = plain(&view.lines(columns, rows));
            assert_eq!(lines.len(), rows, "{page:?} in {columns}x{rows}");
            let widest = lines.iter().map(|line| line.chars().count()).max();
            assert!(widest <= Some(columns), "{page:?} in {columns}x{rows}: {lines:#?}");
        }
    }
}

#[test]
fn all_checks_and_the_first_failure_are_seen_at_once_in_a_small_window() {
    let lines = plain(&view(&["prod-small", "prod-lean"]).lines(80, 24));
    let all = lines.join("\n");
    assert!(lesson().checks.iter().all(|check| all.contains(&check.spec.id)), "{all}");
    assert!(all.contains("FAIL The production image adds little to its base  prod-small"), "{all}");
    assert!(all.contains("more lines: arrow keys or space") && lines[23].starts_with("h hint"), "{all}");
}

#[test]
fn scrolling_ends_at_both_ends() {
    let mut view = view(&["prod-small"]);
    let top = view.lines(80, 24);
    view.scroll(-5);
    assert_eq!(view.lines(80, 24), top);
    view.scroll(10_000);
    let bottom = plain(&view.lines(80, 24)).join("\n");
    assert!(bottom.contains("grader hint lesson36 prod-small") && !bottom.contains("more lines"), "{bottom}");
    view.scroll(-10_000);
    assert_eq!(view.lines(80, 24), top);
}

#[test]
fn the_first_hint_is_for_the_first_failure_also_of_a_run_that_goes_on() {
    assert_eq!(view(&["prod-lean", "quiz"]).first_failed().as_deref(), Some("prod-lean"));
    let mut view = view(&[]);
    assert_eq!(view.first_failed(), None);
    view.begun();
    let outcome = Outcome::Judged { verdict: Finding::new("a", "b").decide(false) };
    view.event(&Event::CheckEnded { check: "quiz".into(), outcome, millis: 1 });
    assert_eq!(view.first_failed().as_deref(), Some("quiz"));
}

#[test]
fn a_page_is_left_by_the_key_that_opened_it() {
    let mut view = view(&[]);
    view.turn_to(Page::List);
    assert_eq!(view.page, Page::List);
    view.turn_to(Page::List);
    assert_eq!(view.page, Page::Finding);
}
