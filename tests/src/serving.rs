//! A course of a learner's own, and `grader serve` on it.
//!
//! Owns: writing the course (`grader init`), the server's process, and asking it as a program
//! would. Must not: know what is asked for.

use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::http::Request;

use crate::{Ended, ended, lay, program};

/// The server; ended when dropped.
pub struct Serving {
    folder: TempDir,
    /// What `grader serve` is told besides.
    more: Vec<String>,
    /// Where the programs are that it finds first; only then does it open a browser.
    programs: Option<PathBuf>,
    /// The process, as long as it runs.
    child: Option<Child>,
    /// Its terminal.
    terminal: Mutex<Option<Terminal>>,
    /// What it has printed at first.
    pub printed: String,
    /// Such as `127.0.0.1:40001`.
    pub address: String,
    /// What opens the API, once somebody has come in.
    pub key: String,
    /// What a browser that has come in sends with each request.
    pub cookie: String,
}

/// What is typed, and what is printed.
type Terminal = (ChildStdin, Lines<BufReader<ChildStdout>>);

/// The longest that an answer may take, a run's events included.
const LIMIT: Duration = Duration::from_secs(600);

/// What the server has answered.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers in small letters, with their values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub text: String,
}

impl Answer {
    /// A header's value; empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}: {}", self.status, self.text))
    }
}

impl Default for Serving {
    fn default() -> Self {
        Self::new()
    }
}

impl Serving {
    /// Writes a course and serves it.
    #[must_use]
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// The same, with more arguments for `grader serve`.
    #[must_use]
    pub fn with(more: &[&str]) -> Self {
        Self::on(Some(0), more)
    }

    /// The same on a port, or where the server itself wants to be.
    #[must_use]
    pub fn on(port: Option<u16>, more: &[&str]) -> Self {
        Self::started(port, more, None)
    }

    /// The same, with a browser: whatever is called `xdg-open` in this folder.
    #[must_use]
    pub fn opening_with(programs: &Path) -> Self {
        Self::started(Some(0), &[], Some(programs.to_path_buf()))
    }

    fn started(port: Option<u16>, more: &[&str], programs: Option<PathBuf>) -> Self {
        let more = more.iter().map(ToString::to_string).collect();
        let [address, key, cookie, printed] = Default::default();
        let (folder, terminal) = (tempfile::tempdir().expect("a temporary folder"), Mutex::default());
        let mut serving = Self { folder, more, programs, child: None, terminal, printed, address, key, cookie };
        let made = serving.command(&["init", "course"]).current_dir(serving.folder.path()).output().expect("init");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        serving.start(port);
        serving
    }

    /// The course's folder.
    #[must_use]
    pub fn course(&self) -> PathBuf {
        self.folder.path().join("course")
    }

    /// The learner's copy of an exercise, by the exercise's folder.
    #[must_use]
    pub fn copy(&self, exercise: &str) -> PathBuf {
        self.course().join("workspace").join(exercise)
    }

    /// Puts a solution into the learner's copy.
    pub fn solve(&self, exercise: &str, solution: &str) {
        let from = self.course().join("exercises").join(exercise);
        lay(&from.join("starter"), &self.copy(exercise));
        lay(&from.join("solutions").join(solution), &self.copy(exercise));
    }

    /// Scratch folders of runs.
    #[must_use]
    pub fn run_folders(&self) -> Vec<String> {
        let folder = fs::read_dir(self.folder.path().join("home/cache/runs"));
        folder.into_iter().flatten().flatten().map(|entry| entry.path().display().to_string()).collect()
    }

    /// Begins a run or joins it, and gives all its events.
    #[must_use]
    pub fn events(&self, path: &str) -> Vec<Value> {
        let begun = self.ask("POST", path, &json!({}));
        assert_eq!(begun.status, 200, "{}", begun.text);
        self.followed(&format!("{path}/{}", begun.json()["run"]))
    }

    /// All events of a run, from the first one on.
    #[must_use]
    pub fn followed(&self, path: &str) -> Vec<Value> {
        let told = self.get(path);
        assert_eq!(told.status, 200, "{}", told.text);
        told.text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// The program with this learner's home, not yet started.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).env("GRADER_HOME", self.folder.path().join("home")).stdin(Stdio::null());
        command
    }

