//! Questions are answered in the page, explain themselves, and keep what was answered.

use tests::course;
use tests::served::Served;

use crate::hands::{PAGE, choose};

pub const FIELD: &str = "document.querySelector('#lesson06-who-printed')";
pub const WRONG: &str = "The server's init, which is number 1 everywhere";
pub const WHY_WRONG: &str = "It is 1 in the host's namespace.";
pub const RIGHT: &str = "The new process of the service, which reads its own number";
pub const WHY_RIGHT: &str = "Each start makes a new PID namespace";

#[test]
fn a_wrong_answer_is_explained_and_a_right_one_is_kept() {
    let source = std::fs::read_to_string(course().join("book/src/lesson06-namespaces-pid-uts.md")).expect("the page");
    assert!(source.contains(WHY_WRONG) && source.contains(WHY_RIGHT), "the lesson has other words now");
    let served = Served::start();
    let tab = served.tab_on(PAGE);
    tab.until("document.querySelector('.quiz-actions')");
    let before = tab.text("document.documentElement.outerHTML");
    assert!(!before.contains(WHY_WRONG) && !before.contains(WHY_RIGHT), "the page gives the answers away");

    choose(&tab, "who-printed", WRONG);
    tab.until(&format!("{FIELD}.classList.contains('is-wrong')"));
    let result = tab.text(&format!("{FIELD}.querySelector('.quiz-result').innerText"));
    assert!(result.contains("Not right yet.") && result.contains(WHY_WRONG), "{result}");
    assert!(!result.contains(WHY_RIGHT), "the right answer is still to be found: {result}");

    choose(&tab, "who-printed", RIGHT);
    tab.until(&format!("{FIELD}.classList.contains('is-right')"));
    let result = tab.text(&format!("{FIELD}.querySelector('.quiz-result').innerText"));
    assert!(result.contains("Right.") && result.contains(WHY_RIGHT), "{result}");
    let summary = tab.text("document.querySelector('.quiz-summary').innerText");
    assert!(summary.starts_with("1 of 9 questions right, 8 not answered yet."), "{summary}");

    tab.reload();
    tab.until(&format!("{FIELD}.classList.contains('is-right')"));
    let chosen = tab.text(&format!("{FIELD}.querySelector('input:checked').nextElementSibling.innerText"));
    assert_eq!(chosen, RIGHT);
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
