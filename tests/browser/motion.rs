//! Whoever has asked for less motion gets none.

use tests::served::Served;

use crate::hands::PAGE;

/// The longest of all transitions and animations on the page, and smooth scrolling, which counts as 1 s.
const LONGEST: &str = "Math.max(...[...document.querySelectorAll('*')].flatMap((node) =>
    [undefined, '::before', '::after'].flatMap((part) => {
        const { transitionDuration, animationName, animationDuration, scrollBehavior } = getComputedStyle(node, part);
        const seconds = (all) => all.split(',').map(parseFloat);
        return [...seconds(transitionDuration), ...(animationName === 'none' ? [] : seconds(animationDuration)), scrollBehavior === 'smooth' ? 1 : 0];
    })))";

#[test]
fn nothing_moves_for_those_who_want_no_motion() {
    let served = Served::start();
    let tab = served.tab();
    for page in ["", PAGE, "glossary.html"] {
        for is_wanted in [true, false] {
            tab.reduced_motion(is_wanted);
            tab.go(&served.page(page));
            tab.until("document.querySelector('#mdbook-sidebar .chapter-link-wrapper') && (!document.querySelector('.exercise') || document.querySelector('.g-panel .g-main'))");
            let longest = tab.eval(LONGEST).as_f64().expect("seconds");
            assert_eq!(longest < 0.001, is_wanted, "{page}: {longest} s, reduced motion {is_wanted}");
        }
    }
    // The table of contents still goes away altogether, for which mdBook waits for the end of a transition.
    tab.reduced_motion(true);
    tab.reload();
    tab.click("#course-contents");
    tab.until("!document.getElementById('mdbook-sidebar').checkVisibility()");
}
