//! A course that is served, and what a browser would do with its terminal.
//!
//! Owns: `grader serve` as a process, plain requests to it, and a page's side of a terminal. Must not:
//! use the grader's own code.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Error, Message, WebSocket};

use crate::SmallCourse;

/// The longest that anything here may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A server, which ends with this.
pub struct Served {
    child: Child,
    /// What it has printed: everything up to its first answer.
    pub printed: String,
    /// Where it is, such as `127.0.0.1:40000`.
    pub host: String,
    token: String,
    course: SmallCourse,
}

impl Served {
    /// Serves a small course with one lesson, `lesson01`.
    #[must_use]
    pub fn start(more: &[&str]) -> Self {
        let course = SmallCourse::new();
        course.add("book/book.toml", "[book]\ntitle = \"Small\"\n");
        course.add("book/src/SUMMARY.md", "# Summary\n\n- [Small](small.md)\n");
        course.add("book/src/small.md", "# Small\n");
        let mut command = course.command(&[&["serve", "--no-open"], more].concat());
        command.env("SHELL", "/bin/sh").env("PS1", "> ").env_remove("ENV");
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let mut printed = String::new();
        while !printed.contains("Ctrl-C ends it.") {
            printed += &lines.next().expect("the address").expect("text");
            printed.push('\n');
        }
        let address = printed.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next());
        let (host, token) = address.and_then(|text| text.split_once("/?token=")).expect("the address");
        let (host, token) = (host.to_owned(), token.to_owned());
        // What it has to say about terminals is written together with the address, and ends with a line of its own.
        if more.contains(&"--terminal") {
            printed += &lines.next().expect("a line about terminals").expect("text");
        }
        Self { child, printed, host, token, course }
    }

    /// The headers that let a page of the course in.
    #[must_use]
    pub fn own(&self) -> Vec<(&'static str, String)> {
        let port = self.host.rsplit(':').next().unwrap_or_default();
        vec![
            ("host", self.host.clone()),
            ("origin", format!("http://{}", self.host)),
            ("cookie", format!("grader-{port}={}", self.token)),
        ]
    }

    /// Asks, and gives the status and the JSON of the answer.
    #[must_use]
    pub fn ask(&self, method: &str, path: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.host).expect("connect");
        stream.set_read_timeout(Some(LIMIT)).expect("deadline");
        let headers: String = self.own().iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect();
        let head = format!("{method} {path} HTTP/1.1\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("ask");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answer");
        let status = answer.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("a status");
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Opens the lesson's terminal with these headers; the status of the answer where it is refused.
    pub fn join_with(&self, headers: &[(&'static str, String)]) -> Result<Page, u16> {
        let mut request =
            format!("ws://{}/api/lessons/lesson01/terminal", self.host).into_client_request().expect("address");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        let stream = TcpStream::connect(&self.host).expect("connect");
        stream.set_read_timeout(Some(LIMIT)).expect("deadline");
        match tungstenite::client::client(request, stream) {
            Ok((socket, _)) => Ok(Page { socket, out: Vec::new(), rows: BTreeMap::new(), last: Value::Null }),
            Err(tungstenite::HandshakeError::Failure(Error::Http(answer))) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens the lesson's terminal as its page does.
    #[must_use]
    pub fn join(&self) -> Page {
        assert_eq!(self.ask("POST", "/api/lessons/lesson01/terminal").0, 200);
        self.join_with(&self.own()).expect("a terminal")
    }

    /// The learner's folder.
    #[must_use]
    pub fn copy(&self) -> std::path::PathBuf {
        self.course.root().join("workspace/lesson01-small")
    }

    /// Ends it as Ctrl-C does, and waits until it is gone.
    pub fn interrupt(&mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill starts").success());
        assert!(self.child.wait().expect("end").success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Where a test has ended it already, or has failed, there may be nothing to end.
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

/// A page that shows a terminal.
pub struct Page {
    socket: WebSocket<TcpStream>,
    /// Lines that have scrolled out.
    pub out: Vec<String>,
    rows: BTreeMap<usize, Value>,
    /// The last frame.
    pub last: Value,
}

impl Page {
    /// Sends a wish.
    pub fn wish(&mut self, wish: &Value) {
        self.socket.send(Message::text(wish.to_string())).expect("send");
    }

    /// Types a line, and Enter, as soon as the shell waits for it.
    pub fn line(&mut self, text: &str) {
        self.take_until("a prompt", |screen| screen.trim_end().ends_with("\n>") || screen.trim_end() == ">");
        self.wish(&json!({"do": "type", "text": text}));
        self.wish(&json!({"do": "press", "name": "Enter"}));
    }

    /// Takes the next frame, and says that it is shown; `None` when the server has closed the connection.
    pub fn frame(&mut self) -> Option<Value> {
        let frame = self.unshown_frame()?;
        if frame["over"].is_null() {
            self.wish(&json!({"do": "shown"}));
        }
        Some(frame)
    }

    /// Takes the next frame, and says nothing.
    pub fn unshown_frame(&mut self) -> Option<Value> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    self.out.extend(frame["out"].as_array().into_iter().flatten().map(text_of));
                    for (at, row) in frame["rows"].as_object().into_iter().flatten() {
                        self.rows.insert(at.parse().expect("a number"), row.clone());
                    }
                    self.last = frame.clone();
                    return Some(frame);
                }
                Ok(Message::Close(_)) | Err(Error::ConnectionClosed | Error::Protocol(_)) => return None,
                Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Ok(_) => {}
                Err(error) => panic!("{error}; on the screen:\n{}", self.text()),
            }
        }
    }

    /// Takes frames until a line of the screen is this text.
    pub fn until(&mut self, line: &str) {
        self.take_until(line, |screen| screen.lines().any(|shown| shown == line));
    }

    fn take_until(&mut self, what: &str, holds: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + LIMIT;
        while !holds(&self.text()) {
            assert!(Instant::now() < deadline, "no {what:?} on the screen:\n{}", self.text());
            assert!(self.frame().is_some(), "closed without {what:?} on the screen:\n{}", self.text());
        }
    }

    /// The screen as text.
    #[must_use]
    pub fn text(&self) -> String {
        self.rows.values().map(|row| text_of(row) + "\n").collect()
    }

    /// All runs of the screen.
    #[must_use]
    pub fn runs(&self) -> Vec<Value> {
        self.rows.values().flat_map(|row| row.as_array().cloned().unwrap_or_default()).collect()
    }
}

fn text_of(row: &Value) -> String {
    row.as_array().into_iter().flatten().filter_map(|run| run["text"].as_str()).collect()
}
