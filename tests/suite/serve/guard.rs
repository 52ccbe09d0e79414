//! Each protection of the server, tried from the side that it protects against.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;
use tests::serving::{Answer, Serving};

/// Headers of a page's own request, with some replaced; an empty value leaves one out.
fn with(serving: &Serving, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut headers = serving.headers();
    headers.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let set = changes.iter().filter(|(_, value)| !value.is_empty());
    headers.extend(set.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    headers
}

fn refused(answer: &Answer, status: u16, why: &str) {
    assert_eq!(answer.status, status, "{why}: {}", answer.text);
    let problem = answer.json();
    assert!(["error", "remedy"].iter().all(|key| problem[key].as_str().is_some_and(|text| !text.is_empty())), "{why}");
}

#[test]
fn it_listens_on_loopback_only() {
    let serving = Serving::new();
    let port = serving.port();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    // Sockets that listen (state 0A) on this port, as `address:port` in hexadecimal.
    let listening: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .flat_map(|file| fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|line| {
            let parts: Vec<&str> = line.split_whitespace().collect();
            (parts.get(3) == Some(&"0A") && parts[1].ends_with(&format!(":{port:04X}"))).then(|| parts[1].to_owned())
        })
        .collect();
    assert_eq!(listening, [format!("0100007F:{port:04X}")], "127.0.0.1 and nothing else");
}

#[test]
fn a_port_that_is_taken_is_named_with_a_remedy() {
    let serving = Serving::new();
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let mut command = serving.command(&["serve", "--no-open", "--port", &port]);
    let ended = tests::ended(&command.current_dir(serving.course()).output().expect("serve"));
    assert!(ended.code == 2 && ended.stderr.contains(&port) && ended.stderr.contains("--port"), "{}", ended.all());
}

#[test]
fn the_usual_port_is_used_and_another_one_where_it_is_taken() {
    let taken = TcpListener::bind(("127.0.0.1", 8636));
    assert!(taken.is_ok() || TcpStream::connect(("127.0.0.1", 8636)).is_ok(), "taken by us or by somebody else");
    let other = Serving::on(None, &[]);
    assert!(other.port() != 8636 && other.get("/").status == 200, "{}", other.address);
}

#[test]
fn only_who_has_the_sessions_token_is_answered() {
    let serving = Serving::new();
    for path in ["/", "/lesson06-namespaces-pid-uts.html", "/api/lessons", "/api/openapi.json", "/grader/0/app.js"] {
        let wrong = format!("{}={}", serving.cookie_name(), "0".repeat(64));
        let foreign = format!("grader-1={}", serving.token);
        for cookie in ["", &wrong, &foreign] {
            refused(&serving.send("GET", path, &with(&serving, &[("cookie", cookie)]), ""), 401, path);
        }
        refused(&serving.get(&format!("{path}?token={}", "0".repeat(64))), 401, path);
    }
    let first = serving.send("GET", &format!("/?token={}", serving.token), &with(&serving, &[("cookie", "")]), "");
    assert_eq!((first.status, first.header("location")), (303, "/"), "the token leaves the address at once");
    let cookie = first.header("set-cookie");
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"), "{cookie}");
    let pair = cookie.split(';').next().unwrap_or_default();
    assert_eq!(serving.send("GET", "/", &with(&serving, &[("cookie", pair)]), "").status, 200);
    assert_eq!(Serving::new().token.len(), 64);
    assert_ne!(Serving::new().token, serving.token, "each session has a token of its own");
}

#[test]
fn another_name_for_this_address_is_not_answered() {
    let serving = Serving::new();
    let port = &serving.port().to_string();
    let hosts = ["evil.example:PORT", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:PORT", "[::1]:PORT"];
    for host in hosts.map(|host| host.replace("PORT", port)) {
        let headers = with(&serving, &[("host", &host)]);
        refused(&serving.send("GET", "/api/lessons", &headers, ""), 421, &host);
        // The printed address is no way round it.
        refused(&serving.send("GET", &format!("/?token={}", serving.token), &headers, ""), 421, &host);
    }
    let localhost = format!("localhost:{port}");
    assert_eq!(serving.send("GET", "/", &with(&serving, &[("host", &localhost)]), "").status, 200);
}

#[test]
fn no_other_site_can_ask_or_post() {
    let serving = Serving::new();
    let start = "/api/lessons/lesson06/start";
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1", "https://localhost"] {
        let headers = with(&serving, &[("origin", origin)]);
        refused(&serving.send("GET", "/api/lessons", &headers, ""), 403, origin);
        refused(&serving.send("POST", start, &headers, ""), 403, origin);
    }
    let nameless = with(&serving, &[("origin", "")]);
    refused(&serving.send("POST", start, &nameless, ""), 403, "a post says where it comes from");
    assert_eq!(serving.send("GET", "/api/lessons", &nameless, "").status, 200, "a link that is followed has no origin");
    assert!(!serving.copy(super::EXERCISE).exists(), "nothing was made");
    // What a form of another site could send: a text that is JSON.
    let form = with(&serving, &[("content-type", "text/plain")]);
    refused(&serving.send("POST", "/api/lessons/lesson06/check", &form, "{}"), 415, "a form's post");
    assert_eq!(serving.ask("POST", start, &json!({})).status, 200, "the page itself may");
}

#[test]
fn what_is_too_large_or_too_much_is_refused_and_then_it_goes_on() {
    let serving = Serving::new();
    assert_eq!(
        put(&serving, "content-length: 1300000", ""),
        "HTTP/1.1 413 Payload Too Large",
        "refused before it comes"
    );
    let most = 1_200_001;
    let chunk = format!("{most:x}\r\n{}", " ".repeat(most));
    assert_eq!(
        put(&serving, "transfer-encoding: chunked", &chunk),
        "HTTP/1.1 413 Payload Too Large",
        "no length is said"
    );

    let deadline = Instant::now() + Duration::from_secs(120);
    let is_refused = || serving.get("/api/lessons").status == 429;
    std::thread::scope(|scope| {
        let ask = || while !is_refused() && Instant::now() < deadline {};
        (0..4).for_each(|_| drop(scope.spawn(ask)));
    });
    assert!(Instant::now() < deadline, "no limit was met");
    while is_refused() {
        assert!(Instant::now() < deadline, "the limit stays");
    }
}

/// The first line of the answer to a request of which just this is sent.
fn put(serving: &Serving, length: &str, body: &str) -> String {
    let own: Vec<_> = serving.headers().into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let request = "PUT /api/lessons/lesson06/files HTTP/1.1\r\ncontent-type: application/json\r\n";
    let mut stream = TcpStream::connect(&serving.address).expect("the server");
    stream.set_read_timeout(Some(tests::PATIENCE)).expect("a deadline");
    stream.write_all(format!("{request}{}\r\n{length}\r\n\r\n{body}", own.join("\r\n")).as_bytes()).expect("sent");
    BufReader::new(stream).lines().next().and_then(Result::ok).unwrap_or_default()
}

#[test]
fn every_answer_has_the_policy_and_no_page_has_anything_that_it_forbids() {
    let serving = Serving::new();
    let problem = serving.send("GET", "/", &[("host".into(), serving.address.clone())], "");
    for answer in [serving.get("/"), serving.get("/no-such-page"), serving.get("/api/lessons"), problem] {
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        let rest =
            ["x-content-type-options", "referrer-policy", "cross-origin-resource-policy"].map(|n| answer.header(n));
        assert_eq!(rest, ["nosniff", "no-referrer", "same-origin"]);
    }
    let toc = serving.get("/toc.html").text;
    let pages: Vec<&str> = toc.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(pages.len() > 5, "{toc}");
    for page in pages.iter().filter(|page| page.contains(".html")).chain(&["print.html", "404.html"]) {
        let text = serving.get(&format!("/{page}")).text;
        for (at, _) in text.match_indices("<script") {
            let tag = text[at..].split('>').next().unwrap_or_default();
            assert!(tag.contains(" src=\"") && !tag.contains("://"), "{page}: {tag}");
        }
        for forbidden in [" onclick=", " onload=", " onerror=", "javascript:", " style=\"", "<style"] {
            let found = tags(&text).find(|tag| tag.contains(forbidden));
            // Pictures bring rules and text of their own, below `svg`.
            assert!(found.is_none() || *page == "print.html", "{page}: {found:?}");
        }
    }
}

/// The tags of a page, without those of pictures.
fn tags(page: &str) -> impl Iterator<Item = &str> {
    let outside = page
        .split("<svg")
        .enumerate()
        .map(|(index, part)| if index == 0 { part } else { part.split_once("</svg>").map_or("", |(_, rest)| rest) });
    outside.flat_map(|part| part.split('<').skip(1).filter_map(|rest| rest.split('>').next()))
}
