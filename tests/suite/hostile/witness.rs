//! What must be as it was: the learner's folder, files beside it, a service of the machine, and
//! objects of somebody else in the daemon.
//!
//! Owns: putting them there, and telling what has changed. Must not: know what a submission tries.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tests::{Ended, docker};

use super::case::Case;
use super::corpus;

/// Objects of somebody else in the daemon, all called by this name: a container with a volume and a
/// network, and an image. Removed at the end.
pub struct Foreign {
    name: String,
    digest: String,
    before: Vec<String>,
}

impl Foreign {
    /// Makes them.
    pub fn make() -> Self {
        let name = format!("hostile-{}", std::process::id());
        let _ = docker(&["volume", "create", &name]);
        let _ = docker(&["network", "create", &name]);
        let volume = format!("{name}:/data");
        let image = "debian:bookworm-slim";
        let _ = docker(&["create", "--name", &name, "--network", &name, "--volume", &volume, image, "sleep", "9"]);
        let _ = docker(&["tag", image, &format!("{name}-image")]);
        let digest = docker(&["image", "inspect", "--format", "{{.Id}}", image]).join("");
        let mut made = Self { digest: digest.trim_start_matches("sha256:").to_owned(), name, before: Vec::new() };
        made.before = made.seen();
        assert!(made.before.len() > 20, "the foreign objects could not be made: {:?}", made.before);
        made
    }

    /// What has changed in the daemon, as far as it is the corpus's business.
    pub fn changes(&self) -> Vec<String> {
        let after = self.seen();
        let lines = after.iter().filter(|line| !self.before.contains(line));
        lines
            .map(|line| format!("the daemon: {line}"))
            .chain((after.len() < self.before.len()).then(|| "something foreign is gone".to_owned()))
            .collect()
    }

    /// Everything about the foreign objects, and the name of everything that has `hostile` in it.
    fn seen(&self) -> Vec<String> {
        let mut all = docker(&["container", "inspect", &self.name]);
        all.extend(docker(&["volume", "inspect", &self.name]));
        all.extend(docker(&["network", "inspect", &self.name]));
        for kind in [
            ["ps", "--all", "--format={{.Names}}"],
            ["volume", "ls", "--format={{.Name}}"],
            ["network", "ls", "--format={{.Name}}"],
            ["image", "ls", "--format={{.Repository}}:{{.Tag}}"],
        ] {
            all.extend(docker(&kind).into_iter().filter(|name| name.contains("hostile")));
        }
        all
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = docker(&["rm", "--force", &self.name]);
        let _ = docker(&["volume", "rm", &self.name]);
        let _ = docker(&["network", "rm", &self.name]);
        let _ = docker(&["rmi", &format!("{}-image", self.name)]);
    }
}

/// What runs of a grader with this process id have left in the daemon.
pub fn objects_of(process: u32) -> Vec<String> {
    let label = "label=course.grader.run";
    let run = "{{.Label \"course.grader.run\"}}";
    let mut all = docker(&["ps", "--all", "--filter", label, "--format", run]);
    all.extend(docker(&["network", "ls", "--filter", label, "--format", run]));
    all.extend(docker(&["volume", "ls", "--filter", label, "--format", run]));
    all.extend(docker(&["image", "ls", "--format", "{{.Repository}}"]));
    // A run's id is `machine-boot-process-start-number`, in hexadecimal.
    let of_process = |id: &&str| id.split('-').count() == 5 && id.split('-').nth(2) == Some(&format!("{process:x}"));
    all.into_iter().filter(|text| text.split('/').any(|part| of_process(&part))).collect()
}

/// A learner's folder with a canary beside it, and a service of the machine.
pub struct Witness {
    root: TempDir,
    service: TcpListener,
    token: String,
    before: BTreeMap<PathBuf, String>,
}

