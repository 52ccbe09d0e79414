//! A headless Chromium of a test's own, in a network of its own.
//!
//! Owns: starting and ending it, and the one way out of its network: to the course's server. Must
//! not: know what a page holds.
//!
//! The browser gets a network namespace with nothing in it but loopback. So a page that asks for
//! anything elsewhere fails at once, and networks that Docker makes for other tests do not make the
//! browser break off what it is loading. Needs root, as `daemon` does.

mod keys;
mod tab;
mod wire;

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::json;
use tempfile::TempDir;

pub use tab::Tab;
use wire::Wire;

/// The names that Chromium has on PATH.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// No window, no sandbox (the tests run as root), nothing that asks for updates or news.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
];

/// How long the browser may take to end by itself.
const END: Duration = Duration::from_secs(20);

/// The browser; ended when dropped.
pub struct Browser {
    wire: Arc<Wire>,
    process: Child,
    /// Its profile and what it has said, which go with it.
    profile: TempDir,
}

impl Browser {
    /// Starts a browser that reaches these ports of this machine, and nothing else.
    #[must_use]
    pub fn reaching(ports: &[u16]) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let log = File::create(profile.path().join("stderr")).expect("log");
        // Chromium reads commands from descriptor 3 and writes answers to 4.
        let script = r#"ip link set lo up && exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#;
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", script]).arg(program()).args(FLAGS);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut process = command.spawn().expect("unshare starts");
        let wire = Wire::new(process.stdin.take().expect("a pipe"), process.stdout.take().expect("a pipe"));
        let browser = Self { wire, process, profile };
        if let Err(error) = browser.wire.call(None, "Browser.getVersion", &json!({})) {
            let said = std::fs::read_to_string(browser.profile.path().join("stderr")).unwrap_or_default();
            panic!("Chromium does not start (the tests need root): {error}\n{said}");
        }
        // It has answered, so its network is there.
        for &port in ports {
            let listener = listen_in(browser.process.id(), port).expect("a port in the browser's network");
            thread::spawn(move || forward(&listener, port));
        }
        browser
    }

    /// A tab of its own window, 1200 by 900.
    #[must_use]
    pub fn tab(&self) -> Tab {
        Tab::open(self.wire.clone())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.wire.call(None, "Browser.close", &json!({}));
        let deadline = Instant::now() + END;
        while self.process.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| NAMES.map(|name| folder.join(name)))
        .find(|candidate| candidate.is_file());
    found.expect("there is no Chromium on this machine: run scripts/setup-tests.sh, which installs it")
}

/// A socket in the network of a process. It stays there, whoever accepts its connections.
fn listen_in(process: u32, port: u16) -> io::Result<TcpListener> {
    let visit = move || {
        let network = File::open(format!("/proc/{process}/ns/net"))?;
        move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, port))
    };
    // Only the thread that moves is there afterwards, so it has to be one that ends.
    thread::spawn(visit).join().expect("the visit")
}

/// Carries bytes between the browser's network and this one until the socket ends with the test.
fn forward(listener: &TcpListener, port: u16) {
    for inner in listener.incoming().flatten() {
        // Where nobody listens outside, the connection ends, as it would without us.
        let Ok(outer) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { continue };
        let (Ok(inner_too), Ok(outer_too)) = (inner.try_clone(), outer.try_clone()) else { continue };
        thread::spawn(move || carry(inner, outer));
        thread::spawn(move || carry(outer_too, inner_too));
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(std::net::Shutdown::Both);
    let _ = from.shutdown(std::net::Shutdown::Both);
}
