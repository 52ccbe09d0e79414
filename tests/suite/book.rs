//! The book builds and stands alone, and its pages do not give answers away.

use std::fs;

use tests::{Learner, course};

#[test]
fn the_book_builds_without_the_answers() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let out = learner.dir().join("book");
    let ended = learner.grader(&["book", "build", "--out", &out.display().to_string()]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(!ended.stderr.contains("WARN"), "{}", ended.stderr);
    let page = fs::read_to_string(out.join("lesson36-dev-vs-prod.html")).expect("page");
    assert!(page.contains("<fieldset") && page.contains("grader check lesson36"), "quiz and exercise are on the page");
    assert!(page.contains(" data-sealed=\""), "answers are judged in the page");
    assert!(!page.contains("src=\"/") && !page.contains("href=\"/"), "the book works below any path");
    let script = page.split('"').find(|text| text.ends_with("/quiz.js")).expect("a script of ours");
    assert!(out.join(script).is_file(), "{script}");
    assert!(!page.contains("```") && !page.contains("because ="), "no block is left as it was");
    let answers =
        fs::read_to_string(course().join("exercises/lesson36-dev-vs-prod/solutions/nodemon-stock-user/quiz.toml"));
    let source = fs::read_to_string(course().join("book/src/lesson36-dev-vs-prod.md")).expect("source");
    // Explanations stand behind `because`; none of them may reach the page.
    let because = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix("because = \""))
        .map(|text| text.trim_end_matches('"'));
    let explanations: Vec<&str> = because.filter(|text| text.len() > 30 && !text.contains(['`', '\\', '\''])).collect();
    assert!(explanations.len() > 5 && answers.is_ok());
    for explanation in explanations {
        assert!(!page.contains(explanation), "the page gives away: {explanation}");
    }
}
