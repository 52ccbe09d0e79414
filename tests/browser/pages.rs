//! Every kind of page can be read by everybody: in both themes, at three widths, and by the rules of
//! accessibility. Nothing is wider than the page, and the browser has nothing to complain of.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tests::axe;
use tests::browser::Tab;
use tests::served::Served;

use crate::states::{BEGUN, FRESH, State};

const THEMES: [&str; 2] = ["light", "navy"];
const WIDTHS: [u32; 3] = [320, 700, 1200];

/// Looks at each state in each theme and width, keeps a screenshot, and gives what is wrong.
pub fn looked_at(served: &Served, tab: &Tab, states: &[State]) -> Vec<String> {
    let mut wrong = Vec::new();
    for theme in THEMES {
        tab.eval(&format!("localStorage.setItem('mdbook-theme', '{theme}')"));
        for width in WIDTHS {
            tab.size(width, 900);
            for state in states {
                let name = format!("{}-{theme}-{width}", state.name);
                let before = tab.complaints().len();
                tab.go(&served.page(state.page));
                tab.until(state.ready);
                tab.until("document.fonts.status === 'loaded'");
                (state.arrange)(tab);
                let shows = format!("document.querySelector({})", json!(state.shows));
                tab.eval(&format!("{shows}.scrollIntoView({{ block: 'start', behavior: 'instant' }}), null"));
                tab.screenshot(&name);
                wrong.extend(too_wide(tab).into_iter().map(|text| format!("{name}: {text}")));
                wrong.extend(axe::violations(tab).into_iter().map(|text| format!("{name}: {text}")));
                let complaints = tab.complaints().split_off(before).into_iter();
                // That a page is not found is said by the browser, too.
                let new = complaints.filter(|text| state.name != "not-found" || !text.contains("status of 404"));
                wrong.extend(new.map(|text| format!("{name}: {text}")));
            }
        }
    }
    wrong
}

/// What is wider than the window: one would have to scroll sideways, or it is cut off (mdBook's own
/// frame hides what leaves it). What scrolls in a frame of its own, such as code, is in order.
fn too_wide(tab: &Tab) -> Option<String> {
    let found = tab.eval(
        "(() => {
            const scrolls = (node) => node.matches('main') ? false : getComputedStyle(node).overflowX !== 'visible' || scrolls(node.parentElement);
            // On a narrow window, the open table of contents pushes the whole page aside.
            const aside = new DOMMatrix(getComputedStyle(document.querySelector('.page-wrapper')).transform).m41;
            const leaves = (node) => node.getBoundingClientRect().right > innerWidth + aside + 0.5 && node.checkVisibility() && !scrolls(node);
            const wide = [...document.querySelectorAll('main *')].filter(leaves).map((node) => node.outerHTML.slice(0, 100));
            const { scrollWidth } = document.scrollingElement;
            if (scrollWidth <= innerWidth && !wide.length) return null;
            return `too wide (the page scrolls to ${scrollWidth})\\n${wide.slice(0, 5).join('; ')}`;
        })()",
    );
    found.as_str().map(str::to_owned)
}

/// Fails with each kind of fault once: where it was seen, and some of the elements.
pub fn report(wrong: &[String]) {
    let mut kinds: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for one in wrong {
        let (state, text) = one.split_once(": ").expect("a state");
        let (kind, element) = text.split_once('\n').unwrap_or((text, ""));
        let (states, elements) = kinds.entry(kind).or_default();
        states.insert(state);
        elements.insert(element);
    }
    let lines = kinds.iter().map(|(kind, (states, elements))| {
        let some = |all: &BTreeSet<&str>, glue: &str| all.iter().take(6).copied().collect::<Vec<_>>().join(glue);
        format!("{kind}\n    {}\n  in {} states: {}", some(elements, "\n    "), states.len(), some(states, ", "))
    });
    assert!(kinds.is_empty(), "{} things are wrong:\n\n{}", kinds.len(), lines.collect::<Vec<_>>().join("\n\n"));
}

#[test]
fn everybody_can_read_pages_that_are_new() {
    let served = Served::start();
    let tab = served.tab();
    report(&looked_at(&served, &tab, FRESH));
}

/// The other tests look at kinds of page; this one finds the pages by itself, so that a new lesson is looked at.
#[test]
fn everybody_can_read_every_page_of_the_book() {
    let served = Served::start();
    let tab = served.tab();
    tab.until("document.querySelector('#mdbook-sidebar .chapter-link-wrapper')");
    let pages = tab.eval("[...document.querySelectorAll('#mdbook-sidebar .chapter-link-wrapper > a')].map((link) => new URL(link.href).pathname.slice(1))");
    let mut pages: Vec<String> = serde_json::from_value(pages).expect("addresses");
    pages.push("print.html".to_owned());
    assert!(pages.iter().any(|page| page.starts_with("lesson36")), "{pages:?}");
    tab.size(320, 900);
    let mut wrong = Vec::new();
    for theme in THEMES {
        tab.eval(&format!("localStorage.setItem('mdbook-theme', '{theme}')"));
        for page in &pages {
            tab.go(&served.page(page));
            if page != "print.html" {
                tab.until("!document.querySelector('.exercise') || document.querySelector('.g-panel .g-main')");
                tab.until("!document.querySelector('.quiz') || document.querySelector('.quiz-end')");
            }
            let found = too_wide(&tab).into_iter().chain(axe::violations(&tab));
            wrong.extend(found.map(|text| format!("{page}-{theme}: {text}")));
        }
    }
    wrong.extend(tab.complaints().into_iter().map(|text| format!("some page: {text}")));
    report(&wrong);
}

#[test]
fn everybody_can_read_pages_with_findings_and_answers() {
    let served = Served::start();
    // What was done before, in another tab.
    let earlier = served.tab_on("lesson06-namespaces-pid-uts.html");
    earlier.click(".g-panel .g-main");
    earlier.until("document.querySelector('.ed-area')");
    earlier.click(".g-actions .g-main");
    earlier.until("document.querySelector('.g-status').textContent.startsWith('Measured in')");
    earlier.click("#lesson06-who-printed-1");
    earlier.click("#lesson06-who-printed .quiz-actions .g-button");
    earlier.until("document.querySelector('#lesson06-who-printed.is-wrong')");
    earlier.click("#lesson06-both-numbers-answer");
    earlier.write("NSpid\n");
    earlier.until("document.querySelector('#lesson06-both-numbers.is-right')");
    let tab = served.tab();
    report(&looked_at(&served, &tab, BEGUN));
}
