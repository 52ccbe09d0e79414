//! What a page does with a terminal.
//!
//! Owns: the page's side of the WebSocket. Must not: use the grader's own code.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::{HeaderName, HeaderValue};
use tungstenite::{Error, Message, WebSocket};

use crate::serving::Serving;

/// The longest that anything here may take.
const LIMIT: Duration = crate::PATIENCE;

/// The lesson's terminal.
pub const TERMINAL: &str = "/api/lessons/lesson06/terminal";

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
    /// Opens the lesson's terminal with these headers; the status of the answer where it is refused.
    pub fn join_with(serving: &Serving, headers: &[(String, String)]) -> Result<Self, u16> {
        let mut request = format!("ws://{}{TERMINAL}", serving.address).into_client_request().expect("address");
        for (name, value) in headers {
            let (name, value) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>());
            request.headers_mut().insert(name.expect("a name"), value.expect("a value"));
        }
        let stream = TcpStream::connect(&serving.address).expect("connect");
        stream.set_read_timeout(Some(LIMIT)).expect("deadline");
        match tungstenite::client::client(request, stream) {
            Ok((socket, _)) => Ok(Self { socket, out: Vec::new(), rows: BTreeMap::new(), last: Value::Null }),
            Err(tungstenite::HandshakeError::Failure(Error::Http(answer))) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens the lesson's terminal as its page does.
    #[must_use]
    pub fn join(serving: &Serving) -> Self {
        assert_eq!(serving.ask("POST", TERMINAL, &json!({})).status, 200);
        Self::join_with(serving, &headers(serving)).expect("a terminal")
    }

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

/// What a page sends when it opens a terminal. It can say what protocols it speaks, and nothing else.
#[must_use]
pub fn headers(serving: &Serving) -> Vec<(String, String)> {
    let mut headers = serving.headers();
    headers.retain(|(name, _)| name != "authorization");
    headers.push(("sec-websocket-protocol".into(), format!("grader, key.{}", serving.key)));
    headers
}

fn text_of(row: &Value) -> String {
    row.as_array().into_iter().flatten().filter_map(|run| run["text"].as_str()).collect()
}
