//! What a person may have before them: kinds of page, and the states that they can be in.
//!
//! Owns: the list. Must not: judge; `pages` does.

use tests::browser::Tab;

/// One state of one page.
pub struct State {
    /// What its screenshots are called.
    pub name: &'static str,
    /// The page's address, below the first one.
    pub page: &'static str,
    /// JavaScript that is true as soon as the page is what it should be.
    pub ready: &'static str,
    /// What the person does there.
    pub arrange: fn(&Tab),
    /// What the screenshot shows from its upper edge on.
    pub shows: &'static str,
}

/// A page on which nothing is done.
const PAGE: State = State {
    name: "",
    page: "",
    ready: "document.querySelector('#mdbook-sidebar .chapter-link-wrapper')",
    arrange: |_| {},
    shows: "main",
};

const LESSON: &str = "lesson06-namespaces-pid-uts.html";

/// As it is for somebody who comes for the first time.
pub const FRESH: &[State] = &[
    State { name: "start", ready: "document.querySelector('.g-start')", ..PAGE },
    State { name: "lesson", page: LESSON, ready: "document.querySelector('.g-panel')", ..PAGE },
    State {
        name: "panel-new",
        page: LESSON,
        ready: "document.querySelector('.g-panel .g-main')",
        shows: ".g-panel",
        ..PAGE
    },
    State {
        name: "quiz-new",
        page: LESSON,
        ready: "document.querySelector('.quiz-actions')",
        shows: "#lesson06-who-printed",
        ..PAGE
    },
    State { name: "glossary", page: "glossary.html", ..PAGE },
    State { name: "commands", page: "commands.html", ..PAGE },
    State { name: "instructors", page: "instructors.html", ..PAGE },
    State { name: "reference-checks", page: "reference/checks.html", ..PAGE },
    State { name: "reference-threats", page: "reference/threat-model.html", ..PAGE },
    State { name: "reference-report", page: "reference/report.html", ..PAGE },
    State { name: "not-found", page: "there-is-no-such-page.html", ..PAGE },
    State {
        name: "search",
        page: "glossary.html",
        arrange: |tab| {
            tab.press(&["s"]);
            tab.until("document.activeElement.id === 'mdbook-searchbar'");
            tab.write("namespace");
            tab.until("document.querySelectorAll('#mdbook-searchresults li').length > 2");
        },
        shows: "body",
        ..PAGE
    },
    State {
        name: "contents",
        arrange: |tab| {
            if tab.eval("document.documentElement.classList.contains('sidebar-visible')") != true {
                tab.click("#course-contents");
            }
            tab.until("document.getElementById('mdbook-sidebar').getBoundingClientRect().left === 0");
        },
        shows: "body",
        ..PAGE
    },
    State {
        name: "themes",
        arrange: |tab| {
            tab.click("#mdbook-theme-toggle");
            tab.until("document.getElementById('mdbook-theme-list').checkVisibility()");
        },
        shows: "body",
        ..PAGE
    },
    State {
        name: "keys",
        arrange: |tab| {
            tab.press(&["?"]);
            tab.until("document.getElementById('mdbook-help-popup').checkVisibility()");
        },
        shows: "body",
        ..PAGE
    },
];

/// As it is for somebody who has answered two questions of lesson 6, one of them wrong, and whose
/// files do not pass yet.
pub const BEGUN: &[State] = &[
    State { name: "start-begun", ready: "document.querySelector('.g-start table')", ..PAGE },
    State { name: "panel-files", page: LESSON, ready: FOUND, shows: ".g-panel", ..PAGE },
    State {
        name: "panel-given",
        page: LESSON,
        ready: FOUND,
        arrange: |tab| {
            tab.click(".wb-given summary");
            tab.click(".wb-given .wb-name");
            tab.until("document.querySelector('.ed-area').readOnly");
        },
        shows: ".g-panel",
    },
    State {
        name: "panel-checked",
        page: LESSON,
        ready: FOUND,
        arrange: |tab| {
            tab.eval("document.querySelector('[data-state=fail] details').open = true");
        },
        shows: ".g-actions",
    },
    State {
        name: "panel-findings",
        page: LESSON,
        ready: FOUND,
        arrange: |tab| {
            tab.eval("document.querySelectorAll('.ck details').forEach((details) => (details.open = true))");
            tab.click("[data-state=fail] .g-hints button");
            tab.until("document.querySelector('.g-hints .g-note').textContent");
        },
        shows: ".g-status",
    },
    State {
        name: "panel-start-over",
        page: LESSON,
        ready: FOUND,
        arrange: |tab| {
            tab.click(".g-menu summary");
            tab.click(".g-menu button:last-child");
            tab.until("document.querySelector('[aria-label=\"Start over\"]')");
        },
        shows: ".g-actions",
    },
    State {
        name: "quiz-answered",
        page: LESSON,
        ready: "document.querySelector('.quiz.is-wrong') && document.querySelector('.quiz.is-right')",
        shows: "#lesson06-who-printed",
        ..PAGE
    },
];

/// The files are there, and so are the findings of the last check.
const FOUND: &str = "document.querySelector('.ed-area') && document.querySelector('.ck [data-state=fail]')";
