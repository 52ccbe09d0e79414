//! An exercise is edited in the page, checked against the real daemon, and passed.

use std::time::{Duration, Instant};
use std::{fs, thread};

use tests::course;
use tests::served::Served;

use crate::hands::{EXERCISE, FILE, PAGE, TEXT, asked, at_work, checked, paste, ready, saved, to_the_beginning};

/// The longest that a save may take.
const LIMIT: Duration = Duration::from_secs(300);

#[test]
fn a_file_is_edited_here_and_elsewhere_and_nothing_is_lost() {
    let served = Served::start();
    let tab = at_work(&served);
    let disk = served.copy(EXERCISE).join(FILE);
    let on_disk = || fs::read_to_string(&disk).expect("the learner's file");
    let until_on_disk = |text: &str| {
        let deadline = Instant::now() + LIMIT;
        while !on_disk().starts_with(text) {
            assert!(Instant::now() < deadline, "{text} did not come to the disk:\n{}", on_disk());
            thread::sleep(Duration::from_millis(10));
        }
    };

    to_the_beginning(&tab);
    tab.write("# typed here\n");
    saved(&tab);
    assert!(on_disk().starts_with("# typed here\n"), "{}", on_disk());

    fs::write(&disk, format!("# from another editor\n{}", on_disk())).expect("write");
    tab.until(&format!("{TEXT}.startsWith('# from another editor\\n# typed here\\n')"));

    // Both at once: the person chooses.
    to_the_beginning(&tab);
    tab.write("# mine ");
    fs::write(&disk, "# theirs\n").expect("write");
    tab.until("document.querySelector('.wb .g-box')");
    assert_eq!(on_disk(), "# theirs\n");
    assert!(tab.text(TEXT).starts_with("# mine # from another editor"));
    // Before the choice, a reload loses neither.
    tab.reload();
    ready(&tab);
    tab.until("document.querySelector('.wb .g-box')");
    assert_eq!(on_disk(), "# theirs\n");
    assert!(tab.text(TEXT).starts_with("# mine # from another editor"));
    tab.click(".wb .g-box button");
    saved(&tab);
    assert!(on_disk().starts_with("# mine # from another editor"), "{}", on_disk());

    // Left at once after the last key.
    to_the_beginning(&tab);
    tab.write("# quick ");
    tab.go(&served.page("glossary.html"));
    until_on_disk("# quick # mine");
    tab.go(&served.page(PAGE));
    ready(&tab);
    assert!(tab.text(TEXT).starts_with("# quick # mine"));
}

#[test]
fn a_check_fails_says_why_and_passes_when_it_is_mended() {
    let served = Served::start();
    let tab = at_work(&served);
    let status = checked(&tab);
    assert!(status.contains("of 32 points") && status.contains("not there yet."), "{status}");
    let failed = "document.querySelector('.ck [data-state=fail]')";
    for part in ["Wanted", "Measured", "Why:"] {
        tab.until(&format!("{failed}.textContent.includes('{part}')"));
    }
    tab.until("/^\\d+\\/32/.test(document.querySelector('#mdbook-sidebar .active .g-mark').textContent)");

    let solution = course().join("exercises").join(EXERCISE).join("solutions/both-join-a-third/quiz.toml");
    fs::copy(solution, served.copy(EXERCISE).join("quiz.toml")).expect("copy");
    let solution = course().join("exercises").join(EXERCISE).join("solutions/both-join-a-third").join(FILE);
    paste(&tab, &fs::read_to_string(solution).expect("a solution"));
    let status = checked(&tab);
    assert!(status.contains("32 of 32 points. Everything passed."), "{status}");
    tab.until("[...document.querySelectorAll('.ck > li')].every((row) => row.dataset.state === 'pass')");
    tab.until("document.querySelector('#mdbook-sidebar .active .g-mark').textContent.includes('passed')");
    let attempts = asked(&tab, "")["attempts"].as_array().expect("attempts").len();
    assert_eq!(attempts, 2);

    // The terminal knows it, too.
    let listed = served.grader(&["list"]).stdout;
    let line = listed.lines().find(|line| line.starts_with("lesson06")).expect("the lesson");
    assert!(line.contains("passed") && !line.contains("not"), "{line}");
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
