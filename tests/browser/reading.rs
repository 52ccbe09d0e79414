//! The book is read: from page to page by keyboard, and by searching.

use std::fs;

use tests::served::Served;

use crate::hands::PAGE;

#[test]
fn pages_are_turned_and_words_are_found_by_keyboard() {
    let served = Served::start();
    let tab = served.tab_on(PAGE);
    let title = "document.querySelector('main h1').textContent";
    assert!(tab.text(title).starts_with("Lesson 6"), "{}", tab.text(title));
    tab.press(&["ArrowRight"]);
    // Keys have no effect until the page's scripts are there.
    tab.until(&format!("location.pathname.startsWith('/lesson08') && {title}.startsWith('Lesson 8') && document.readyState === 'complete'"));
    tab.press(&["ArrowLeft"]);
    tab.until("location.pathname.startsWith('/lesson06') && document.readyState === 'complete'");

    tab.press(&["s"]);
    tab.until("document.activeElement.id === 'mdbook-searchbar'");
    tab.write("oom killer");
    tab.until("document.querySelector('#mdbook-searchresults a')?.textContent.includes('Lesson 8')");
    tab.press(&["ArrowDown", "Enter"]);
    tab.until("location.pathname.startsWith('/lesson08') && document.querySelector('main mark')");
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

#[test]
fn whoever_writes_a_page_sees_it_at_once_or_why_not() {
    let served = Served::start();
    let page = served.course().join("book/src/introduction.md");
    let text = fs::read_to_string(&page).expect("the page");
    let tab = served.tab();
    tab.until("performance.getEntriesByName(new URL('/api/book', location).href)[0]?.responseEnd");
    fs::write(&page, format!("{text}\nA sentence of the author.\n")).expect("write");
    tab.until("document.querySelector('main').textContent.includes('A sentence of the author.')");
    tab.until("performance.getEntriesByName(new URL('/api/book', location).href)[0]?.responseEnd");
    fs::write(&page, format!("{text}\n```quiz\nno = such key\n```\n")).expect("write");
    tab.until("document.querySelector('main [role=alert]')?.textContent.includes('no = such key')");
    assert!(tab.text("document.querySelector('main').textContent").contains("A sentence of the author."));
}

#[test]
fn a_page_loads_from_here_alone_and_only_what_it_uses() {
    let served = Served::start();
    let tab = served.tab();
    let ours = |page: &str, ready: &str| {
        tab.go(&served.page(page));
        tab.until(ready);
        let names = tab.eval(
            "performance.getEntriesByType('resource').map(({ name }) => new URL(name))
                .filter(({ pathname }) => pathname.startsWith('/grader/')).map(({ pathname }) => pathname.split('/').pop())",
        );
        let names: Vec<String> = serde_json::from_value(names).expect("names");
        names
    };
    let is_marked = "performance.getEntriesByName(new URL('/api/lessons', location).href)[0]?.responseEnd";
    let glossary = ours("glossary.html", is_marked);
    for (part, belongs) in
        [("app.js", true), ("progress.js", true), ("panel.js", false), ("quiz.js", false), ("start.js", false)]
    {
        assert_eq!(glossary.iter().any(|name| name == part), belongs, "{part} in {glossary:?}");
    }
    let start = ours("", "document.querySelector('.g-start')");
    assert!(start.contains(&"start.js".to_owned()) && !start.contains(&"panel.js".to_owned()), "{start:?}");
    let lesson = ours(PAGE, "document.querySelector('.g-panel .g-main') && document.querySelector('.quiz-actions')");
    assert!(lesson.contains(&"panel.js".to_owned()) && lesson.contains(&"quiz.js".to_owned()), "{lesson:?}");
    assert!(!lesson.contains(&"start.js".to_owned()), "{lesson:?}");
    let elsewhere = tab.eval("performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => !name.startsWith(location.origin))");
    assert_eq!(elsewhere, serde_json::json!([]));
}
