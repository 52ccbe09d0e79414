//! `image-config`: what an image says about how it is run.
//!
//! Owns: comparing the daemon's configuration with what is wanted. Must not: run the image.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::ImageFacts;
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Reads the image's configuration as the daemon keeps it, whatever instruction or stage it came
/// from. Where behaviour can show the same, take the kind that measures it: `runs-as-non-root` for
/// the user, `graceful-stop` for signals and the command's form, `becomes-healthy` for the health
/// check, `published-ports` for ports.
///
/// Why it matters: everybody who runs the image starts from what it says about itself.
///
/// How it is cheated: an instruction in a comment or in a stage that is not built is not in the
/// daemon's configuration. What it says and does not do is another kind's business.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageConfig {
    /// The image, by its name in `[[image]]`. At least one of the others must be given.
    pub image: String,
    /// The user, as `USER` says it.
    #[serde(default)]
    pub user: Option<String>,
    /// The working directory.
    #[serde(default)]
    pub workdir: Option<String>,
    /// Ports that must be exposed, such as `8080` or `53/udp`.
    #[serde(default)]
    pub exposed: Vec<String>,
    /// Environment variables that must be set, whatever their value.
    #[serde(default)]
    pub env_present: Vec<String>,
    /// Environment variables that must not be set.
    #[serde(default)]
    pub env_absent: Vec<String>,
    /// Environment variables with the values that they must have.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Labels that must be there, whatever their value.
    #[serde(default)]
    pub labels_present: Vec<String>,
    /// Labels with the values that they must have.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The signal that asks the main process to stop, such as `SIGQUIT`.
    #[serde(default)]
    pub stop_signal: Option<String>,
    /// Whether the image has a health check.
    #[serde(default)]
    pub health_check: Option<bool>,
    /// The entrypoint, word by word; empty for none.
    #[serde(default)]
    pub entrypoint: Option<Vec<String>>,
    /// The command, word by word; empty for none.
    #[serde(default)]
    pub cmd: Option<Vec<String>>,
    /// The words with which entrypoint and command together begin.
    #[serde(default)]
    pub begins_with: Option<Vec<String>>,
    /// The form of entrypoint and command.
    #[serde(default)]
    pub form: Option<Form>,
}

/// How a command is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A list: the program itself is the main process. A shell that gives way to it at its end counts as
    /// one: `["sh", "-c", "exec node server.js $PORT"]`.
    Exec,
    /// A text: a shell is the main process and starts the program.
    Shell,
}

/// The configuration.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The image.
    pub image: ImageFacts,
    /// The instruction that says the first thing at fault.
    pub at: Option<Location>,
}

/// One expectation.
struct Row {
    what: String,
    instruction: &'static str,
    wanted: String,
    found: String,
    holds: bool,
}

#[async_trait]
impl Check for ImageConfig {
    type Evidence = Evidence;
    const KIND: &'static str = "image-config";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::image(&self.image)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let image = sandbox.image(&self.image).await?;
        let rows = self.rows(&image);
        if rows.is_empty() {
            let what = format!("the check `image-config` of {}", self.image);
            return Err(Fault::Unreadable { what, reason: "the lesson gives nothing to compare with".into() });
        }
        let fault = rows.iter().find(|row| !row.holds).map(|row| row.instruction);
        let at = fault.and_then(|name| {
            let or = if name == "CMD" { "ENTRYPOINT" } else { "FROM" };
            let locate = |name: &str| sandbox.locate_instruction(&self.image, name);
            locate(name).or_else(|| locate(or)).or_else(|| locate("FROM"))
        });
        Ok(Evidence { image, at })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let rows = self.rows(&evidence.image);
        let wrong: Vec<&Row> = rows.iter().filter(|row| !row.holds).collect();
        let shown: Vec<&Row> = if wrong.is_empty() { rows.iter().collect() } else { wrong.clone() };
        let wanted: Vec<String> = shown.iter().map(|row| format!("{}: {}", row.what, row.wanted)).collect();
        let wanted = format!("the image {} says {}", self.image, wanted.join("; "));
        if wrong.is_empty() {
            return Verdict::Pass(Finding::new(wanted, "as wanted"));
        }
        let found: Vec<String> = wrong.iter().map(|row| format!("{}: {}", row.what, row.found)).collect();
        let table = wrong.iter().map(|row| vec![row.what.clone(), row.wanted.clone(), row.found.clone()]).collect();
        let table = Detail::table("what differs", &["of", "wanted", "found"], table);
        Verdict::Fail(Finding::new(wanted, found.join("; ")).with(table).at(evidence.at.clone()))
    }
}

