//! A Docker daemon of a test's own, which may be killed, stopped and filled up.
//!
//! Owns: a second `dockerd` with its own data (in memory, of a given size), sockets and bridge,
//! beside the machine's. Must not: touch the machine's daemon. Needs root.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The daemon; ended and removed when dropped.
pub struct Daemon {
    folder: TempDir,
    bridge: String,
    process: Option<Child>,
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().expect("the program starts");
    assert!(status.success(), "{program} {arguments:?} failed (these tests need root)");
}

impl Daemon {
    /// Starts a daemon whose images and containers may take `size` (such as `600m`), with the
    /// smallest base image in it.
    #[must_use]
    pub fn start(size: &str) -> Self {
        static NUMBER: AtomicU8 = AtomicU8::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bridge = format!("gr{:x}n{number}", std::process::id());
        run("ip", &["link", "add", &bridge, "type", "bridge"]);
        run("ip", &["addr", "add", &format!("10.{}.{number}.1/24", 225 + std::process::id() % 30), "dev", &bridge]);
        run("ip", &["link", "set", &bridge, "up"]);
        let data = folder.path().join("data");
        fs::create_dir(&data).expect("folder");
        run("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", &data.display().to_string()]);
        let mut daemon = Self { folder, bridge, process: None };
        daemon.launch();
        daemon.load("debian:bookworm-slim");
        daemon
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The value of `DOCKER_HOST` for it.
    #[must_use]
    pub fn host(&self) -> String {
        format!("unix://{}", self.path("docker.sock").display())
    }

    /// Starts the daemon (again) and waits until it answers.
    pub fn launch(&mut self) {
        let log = fs::File::create(self.path("log")).expect("log");
        let mut command = Command::new("dockerd");
        let paths = [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")];
        for (option, name) in paths {
            command.arg(option).arg(self.path(name));
        }
        command.args(["--host", &self.host(), "--bridge", &self.bridge]);
        // Its rules would mix with those of the machine's daemon.
        command.args(["--iptables=false", "--ip6tables=false", "--ip-masq=false"]);
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("log")).stderr(log);
        self.process = Some(command.spawn().expect("dockerd starts"));
        let deadline = Instant::now() + crate::PATIENCE;
        while self.docker(&["version"]).is_empty() {
            assert!(Instant::now() < deadline, "{}", fs::read_to_string(self.path("log")).unwrap_or_default());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn load(&self, image: &str) {
        let mut save = Command::new("docker").args(["save", image]).stdout(Stdio::piped()).spawn().expect("docker");
        let stdin = save.stdout.take().expect("a pipe");
        let loaded = Command::new("docker").env("DOCKER_HOST", self.host()).arg("load").stdin(stdin).output();
        assert!(loaded.expect("docker").status.success(), "{image} was not loaded");
        assert!(save.wait().expect("end").success());
    }

    /// Lines that `docker` prints about this daemon; none when it does not answer.
    #[must_use]
    pub fn docker(&self, arguments: &[&str]) -> Vec<String> {
        let output = Command::new("docker").env("DOCKER_HOST", self.host()).args(arguments).output().expect("docker");
        if !output.status.success() {
            return Vec::new();
        }
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    /// Sends the daemon a signal: `KILL`, `STOP`, `CONT`, `TERM`.
    pub fn signal(&mut self, name: &str) {
        let process = self.process.as_mut().expect("it runs");
        run("kill", &[&format!("-{name}"), &process.id().to_string()]);
        if name == "KILL" || name == "TERM" {
            process.wait().expect("end");
            self.process = None;
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It ends its containers and its own containerd; after a kill, one more start does that.
        if self.process.is_none() {
            self.launch();
        }
        for id in self.docker(&["ps", "--all", "--quiet"]) {
            let _ = self.docker(&["rm", "--force", &id]);
        }
        self.signal("TERM");
        let _ = Command::new("umount").arg("--lazy").arg(self.path("data")).status();
        let _ = Command::new("ip").args(["link", "del", &self.bridge]).status();
    }
}
