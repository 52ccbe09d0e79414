//! What several tests do on a lesson's page.
//!
//! Owns: the steps of a person at the panel and at a question. Must not: judge what comes of them.

use serde_json::{Value, json};
use tests::browser::Tab;
use tests::served::Served;

/// The lesson whose check takes seconds: no image is built.
pub const LESSON: &str = "lesson06";
/// Its folder's name.
pub const EXERCISE: &str = "lesson06-namespaces-pid-uts";
/// Its page.
pub const PAGE: &str = "lesson06-namespaces-pid-uts.html";
/// The file that the learner writes.
pub const FILE: &str = "compose.yml";
/// What the editor has.
pub const TEXT: &str = "document.querySelector('.ed-area').value";
/// What the panel says of the check.
pub const STATUS: &str = "document.querySelector('.g-status').textContent";

/// The lesson's page, with the learner's copy made.
pub fn at_work(served: &Served) -> Tab {
    let tab = served.tab_on(PAGE);
    tab.until("document.querySelector('.g-panel .g-main')");
    tab.click(".g-panel .g-main");
    ready(&tab);
    tab
}

/// The same, with a stack that takes a while to come up: so there is time to do something in the middle of a check,
/// however slow the browser is.
pub fn at_slow_work(served: &Served) -> Tab {
    let tab = at_work(served);
    let file = served.copy(EXERCISE).join(FILE);
    let text = std::fs::read_to_string(&file).expect("the learner's file");
    let health = "  orders:\n    healthcheck: { test: [CMD, sleep, \"10\"], interval: 1s, timeout: 60s }\n";
    let waits = "  lookout:\n    depends_on: { orders: { condition: service_healthy } }\n";
    std::fs::write(&file, text.replace("  orders:\n", health).replace("  lookout:\n", waits)).expect("write");
    tab.until(&format!("{TEXT}.includes('healthcheck') && {TEXT}.includes('depends_on')"));
    tab
}

/// Waits until the panel and its editor are there.
pub fn ready(tab: &Tab) {
    tab.until("document.querySelector('.ed-area')?.value");
}

/// Checks, and waits for the report.
pub fn checked(tab: &Tab) -> String {
    tab.eval("document.querySelector('.g-status').textContent = ''");
    tab.click(".g-actions .g-main");
    measured(tab);
    tab.text(STATUS)
}

/// Waits for the report of the check that goes on.
pub fn measured(tab: &Tab) {
    tab.until(&format!("{STATUS}.startsWith('Measured in')"));
}

/// Puts the caret before everything in the editor.
pub fn to_the_beginning(tab: &Tab) {
    tab.click(".ed-area");
    tab.eval("document.activeElement.setSelectionRange(0, 0)");
}

/// Replaces what is in the editor, as pasting does.
pub fn paste(tab: &Tab, text: &str) {
    tab.click(".ed-area");
    tab.eval("document.activeElement.select()");
    tab.call("Input.insertText", &json!({"text": text}));
}

/// Waits until the panel says that the file is saved.
pub fn saved(tab: &Tab) {
    tab.until("document.querySelector('.wb-state').textContent === 'Saved.'");
}

/// What the server says of the lesson, as the page would ask it.
pub fn asked(tab: &Tab, path: &str) -> Value {
    tab.eval(&format!(
        "fetch('/api/lessons/{LESSON}{path}', {{ headers: {{ authorization: `Bearer ${{localStorage.getItem('grader-key')}}` }} }})
            .then((answer) => answer.json())"
    ))
}

/// Marks the choice with this text, and answers.
pub fn choose(tab: &Tab, question: &str, text: &str) {
    let field = format!("#{LESSON}-{question}");
    let id = tab.text(&format!(
        "[...document.querySelectorAll('{field} label')].find((label) => label.textContent.includes({})).htmlFor",
        json!(text)
    ));
    tab.click(&format!("#{id}"));
    tab.click(&format!("{field} .quiz-actions .g-button"));
}
