//! Each protection of the server, tried from the side that it protects against.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::json;
use tests::serving::{Answer, Serving, token};

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
fn only_who_has_come_in_is_answered() {
    let serving = Serving::new();
    let (name, value) = serving.cookie.split_once('=').expect("a cookie");
    let wrong = format!("{name}={}", "0".repeat(64));
    let foreign = format!("grader-1={value}");
    let stranger = |cookie: &str| with(&serving, &[("cookie", cookie), ("authorization", "")]);
    for path in ["/", "/lesson06-namespaces-pid-uts.html", "/api/lessons", "/api/openapi.json", "/grader/0/app.js"] {
        for cookie in ["", &wrong, &foreign] {
            refused(&serving.send("GET", path, &stranger(cookie), ""), 401, path);
        }
    }
    let bearer = |secret: &str| with(&serving, &[("cookie", ""), ("authorization", &format!("Bearer {secret}"))]);
    for secret in [&"0".repeat(64), value, ""] {
        refused(&serving.send("GET", "/api/lessons", &bearer(secret), ""), 401, secret);
    }
    assert_eq!(serving.send("GET", "/api/lessons", &bearer(&serving.key), "").status, 200);
    assert_eq!(serving.send("GET", "/", &stranger(&serving.cookie), "").status, 200);
    let other = Serving::new();
    assert!(other.key != serving.key && other.cookie != serving.cookie, "each session has secrets of its own");
}

#[test]
fn an_address_lets_one_browser_in() {
    let serving = Serving::new();
    let address = serving.another();
    let first = serving.enter(token(&address));
    assert_eq!((first.status, &first.json()["key"]), (200, &json!(serving.key)));
    let cookie = first.header("set-cookie");
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"), "{cookie}");
    refused(&serving.enter(token(&address)), 401, "it works once");
    assert!(serving.enter(token(&address)).json()["remedy"].as_str().is_some_and(|text| text.contains("Press Enter")));
    refused(&serving.enter(&"0".repeat(64)), 401, "another session's");
    let unused = serving.another();
    let headers = with(&serving, &[("authorization", &format!("Bearer {}", token(&unused)))]);
    refused(&serving.send("GET", "/api/lessons", &headers, ""), 401, "an address is no key");
    let foreign = [("origin", "http://127.0.0.1:1"), ("authorization", &format!("Bearer {}", token(&unused)))];
    refused(&serving.send("POST", "/api/session", &with(&serving, &foreign), ""), 403, "a page elsewhere");
    assert_eq!(serving.enter(token(&unused)).status, 200, "nothing of that has used it up");
    assert_eq!(serving.enter(&serving.key).status, 200, "who was here comes in again");
}

/// A browser sends a cookie to each port of this machine: the learner's own app gets it, and what others serve.
#[test]
fn what_other_ports_are_sent_opens_the_book_and_nothing_else() {
    let serving = Serving::with(&["--terminal"]);
    let document = serving.get("/api/openapi.json").json();
    // A program can say whatever a page of the course says.
    let thief = with(
        &serving,
        &[("authorization", ""), ("sec-fetch-site", "same-origin"), ("content-type", "application/json")],
    );
    let mut tried = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let path = path.replace("{lesson}", "lesson06");
            refused(&serving.send(&method.to_uppercase(), &path, &thief, "{}"), 401, &path);
            tried += 1;
        }
    }
    assert!(tried > 15, "{tried} operations");
    for path in ["/api/openapi.json", "//api/lessons", "/%61pi/lessons", "/API/lessons", "/./api/lessons"] {
        let answer = serving.send("GET", path, &thief, "");
        assert!(answer.status >= 400 && !answer.text.contains("\"lessons\""), "{path}: {}", answer.text);
    }
    let mut thief = thief;
    assert_eq!(tests::terminal::Page::join_with(&serving, &thief).err(), Some(401));
    assert_eq!(serving.send("GET", "/", &thief, "").status, 200);
    assert!(!serving.copy(super::EXERCISE).exists(), "nothing was made");

    // And a page on another port, which a browser sends the cookie for, gets nothing at all.
    thief.retain(|(name, _)| name != "sec-fetch-site" && name != "origin");
    for site in ["same-site", "cross-site"] {
        let part =
            [("sec-fetch-site".to_owned(), site.to_owned()), ("sec-fetch-mode".to_owned(), "no-cors".to_owned())];
        refused(&serving.send("GET", "/", &[&thief[..], &part].concat(), ""), 403, site);
    }
}

