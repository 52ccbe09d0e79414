//! A learner whose course is open in a browser.
//!
//! Owns: a course that `grader init` has written, with a home of its own, and its server. Must not:
//! know what is on the pages.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::browser::{Browser, Tab};
use crate::program;

/// The course, its server and a browser; all end when it is dropped.
pub struct Served {
    /// Holds the course and the home.
    folder: TempDir,
    server: Child,
    port: u16,
    first: String,
    browser: Option<Browser>,
}

impl Served {
    /// Writes a course, serves it, and starts a browser that reaches only that.
    #[must_use]
    pub fn start() -> Self {
        Self::beside(&[])
    }

    /// The same, with a browser that reaches other ports, too.
    #[must_use]
    pub fn beside(others: &[u16]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let made = command(folder.path()).current_dir(folder.path()).args(["init", "course"]).output().expect("grader");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let (server, first) = serve(folder.path(), 0);
        let port = first.split(['/', ':']).nth(4).and_then(|port| port.parse().ok()).expect("a port in the address");
        let browser = Some(Browser::reaching(&[&[port], others].concat()));
        Self { folder, server, port, first, browser }
    }

    /// A tab that has shown the address from the terminal, and is on the first page.
    #[must_use]
    pub fn tab(&self) -> Tab {
        let tab = self.browser.as_ref().expect("a browser").tab();
        tab.go(&self.first);
        tab
    }

    /// A tab on one of the course's pages.
    #[must_use]
    pub fn tab_on(&self, page: &str) -> Tab {
        let tab = self.tab();
        tab.go(&self.address(page));
        tab
    }

    /// The address of a page, as links have it.
    #[must_use]
    pub fn address(&self, page: &str) -> String {
        format!("http://127.0.0.1:{}/{page}", self.port)
    }

    /// The address that the server has printed, with its token.
    #[must_use]
    pub fn first(&self) -> &str {
        &self.first
    }

    /// A file of the learner's copy.
    #[must_use]
    pub fn file(&self, path: &str) -> PathBuf {
        self.folder.path().join("course/workspace").join(path)
    }

    /// Ends the server as Ctrl-C does, and waits for it.
    pub fn stop(&mut self) {
        let id = self.server.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill starts").success());
        self.server.wait().expect("end");
    }

    /// Starts it again at the same port, with another token.
    pub fn start_again(&mut self) {
        (self.server, self.first) = serve(self.folder.path(), self.port);
    }

    /// Runs a command of the grader in this course and home.
    #[must_use]
    pub fn grader(&self, arguments: &[&str]) -> crate::Ended {
        crate::ended(&command(self.folder.path()).args(arguments).output().expect("grader"))
    }

    /// Replaces a file of the learner's copy with that of a solution, as another editor would.
    pub fn solve(&self, exercise: &str, solution: &str, file: &str) {
        let from = crate::course().join("exercises").join(exercise).join("solutions").join(solution).join(file);
        fs::copy(from, self.file(exercise).join(file)).expect("copy");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // The browser first: the server waits for connections that are open.
        self.browser = None;
        let id = self.server.id().to_string();
        let _ = Command::new("kill").args(["-INT", &id]).stderr(Stdio::null()).status();
        let _ = self.server.wait();
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(program());
    command.current_dir(folder.join("course")).env("GRADER_HOME", folder.join("home")).stdin(Stdio::null());
    command
}

/// The server and the address that it prints.
fn serve(folder: &Path, port: u16) -> (Child, String) {
    let mut command = command(folder);
    command.args(["serve", "--no-open", "--offline", "--port", &port.to_string()]);
    let mut server = command.stdout(Stdio::piped()).spawn().expect("grader serve");
    let lines = BufReader::new(server.stdout.take().expect("stdout")).lines();
    let address =
        lines.map_while(Result::ok).find_map(|line| line.trim().starts_with("http://").then(|| line.trim().to_owned()));
    (server, address.expect("grader serve prints its address"))
}
