//! `hot-reload`: an edit in the source shows in the answer, in the same container.
//!
//! Owns: three edits, saved in two ways, and their effects. Must not: restart or build anything.

mod phases;

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Door, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{ContainerFacts, HttpRequest, MountFacts};
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis as millis_of};
use phases::{Answer, Phase, remember};

/// How long the answer is watched, whatever the limit, so that "too late" can be told from
/// "never".
const WATCHED_MS: u64 = 8_000;

/// Edits one file in the folder that the stack was started from, and asks the service until the new text
/// is in its answer. That is done three times, since editors save in two ways: into the file that is there (nano,
/// VS Code), and into a new one that then gets the old one's name (vim, `JetBrains`, `sed -i`, `git pull`). Both
/// must show, and so must one more save after that: some watchers lose a file when a new one takes its name.
///
/// Why it matters: the time from a save to its effect is what a developer waits for all day. A mount of a
/// single file stays with the file that was there when the container was started, so half of all editors
/// save past it.
///
/// How it is cheated: a rebuild or a new container shows in the container's id and image, a container
/// that ends at each save and is restarted by its policy in the time of its start; the text of the
/// edit is new in every run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HotReload {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The port in the container.
    pub port: u16,
    /// The path whose answer shows the edited text.
    pub path: String,
    /// Milliseconds from the save to the changed answer.
    pub within_ms: u64,
}

/// How long the app may take to answer at all before it is edited.
const UP_WITHIN_MS: u64 = 20_000;

/// The edit and its effect.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The edited file.
    pub file: String,
    /// The answer before.
    pub answer_before: String,
    /// The last answer.
    pub answer_after: String,
    /// Milliseconds until the text showed, if it did.
    pub millis: Option<u64>,
    /// The container before.
    pub before: ContainerFacts,
    /// The container after.
    pub after: ContainerFacts,
    /// The last log lines.
    pub log: Vec<String>,
    /// Where the mounts stand.
    pub at: Option<Location>,
    /// What was answered after the save, in its order.
    #[serde(default)]
    pub answers: Vec<Phase>,
    /// The second save, by renaming; `None` when the first one did not show in time.
    #[serde(default)]
    pub renamed: Option<Save>,
    /// The third save, in place again; `None` when an earlier one did not show in time.
    #[serde(default)]
    pub again: Option<Save>,
}

/// A save and its effect.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Save {
    /// The last answer.
    pub answer_after: String,
    /// Milliseconds until the text showed, if it did.
    pub millis: Option<u64>,
    /// What was answered after the save, in its order.
    pub answers: Vec<Phase>,
}