impl ImageConfig {
    fn rows(&self, image: &ImageFacts) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut row = |what: &str, instruction: &'static str, wanted: String, found: String, holds: bool| {
            rows.push(Row { what: what.to_owned(), instruction, wanted, found, holds });
        };
        if let Some(user) = &self.user {
            row("user", "USER", code(user), or_none(&image.user), *user == image.user);
        }
        if let Some(workdir) = &self.workdir {
            let same = workdir.trim_end_matches('/') == image.workdir.trim_end_matches('/');
            row("working directory", "WORKDIR", code(workdir), code(&image.workdir), same);
        }
        for port in &self.exposed {
            let full = if port.contains('/') { port.clone() } else { format!("{port}/tcp") };
            let found = or_none(&image.exposed.join(", "));
            row("exposed ports", "EXPOSE", code(port), found, image.exposed.contains(&full));
        }
        let variable = |name: &str| image.env.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        for name in &self.env_present {
            let found = variable(name).map_or("not set".to_owned(), code);
            row(&format!("variable {name}"), "ENV", "is set".into(), found, variable(name).is_some());
        }
        for name in &self.env_absent {
            let found = variable(name).map_or("not set".to_owned(), |_| "set".into());
            row(&format!("variable {name}"), "ENV", "is not set".into(), found, variable(name).is_none());
        }
        for (name, value) in &self.env {
            let found = variable(name).map_or("not set".to_owned(), code);
            row(&format!("variable {name}"), "ENV", code(value), found, variable(name) == Some(value));
        }
        let label = |name: &str| image.labels.get(name).map_or("missing".to_owned(), |value| code(value));
        for name in &self.labels_present {
            row(&format!("label {name}"), "LABEL", "is there".into(), label(name), image.labels.contains_key(name));
        }
        for (name, value) in &self.labels {
            row(&format!("label {name}"), "LABEL", code(value), label(name), image.labels.get(name) == Some(value));
        }
        if let Some(signal) = &self.stop_signal {
            let found = if image.stop_signal.is_empty() { "SIGTERM" } else { &image.stop_signal };
            row("stop signal", "STOPSIGNAL", code(signal), code(found), same_signal(signal, found));
        }
        if let Some(wanted) = self.health_check {
            let has = image.health_check.first().is_some_and(|kind| kind != "NONE");
            let say = |yes: bool| if yes { "there is one" } else { "none" }.to_owned();
            row("health check", "HEALTHCHECK", say(wanted), say(has), has == wanted);
        }
        let (entrypoint, cmd) = image.entrypoint_and_cmd();
        if let Some(words) = &self.entrypoint {
            row("entrypoint", "ENTRYPOINT", list(words), list(entrypoint), words == entrypoint);
        }
        if let Some(words) = &self.cmd {
            row("command", "CMD", list(words), list(cmd), words == cmd);
        }
        if let Some(words) = &self.begins_with {
            let holds = begins_with(&image.command, words);
            row("entrypoint and command", "CMD", format!("begin with {}", list(words)), list(&image.command), holds);
        }
        if let Some(form) = self.form {
            let shell = [entrypoint, cmd].into_iter().find(|words| is_shell(words));
            let holds = !image.command.is_empty() && shell.is_some() == (form == Form::Shell);
            let say = match form {
                Form::Exec => "exec form, [\"program\", \"argument\"]",
                Form::Shell => "shell form",
            };
            let found = match shell {
                Some(words) => format!("shell form, run as {}", list(words)),
                None => format!("exec form, {}", list(&image.command)),
            };
            row("form", if is_shell(entrypoint) { "ENTRYPOINT" } else { "CMD" }, say.into(), found, holds);
        }
        rows
    }
}

/// `/usr/local/bin/node` is `node`.
fn begins_with(command: &[String], words: &[String]) -> bool {
    let Some((program, rest)) = words.split_first() else { return true };
    let Some((found, others)) = command.split_first() else { return false };
    (found == program || found.rsplit('/').next() == Some(program)) && others.starts_with(rest)
}

