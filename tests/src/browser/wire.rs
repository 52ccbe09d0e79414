//! The browser's debugging protocol over a pair of pipes.
//!
//! Owns: matching answers to questions, and keeping events. Must not: know what a command does.
//! Each message is JSON that ends with a zero byte.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// The longest that one command may take on a busy machine: the rules of accessibility look at each element of the longest page.
const LIMIT: Duration = Duration::from_secs(300);

/// Both directions.
pub struct Wire {
    to: Mutex<ChildStdin>,
    last: AtomicU64,
    waiting: Mutex<HashMap<u64, Sender<Value>>>,
    events: Mutex<Vec<Value>>,
}

impl Wire {
    /// Begins to listen.
    pub fn new(to: ChildStdin, from: ChildStdout) -> Arc<Self> {
        let wire = Arc::new(Self {
            to: Mutex::new(to),
            last: AtomicU64::new(0),
            waiting: Mutex::default(),
            events: Mutex::default(),
        });
        let listening = wire.clone();
        thread::spawn(move || {
            let messages = BufReader::new(from).split(0).map_while(Result::ok);
            messages
                .filter_map(|message| serde_json::from_slice(&message).ok())
                .for_each(|message| listening.heard(message));
            // The browser has ended: nobody gets an answer any more.
            held(&listening.waiting).clear();
        });
        wire
    }

    /// Does something, in a tab (`session`) or in the browser, and gives what came back.
    pub fn call(&self, session: Option<&str>, method: &str, params: &Value) -> Result<Value, String> {
        let (sender, answer) = channel();
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        held(&self.waiting).insert(id, sender);
        self.send(id, session, method, params).map_err(|error| format!("{method}: {error}"))?;
        let mut answer = answer.recv_timeout(LIMIT).map_err(|error| format!("{method}: no answer, {error}"))?;
        match answer.get("error") {
            Some(error) => Err(format!("{method}: {error}")),
            None => Ok(answer["result"].take()),
        }
    }

    /// All events of a tab so far, oldest first.
    pub fn events(&self, session: &str) -> Vec<Value> {
        held(&self.events).iter().filter(|event| event["sessionId"] == session).cloned().collect()
    }

    fn send(&self, id: u64, session: Option<&str>, method: &str, params: &Value) -> std::io::Result<()> {
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut to = held(&self.to);
        to.write_all(message.to_string().as_bytes())?;
        to.write_all(&[0])?;
        to.flush()
    }

    fn heard(&self, message: Value) {
        if let Some(id) = message["id"].as_u64() {
            if let Some(sender) = held(&self.waiting).remove(&id) {
                let _ = sender.send(message);
            }
            return;
        }
        if message["method"] == "Page.javascriptDialogOpening" {
            // A person who leaves says yes; nobody waits for the answer to that.
            let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
            let _ =
                self.send(id, message["sessionId"].as_str(), "Page.handleJavaScriptDialog", &json!({"accept": true}));
        }
        held(&self.events).push(message);
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
