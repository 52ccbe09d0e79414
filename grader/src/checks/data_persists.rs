//! `data-persists`: what was written through the app is there after its containers were made anew.
//!
//! Owns: one write, the new containers, and two reads. Must not: look into files for the answer.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::check::words::{fill, fill_json};
use crate::check::{Check, Door, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{HttpAnswer, HttpRequest, MountFacts};
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};

/// Writes a value that no other run has through the app, and reads it back. Then each container
/// in `recreate` is removed with its anonymous volumes and made anew, as a new version of the image
/// would be, and the value is read once more. When it is lost, the finding names the file that it
/// was in, and what that file was on.
///
/// Why it matters: containers are replaced with every deployment. What lives in one dies with it.
///
/// How it is cheated: a volume beside the folder that the app writes to, or one without a name,
/// does not bring the value back. A fixed answer does not know the value, which is new in every run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataPersists {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service that is asked.
    pub service: String,
    /// Its port in the container.
    pub port: u16,
    /// The request that writes.
    pub write: Write,
    /// The request that reads.
    pub read: Read,
    /// The services whose containers are made anew, in this order: a database before its app.
    /// Left out, the one that is asked. Name every service that could keep the value.
    #[serde(default)]
    pub recreate: Vec<String>,
    /// Milliseconds in which the app must answer, at first and after the containers were made anew.
    #[serde(default = "default_limit")]
    pub within_ms: u64,
}

/// The request that writes. It must be answered with a status from 200 to 299.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// The path. `{value}` stands for the value of this run, `{number}` for one of seven digits.
    pub path: String,
    /// A JSON body: the request is a POST then, else a GET. `{value}` and `{number}` are filled in;
    /// a text that is `{number}` and nothing else becomes a number.
    #[serde(default)]
    pub post: Option<Value>,
    /// Names for values of the JSON answer, by their JSON pointers.
    #[serde(default)]
    pub keep: BTreeMap<String, String>,
}

/// The request that reads, a GET.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The path. `{name}` stands for a value that the write's answer gave; the value itself is not
    /// filled in, so that an app cannot just repeat the question.
    pub path: String,
    /// Text that must be in the body. `{value}` and `{number}` are filled in.
    #[serde(default = "the_value")]
    pub contains: String,
}

fn default_limit() -> u64 {
    20_000
}

fn the_value() -> String {
    "{value}".into()
}

/// How long an app that answers again is asked for the value before it counts as lost.
const LOST_AFTER_MS: u64 = 2_000;

