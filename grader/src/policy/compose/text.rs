//! The text of Compose files, before Compose reads it, and what Compose gets in its place.
//!
//! Owns: [`ComposeText`], which only this module makes: every file that Compose will open for a stack,
//! read whole, looked at, and bounded in what it can become. Must not: merge; Compose does.
//!
//! Compose works in a folder in which there is nothing but these texts. So it cannot read what the
//! gate has not seen, however the learner's files change meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use super::super::Refusal;
use super::{include, keys};
use crate::course::spec::StackSpec;
use crate::submission::compose_file::{ComposeFile, FileRead, files_read};
use crate::submission::env_file::{EnvError, EnvFile};
use crate::submission::yaml::{self, Canonical};
use crate::submission::{Submission, is_inside};

const ONLY_OWN: &str = "Compose would read it before anybody has looked at it. Only files of the exercise are read, named by a plain path such as ./settings.env";
const INCLUDE_PLAINLY: &str = "A Compose file of the exercise may include others of it, each once and by its path alone, and these include none: `include: [more.yml]`.";
const AS_TEXT: &str = "Only what can be read as text reaches Compose: save the file as UTF-8 (PowerShell's `>` writes UTF-16), with at most 1 MB.";
const EXTENDS_ALONE: &str = "Which document a service is taken from then, only Compose knows. Put what stands between `---` lines into one document, or into files of their own.";
const TOO_MUCH: &str = "What `extends`, `env_file` and variables bring in counts each time. A Compose file of an exercise is far below that.";

/// The most that Compose may have to read for a stack, bytes, with what is brought in more than once.
const MOST_BYTES: usize = 1_000_000;
/// What Compose finds in its environment in the place of the machine's own: `${HOME}`, `${PATH}` and
/// `${PWD}` tell nothing of this machine. The last one stands for the exercise folder.
pub const NEUTRAL: [(&str, &str); 3] = [
    ("HOME", "/home/learner"),
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("PWD", "/home/learner/exercise"),
];

/// Services that extend each other in a row.
const MOST_EXTENDS: usize = 20;

/// Variables of an env file that steer Docker's own programs and mean nothing in a Compose file.
const STEERING: [&str; 8] = [
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    "DOCKER_API_VERSION",
    "DOCKER_AUTH_CONFIG",
];
/// The same, by how they begin.
const STEERING_PREFIXES: [&str; 6] =
    ["COMPOSE_", "DOCKER_CLI_", "DOCKER_CONTENT_TRUST", "DOCKER_CUSTOM_", "BUILDKIT_", "BUILDX_"];
/// Those among them that only say something of the project itself.
const OF_THE_PROJECT: [&str; 2] = ["COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES"];

/// All that Compose reads of a stack.
#[derive(Debug, Clone, Default)]
pub struct ComposeText {
    files: BTreeMap<String, Canonical>,
    env_files: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
}

impl ComposeText {
    /// The files with their texts, by their paths relative to the exercise folder.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let compose = self.files.iter().map(|(path, canonical)| (path.as_str(), canonical.text.as_str()));
        compose.chain(self.env_files.iter().map(|(path, text)| (path.as_str(), text.as_str())))
    }

    /// The variables that the submission's own env file sets (the lesson's `env_file`, or `.env`).
    #[must_use]
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// The line of the learner's file for a line of the text that Compose was given.
    #[must_use]
    pub fn line(&self, file: &str, line: usize) -> Option<usize> {
        self.files.get(file)?.line(line)
    }
}

/// Reads a stack's files: what Compose gets, and what must not stand in them.
pub fn read(spec: &StackSpec, submission: &Submission) -> (ComposeText, Vec<Refusal>) {
    let mut reading = Reading {
        submission,
        text: ComposeText::default(),
        parsed: BTreeMap::new(),
        included: Vec::new(),
        refusals: Vec::new(),
    };
    reading.variables(spec);
    // Compose takes paths of the files that are named to it from the first one's folder.
    let folder = spec.files.first().map(|first| parent(first)).unwrap_or_default();
    for file in &spec.files {
        reading.compose_file(file, &folder, None);
    }
    reading.only_one_kind();
    if reading.refusals.is_empty() {
        reading.bound(spec);
    }
    (reading.text, reading.refusals)
}