impl Witness {
    /// Lays a submission over a right one.
    pub fn make(case: &Case, foreign: &Foreign) -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        let service = TcpListener::bind("127.0.0.1:0").expect("port");
        service.set_nonblocking(true).expect("socket");
        let token =
            format!("canary-{}", root.path().file_name().unwrap_or_default().to_string_lossy().trim_start_matches('.'));
        let mut witness = Self { root, service, token, before: BTreeMap::new() };
        fs::create_dir_all(witness.canary()).expect("folder");
        fs::write(witness.canary().join("secret.txt"), format!("SECRET={}\n", witness.token)).expect("write");
        fs::write(witness.canary().join("compose.yml"), "services:\n  x:\n    privileged: true\n").expect("write");
        for beneath in case.beneath() {
            tests::lay(&beneath, &witness.dir());
        }
        tests::lay(&corpus().join(&case.name), &witness.dir());
        fs::remove_file(witness.dir().join("hostile.toml")).expect("remove");
        witness.fill_in(foreign);
        for action in &case.make {
            action.act(&witness.dir());
        }
        witness.before = snapshot(witness.root.path());
        witness
    }

    /// Puts names that are only known now into the submission's files.
    fn fill_in(&self, foreign: &Foreign) {
        let port = self.service.local_addr().expect("address").port().to_string();
        let canary = self.canary().display().to_string();
        for entry in walkdir::WalkDir::new(self.dir()).into_iter().flatten().filter(|entry| entry.file_type().is_file())
        {
            let Ok(text) = fs::read_to_string(entry.path()) else { continue };
            let filled = text
                .replace("{{foreign}}", &foreign.name)
                .replace("{{digest}}", &foreign.digest)
                .replace("{{port}}", &port)
                .replace("{{canary}}", &canary)
                .replace("{{process}}", &std::process::id().to_string());
            fs::write(entry.path(), filled).expect("write");
        }
    }

    /// The submission's folder.
    pub fn dir(&self) -> PathBuf {
        self.root.path().join("submission")
    }

    /// The grader's own folder.
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// A word that must never be seen again.
    pub fn token(&self) -> &str {
        &self.token
    }

    fn canary(&self) -> PathBuf {
        self.root.path().join("canary")
    }

    /// What has changed, and what has come out that should not.
    pub fn changes(&self, ended: &Ended) -> Vec<String> {
        let mut wrong = Vec::new();
        let after = snapshot(self.root.path());
        for path in self.before.keys().chain(after.keys()) {
            if self.before.get(path) != after.get(path) {
                wrong.push(format!(
                    "{} has changed: {:?}, before {:?}",
                    path.display(),
                    after.get(path),
                    self.before.get(path)
                ));
            }
        }
        if self.service.accept().is_ok() {
            wrong.push("a service of the machine was reached".into());
        }
        if ended.all().contains(&self.token) {
            wrong.push(format!("the secret has come out:\n{}", ended.all()));
        }
        let runs = fs::read_dir(self.home().join("cache/runs")).into_iter().flatten().flatten();
        wrong.extend(runs.map(|run| format!("{} was left behind", run.path().display())));
        wrong
    }
}

/// Everything below a folder but the grader's own files: kind, mode, owner and content.
fn snapshot(root: &Path) -> BTreeMap<PathBuf, String> {
    let entries = walkdir::WalkDir::new(root).into_iter().filter_entry(|entry| entry.file_name() != "home").flatten();
    entries
        .map(|entry| {
            let data = entry.metadata().expect("metadata");
            let content = match entry.file_type() {
                kind if kind.is_symlink() => fs::read_link(entry.path()).map(|to| to.as_os_str().as_bytes().to_vec()),
                kind if kind.is_file() && data.len() < 1_000_000 => fs::read(entry.path()),
                _ => Ok(Vec::new()),
            };
            let size = if entry.file_type().is_dir() { 0 } else { data.len() };
            let text = format!(
                "{:o} {} {size} {:?}",
                data.mode(),
                data.uid(),
                String::from_utf8_lossy(&content.expect("read"))
            );
            (entry.path().to_path_buf(), text)
        })
        .collect()
}
