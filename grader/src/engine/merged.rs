//! The merged models of a submission's stacks.
//!
//! Owns: asking memory first and Compose then, and Compose's complaints in a learner's words and with
//! their lines. Must not: admit anything.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::{Admission, Job};
use crate::fault::Fault;
use crate::memory::{self, Models};
use crate::policy::{AdmittedStack, ComposeText, Refusal, remedy};
use crate::sandbox::compose::{Fills, Merged, Places, merge};
use crate::sandbox::pace::Pace;
use crate::sandbox::scratch::Scratch;
use crate::submission::Submission;

/// What a run's stacks are merged from.
pub struct Merging<'a> {
    /// The run's job.
    pub job: &'a Job<'a>,
    /// Its folders.
    pub scratch: &'a Scratch,
    /// What is remembered, if anything may be.
    pub models: Option<&'a Models<'a>>,
    /// What stands in the lesson's own words.
    pub fills: Fills<'a>,
    /// What the gate has read of each stack.
    pub texts: BTreeMap<String, ComposeText>,
    /// The copied files, for the places of complaints.
    pub submission: &'a Submission,
    /// How fast the machine is.
    pub pace: &'a Pace,
}

impl Merging<'_> {
    /// The merged model of each stack, remembered or out of Compose; or Compose's complaints.
    pub async fn merged(&self) -> Result<Admission<BTreeMap<String, AdmittedStack>>, Fault> {
        let recalled = |spec| self.models.filter(|_| self.job.memory == memory::Use::Recall)?.recall(spec);
        let nothing = ComposeText::default();
        let merged = try_join_all(self.job.lesson.spec.stacks.iter().map(async |spec| {
            let name = format!("stack-{}", spec.name);
            let copy = self.scratch.copy(&name)?;
            let text = self.texts.get(&spec.name).unwrap_or(&nothing);
            if let Some(model) = recalled(spec) {
                return Ok((spec, text, Merged::Model(model), copy));
            }
            let places = Places { work: self.scratch.own_file("compose").join(&name), copy };
            let merged = merge(spec, text, &places, &self.fills, self.pace).await?;
            if let (Some(models), Merged::Model(model)) = (self.models, &merged) {
                models.keep(spec, model);
            }
            Ok::<_, Fault>((spec, text, merged, places.copy))
        }))
        .await?;
        let (mut stacks, mut complaints) = (BTreeMap::new(), Vec::new());
        for (spec, text, merged, dir) in merged {
            match merged {
                Merged::Model(model) => {
                    let variables = text.variables().clone();
                    stacks.insert(spec.name.clone(), AdmittedStack { variables, ..AdmittedStack::new(dir, model) });
                }
                Merged::Complaint(words) => complaints.push(complaint(self.submission, &spec.files, text, &words)),
            }
        }
        complaints.dedup();
        Ok(if complaints.is_empty() { Ok(stacks) } else { Err(complaints) })
    }
}

/// Compose's complaint with the line that it is about, as far as it says one.
fn complaint(submission: &Submission, files: &[String], text: &ComposeText, words: &str) -> Refusal {
    // Warnings come first; the complaint is the last line.
    let last = words.lines().last().unwrap_or(words);
    if let Some((path, key)) = unknown_key(last) {
        let full: Vec<&str> = path.iter().copied().chain([key]).collect();
        let place = path.iter().rev().find(|name| name.parse::<usize>().is_err()).unwrap_or(&"the top");
        let what = format!("Compose does not know the key `{key}` at `{place}`");
        return Refusal::mistake(what, remedy(key, &[]), submission.locate_key(files, &full));
    }
    let file = files.iter().rev().find(|file| last.contains(file.as_str()));
    let number = last.split("line ").nth(1).and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    let line = file.and_then(|file| Some((file, text.line(file, number?.parse().ok()?)?)));
    let named = line.and_then(|(file, line)| submission.location(file, line));
    let path = last.split_whitespace().find(|word| word.contains("services.")).unwrap_or_default();
    let keys: Vec<&str> = path.trim_end_matches([':', ',']).split('.').collect();
    let at = named.or_else(|| submission.locate_key(files, &keys));
    let why = if last.contains("required variable") || last.contains("is missing a value") {
        "A variable that the file asks for is not set. It must come from the file that `--env-file` names, or from the command (see the exercise: only TAG is given)."
    } else {
        "This is what `docker compose config` says. Run the exercise's own command with `config` in place of `up` to see it yourself."
    };
    Refusal::mistake(format!("Compose cannot use your files: {last}"), why, at)
}

/// The path and the key of a complaint about a key that Compose does not know. Versions differ:
/// `services.a Additional property x is not allowed`, `services.a additional properties 'x' not allowed`.
fn unknown_key(complaint: &str) -> Option<(Vec<&str>, &str)> {
    let lower = complaint.to_lowercase();
    let at = ["additional property ", "additional properties "].into_iter().find_map(|words| {
        // Lower case may be longer or shorter than what it is made of, but not for ASCII.
        lower.is_ascii().then(|| lower.find(words).map(|at| (at, at + words.len()))).flatten()
    })?;
    let key = complaint[at.1..].split([' ', ',']).next()?.trim_matches('\'');
    let path = complaint[..at.0].split_whitespace().next_back().unwrap_or_default().trim_end_matches(':');
    let path = if path.contains('.') || !path.contains('/') { path.split('.').collect() } else { Vec::new() };
    Some((path, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_compose_does_not_know_is_found_in_its_complaint() {
        let old = "validating c.yml: services.a.ports.0 Additional property publish is not allowed";
        let new = "validating c.yml: services.a.ports.0 additional properties 'publish' not allowed";
        let wanted = Some((vec!["services", "a", "ports", "0"], "publish"));
        assert_eq!((unknown_key(old), unknown_key(new)), (wanted.clone(), wanted));
        assert_eq!(unknown_key("services.a.user must be a string"), None);
    }
}