/// The write, the reads, and where the value was.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The text that must come back.
    pub text: String,
    /// The path that was read; empty when the write failed.
    pub path: String,
    /// The write's answer.
    pub written: HttpAnswer,
    /// The answer of the read before the containers were made anew; `None` when the write failed.
    pub before: Option<HttpAnswer>,
    /// The answer after; `None` when it did not come so far.
    pub after: Option<HttpAnswer>,
    /// Files that had the text in them: service and path.
    pub files: Vec<(String, String)>,
    /// The mounts of each service that was made anew.
    pub mounts: BTreeMap<String, Vec<MountFacts>>,
    /// The last log lines of the service that was asked, when the value did not come back.
    pub log: Vec<String>,
    /// Where the volumes of the service that had the value stand.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for DataPersists {
    type Evidence = Evidence;
    const KIND: &'static str = "data-persists";
    const MANNER: Manner = Manner::Disrupts;

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    fn asks_at(&self) -> Vec<Door> {
        vec![Door::of(&self.stack, &self.service, self.port)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = self.at(&self.service);
        for service in self.recreated() {
            sandbox.ensure_running(self.at(service)).await?;
        }
        sandbox.ensure_running(at).await?;
        let mut words = unique_words();
        let text = fill(&self.read.contains, &words);
        let write = self.write_request(&words);
        let written = ask(sandbox, at, &write, self.within_ms, is_success).await?;
        let mut evidence = Evidence {
            text: text.clone(),
            path: String::new(),
            written,
            before: None,
            after: None,
            files: Vec::new(),
            mounts: BTreeMap::new(),
            log: Vec::new(),
            at: sandbox.locate_key(at, &["volumes"]),
        };
        if is_success(&evidence.written) {
            // Only what the answer gave is filled into the path that is read.
            words.clear();
            let json: Value = serde_json::from_str(&evidence.written.body).unwrap_or_default();
            for (name, pointer) in &self.write.keep {
                let value = json.pointer(pointer).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
                words.insert(name.clone(), value.unwrap_or_default());
            }
            let read = HttpRequest::get(self.port, &fill(&self.read.path, &words));
            evidence.path.clone_from(&read.path);
            let before = ask(sandbox, at, &read, LOST_AFTER_MS, |answer| answer.body.contains(&text)).await?;
            let is_there = before.body.contains(&text);
            evidence.before = Some(before);
            if is_there {
                self.replace_containers(sandbox, &mut evidence).await?;
                let up = |answer: &HttpAnswer| answer.status.is_some_and(|status| status < 500);
                let mut after = ask(sandbox, at, &read, self.within_ms, up).await?;
                if up(&after) && !after.body.contains(&text) {
                    after = ask(sandbox, at, &read, LOST_AFTER_MS, |answer| answer.body.contains(&text)).await?;
                }
                evidence.after = Some(after);
            }
        }
        if !evidence.is_back() {
            evidence.log = sandbox.log_story(at, 8).await?;
        }
        Ok(evidence)
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let services: Vec<String> = self.recreated().map(|service| format!("`{service}`")).collect();
        let wanted = format!(
            "what was written is read again after the {} of {} {} removed and made anew",
            if services.len() == 1 { "container" } else { "containers" },
            services.join(" and "),
            if services.len() == 1 { "was" } else { "were" },
        );
        let measured = match (&evidence.before, &evidence.after) {
            _ if !is_success(&evidence.written) => {
                let limit = millis(self.within_ms);
                format!(
                    "nothing could be written within {limit}: {} said {}",
                    self.write.name(),
                    evidence.written.summary()
                )
            }
            (Some(before), None) => {
                format!("it is not there even before: {} said {}", evidence.path, before.summary())
            }
            (_, Some(after)) if !after.body.contains(&evidence.text) => match after.status {
                Some(status) if status < 500 => format!("it is lost. {}", evidence.places("was")),
                _ => {
                    format!("the new container does not answer within {}: {}", millis(self.within_ms), after.summary())
                }
            },
            _ => format!("it is there. {}", evidence.places("is")),
        };
        if evidence.is_back() {
            return Verdict::Pass(Finding::new(wanted, measured));
        }
        let mut finding = Finding::new(wanted, measured).at(evidence.at.clone());
        if let (Some(before), Some(after)) = (&evidence.before, &evidence.after) {
            finding = finding.with(Detail::Diff {
                title: format!("the answer of {} before and after", evidence.path),
                before: before.summary(),
                after: after.summary(),
            });
        }
        for (service, mounts) in evidence.mounts.iter().filter(|(_, mounts)| !mounts.is_empty()) {
            if evidence.mounts.len() > 1 {
                finding = finding.note(format!("The mounts of `{service}` come next."));
            }
            finding = finding.with(MountFacts::table(mounts));
        }
        if !evidence.log.is_empty() {
            finding =
                finding.with(Detail::log(format!("the last log lines of {}", self.service), evidence.log.clone()));
        }
        Verdict::Fail(finding)
    }
}

impl DataPersists {
    fn at<'a>(&'a self, service: &'a str) -> At<'a> {
        At { stack: &self.stack, service }
    }

    fn recreated(&self) -> impl Iterator<Item = &str> {
        let asked = self.recreate.is_empty().then_some(self.service.as_str());
        self.recreate.iter().map(String::as_str).chain(asked)
    }

    fn write_request(&self, words: &BTreeMap<String, String>) -> HttpRequest {
        let path = fill(&self.write.path, words);
        match &self.write.post {
            Some(body) => HttpRequest::post(self.port, &path, fill_json(body, words, "number")),
            None => HttpRequest::get(self.port, &path),
        }
    }

