//! Terminals in the page: only when asked for, only for the course's own pages, and nothing stays behind.

use std::time::{Duration, Instant};

use serde_json::json;
use tests::serving::Serving;
use tests::terminal::{Page, TERMINAL, headers};

/// Ids of living processes whose command line is this.
fn processes(command: &str) -> Vec<String> {
    let all = std::fs::read_dir("/proc").expect("/proc").flatten();
    let is_it = |path: &std::path::Path| {
        std::fs::read(path.join("cmdline"))
            .is_ok_and(|text| String::from_utf8_lossy(&text).trim_end_matches('\0').replace('\0', " ") == command)
    };
    all.filter(|entry| is_it(&entry.path())).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + tests::PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn there_is_none_unless_it_is_asked_for() {
    let serving = Serving::new();
    assert!(!serving.printed.contains("Terminals"), "{}", serving.printed);
    let answer = serving.ask("POST", TERMINAL, &json!({}));
    assert_eq!(answer.status, 404);
    let answer = answer.json();
    assert!(answer["remedy"].as_str().is_some_and(|text| text.contains("grader serve --terminal")), "{answer}");
    assert_eq!(Page::join_with(&serving, &headers(&serving)).err(), Some(404));
    assert!(!serving.copy("lesson06-namespaces-pid-uts").exists(), "nothing was made");
    assert_eq!(serving.get("/api/lessons/lesson06").json()["terminal"], "off");
}

#[test]
fn only_the_courses_own_pages_are_let_in() {
    let serving = Serving::with(&["--terminal"]);
    assert!(serving.printed.contains("can run commands as you"), "{}", serving.printed);
    let mut page = Page::join(&serving);
    let with = |name: &str, value: Option<&str>| {
        let mut headers = headers(&serving);
        headers.retain(|(header, _)| header != name);
        headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        Page::join_with(&serving, &headers).err()
    };
    let protocol = "sec-websocket-protocol";
    assert_eq!(with(protocol, None), Some(401), "with the cookie, which every server on this machine is sent");
    assert_eq!(with(protocol, Some("grader, key.00")), Some(401), "with another session's key");
    assert_eq!(with(protocol, Some(&format!("grader, {}", serving.key))), Some(401), "the key is named as one");
    assert_eq!(with("origin", None), Some(403), "without an origin");
    for foreign in ["https://example.org", "null", "http://127.0.0.1:1", "http://127.0.0.1"] {
        assert_eq!(with("origin", Some(foreign)), Some(403), "{foreign}");
    }
    assert_eq!(with("host", Some("example.org")), Some(421), "by another name");
    assert_eq!(Page::join_with(&serving, &headers(&serving)).err(), None);
    // And nobody of them has ended what runs.
    page.line("echo still-$((1 + 1))");
    page.until("still-2");
}

#[test]
fn a_second_page_and_a_reload_join_the_same_shell() {
    let serving = Serving::with(&["--terminal"]);
    assert_eq!(serving.get("/api/lessons/lesson06").json()["terminal"], "none");
    let mut first = Page::join(&serving);
    first.line("dish=soup; pwd");
    first.until(
        &serving.copy("lesson06-namespaces-pid-uts").canonicalize().expect("the copy was made").display().to_string(),
    );
    let mut second = Page::join(&serving);
    second.line("echo $dish-of-the-day");
    for page in [&mut first, &mut second] {
        page.until("soup-of-the-day");
    }
    drop((first, second));
    assert_eq!(serving.get("/api/lessons/lesson06").json()["terminal"], "running");
    assert_eq!(serving.ask("POST", TERMINAL, &json!({})).json()["began"], false);
    Page::join(&serving).until("soup-of-the-day");
}

#[test]
fn keys_colours_and_the_size_arrive() {
    let serving = Serving::with(&["--terminal"]);
    let mut page = Page::join(&serving);
    page.wish(&json!({"do": "resize", "columns": 97, "lines": 31}));
    page.line("stty size");
    page.until("31 97");
    page.line(r"printf '\033[1;31mhot\033[0m <b>\n'");
    page.until("hot <b>");
    let hot = page.runs().into_iter().find(|run| run["text"] == "hot");
    assert_eq!(hot, Some(json!({"text": "hot", "ink": "1", "look": ["bold"]})));
    page.line("sleep 1000");
    page.until("> sleep 1000");
    page.wish(&json!({"do": "press", "name": "c", "ctrl": true}));
    page.line("echo code=$?");
    page.until("code=130");
}

#[test]
fn a_flood_ends_and_the_shell_still_answers() {
    let serving = Serving::with(&["--terminal"]);
    let mut page = Page::join(&serving);
    page.line("yes | head -n 2000000; echo flood-$((3 * 3))");
    page.until("flood-9");
    page.line("echo after-$((4 * 4))");
    page.until("after-16");
    let most = page.out.len();
    // A page that joins now gets the newest lines, and no more.
    let mut late = Page::join(&serving);
    late.until("after-16");
    assert!(late.out.len() <= 2_000 && late.out.iter().any(|line| line == "y"), "{} of {most}", late.out.len());
}

#[test]
fn a_page_that_shows_nothing_gets_nothing_more_until_it_does() {
    let serving = Serving::with(&["--terminal"]);
    let mut page = Page::join(&serving);
    page.line("echo open");
    page.until("open");
    let mut slow = Page::join_with(&serving, &headers(&serving)).expect("a terminal");
    let first = slow.unshown_frame().expect("the screen as it is");
    assert!(first["rows"].as_object().is_some_and(|rows| rows.len() > 1), "{first}");
    for number in 1..=3 {
        page.line(&format!("echo dish-$((7 * {number}))"));
        page.until(&format!("dish-{}", 7 * number));
    }
    slow.wish(&json!({"do": "shown"}));
    let second = slow.unshown_frame().expect("all that has come").to_string();
    assert!(["dish-7", "dish-14", "dish-21"].iter().all(|dish| second.contains(dish)), "{second}");
}

#[test]
fn too_long_a_message_ends_the_connection_and_not_the_shell() {
    let serving = Serving::with(&["--terminal"]);
    let mut page = Page::join(&serving);
    page.line("dish=stew");
    page.until("> dish=stew");
    for bad in [json!({"do": "type", "text": "x".repeat(200_000)}), json!({"do": "fly"})] {
        let mut other = Page::join(&serving);
        other.wish(&bad);
        while other.unshown_frame().is_some() {}
    }
    page.line("echo $dish-$((6 * 6))");
    page.until("stew-36");
}

#[test]
fn no_more_than_eight_pages_show_one_terminal() {
    let serving = Serving::with(&["--terminal"]);
    let pages: Vec<Page> = (0..8).map(|_| Page::join(&serving)).collect();
    assert_eq!(Page::join_with(&serving, &headers(&serving)).err(), Some(429));
    drop(pages);
    // The server hears of it a moment later.
    wait_until("there is room again", || Page::join_with(&serving, &headers(&serving)).is_ok());
}

#[test]
fn nothing_is_left_behind() {
    let mut serving = Serving::with(&["--terminal"]);
    let own = std::process::id();
    let (plain, stubborn) = (format!("sleep 98{own}1"), format!("sleep 98{own}2"));
    let start = |page: &mut Page| {
        page.line(&format!("{plain} & (trap '' HUP TERM; exec {stubborn}) &"));
        wait_until("both run", || processes(&plain).len() == 1 && processes(&stubborn).len() == 1);
    };
    let are_gone = || processes(&plain).is_empty() && processes(&stubborn).is_empty();

    let mut page = Page::join(&serving);
    start(&mut page);
    page.wish(&json!({"do": "end"}));
    while page.frame().is_some() {}
    assert_eq!(page.last["over"], "The shell was ended.");
    assert!(are_gone(), "after the shell was ended");

    let mut page = Page::join(&serving);
    start(&mut page);
    page.line("exit 3");
    while page.frame().is_some() {}
    assert_eq!(page.last["over"], "The shell has ended with exit code 3.");
    assert!(are_gone(), "after the shell has ended");

    let mut page = Page::join(&serving);
    start(&mut page);
    assert_eq!(serving.stop(), Some(0));
    assert!(are_gone(), "after the server has ended");
}