struct Reading<'a> {
    submission: &'a Submission,
    text: ComposeText,
    /// Each Compose file with the folder from which its paths are taken.
    parsed: BTreeMap<String, (ComposeFile, String)>,
    /// Files that are included, once for each time.
    included: Vec<String>,
    refusals: Vec<Refusal>,
}

/// A key of a Compose file that names another file.
#[derive(Clone, Copy)]
struct Named<'f> {
    file: &'f str,
    read: &'f FileRead,
}

impl Reading<'_> {
    fn refuse(&mut self, at: Option<Named<'_>>, what: String, why: &str) {
        let at = at.and_then(|named| self.submission.location(named.file, named.read.line));
        self.refusals.push(Refusal::new(what, why, at));
    }

    /// The text of a file that Compose would open. A file that is not there is Compose's to complain about.
    fn whole(&mut self, file: &str, named: Option<Named<'_>>) -> Option<String> {
        let text = self.submission.text(file).filter(|text| !text.contains('\0'));
        if text.is_none() && self.submission.dir.join(file).symlink_metadata().is_ok() {
            let what = match named {
                Some(named) => format!("`{}` reads {file}, which is no text that the grader can read", named.read.key),
                None => format!("{file} is no text that the grader can read"),
            };
            self.refuse(named, what, AS_TEXT);
        }
        text
    }

    fn variables(&mut self, spec: &StackSpec) {
        let named = spec.env_file.as_deref().filter(|file| self.submission.dir.join(file).is_file());
        let file = named.unwrap_or(".env");
        let Some(text) = self.whole(file, None) else { return };
        let env = EnvFile::read(&text, &outside(spec));
        // Compose puts them into its own environment, and there each has a name.
        let nameless = env.assignments.iter().find(|one| one.key.is_empty() && one.value.is_some());
        let nameless = nameless.map(|one| EnvError { line: one.line, what: "a value has no name".into() });
        if let Some(error) = env.error.as_ref().or(nameless.as_ref()) {
            let at = self.submission.location(file, error.line);
            let why = "Compose reads lines such as `NAME=value` in it. A value with special characters stands in single quotes.";
            self.refusals.push(Refusal::mistake(format!("{file}: {}", error.what), why, at));
        }
        let steers =
            |name: &str| STEERING.contains(&name) || STEERING_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        self.text.variables = env.values();
        self.text.variables.retain(|name, _| OF_THE_PROJECT.contains(&name.as_str()) || !steers(name));
    }

    fn compose_file(&mut self, file: &str, folder: &str, named: Option<Named<'_>>) {
        if self.parsed.contains_key(file) {
            return;
        }
        let Some(text) = self.whole(file, named) else { return };
        let read = yaml::read(&text)
            .and_then(|all| Canonical::of_all(&all).map(|canonical| (ComposeFile { documents: all }, canonical)));
        let (parsed, canonical) = match read {
            Ok(read) => read,
            Err(yaml::Mistake { line, what, why }) => return self.mistake(file, line, &what, why),
        };
        if parsed.documents.is_empty() {
            let why = "It has comments at most. Compose wants a `services:` at least.";
            return self.mistake(file, 1, "says nothing", why);
        }
        if let Some(root) = parsed.documents.iter().find(|root| !matches!(root.data, yaml::Data::Map(_))) {
            let why = "At the top of a Compose file stand keys such as `services:`, each with a colon.";
            return self.mistake(file, root.line, "does not begin with a key", why);
        }
        let included = include::paths(&parsed).unwrap_or_else(|(line, what)| {
            let at = self.submission.location(file, line);
            self.refusals.push(Refusal::new(what, INCLUDE_PLAINLY, at));
            Vec::new()
        });
        let extends = parsed.services().find_map(|(_, service)| service.get("extends"));
        if let Some(extends) = extends.filter(|_| parsed.documents.len() > 1) {
            let what = "`extends` stands in a file with more than one document";
            let at = self.submission.location(file, extends.line);
            self.refusals.push(Refusal::new(what, EXTENDS_ALONE, at));
        }
        self.refusals.extend(keys::inspect(self.submission, file, &parsed));
        self.text.files.insert(file.to_owned(), canonical);
        self.parsed.insert(file.to_owned(), (parsed.clone(), folder.to_owned()));
        let reads: BTreeSet<_> = parsed.services().flat_map(|(_, service)| files_read(service)).collect();
        for read in &included {
            self.included(Named { file, read }, folder, named.is_some());
        }
        for read in &reads {
            let named = Named { file, read };
            match below(self.submission, folder, &read.path) {
                Ok(inside) if read.key == "extends" => self.compose_file(&inside, &parent(&inside), Some(named)),
                Ok(inside) => {
                    if let Some(text) = self.whole(&inside, Some(named)) {
                        self.text.env_files.insert(inside, text);
                    }
                }
                Err(reason) => {
                    let what = format!("`{}` reads {}, {reason}", read.key, read.path);
                    self.refuse(Some(named), what, ONLY_OWN);
                }
            }
        }
    }

    /// A file that another one includes, with the `.env` beside it, which Compose reads for it.
    fn included(&mut self, named: Named<'_>, folder: &str, is_within: bool) {
        let path = &named.read.path;
        if is_within {
            let what = format!("{}, which is brought in itself, includes {path}", named.file);
            return self.refuse(Some(named), what, INCLUDE_PLAINLY);
        }
        let inside = match below(self.submission, folder, path) {
            Ok(inside) => inside,
            Err(reason) => return self.refuse(Some(named), format!("`include` reads {path}, {reason}"), ONLY_OWN),
        };
        self.compose_file(&inside, &parent(&inside), Some(named));
        let beside = format!("{}/.env", parent(&inside));
        if !parent(&inside).is_empty()
            && self.submission.dir.join(&beside).is_file()
            && let Some(text) = self.whole(&beside, Some(named))
        {
            self.text.env_files.insert(beside, text);
        }
        self.included.push(inside);
    }

    /// An env file is handed on as it is; a Compose file never is.
    fn only_one_kind(&mut self) {
        for file in self.text.env_files.keys().filter(|file| self.text.files.contains_key(*file)) {
            let what = format!("{file} is named as a Compose file and as an env file");
            self.refusals.push(Refusal::mistake(what, "Put the variables into a file of their own.", None));
        }
    }

    fn mistake(&mut self, file: &str, line: usize, what: &str, why: &str) {
        let at = self.submission.location(file, line);
        self.refusals.push(Refusal::mistake(format!("{file} {what}"), why, at));
    }

    /// Refuses what would become too much in Compose's hands: each service counts with all that it
    /// extends and with its env files, and each `$` as the longest value.
    fn bound(&mut self, spec: &StackSpec) {
        let outside = outside(spec);
        let env: BTreeMap<&str, usize> = self
            .text
            .env_files
            .iter()
            .map(|(path, text)| {
                let values =
                    EnvFile::read(text, &|name| outside(name).or_else(|| self.text.variables.get(name).cloned()));
                // What cannot be read as a whole counts as the most that could come of it.
                let grown: usize = values.values().values().map(String::len).sum();
                (path.as_str(), text.len() + if values.error.is_some() { text.len() * 10 } else { grown })
            })
            .collect();
        // The variables of an included file are those of the `.env` beside it.
        let of_included =
            self.text.env_files.iter().filter(|(path, _)| path.ends_with("/.env")).map(|(_, text)| text.len());
        let longest = self.text.variables.values().map(String::len).chain(of_included).max().unwrap_or(0).max(100);
        let weight = |text: &str| text.len() + text.matches('$').count() * longest;
        let sizes: BTreeMap<&str, usize> =
            self.text.files.iter().map(|(file, canonical)| (file.as_str(), weight(&canonical.text))).collect();
        let mut sum: usize = sizes.values().sum();
        sum += self.included.iter().filter_map(|file| sizes.get(file.as_str())).sum::<usize>();
        for (file, (parsed, _)) in &self.parsed {
            for (name, _) in parsed.services() {
                if let Some(weight) = self.chain(file, name, &sizes, &env, longest) {
                    sum = sum.saturating_add(weight);
                } else {
                    let what = format!("`{name}` extends more than {MOST_EXTENDS} services in a row");
                    let at = parsed.line_of(&["services", name]).and_then(|line| self.submission.location(file, line));
                    self.refusals.push(Refusal::new(
                        what,
                        "Compose reads each of them again. Put what they share into one.",
                        at,
                    ));
                    return;
                }
            }
        }
        if sum > MOST_BYTES {
            let what = format!("the {} stack becomes {} kB when Compose puts it together", spec.name, sum / 1_000);
            self.refusals.push(Refusal::new(what, TOO_MUCH, None));
        }
    }

    /// What Compose reads for one service, bytes; `None` when too many extend each other.
    fn chain(
        &self,
        file: &str,
        service: &str,
        sizes: &BTreeMap<&str, usize>,
        env: &BTreeMap<&str, usize>,
        longest: usize,
    ) -> Option<usize> {
        let (mut file, mut service, mut weight) = (file.to_owned(), service.to_owned(), 0_usize);
        for _ in 0..MOST_EXTENDS {
            let Some((parsed, folder)) = self.parsed.get(&file) else { return Some(weight) };
            let nodes: Vec<_> = parsed.services().filter(|(name, _)| *name == service).map(|(_, node)| node).collect();
            for node in &nodes {
                // Its keys are in the file's own size once already; extended again, they count again.
                let own =
                    Canonical::of(node).map_or(0, |text| text.text.len() + text.text.matches('$').count() * longest);
                weight = weight.saturating_add(own);
                for read in files_read(node).iter().filter(|read| read.key != "extends") {
                    let inside = below(self.submission, folder, &read.path).unwrap_or_default();
                    weight = weight.saturating_add(env.get(inside.as_str()).copied().unwrap_or(0));
                }
            }
            // Where a file has several documents, none of them extends.
            let Some(extends) = nodes.iter().find_map(|node| node.get("extends")) else { return Some(weight) };
            let named = extends.value.get("file").and_then(|entry| entry.value.text());
            if let Some(path) = named {
                let Ok(inside) = below(self.submission, folder, path) else { return Some(weight) };
                weight = weight.saturating_add(sizes.get(inside.as_str()).copied().unwrap_or(0));
                file = inside;
            }
            let next = extends.value.text().or_else(|| extends.value.get("service")?.value.text());
            let Some(next) = next.map(str::to_owned) else { return Some(weight) };
            service = next;
        }
        None
    }
}