/// What a program is started with, everybody on the machine can read.
#[test]
fn a_browser_is_opened_without_telling_anybody_else_how_to_come_in() {
    let programs = tempfile::tempdir().expect("a temporary folder");
    let (opener, given) = (programs.path().join("xdg-open"), programs.path().join("given"));
    let script = format!("#!/bin/sh\nprintf '%s' \"$*\" >'{0}.new' && mv '{0}.new' '{0}'\n", given.display());
    fs::write(&opener, script)
        .and_then(|()| fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)))
        .expect("an opener");
    let serving = Serving::opening_with(programs.path());
    let deadline = Instant::now() + Duration::from_secs(60);
    while !given.exists() {
        assert!(Instant::now() < deadline, "no browser was opened");
        std::thread::sleep(Duration::from_millis(20));
    }
    let given = fs::read_to_string(&given).expect("arguments");
    let is_page = std::path::Path::new(&given).extension().is_some_and(|ending| ending == "html");
    assert!(is_page && !given.contains('#') && !given.contains("http"), "{given}");
    let mode = fs::metadata(&given).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "only its owner can read it");
    let page = fs::read_to_string(&given).expect("a page");
    let address = page.split('"').find(|text| text.starts_with("http://")).expect("an address");
    assert_eq!(serving.enter(token(address)).status, 200);
    refused(&serving.enter(token(address)), 401, "it works once");
    assert!(!std::path::Path::new(&given).exists(), "what leads nowhere any more is gone");
}

#[test]
fn half_a_request_does_not_keep_it_from_ending() {
    let mut serving = Serving::new();
    let mut waiting = Vec::new();
    for part in ["", "GET / HTTP/1.1\r\nhost: 127.0", "PUT /api/lessons/lesson06/files HTTP/1.1\r\n"] {
        let mut stream = TcpStream::connect(&serving.address).expect("the server");
        stream.write_all(part.as_bytes()).expect("sent");
        waiting.push(stream);
    }
    // Half a body, too, of somebody who is let in.
    let own: Vec<_> = serving.headers().into_iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = "PUT /api/lessons/lesson06/files HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 100\r\n";
    let mut stream = TcpStream::connect(&serving.address).expect("the server");
    stream.write_all(format!("{head}{}\r\n{{", own.concat()).as_bytes()).expect("sent");
    let (sender, ended) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| sender.send(serving.stop()));
        let code = ended.recv_timeout(Duration::from_secs(60));
        drop((waiting, stream));
        assert_eq!(code, Ok(Some(0)), "it ends, whoever is connected");
    });
}

#[test]
fn who_is_not_let_in_is_told_what_to_do() {
    let serving = Serving::new();
    let reads = |changes: &[(&str, &str)]| {
        let mut headers = with(&serving, &[("cookie", ""), ("authorization", ""), ("origin", "")]);
        headers.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        headers.push(("accept".into(), "text/html,application/xhtml+xml,*/*;q=0.8".into()));
        headers.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        headers
    };
    for path in ["/", "/lesson06-namespaces-pid-uts.html", "/enter"] {
        let page = serving.send("GET", path, &reads(&[]), "");
        assert_eq!(page.status, if path == "/enter" { 200 } else { 401 }, "{path}");
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        assert!(
            page.text.contains("Press Enter in the terminal in which <code>grader serve</code> runs"),
            "{}",
            page.text
        );
        assert!(!page.text.contains('{') && !page.text.contains("lesson"), "{}", page.text);
        for part in page.text.split("=\"/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert_eq!(serving.send("GET", &format!("/{part}"), &reads(&[]), "").status, 200, "{part}");
        }
    }
    let forwarded = serving.send("GET", "/", &reads(&[("host", "127.0.0.1:9000")]), "");
    assert!(
        forwarded.status == 421 && forwarded.text.contains("needs the same number on both sides"),
        "{}",
        forwarded.text
    );
}