/// Whether a shell is, and stays, the main process: it is started with `-c` and a text that does not end
/// with `exec`. So is what Docker makes of the shell form.
fn is_shell(words: &[String]) -> bool {
    // `env A=b sh -c ...` becomes the shell.
    let is_setting = |word: &&String| word.contains('=') && !word.contains('/');
    let is_env = |word: &&String| word.rsplit('/').next() == Some("env");
    let before = words.iter().take_while(|word| is_env(word) || is_setting(word)).count();
    let Some((program, rest)) = words[before..].split_first() else { return false };
    let name = program.rsplit('/').next().unwrap_or(program);
    if !["sh", "bash", "ash", "dash", "ksh", "zsh", "busybox"].contains(&name) {
        return false;
    }
    // `-c`, or among others as in `-ec`; what follows is the text.
    let has_c = |word: &String| word.starts_with('-') && !word.starts_with("--") && word[1..].contains('c');
    let text = rest.iter().skip_while(|word| !has_c(word)).nth(1);
    text.is_some_and(|text| !gives_way(text))
}

/// Whether the last command of a script is `exec`.
fn gives_way(script: &str) -> bool {
    let script = script.trim_end_matches(|c: char| c.is_whitespace() || c == ';');
    let last = script.rsplit(['\n', ';', '&', '|']).next().unwrap_or(script);
    // What is sent to the background does not take the shell's place, and `a || exec b` may not come to it.
    let mut words = last.split_whitespace().skip_while(|word| word.contains('=')).chain([""]);
    words.next() == Some("exec") && words.next().is_some_and(|program| !program.is_empty()) && !script.ends_with('&')
}

/// `SIGQUIT`, `QUIT` and `3` are the same (signal(7), for the signals that servers use).
fn same_signal(a: &str, b: &str) -> bool {
    let name = |text: &str| {
        let text = text.to_uppercase();
        let known =
            [("1", "HUP"), ("2", "INT"), ("3", "QUIT"), ("9", "KILL"), ("10", "USR1"), ("12", "USR2"), ("15", "TERM")];
        let text = text.trim_start_matches("SIG").to_owned();
        known.iter().find(|(number, _)| *number == text).map_or(text.clone(), |(_, name)| (*name).to_owned())
    };
    name(a) == name(b)
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "none".into() } else { code(text) }
}

fn list(words: &[String]) -> String {
    if words.is_empty() { "none".into() } else { format!("{words:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &[&str]) -> Vec<String> {
        text.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_shell_that_gives_way_to_the_program_is_not_the_main_process() {
        for command in [
            ["sh", "-c", "exec node server.js $PORT"],
            ["/bin/sh", "-c", "cd /app && exec node server.js"],
            ["bash", "-ec", "migrate; PORT=1 exec node server.js;"],
            ["node", "-c", "x"],
            ["sh", "/entry.sh", "-c"],
        ] {
            assert!(!is_shell(&words(&command)), "{command:?}");
        }
        for command in [
            ["/bin/sh", "-c", "node server.js"],
            ["bash", "-lc", "node server.js"],
            ["sh", "-c", "exec node server.js &"],
            ["sh", "-c", "exec 2>&1; node server.js"],
            ["sh", "-c", "echo exec node"],
        ] {
            assert!(is_shell(&words(&command)), "{command:?}");
        }
        assert!(is_shell(&words(&["/usr/bin/env", "A=b", "sh", "-c", "node x"])));
    }

    #[test]
    fn a_program_may_be_named_with_its_path() {
        let begins = |command: &[&str]| begins_with(&words(command), &words(&["node", "x.js"]));
        assert!(begins(&["node", "x.js", "y"]) && begins(&["/usr/local/bin/node", "x.js"]));
        assert!(!begins(&["node"]) && !begins(&["xnode", "x.js"]) && !begins(&["node", "./x.js"]));
    }

    #[test]
    fn signals_have_three_spellings() {
        assert!(same_signal("SIGQUIT", "3") && same_signal("quit", "SIGQUIT"));
        assert!(!same_signal("SIGTERM", "SIGKILL"));
    }
}

crate::register!(ImageConfig);