/// Variables that Compose finds outside of every env file.
fn outside(spec: &StackSpec) -> impl Fn(&str) -> Option<String> {
    |name| {
        let neutral = NEUTRAL.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        spec.env.get(name).cloned().or(neutral)
    }
}

fn parent(file: &str) -> String {
    Path::new(file).parent().map(|parent| parent.display().to_string()).unwrap_or_default()
}

/// The path, relative to the exercise folder, that a path in a file means; or why it is not one.
/// `folder` is where the file's paths are taken from.
fn below(submission: &Submission, folder: &str, path: &str) -> Result<String, &'static str> {
    if path.contains('$') {
        return Err("a path that only Compose can tell");
    }
    let is_remote = path.contains("://") || path.starts_with("git@") || path.starts_with("github.com/");
    let leads_elsewhere = path.starts_with(['/', '~']) || is_remote;
    let mut parts = Vec::new();
    for part in Path::new(folder).join(path).components() {
        match part {
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::ParentDir if parts.pop().is_none() => return Err("outside of the exercise folder"),
            _ => {}
        }
    }
    let inside = parts.join("/");
    if leads_elsewhere || !is_inside(&submission.dir.join(&inside), &submission.dir) {
        return Err("outside of the exercise folder");
    }
    Ok(inside)
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
