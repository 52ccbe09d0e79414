//! The book without a server, read from a disk: its questions are judged in the page.

use std::process::Command;

use tests::browser::Browser;
use tests::{axe, course, ended, program};

use crate::hands::{PAGE, choose};
use crate::quiz::{FIELD, RIGHT, WHY_RIGHT, WHY_WRONG, WRONG};

#[test]
fn a_book_on_a_disk_judges_answers_and_keeps_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let to = folder.path().display().to_string();
    let built = Command::new(program())
        .args(["book", "build", "--out", &to])
        .current_dir(course())
        .env("GRADER_COURSE", course())
        .output();
    let built = ended(&built.expect("grader"));
    assert_eq!(built.code, 0, "{}", built.all());
    let browser = Browser::reaching(&[]);
    let tab = browser.tab();
    tab.go(&format!("file://{to}/{PAGE}"));
    tab.until("document.querySelector('main .quiz-kept')");
    let page = tab.text("document.documentElement.outerHTML");
    assert!(!page.contains(WHY_WRONG) && !page.contains(WHY_RIGHT), "the page gives the answers away");

    choose(&tab, "who-printed", WRONG);
    tab.until(&format!("{FIELD}.classList.contains('is-wrong')"));
    let result = tab.text(&format!("{FIELD}.querySelector('.quiz-result').innerText"));
    assert!(result.contains(WHY_WRONG) && !result.contains(WHY_RIGHT), "{result}");
    choose(&tab, "who-printed", RIGHT);
    tab.until(&format!("{FIELD}.classList.contains('is-right')"));
    let result = tab.text(&format!("{FIELD}.querySelector('.quiz-result').innerText"));
    assert!(result.contains(WHY_RIGHT), "{result}");

    tab.reload();
    tab.until(&format!("{FIELD}.classList.contains('is-right')"));
    let summary = tab.text("document.querySelector('.quiz-summary').innerText");
    assert!(summary.starts_with("1 of 9 questions right"), "{summary}");
    assert_eq!(tab.complaints(), Vec::<String>::new());
    // The rules read style sheets once more, which a page from a disk may not do: that is complained of.
    for width in [320, 1200] {
        tab.size(width, 900);
        tab.screenshot(&format!("alone-{width}"));
        assert_eq!(axe::violations(&tab), Vec::<String>::new(), "{width}");
    }
}
