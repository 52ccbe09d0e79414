//! The whole of a lesson by keyboard: Tab, Enter, Space, Escape and the arrows.

use std::fs;

use serde_json::json;
use tests::browser::Tab;
use tests::served::Served;

use crate::hands::{EXERCISE, FILE, TEXT, measured};

/// More places than any page has.
const PLACES: usize = 800;

/// Presses Tab as long as an element does not have the focus, and looks whether that can be seen.
fn tab_to(tab: &Tab, selector: &str) {
    let has_focus = format!("document.activeElement.matches({})", json!(selector));
    for _ in 0..PLACES {
        if tab.eval(&has_focus) == true {
            // The editor's frame shows it for the text inside.
            let is_seen = "[document.activeElement, document.activeElement.closest('.ed')].some((node) => node && getComputedStyle(node).outlineStyle !== 'none')";
            assert_eq!(tab.eval(is_seen), true, "{selector} has the focus, and nobody sees it");
            return;
        }
        tab.press(&["Tab"]);
    }
    panic!("Tab does not come to {selector}");
}

#[test]
fn a_lesson_is_done_by_keyboard_alone() {
    let served = Served::start();
    let tab = served.tab();
    tab.until("document.querySelector('.g-start a')");
    tab_to(&tab, ".g-start a");
    tab.press(&["Enter"]);
    tab.until("location.pathname === '/lesson06-namespaces-pid-uts.html' && document.querySelector('.g-panel .g-main') && document.querySelector('.quiz-actions')");

    // The exercise: a copy, a file, the editor and out of it, a check.
    tab_to(&tab, ".g-panel .g-main");
    tab.press(&["Enter"]);
    tab.until("document.activeElement.matches('.wb-name') && document.querySelector('.ed-area')?.value");
    tab.press(&["Enter"]);
    tab_to(&tab, ".ed-area");
    tab.press(&["Ctrl+Home"]);
    tab.write("# by keyboard");
    tab.press(&["Enter", "Tab"]);
    tab.until(&format!("{TEXT}.startsWith('# by keyboard\\n  ')"));
    tab.press(&["Ctrl+s"]);
    tab.until("document.querySelector('.wb-state').textContent === 'Saved.'");
    let text = fs::read_to_string(served.copy(EXERCISE).join(FILE)).expect("file");
    assert!(text.starts_with("# by keyboard\n  "), "{text}");
    tab.press(&["Escape", "Tab"]);
    assert_eq!(tab.eval("document.activeElement.matches('.ed-area')"), false, "Escape and Tab lead out of the editor");
    tab_to(&tab, ".g-actions .g-main");
    tab.press(&["Space"]);
    measured(&tab);
    assert_eq!(tab.eval("document.activeElement.matches('.g-main')"), true, "the focus stays where it was");
    tab_to(&tab, "[data-state=fail] summary");
    let is_open = "document.activeElement.parentElement.open";
    let before = tab.eval(is_open);
    tab.press(&["Enter"]);
    assert_ne!(tab.eval(is_open), before, "Enter unfolds a finding, or folds it");

    // Questions: one of several, a short answer, an order.
    tab_to(&tab, "#lesson06-both-numbers input");
    tab.write("NSpid");
    tab.press(&["Enter"]);
    tab.until("document.querySelector('#lesson06-both-numbers.is-right')");
    tab_to(&tab, "#lesson06-who-printed input");
    let right = "document.activeElement.nextElementSibling.textContent.includes('which reads its own number')";
    tab.press(&["Space"]);
    while tab.eval(right) != true {
        tab.press(&["ArrowDown"]);
        assert_eq!(tab.eval("document.activeElement.matches('#lesson06-who-printed input:checked')"), true);
    }
    tab_to(&tab, "#lesson06-who-printed .quiz-actions .g-button");
    tab.press(&["Enter"]);
    tab.until("document.querySelector('#lesson06-who-printed.is-right')");
    tab_to(&tab, "#lesson06-start-of-a-container .order-down");
    let first = tab.text("document.activeElement.closest('li').dataset.number");
    tab.press(&["Space"]);
    tab.until(&format!(
        "document.querySelectorAll('#lesson06-start-of-a-container .order > li')[1].dataset.number === '{first}'"
    ));
    assert_eq!(tab.eval("document.activeElement.matches('.order-down')"), true, "the focus moves with the line");
}

#[test]
fn the_table_of_contents_opens_and_closes_by_keyboard() {
    let served = Served::start();
    let tab = served.tab();
    tab.size(700, 900);
    tab.go(&served.page("glossary.html"));
    tab_to(&tab, "#course-contents");
    let is_open = "document.documentElement.classList.contains('sidebar-visible')";
    assert_eq!(tab.eval(is_open), false);
    tab.press(&["Enter"]);
    tab.until(is_open);
    assert_eq!(tab.text("document.activeElement.ariaExpanded"), "true");
    tab.press(&["Space"]);
    tab.until(&format!("!{is_open}"));
    assert_eq!(tab.text("document.activeElement.ariaExpanded"), "false");
}
