//! The HTML of an exercise: what to deliver, and how it is measured.
//!
//! Owns: the table of checks. Must not: give hints; those are asked for one by one.

use super::{escaped, inline, on_one_line};
use crate::book::{EXERCISE, Site};
use crate::course::Lesson;
use crate::course::spec::CheckSpec;

/// The exercise of a lesson.
pub(in crate::book) fn html(lesson: &Lesson, site: Site) -> String {
    let checks: Vec<_> = lesson.checks.iter().map(|check| &check.spec).collect();
    parts(&lesson.spec.id, lesson.spec.minutes, &lesson.spec.deliver, &checks, site)
}

fn parts(id: &str, minutes: u32, deliver: &[String], checks: &[&CheckSpec], site: Site) -> String {
    let files: Vec<_> = deliver.iter().map(|file| format!("<li><code>{}</code></li>", escaped(file))).collect();
    let files = files.concat();
    let rows: String = checks.iter().map(|check| row(check)).collect();
    let how = match site {
        Site::Served => format!("Measure your work with <code>grader check {id}</code>."),
        Site::Alone => format!(
            "It is done on your own machine: <code>grader start {id}</code> gives you the files and \
             <code>grader check {id}</code> measures your work. <code>grader serve</code> opens this page with both in it."
        ),
    };
    let points: u32 = checks.iter().map(|check| check.points).sum();
    on_one_line(&format!(
        "{EXERCISE} aria-label=\"The exercise of {id}\">\
         <p class=\"exercise-facts\">About {minutes} minutes, {points} points. {how}</p>\
         <p class=\"exercise-label\" id=\"{id}-deliver\">You write</p>\
         <ul class=\"exercise-files\" aria-labelledby=\"{id}-deliver\">{files}</ul>\
         <div class=\"table-wrapper\"><table class=\"exercise-checks\">\
         <caption>How it is measured</caption>\
         <thead><tr><th scope=\"col\">What holds</th><th scope=\"col\">Points</th><th scope=\"col\">Why</th></tr></thead>\
         <tbody>{rows}</tbody></table></div></section>"
    ))
}

fn row(check: &CheckSpec) -> String {
    let (title, why) = (inline(&check.title), inline(&check.why));
    format!("<tr><th scope=\"row\">{title}</th><td class=\"exercise-points\">{}</td><td>{why}</td></tr>", check.points)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(title: &str, points: u32) -> CheckSpec {
        CheckSpec {
            id: "small".into(),
            title: title.into(),
            kind: "image-size".into(),
            points,
            why: "Every pull & start pays for it.".into(),
            hints: ["nudge".into(), "push".into(), "nearly".into()],
            after: Vec::new(),
        }
    }

    #[test]
    fn files_points_and_reasons_are_shown_and_hints_are_not() {
        let checks = [check("The `production` image adds at most 12 MB", 3), check("It starts", 4)];
        let deliver = ["Dockerfile".into(), "a<b>.yml".into()];
        let html = parts("lesson36", 45, &deliver, &checks.iter().collect::<Vec<_>>(), Site::Served);
        for wanted in [
            "About 45 minutes, 7 points.",
            "<code>grader check lesson36</code>",
            "<li><code>Dockerfile</code></li><li><code>a&lt;b&gt;.yml</code></li>",
            "<th scope=\"row\">The <code>production</code> image adds at most 12 MB</th>",
            "<td class=\"exercise-points\">3</td><td>Every pull &amp; start pays for it.</td>",
        ] {
            assert!(html.contains(wanted), "{wanted} in {html}");
        }
        for hint in ["nudge", "push", "nearly", "image-size"] {
            assert!(!html.contains(hint), "{hint} in {html}");
        }
        assert!(!html.contains('\n'));
        let alone = parts("lesson36", 45, &deliver, &[], Site::Alone);
        for command in ["grader start lesson36", "grader check lesson36", "grader serve"] {
            assert!(alone.contains(&format!("<code>{command}</code>")), "{command} in {alone}");
        }
    }
}