    async fn replace_containers(&self, sandbox: &dyn Sandbox, evidence: &mut Evidence) -> Result<(), Fault> {
        for service in self.recreated() {
            let at = self.at(service);
            let old = sandbox.container(at).await?;
            let files = sandbox.files_with(at, &evidence.text).await?;
            if !files.is_empty() {
                evidence.at = sandbox.locate_key(at, &["volumes"]);
            }
            evidence.files.extend(files.into_iter().map(|path| (service.to_owned(), path)));
            evidence.mounts.insert(service.to_owned(), old.mounts);
            sandbox.recreate(at).await?;
            if sandbox.container(at).await?.id == old.id {
                let reason = "it is still the old one".into();
                return Err(Fault::Unreadable { what: format!("the new container of {service}"), reason });
            }
        }
        Ok(())
    }
}

impl Write {
    fn name(&self) -> String {
        format!("{} {}", if self.post.is_some() { "POST" } else { "GET" }, self.path)
    }
}

impl Evidence {
    fn is_back(&self) -> bool {
        self.after.as_ref().is_some_and(|after| after.body.contains(&self.text))
    }

    /// The files that had the text, and what they were on.
    fn places(&self, was: &str) -> String {
        if self.files.is_empty() {
            return format!("It {was} in no file as plain text: in memory only, or in a form of the app's own");
        }
        let places: BTreeSet<String> = self.files.iter().map(|(service, path)| self.place(service, path)).collect();
        format!("It {was} in {}", places.into_iter().collect::<Vec<_>>().join(" and in "))
    }

    fn place(&self, service: &str, path: &str) -> String {
        let is_on = |mount: &&MountFacts| path == mount.target || path.starts_with(&format!("{}/", mount.target));
        let mount = self.mounts.get(service).into_iter().flatten().filter(is_on).max_by_key(|mount| mount.target.len());
        let on = match mount {
            None => "the container's own writable layer, which is removed with it".into(),
            Some(mount) if mount.is_anonymous() => "an anonymous volume: a new container gets a new, empty one".into(),
            Some(mount) => match mount.kind.as_str() {
                "volume" => format!("the named volume `{}`", mount.source),
                "tmpfs" => "a tmpfs: memory, which is given back when the container ends".into(),
                _ => format!("the host's folder {}", mount.source),
            },
        };
        format!("{path} of `{service}`, on {on}")
    }
}

/// Asks until the answer is as wanted, or gives the last answer.
async fn ask(
    sandbox: &dyn Sandbox,
    at: At<'_>,
    request: &HttpRequest,
    limit_ms: u64,
    is_wanted: impl Fn(&HttpAnswer) -> bool + Send + Sync,
) -> Result<HttpAnswer, Fault> {
    let last = std::sync::Mutex::new(HttpAnswer::default());
    let look = || async {
        let answer = sandbox.http(at, request).await?;
        let found = is_wanted(&answer).then(|| answer.clone());
        if let Ok(mut last) = last.lock() {
            *last = answer;
        }
        Ok::<_, Fault>(found)
    };
    let found = until(&sandbox.within(limit_ms), look).await?;
    Ok(found.unwrap_or_else(|| last.into_inner().unwrap_or_default()))
}

fn is_success(answer: &HttpAnswer) -> bool {
    answer.status.is_some_and(|status| (200..300).contains(&status))
}

/// A value and a number that no other run writes.
fn unique_words() -> BTreeMap<String, String> {
    let now = jiff::Timestamp::now().as_nanosecond();
    BTreeMap::from([
        ("value".to_owned(), format!("kept-{now:x}")),
        ("number".to_owned(), (1_000_000 + now / 1_000 % 9_000_000).to_string()),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_value_is_filled_into_a_body_at_any_depth_and_a_number_stays_one() {
        let words = BTreeMap::from([("value".into(), "v".into()), ("number".into(), "7".into())]);
        let filled = fill_json(&json!({"a": ["<{value}>", {"n": "{number}"}], "b": true}), &words, "number");
        assert_eq!(filled, json!({"a": ["<v>", {"n": 7}], "b": true}));
    }
}

crate::register!(DataPersists);