    /// Runs a command of the grader in this course and home.
    #[must_use]
    pub fn grader(&self, arguments: &[&str]) -> Ended {
        ended(&self.command(arguments).current_dir(self.course()).output().expect("grader"))
    }

    /// The server's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
    }

    /// The server's process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Ends the server as Ctrl-C does, and gives its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let mut child = self.child.take()?;
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill starts").success());
        child.wait().expect("end").code()
    }

    /// Starts it again, on the same port.
    pub fn restart(&mut self) {
        self.stop();
        self.start(Some(self.port()));
    }

    fn start(&mut self, port: Option<u16>) {
        let mut command = self.command(&["serve", "--offline"]);
        match &self.programs {
            None => drop(command.arg("--no-open")),
            Some(programs) => {
                let path = std::env::var_os("PATH").unwrap_or_default();
                let all = std::iter::once(programs.clone()).chain(std::env::split_paths(&path));
                command.env("PATH", std::env::join_paths(all).expect("a PATH"));
            }
        }
        command.args(port.into_iter().flat_map(|port| ["--port".to_owned(), port.to_string()]));
        // A shell in the page reads nothing of whoever runs the tests.
        command.args(&self.more).env("SHELL", "/bin/sh").env("PS1", "> ").env_remove("ENV");
        command.current_dir(self.course()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("serve");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        self.printed.clear();
        for line in lines.by_ref().map_while(Result::ok) {
            self.printed += &(line + "\n");
            if self.printed.ends_with("Ctrl-C ends it.\n") {
                break;
            }
        }
        self.terminal = Mutex::new(Some((child.stdin.take().expect("stdin"), lines)));
        self.child = Some(child);
        let first = address_in(&self.printed).expect("the address is printed");
        self.address = first.strip_prefix("http://").and_then(|rest| rest.split('/').next()).expect("a host").into();
        let entered = self.enter(token(&first));
        assert_eq!(entered.status, 200, "{}", entered.text);
        self.key = entered.json()["key"].as_str().expect("a key").into();
        self.cookie = entered.header("set-cookie").split(';').next().expect("a cookie").into();
    }

    /// Another address that lets a browser in, as Enter in the terminal gives it.
    #[must_use]
    pub fn another(&self) -> String {
        let mut terminal = self.terminal.lock().unwrap_or_else(PoisonError::into_inner);
        let (typed, lines) = terminal.as_mut().expect("it runs");
        typed.write_all(b"\n").and_then(|()| typed.flush()).expect("Enter");
        lines.by_ref().map_while(Result::ok).find_map(|line| address_in(&line)).expect("another address")
    }

    /// Comes in with a token, as the first page does.
    #[must_use]
    pub fn enter(&self, token: &str) -> Answer {
        let own = [
            ("host", self.address.clone()),
            ("origin", format!("http://{}", self.address)),
            ("authorization", format!("Bearer {token}")),
        ];
        self.send("POST", "/api/session", &own.map(|(name, value)| (name.to_owned(), value)), "")
    }

    /// What a page of this session sends.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, String)> {
        vec![
            ("host".into(), self.address.clone()),
            ("cookie".into(), self.cookie.clone()),
            ("authorization".into(), format!("Bearer {}", self.key)),
            ("origin".into(), format!("http://{}", self.address)),
        ]
    }

    /// Sends a request with just these headers.
    #[must_use]
    pub fn send(&self, method: &str, path: &str, headers: &[(String, String)], body: &str) -> Answer {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(LIMIT));
        let agent: ureq::Agent =
            config.max_redirects(0).max_redirects_will_error(false).allow_non_standard_methods(true).build().into();
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(body.to_owned()).expect("a request");
        let mut response = agent.run(request).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            text: response.body_mut().read_to_string().expect("a body of text"),
        }
    }

    /// Asks as a page of the course does.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &self.headers(), "")
    }

    /// Sends JSON as a page of the course does.
    #[must_use]
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let mut headers = self.headers();
        headers.push(("content-type".into(), "application/json".into()));
        self.send(method, path, &headers, &body.to_string())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The address in a text, if there is one.
fn address_in(text: &str) -> Option<String> {
    text.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned)
}

/// What an address lets in by.
#[must_use]
pub fn token(address: &str) -> &str {
    address.split_once("/enter#").expect("an address with a token").1
}