#[test]
fn another_name_for_this_address_is_not_answered() {
    let serving = Serving::new();
    let port = &serving.port().to_string();
    let hosts = ["evil.example:PORT", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:PORT", "[::1]:PORT"];
    for host in hosts.map(|host| host.replace("PORT", port)) {
        let headers = with(&serving, &[("host", &host)]);
        refused(&serving.send("GET", "/api/lessons", &headers, ""), 421, &host);
        // Where one comes in is no way round it.
        for path in ["/enter", "/api/session"] {
            refused(&serving.send("GET", path, &headers, ""), 421, &host);
        }
    }
    // Somebody else may listen on the other address that this name has.
    let named = with(&serving, &[("host", &format!("localhost:{port}"))]);
    let answer = serving.send("GET", "/glossary.html", &named, "");
    assert_eq!(
        (answer.status, answer.header("location")),
        (307, format!("http://127.0.0.1:{port}/glossary.html").as_str())
    );
    refused(&serving.send("POST", "/api/session", &named, ""), 421, "nobody comes in by that name");
}

#[test]
fn no_other_site_can_ask_or_post() {
    let serving = Serving::new();
    let start = "/api/lessons/lesson06/start";
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1", "http://localhost:1"] {
        let headers = with(&serving, &[("origin", origin)]);
        refused(&serving.send("GET", "/api/lessons", &headers, ""), 403, origin);
        refused(&serving.send("POST", start, &headers, ""), 403, origin);
    }
    let nameless = with(&serving, &[("origin", "")]);
    refused(&serving.send("POST", start, &nameless, ""), 403, "a post says where it comes from");
    assert_eq!(serving.send("GET", "/api/lessons", &nameless, "").status, 200, "a link that is followed has no origin");
    assert!(!serving.copy(super::EXERCISE).exists(), "nothing was made");
    let elsewhere =
        |mode| with(&serving, &[("origin", ""), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", mode)]);
    assert_eq!(serving.send("GET", "/", &elsewhere("navigate"), "").status, 200, "a link in another site's page");
    refused(&serving.send("GET", "/", &elsewhere("no-cors"), ""), 403, "a picture in another site's page");
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

    let long = format!("x-long: {}\r\ncontent-length: 0", "x".repeat(1_000_000));
    assert_eq!(put(&serving, &long, ""), "HTTP/1.1 431 Request Header Fields Too Large", "a head of 1 MB");

    // A page's files and the API have a bucket each.
    let refusals = at_once(&serving, "/no-such-file.css", 20_000);
    assert!((1..=18_500).contains(&refusals), "of 20,000 requests, {refusals} were too many");
    assert_eq!(serving.get("/api/lessons").status, 200, "the API is still there");
    let refusals = at_once(&serving, "/api/nothing", 5_000);
    assert!((1..=4_700).contains(&refusals), "of 5,000 requests, {refusals} were too many");
    let deadline = Instant::now() + Duration::from_secs(120);
    while serving.get("/api/lessons").status == 429 {
        assert!(Instant::now() < deadline, "the limit stays");
    }
}

/// Sends so many requests without waiting for an answer, and counts those that were too many.
fn at_once(serving: &Serving, path: &str, count: usize) -> usize {
    let own: Vec<_> = serving.headers().into_iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!("GET {path} HTTP/1.1\r\n{}", own.concat());
    let all = format!("{request}\r\n").repeat(count - 1) + &request + "connection: close\r\n\r\n";
    let stream = TcpStream::connect(&serving.address).expect("the server");
    stream.set_read_timeout(Some(Duration::from_secs(300))).expect("a deadline");
    std::thread::scope(|scope| {
        scope.spawn(|| (&stream).write_all(all.as_bytes()).expect("sent"));
        let answers = BufReader::new(&stream).lines().map_while(Result::ok);
        answers.filter(|line| line.contains("HTTP/1.1 429")).count()
    })
}

/// The first line of the answer to a request of which just this is sent.
fn put(serving: &Serving, last_headers: &str, body: &str) -> String {
    let own: Vec<_> = serving.headers().into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let request = "PUT /api/lessons/lesson06/files HTTP/1.1\r\ncontent-type: application/json\r\n";
    let mut stream = TcpStream::connect(&serving.address).expect("the server");
    stream.set_read_timeout(Some(tests::PATIENCE)).expect("a deadline");
    let all = format!("{request}{}\r\n{last_headers}\r\n\r\n{body}", own.join("\r\n"));
    // A server that has heard enough answers, and reads no more.
    let _ = stream.write_all(all.as_bytes());
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
        let own = [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ];
        for (name, value) in own {
            assert_eq!(answer.header(name), value, "{name}");
        }
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
