//! A reload in the middle of a check, a server that was started again, two tabs: nothing is lost, and
//! no second run begins.

use std::fs;

use serde_json::Value;
use tests::browser::Tab;
use tests::served::Served;

use crate::hands::{
    EXERCISE, FILE, PAGE, STATUS, TEXT, asked, at_slow_work, at_work, choose, measured, ready, saved, to_the_beginning,
};

const CHECKING: &str = "document.querySelector('.g-main').textContent === 'Checking'";

fn attempts(tab: &Tab) -> usize {
    asked(tab, "")["attempts"].as_array().expect("attempts").len()
}

/// The run that the server knows: its number, and whether it is over.
fn run(tab: &Tab) -> (Value, Value) {
    let run = asked(tab, "/pulse")["run"].clone();
    (run["number"].clone(), run["over"].clone())
}

#[test]
fn a_reload_in_the_middle_of_a_check_picks_it_up() {
    let served = Served::start();
    let tab = at_slow_work(&served);
    tab.click(".g-actions .g-main");
    tab.until("document.querySelector('.g-stages li')");
    assert_eq!(run(&tab), (1.into(), false.into()), "this test looks at the middle");
    tab.screenshot("panel-checking");
    tab.reload();
    ready(&tab);
    measured(&tab);
    // Also what was told before the reload.
    tab.until("document.querySelector('.g-stages li').textContent.startsWith('Started the stack')");
    tab.until("document.querySelectorAll('.ck > li:not([data-state=none], [data-state=waiting])').length === 9");
    assert_eq!((run(&tab), attempts(&tab)), ((1.into(), true.into()), 1));
    // Once more, after it is over.
    tab.reload();
    ready(&tab);
    tab.until("document.querySelector('.ck [data-state=fail]')");
    assert_eq!((run(&tab), attempts(&tab)), ((1.into(), true.into()), 1));
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

#[test]
fn two_tabs_show_the_same_and_begin_one_check() {
    let served = Served::start();
    let one = at_slow_work(&served);
    let two = served.tab_on(PAGE);
    ready(&two);
    to_the_beginning(&two);
    two.write("# in the second tab\n");
    saved(&two);
    one.until(&format!("{TEXT}.startsWith('# in the second tab')"));

    one.click(".g-actions .g-main");
    one.until(CHECKING);
    // Whoever is quicker than the news joins.
    two.click(".g-actions .g-main");
    measured(&two);
    measured(&one);
    assert_eq!((run(&one), attempts(&one)), ((1.into(), true.into()), 1));
    let sum = |tab: &Tab| tab.text(&format!("{STATUS}.match(/\\d+ of 32 points/)[0]"));
    assert_eq!(sum(&one), sum(&two));
}

#[test]
fn a_server_that_is_started_again_has_lost_nothing() {
    let mut served = Served::start();
    let tab = at_work(&served);
    choose(&tab, "who-printed", "which reads its own number");
    tab.until("document.querySelector('#lesson06-who-printed.is-right')");
    tab.click(".g-actions .g-main");
    measured(&tab);

    served.stop();
    to_the_beginning(&tab);
    tab.write("# while nobody listened\n");
    tab.until("document.querySelector('.g-banner')?.textContent.includes('has ended')");
    let disk = served.copy(EXERCISE).join(FILE);
    assert!(!fs::read_to_string(&disk).expect("file").contains("nobody listened"));

    served.restart();
    tab.until("document.querySelector('.g-banner').textContent.includes('was started again')");
    // The new address, in this browser; the page goes on by itself.
    let door = served.tab();
    tab.until("document.querySelector('.g-banner').hidden");
    saved(&tab);
    assert!(fs::read_to_string(&disk).expect("file").starts_with("# while nobody listened\n"));
    assert_eq!(attempts(&tab), 1);

    door.go(&served.page(PAGE));
    ready(&door);
    door.until(
        "document.querySelector('#lesson06-who-printed.is-right') && document.querySelector('.ck [data-state=fail]')",
    );
    assert_eq!(asked(&door, "/pulse")["run"], Value::Null, "no check begins by itself");
    assert_eq!(door.complaints(), Vec::<String>::new());
}

#[test]
fn a_server_that_ends_during_a_check_says_so_and_leaves_nothing() {
    let mut served = Served::start();
    let tab = at_slow_work(&served);
    tab.click(".g-actions .g-main");
    tab.until("document.querySelector('.g-stages li')");
    assert_eq!(run(&tab), (1.into(), false.into()), "this test looks at the middle");
    served.stop();
    tab.until("document.querySelector('.g-banner')?.textContent.includes('has ended')");
    served.restart();
    let _door = served.tab();
    tab.until(
        "document.querySelector('.g-banner').hidden && document.querySelector('.g-main').textContent === 'Check'",
    );
    assert_eq!(attempts(&tab), 0, "a check that did not end is no attempt");
    tab.click(".g-actions .g-main");
    measured(&tab);
    assert_eq!(attempts(&tab), 1);
}
