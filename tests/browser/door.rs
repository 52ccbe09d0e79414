//! Coming in: once by an address, then in as many tabs as one likes; and what others get of it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;

use tests::axe;
use tests::browser::Browser;
use tests::served::Served;

use crate::hands::{PAGE, asked};

/// The panel asks the API.
const LIVE: &str = "document.querySelector('.g-panel .g-main')";
const SAID: &str = "document.getElementById('said').textContent";

#[test]
fn a_new_tab_is_in_and_another_browser_needs_an_address_of_its_own() {
    let served = Served::start();
    let address = served.another();
    let tab = served.empty_tab();
    tab.go(&address);
    tab.until("location.pathname === '/' && document.querySelector('.g-start')");
    assert_eq!(tab.eval("location.href.includes('#') || history.length > 2"), false, "the address is not kept");
    let new = served.empty_tab();
    new.go(&served.page(PAGE));
    new.until(LIVE);
    // The same address again leads to the course, in the browser that has used it.
    let again = served.empty_tab();
    again.go(&address);
    again.until("location.pathname === '/' && document.querySelector('.g-start')");
    for tab in [&tab, &new] {
        assert_eq!(tab.complaints(), Vec::<String>::new());
    }

    let other = Browser::reaching(&[served.port()]);
    let tab = other.tab();
    tab.go(&address);
    tab.until(&format!("{SAID}.includes('each one works once')"));
    assert!(tab.text("document.body.innerText").contains("Press Enter in the terminal"));
    tab.size(320, 900);
    tab.screenshot("door");
    assert_eq!(axe::violations(&tab), Vec::<String>::new());
    // A page without an address: it says what to do, and goes on by itself when another tab has come in.
    let waiting = other.tab();
    waiting.go(&served.page(PAGE));
    waiting.until(&format!("{SAID}.includes('has not been here')"));
    tab.go(&served.another());
    tab.until("location.pathname === '/'");
    waiting.until(LIVE);
}

#[test]
fn a_browser_that_has_lost_its_cookies_comes_in_by_itself() {
    let served = Served::start();
    let tab = served.tab_on(PAGE);
    tab.until(LIVE);
    // As when it was closed, or when others on this machine have written too many.
    tab.call("Network.clearBrowserCookies", &serde_json::json!({}));
    assert!(asked(&tab, "/pulse")["files"].is_string(), "what is open goes on");
    let new = served.empty_tab();
    new.go(&served.page(PAGE));
    new.until(LIVE);
}

/// The learner's own app is such a server, and what it is made of was written by others.
#[test]
fn a_server_on_another_port_gets_nothing_that_opens_more_than_the_book() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (sender, heads) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sender = sender.clone();
            // A browser also opens connections that it may need later.
            std::thread::spawn(move || answer(&stream).map(|head| sender.send(head)));
        }
    });
    let served = Served::with(&["--terminal"], &[port]);
    let tab = served.tab_on(PAGE);
    tab.until(LIVE);
    tab.go(&format!("http://127.0.0.1:{port}/"));
    let head = heads.recv_timeout(std::time::Duration::from_secs(60)).expect("a request");
    assert!(head.contains("grader-"), "a browser sends it everywhere: {head}");
    assert!(!head.contains(&served.key), "{head}");
    assert_eq!(tab.eval("localStorage.getItem('grader-key')"), serde_json::Value::Null);
    // What a page there tries with the reader's browser.
    let own = served.page("");
    tab.eval(&format!("Promise.allSettled([fetch('{own}api/lessons/lesson06/start', {{ method: 'POST', mode: 'no-cors', credentials: 'include' }}), fetch('{own}api/lessons', {{ credentials: 'include' }})])"));
    let loads = format!(
        "new Promise((done) => {{ const script = document.createElement('script'); script.src = '{own}api/lessons'; script.onload = () => done('loaded'); script.onerror = () => done('refused'); document.head.append(script); }})"
    );
    assert_eq!(tab.text(&loads), "refused");
    let socket = own.replace("http", "ws");
    let opens = format!(
        "new Promise((done) => {{ const socket = new WebSocket('{socket}api/lessons/lesson06/terminal'); socket.onopen = () => done('open'); socket.onerror = () => done('refused'); }})"
    );
    assert_eq!(tab.text(&opens), "refused");
    assert!(!served.copy(crate::hands::EXERCISE).exists(), "nothing was made");
}

/// Answers a request with a small page, and gives its head.
fn answer(mut stream: &TcpStream) -> Option<String> {
    let lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let head: Vec<String> = lines.collect();
    let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 3\r\nconnection: close\r\n\r\nhi\n";
    stream.write_all(page.as_bytes()).ok()?;
    head.first().is_some_and(|line| line.starts_with("GET / ")).then(|| head.join("\n"))
}
