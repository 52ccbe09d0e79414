//! Authors: the book is built again when its sources change, and mistakes in them are told.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::serving::Serving;

const PAGE: &str = "lesson06-namespaces-pid-uts";

/// Waits until the build and the page are as wanted, and gives what is said of the build.
fn until(serving: &Serving, is_so: impl Fn(&Value, &str) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(180);
    loop {
        let build = serving.get("/api/book").json();
        if is_so(&build, &serving.get(&format!("/{PAGE}.html")).text) {
            return build;
        }
        assert!(Instant::now() < deadline, "{build}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_book_is_built_anew_when_a_page_changes_and_stays_when_it_cannot_be() {
    const SENTENCE: &str = "A sentence of the author.";
    let serving = Serving::new();
    let first = until(&serving, |build, page| build["complaint"].is_null() && !page.contains(SENTENCE));
    let source = serving.course().join(format!("book/src/{PAGE}.md"));
    let text = fs::read_to_string(&source).expect("read");

    fs::write(&source, format!("{text}\n{SENTENCE}\n")).expect("write");
    let second = until(&serving, |build, page| build["complaint"].is_null() && page.contains(SENTENCE));
    assert!(second["version"].as_u64() > first["version"].as_u64(), "by this number pages know that they are old");

    fs::write(&source, text.replacen("```quiz\n", "```quiz\nno = such key\n", 1)).expect("write");
    let says = |build: &Value| build["complaint"].as_str().is_some_and(|text| text.contains("no = such key"));
    let complaint = until(&serving, |build, page| says(build) && page.contains(SENTENCE));
    assert!(complaint["complaint"].to_string().contains(&format!("{PAGE}.md")), "{complaint}");

    fs::write(&source, text).expect("write");
    until(&serving, |build, page| build["complaint"].is_null() && !page.contains(SENTENCE));
}
