//! The connection to the Docker daemon, and running the `docker` command.
//!
//! Owns: connecting with a negotiated API version, and commands with a time limit. Must not:
//! know images or stacks.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use bollard::Docker;
use tokio::process::Command;

use super::orphans;
use super::run_id::RunId;
use super::wait::Deadline;
use crate::fault::{Fault, innermost};

/// Connects to the daemon that the `docker` command would use, and agrees on an API version
/// (Engine 20.10 up to the newest).
pub async fn connect() -> Result<Docker, Fault> {
    let no_daemon = |error: bollard::errors::Error| Fault::NoDaemon { reason: innermost(&error) };
    let client = Docker::connect_with_defaults().map_err(no_daemon)?;
    let greeting = client.negotiate_version();
    match tokio::time::timeout(Duration::from_secs(GREETING_SECONDS), greeting).await {
        Ok(greeted) => greeted.map_err(no_daemon),
        Err(_) => Err(Fault::NoDaemon { reason: format!("it said nothing for {GREETING_SECONDS} s") }),
    }
}

/// How long the daemon may take to tell its version. It needs milliseconds when it is well.
const GREETING_SECONDS: u64 = 20;

/// How a command ended.
#[derive(Debug, Clone, Default)]
pub struct Ended {
    /// Whether it exited with 0.
    pub ok: bool,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// A `docker` command, without a terminal, that dies with us.
pub fn command<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    let mut command = own("docker");
    command.args(arguments);
    command
}

/// A shell script of the course's authors, under the same conditions.
#[must_use]
pub fn script(text: &str) -> Command {
    let mut command = own("sh");
    command.args(["-eu", "-c", text]);
    command
}

fn own(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env(orphans::MARK, RunId::new().as_str());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // A Ctrl-C in the terminal is for us; we end our commands ourselves.
    command.process_group(0);
    // Compose and BuildKit must not pick up settings of the learner's shell that change results.
    for variable in ["COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES", "COMPOSE_ENV_FILES", "BUILDX_BUILDER"]
    {
        command.env_remove(variable);
    }
    command
}

/// Variables that a `docker compose` command may see: where Docker and its plugins are. Everything
/// else (tokens of a build server, passwords of a shell) could be read into a container by
/// `environment: [TOKEN]` or `${TOKEN}`.
const SEEN_BY_COMPOSE: [&str; 10] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "DOCKER_API_VERSION",
];

/// A `docker compose` command. It sees nothing of the grader's own environment but what it needs
/// to find Docker.
pub fn compose<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    let mut command = command(&["compose"]);
    command.args(arguments).env_clear().env(orphans::MARK, RunId::new().as_str());
    command.envs(SEEN_BY_COMPOSE.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command
}

/// Runs a command to its end, or ends it when the deadline has passed (`Ok(None)`).
pub async fn run(mut command: Command, deadline: &Deadline) -> Result<Option<Ended>, Fault> {
    let shown = shown(&command);
    let failed = |error: std::io::Error| Fault::Command { command: shown.clone(), reason: error.to_string() };
    let child = command.spawn().map_err(failed)?;
    let Some(output) = deadline.wait_for(child.wait_with_output()).await? else { return Ok(None) };
    let output = output.map_err(failed)?;
    Ok(Some(Ended {
        ok: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }))
}

/// Words by which a command says that it lost the daemon while it was working.
const LOST_WORDS: [&str; 6] = [
    "Cannot connect to the Docker daemon",
    "error during connect",
    "code = Unavailable",
    "error reading from server",
    "connection reset by peer",
    "use of closed network connection",
];

/// A fault when a command failed because the daemon went away, and not because of what it was asked
/// for. A daemon that was restarted at once answers again, so the words count as well.
pub async fn confirm_alive(complaint: &str) -> Result<(), Fault> {
    if let Some(line) = complaint.lines().find(|line| LOST_WORDS.iter().any(|word| line.contains(word))) {
        return Err(Fault::NoDaemon { reason: line.trim().to_owned() });
    }
    connect().await.map(|_| ())
}

/// The engine's version in words, as far as it says one.
pub async fn version() -> String {
    let said = async { connect().await.ok()?.version().await.ok()?.version };
    said.await.map_or_else(|| "of an unknown version".into(), |version| format!("Docker {version}"))
}

/// The command as a person would type it, shortened.
#[must_use]
pub fn shown(command: &Command) -> String {
    let command = command.as_std();
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().take(4).map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

/// The host's bundle of certificate authorities, where there is one: `SSL_CERT_FILE` (behind an
/// intercepting proxy) or the distribution's.
#[must_use]
pub fn certificate_bundle() -> Option<PathBuf> {
    let usual = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];
    std::env::var_os("SSL_CERT_FILE")
        .map(PathBuf::from)
        .into_iter()
        .chain(usual.into_iter().map(PathBuf::from))
        .find(|path| path.is_file())
}
