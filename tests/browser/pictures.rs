//! What was measured is drawn: curves and timelines of checks, layers, kitchen and restaurant.

use tests::served::Served;

use crate::hands::{checked, ready};
use crate::pages::{looked_at, report};
use crate::states::State;

const LESSON08: &str = "lesson08-cgroups-memory.html";

#[test]
fn a_curve_is_drawn_while_memory_grows_and_stays_with_its_table() {
    const CURVE: State = State {
        name: "curve",
        page: LESSON08,
        ready: "document.querySelector('.ck [data-state]')",
        arrange: |tab| {
            tab.eval("document.querySelectorAll('.ck details').forEach((details) => (details.open = true))");
            tab.until("document.querySelector('.ck .pl-curve')");
        },
        shows: ".ck .pl",
    };
    let served = Served::start();
    served.solve("lesson08-cgroups-memory", "mem-limit");
    let tab = served.tab_on(LESSON08);
    ready(&tab);
    // Every picture that is there before the report is one that was drawn live.
    tab.eval(
        "window.live = 0; new MutationObserver(() => {
            if (!document.querySelector('.g-status').textContent.startsWith('Measured in') && document.querySelector('.ck .pl-curve')) window.live += 1;
        }).observe(document.querySelector('.ck'), { childList: true, subtree: true })",
    );
    let status = checked(&tab);
    assert!(status.contains("Everything passed."), "{status}");
    let live = tab.eval("window.live").as_u64().unwrap_or_default();
    assert!(live > 1, "the curve was drawn {live} times before the report");
    report(&looked_at(&served, &tab, &[CURVE]));
    let rows = tab.eval("document.querySelectorAll('.ck .g-figure .g-table tr').length");
    assert!(rows.as_u64() > Some(5), "{rows} rows");
}

#[test]
fn layers_are_drawn_with_their_table() {
    const LAYERS: State = State {
        name: "layers",
        page: "lesson12-image-layers.html",
        ready: "document.querySelector('.ed-area')",
        arrange: |tab| {
            tab.click(".g-looks button");
            tab.until("document.querySelector('.g-slate svg')");
        },
        shows: ".g-looks",
    };
    let served = Served::start();
    served.solve("lesson12-image-layers", "proofs-in-memory");
    report(&looked_at(&served, &served.tab(), &[LAYERS]));
}

#[test]
fn kitchen_and_restaurant_stand_side_by_side() {
    let served = Served::start();
    served.solve("lesson36-dev-vs-prod", "shared-base-compose");
    let tab = served.tab_on("lesson36-dev-vs-prod.html");
    ready(&tab);
    tab.click(".g-looks button:last-child");
    tab.until("document.querySelector('.g-slate svg')");
    tab.eval("document.querySelector('.g-looks').scrollIntoView()");
    tab.screenshot("compare");
    assert_eq!(tests::axe::violations(&tab), Vec::<String>::new());
    let picture = tab.text("document.querySelector('.g-slate svg').textContent");
    assert!(picture.contains("Kitchen") && picture.contains("Restaurant"), "{picture}");
    let table = tab.text("document.querySelector('.g-looks .g-table').textContent");
    assert!(table.contains("NODE_ENV") && table.contains("production"), "{table}");
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