#[async_trait]
impl Check for HotReload {
    type Evidence = Evidence;
    const KIND: &'static str = "hot-reload";
    const MANNER: Manner = Manner::Disrupts;

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    fn asks_at(&self) -> Vec<Door> {
        vec![Door::of(&self.stack, &self.service, self.port)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        sandbox.ensure_running(at).await?;
        let before = sandbox.container(at).await?;
        // An app that reads the file for the first time after the save would show it without any watcher.
        let request = HttpRequest::get(self.port, &self.path);
        let up = || async {
            let answer = sandbox.http(at, &request).await?;
            Ok::<_, Fault>(answer.status.is_some_and(|status| status < 400).then_some(answer))
        };
        let answer_before = match until(&sandbox.within(UP_WITHIN_MS), up).await? {
            Some(answer) => answer.summary(),
            None => sandbox.http(at, &request).await?.summary(),
        };
        let edit = sandbox.edit(&self.stack).await?;
        let Save { answer_after, millis, answers } = self.watched(sandbox, at, &edit.after).await?;
        let in_time = |millis: Option<u64>| millis.is_some_and(|taken| taken <= self.within_ms);
        let (mut renamed, mut again) = (None, None);
        if in_time(millis) {
            let edit = sandbox.edit_by_renaming(&self.stack).await?;
            renamed = Some(self.watched(sandbox, at, &edit.after).await?);
        }
        // A watcher may have seen the old file go, and not follow the new one.
        if renamed.as_ref().is_some_and(|save: &Save| in_time(save.millis)) {
            let edit = sandbox.edit_again(&self.stack).await?;
            again = Some(self.watched(sandbox, at, &edit.after).await?);
        }
        let after = sandbox.container(at).await?;
        // Our own questions fill the log; what the watcher says is of interest.
        let mut log = sandbox.log_tail(at, 1_000).await?;
        log.retain(|line| !line.contains(&self.path));
        log.drain(..log.len().saturating_sub(8));
        let single = after.mounts.iter().find(|mount| is_single(mount, &edit.file));
        let item = single.map(|mount| format!("./{}:", mount.source));
        let key: Vec<&str> = std::iter::once("volumes").chain(item.as_deref()).collect();
        let at = sandbox.locate_key(at, &key);
        let file = edit.file;
        Ok(Evidence { file, answer_before, answer_after, millis, before, after, log, at, answers, renamed, again })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!(
            "a save of {} shows at {} within {}, in the same container and without a restart of it, \
             whether it is saved in place or by renaming, and again after that",
            evidence.file,
            self.path,
            millis_of(self.within_ms)
        );
        let Evidence { before, after, .. } = evidence;
        let unreplaced = before.id == after.id && before.image_id == after.image_id;
        let restarted = before.started_at != after.started_at;
        let is_in_time = |millis: Option<u64>| millis.is_some_and(|taken| taken <= self.within_ms);
        let showed = |millis: Option<u64>| match millis {
            Some(taken) => format!("showed after {}", millis_of(taken)),
            None => format!("did not show within {}", millis_of(WATCHED_MS.max(self.within_ms))),
        };
        let in_time = is_in_time(evidence.millis);
        let renamed_in_time = evidence.renamed.as_ref().is_none_or(|save| is_in_time(save.millis));
        let again_in_time = evidence.again.as_ref().is_none_or(|save| is_in_time(save.millis));
        let mut measured = match (&evidence.renamed, &evidence.again) {
            (None, _) => format!("it {}", showed(evidence.millis)),
            (Some(save), None) => {
                format!("saved in place, it {}; by renaming, it {}", showed(evidence.millis), showed(save.millis))
            }
            (Some(save), Some(again)) => format!(
                "saved in place, it {}; by renaming, it {}; in place again, it {}",
                showed(evidence.millis),
                showed(save.millis),
                showed(again.millis)
            ),
        };
        let place = match (unreplaced, restarted) {
            (false, _) => "in another container",
            (true, true) => "in the same container, which ended and was restarted",
            (true, false) => "in the same container",
        };
        measured = format!("{measured}, {place}");
        if in_time && renamed_in_time && again_in_time && unreplaced && !restarted {
            return Verdict::Pass(Finding::new(wanted, measured).with_some(self.timeline(evidence, place)));
        }
        let (before, after) = match (&evidence.renamed, &evidence.again) {
            (Some(save), Some(again)) if renamed_in_time => (&save.answer_after, &again.answer_after),
            (Some(save), _) if in_time => (&evidence.answer_after, &save.answer_after),
            _ => (&evidence.answer_before, &evidence.answer_after),
        };
        let mut finding = Finding::new(wanted, measured).at(evidence.at.clone());
        if in_time && !(renamed_in_time && again_in_time) {
            finding = finding.note(evidence.why_renaming());
        }
        let finding = finding
            .with_some(self.timeline(evidence, place))
            .with(Detail::Diff {
                title: format!("the answer of {} before and after the save", self.path),
                before: before.clone(),
                after: after.clone(),
            })
            .with(MountFacts::table(&evidence.after.mounts))
            .with(Detail::log("its last log lines, without our requests", evidence.log.clone()));
        Verdict::Fail(finding)
    }
}

impl Evidence {
    /// Why a save by renaming does not show although one in place does.
    fn why_renaming(&self) -> String {
        let editors =
            "Many editors (vim, JetBrains), `sed -i` and `git pull` write a new file and give it the old one's name";
        match self.after.mounts.iter().find(|mount| is_single(mount, &self.file)) {
            Some(mount) => format!(
                "{editors}. {} is mounted as a single file, at {}, and such a mount stays with the old one. Mount its folder.",
                mount.source, mount.target
            ),
            None => {
                format!("{editors}. Whatever watches the source here follows the old file; let it watch the folder.")
            }
        }
    }
}

/// Whether it mounts the edited file alone.
fn is_single(mount: &MountFacts, file: &str) -> bool {
    mount.kind == "bind" && mount.source == file
}

impl HotReload {
    /// Asks until an edited text shows, or for as long as it is of interest.
    async fn watched(&self, sandbox: &dyn Sandbox, at: At<'_>, text: &str) -> Result<Save, Fault> {
        let request = HttpRequest::get(self.port, &self.path);
        let begun = sandbox.pace().watch();
        let answers = Mutex::new(Vec::new());
        let shows = || async {
            let answer = sandbox.http(at, &request).await?;
            let is_edited = answer.body.contains(text);
            let kind = match answer.status {
                _ if is_edited => Answer::Edited,
                Some(_) => Answer::Before,
                None => Answer::Nothing,
            };
            let at_ms = begun.millis();
            remember(&mut answers.lock().unwrap_or_else(PoisonError::into_inner), kind, at_ms);
            Ok::<_, Fault>(is_edited.then(|| (begun.took(), answer.summary())))
        };
        let seen = until(&sandbox.within(WATCHED_MS.max(self.within_ms)), shows).await?;
        let (millis, answer_after) = match seen {
            Some((took, answer)) => {
                took.must_tell(self.within_ms, "the way from a save to the answer")?;
                (Some(took.millis), answer)
            }
            None => (None, sandbox.http(at, &request).await?.summary()),
        };
        Ok(Save { answer_after, millis, answers: answers.into_inner().unwrap_or_else(PoisonError::into_inner) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Mark, Span};

    #[test]
    fn answers_of_one_kind_are_one_span_and_the_next_kind_ends_it() {
        let mut answers = Vec::new();
        for (answer, at_ms) in [
            (Answer::Before, 10),
            (Answer::Before, 40),
            (Answer::Nothing, 60),
            (Answer::Nothing, 200),
            (Answer::Edited, 230),
        ] {
            remember(&mut answers, answer, at_ms);
        }
        let check =
            HotReload { stack: "dev".into(), service: "app".into(), port: 3000, path: "/".into(), within_ms: 5_000 };
        let evidence = Evidence {
            file: "src/app.js".into(),
            answer_before: String::new(),
            answer_after: String::new(),
            millis: Some(230),
            before: ContainerFacts::default(),
            after: ContainerFacts::default(),
            log: Vec::new(),
            at: None,
            answers,
            renamed: None,
            again: None,
        };
        let Some(Detail::Timeline { spans, marks, limit, .. }) = check.timeline(&evidence, "in the same container")
        else {
            panic!("a timeline")
        };
        let expected = [
            Span::new("the answer is as it was", 0, 60),
            Span::new("no answer: the app is not there", 60, 230),
            Span::new("all this in the same container", 0, 230),
        ];
        assert_eq!((spans, marks), (expected.to_vec(), vec![Mark::new("the edit shows", 230)]));
        assert_eq!(limit.map(|limit| limit.at_ms), Some(5_000));
        assert!(check.timeline(&Evidence { answers: Vec::new(), ..evidence }, "").is_none(), "older evidence has none");
    }

    #[test]
    fn a_save_by_renaming_that_does_not_show_is_blamed_on_the_mount_of_the_single_file() {
        let mount = |source: &str| MountFacts {
            kind: "bind".into(),
            source: source.into(),
            target: "/app/src/app.js".into(),
            writable: true,
        };
        let check =
            HotReload { stack: "dev".into(), service: "app".into(), port: 3000, path: "/".into(), within_ms: 5_000 };
        let judged = |source: &str, renamed: Option<u64>| {
            let after = ContainerFacts { mounts: vec![mount(source)], ..ContainerFacts::default() };
            check.judge(&Evidence {
                file: "src/app.js".into(),
                answer_before: String::new(),
                answer_after: String::new(),
                millis: Some(230),
                before: ContainerFacts::default(),
                after,
                log: Vec::new(),
                at: None,
                answers: Vec::new(),
                renamed: Some(Save { answer_after: String::new(), millis: renamed, answers: Vec::new() }),
                again: None,
            })
        };
        assert!(matches!(judged("src/app.js", Some(300)), Verdict::Pass(_)));
        let note = |source| match judged(source, None) {
            Verdict::Fail(finding) => finding.details.into_iter().find_map(|detail| match detail {
                Detail::Note { text } => Some(text),
                _ => None,
            }),
            _ => panic!("it fails"),
        };
        assert!(note("src/app.js").expect("a note").contains("single file"));
        assert!(note("src").expect("a note").contains("watch the folder"));
    }
}

crate::register!(HotReload);
