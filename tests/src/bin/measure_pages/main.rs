//! What the served course costs in a browser, beside the plain book: `make bench` runs it.
//!
//! usage: `measure_pages ROUNDS`, from the course's folder. Owns: loading pages in turn, and reading the
//! browser's own clocks. Must not: judge; it prints medians.
//!
//! *Interactive* is the moment at which the browser has parsed the page and run all scripts that it
//! begins with, modules too (the end of `DOMContentLoaded`): from then on, it answers keys and clicks. *Live* is
//! the moment at which questions can be answered and the exercise's panel is there.

mod plain;

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};
use tests::browser::Tab;
use tests::served::Served;

/// Kinds of page: address, and JavaScript that is true as soon as all of ours is live.
const PAGES: [(&str, &str); 4] = [
    ("introduction.html", "document.querySelector('.g-start')"),
    ("glossary.html", "true"),
    ("lesson06-namespaces-pid-uts.html", LIVE),
    ("lesson36-dev-vs-prod.html", LIVE),
];
const LIVE: &str = "document.querySelector('.quiz-end') && document.querySelector('.g-panel .g-main')";

/// Runs of a check whose events are timed.
const CHECKS: usize = 3;

fn main() {
    let rounds: usize =
        std::env::args().nth(1).and_then(|rounds| rounds.parse().ok()).expect("usage: measure_pages ROUNDS");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let beside = std::env::current_exe().expect("this program").with_file_name("plain_book");
    let built = Command::new(beside).args([".".as_ref(), folder.path()]).status().expect("plain_book");
    assert!(built.success(), "the plain book is not built");
    let plain = plain::serve(folder.path().to_path_buf());
    let served = Served::with(&[], &[plain]);
    let tab = served.tab();
    tab.call("Network.enable", &json!({}));
    times(&tab, &served, plain, rounds);
    bytes(&tab, &served, plain);
    delays(&served);
}

/// Milliseconds from the start of the navigation, with nothing in the browser's cache.
struct Loaded {
    interactive: f64,
    live: f64,
}

fn loaded(tab: &Tab, address: &str, live: &str) -> Loaded {
    tab.go("about:blank");
    tab.call("Network.clearBrowserCache", &json!({}));
    let script = format!(
        "new MutationObserver((_, observer) => {{
            if (!({live})) return;
            window.liveAt = performance.now();
            observer.disconnect();
        }}).observe(document, {{ childList: true, subtree: true }})"
    );
    let added = tab.call("Page.addScriptToEvaluateOnNewDocument", &json!({"source": script}));
    tab.go(address);
    tab.until("window.liveAt && performance.getEntriesByType('navigation')[0].loadEventEnd");
    tab.call("Page.removeScriptToEvaluateOnNewDocument", &json!({"identifier": added["identifier"]}));
    let number = |expression: &str| tab.eval(expression).as_f64().expect("a number");
    let interactive = number("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd");
    Loaded { interactive, live: number("window.liveAt").max(interactive) }
}

fn times(tab: &Tab, served: &Served, plain: u16, rounds: usize) {
    println!("\npages in Chromium, nothing cached ({rounds} pairs each, in turn, medians)");
    println!("  {:<36} {:>9} {:>9} {:>7} {:>16} {:>9}", "", "plain", "ours", "ratio", "", "live");
    let mut all = Vec::new();
    for (page, live) in PAGES {
        let (mut of_plain, mut of_ours, mut ratios, mut lives) = (vec![], vec![], vec![], vec![]);
        for round in 0..=rounds {
            let plain = loaded(tab, &format!("http://127.0.0.1:{plain}/{page}"), "true");
            let ours = loaded(tab, &served.page(page), live);
            // The first pair warms up the machine.
            if round > 0 {
                ratios.push(ours.interactive / plain.interactive);
                of_plain.push(plain.interactive);
                of_ours.push(ours.interactive);
                lives.push(ours.live);
            }
        }
        let (low, ratio, high) = spread(&mut ratios);
        let (plain, ours, live) = (spread(&mut of_plain).1, spread(&mut of_ours).1, spread(&mut lives).1);
        println!("  {page:<36} {plain:6.0} ms {ours:6.0} ms {ratio:7.2} ({low:5.2} to {high:5.2}) {live:6.0} ms");
        all.extend(ratios);
    }
    println!("  interactive, ours over plain, all pages (goal: at most 1.2)  {:.2}", spread(&mut all).1);
}

/// The least, the median and the greatest.
fn spread(values: &mut [f64]) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[0], values[values.len() / 2], values[values.len() - 1])
}

/// Scripts that a page has loaded, by name without its digest, with their sizes compressed.
fn scripts(tab: &Tab, address: &str, ready: &str) -> BTreeMap<String, f64> {
    tab.go(address);
    tab.until(ready);
    let found = tab.eval(
        "(async () => {
            const sizes = {};
            for (const { name } of performance.getEntriesByType('resource')) {
                const file = new URL(name).pathname.split('/').pop();
                if (!file.endsWith('.js')) continue;
                const packed = (await fetch(name)).body.pipeThrough(new CompressionStream('gzip'));
                sizes[file.replace(/-[0-9a-f]{8,12}\\./, '.')] = (await new Response(packed).arrayBuffer()).byteLength;
            }
            return sizes;
        })()",
    );
    serde_json::from_value(found).expect("sizes")
}

fn bytes(tab: &Tab, served: &Served, plain: u16) {
    println!("\nJavaScript beyond mdBook's own, compressed with gzip (goal: under 150 kB)");
    for (page, live) in PAGES {
        let before = scripts(tab, &format!("http://127.0.0.1:{plain}/{page}"), "document.readyState === 'complete'");
        let mut ours = scripts(tab, &served.page(page), live);
        // The server has moved what mdBook writes into the page to files; `course.js` is of our theme.
        ours.retain(|name, _| name == "course.js" || (!before.contains_key(name) && name != "inline.js"));
        let sum = ours.values().sum::<f64>() / 1000.0;
        println!("  {page:<36} {sum:5.1} kB  {}", ours.keys().cloned().collect::<Vec<_>>().join(" "));
    }
}

/// From the moment at which the server has an event to the one at which the page has it.
fn delays(served: &Served) {
    let tab = served.tab_on("lesson06-namespaces-pid-uts.html");
    tab.until("document.querySelector('.g-panel .g-main')");
    tab.click(".g-panel .g-main");
    tab.until("document.querySelector('.ed-area')?.value");
    tab.eval(
        "(() => {
            window.delays = [];
            const { parse } = JSON;
            JSON.parse = (text, ...more) => {
                const value = parse(text, ...more);
                if (value?.event && value.at) window.delays.push(Date.now() - value.at);
                return value;
            };
        })()",
    );
    for run in 1..=CHECKS {
        tab.eval("document.querySelector('.g-status').textContent = ''; document.querySelector('.g-menu').open = true");
        tab.click(".g-menu button");
        tab.until("document.querySelector('.g-status').textContent.startsWith('Measured in')");
        assert_eq!(tab.eval("document.querySelector('.g-main').textContent"), Value::from("Check"), "run {run}");
    }
    let mut delays: Vec<f64> = serde_json::from_value(tab.eval("window.delays")).expect("numbers");
    let (_, median, most) = spread(&mut delays);
    let nearly = delays[delays.len() * 95 / 100];
    println!(
        "\nfrom an event of the engine to the page ({} events of {CHECKS} checks of lesson 6; goal: under 50 ms)",
        delays.len()
    );
    println!("  median {median:.0} ms, 95 of 100 within {nearly:.0} ms, the slowest {most:.0} ms");
}
