//! A shell in the page, for whoever has asked for it.

use tests::served::Served;

use crate::hands::PAGE;
use crate::pages::{looked_at, report};
use crate::states::State;

/// The shell waits for a command: the last line that is not empty is its prompt. Keys that are pressed before may be
/// thrown away, as Ctrl+C does.
const PROMPT: &str = "[...document.querySelectorAll('.tt-rows .tt-row')].map((row) => row.textContent.trim()).filter(Boolean).at(-1) === '>'";

fn shows(line: &str) -> String {
    format!("[...document.querySelectorAll('.tt-row')].some((row) => row.textContent === '{line}')")
}

#[test]
fn commands_are_typed_by_keyboard_alone_and_a_reload_finds_the_same_shell() {
    let served = Served::with(&["--terminal"], &[]);
    let tab = served.tab_on(PAGE);
    tab.until("document.querySelector('[aria-controls=tt]')");
    tab.eval("document.querySelector('[aria-controls=tt]').focus()");
    tab.press(&["Enter"]);
    tab.until(PROMPT);
    tab.until("document.activeElement.classList.contains('tt-keys')");
    tab.write("dish=soup; echo $dish-$((40 + 2))\n");
    tab.until(&shows("soup-42"));
    tab.until(PROMPT);
    tab.write("sleep 1000\n");
    tab.until(&shows("> sleep 1000"));
    tab.press(&["Ctrl+c"]);
    tab.until(PROMPT);
    tab.write("echo code-$?\n");
    tab.until(&shows("code-130"));
    // The keyboard is not caught in it.
    tab.press(&["Shift+Tab"]);
    tab.until("!document.activeElement.classList.contains('tt-keys')");

    tab.reload();
    tab.until(&shows("soup-42"));
    tab.click(".tt-box");
    tab.until(PROMPT);
    tab.write("echo $dish-again\n");
    tab.until(&shows("soup-again"));
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

#[test]
fn it_is_not_there_unless_it_was_asked_for() {
    let served = Served::start();
    let tab = served.tab_on(PAGE);
    tab.until("document.querySelector('.g-panel .g-main') && document.querySelector('.quiz-actions')");
    let loaded = tab.eval("performance.getEntriesByType('resource').some(({ name }) => name.includes('terminal'))");
    assert_eq!((loaded, tab.eval("document.querySelector('[aria-controls=tt]')")), (false.into(), ().into()));
}

#[test]
fn everybody_can_read_it() {
    const OPEN: State = State {
        name: "terminal",
        page: PAGE,
        ready: "document.querySelector('[aria-controls=tt]')",
        arrange: |tab| {
            tab.until("document.querySelector('#tt')");
            if tab.eval("document.querySelector('#tt').hidden") == true {
                tab.click("[aria-controls=tt]");
            }
            tab.until(PROMPT);
            tab.click(".tt-box");
            tab.write(r"printf '\033[1;31mhot \033[32mgreen \033[7mturned\033[0m\n'");
            tab.press(&["Enter"]);
            tab.until("[...document.querySelectorAll('.tt-row')].some((row) => row.textContent.startsWith('hot'))");
        },
        shows: "#tt",
    };
    let served = Served::with(&["--terminal"], &[]);
    report(&looked_at(&served, &served.tab(), &[OPEN]));
}
