//! `contains`: which paths the final file system of an image has and has not.
//!
//! Owns: matching paths, owners and modes. Must not: read contents.

use async_trait::async_trait;
use globset::{Glob, GlobMatcher};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::{LayerFile, final_entries};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Looks for paths in the image as a container would see it: what a later layer deletes is
/// absent here (the check of secrets looks into every layer). Owners and modes are those of the last
/// layer that has the file. What the base image has is not looked at.
///
/// Why it matters: what is in the image ships. What the app needs must, the rest must not.
///
/// How it is cheated: a `chown` before the file is copied again, or a deletion in another stage,
/// reads well and changes nothing in the final file system. The same file under another name passes;
/// the app's own behaviour is checked beside this.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contains {
    /// The image, by its name in `[[image]]`.
    pub image: String,
    /// Patterns that must match something, relative to the image's working directory (or to the
    /// root, when they begin with `/`).
    #[serde(default)]
    pub present: Vec<String>,
    /// Patterns that must match nothing, relative to the image's working directory.
    #[serde(default)]
    pub absent: Vec<String>,
    /// Patterns whose files must have an owner or a mode. Each must match something.
    #[serde(default)]
    pub owned: Vec<Owned>,
}

/// Files with the owner and mode that they must have; what is left out may be anything.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Owned {
    /// The pattern.
    pub path: String,
    /// The owner's user id.
    #[serde(default)]
    pub uid: Option<u64>,
    /// The owner's group id.
    #[serde(default)]
    pub gid: Option<u64>,
    /// The permission bits, octal: `0o640`.
    #[serde(default)]
    pub mode: Option<u32>,
}

/// What the patterns matched above the base image.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The working directory.
    pub workdir: String,
    /// Each wanted pattern with how many paths it matched.
    pub present: Vec<(String, usize)>,
    /// Each unwanted pattern with the paths that it matched, five at most, and how many there are.
    pub absent: Vec<(String, Vec<String>, usize)>,
    /// Per pattern in `owned`, the owners and modes of the files that it matched.
    #[serde(default)]
    pub owned: Vec<Vec<Group>>,
    /// The last `COPY`, when something is not as wanted.
    #[serde(default)]
    pub at: Option<Location>,
}

/// Files of one owner and mode.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The owner's user id.
    pub uid: u64,
    /// The owner's group id.
    pub gid: u64,
    /// The permission bits.
    pub mode: u32,
    /// How many files there are.
    pub files: usize,
    /// The first one.
    pub first: String,
}

#[async_trait]
impl Check for Contains {
    type Evidence = Evidence;
    const KIND: &'static str = "contains";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::image(&self.image)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let image = sandbox.image(&self.image).await?;
        let layers = sandbox.layer_files(&self.image).await?;
        let files = final_entries(&layers[image.base_layers.min(layers.len())..]);
        let workdir = image.workdir.trim_matches('/').to_owned();
        let matching = |pattern: &str| -> Result<Vec<&LayerFile>, Fault> {
            let full = match pattern.strip_prefix('/') {
                Some(from_root) => from_root.to_owned(),
                None if workdir.is_empty() => pattern.to_owned(),
                None => format!("{workdir}/{pattern}"),
            };
            let matcher = matcher(&full)?;
            Ok(files.values().copied().filter(|file| matcher.is_match(&file.path)).collect())
        };
        let mut present = Vec::new();
        for pattern in &self.present {
            present.push((pattern.clone(), matching(pattern)?.len()));
        }
        let mut absent = Vec::new();
        for pattern in &self.absent {
            let found = matching(pattern)?;
            let some = found.iter().take(5).map(|file| file.path.clone()).collect();
            absent.push((pattern.clone(), some, found.len()));
        }
        let mut owned = Vec::new();
        for wish in &self.owned {
            owned.push(groups(&matching(&wish.path)?));
        }
        let mut evidence = Evidence { workdir: image.workdir, present, absent, owned, at: None };
        if !matches!(self.judge(&evidence), Verdict::Pass(_)) {
            evidence.at = self.copy_of(&evidence, sandbox);
        }
        Ok(evidence)
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let list = |patterns: &[String]| patterns.join(", ");
        let mut wanted = format!("under {}:", evidence.workdir);
        if !self.present.is_empty() {
            wanted = format!("{wanted} {} present", list(&self.present));
        }
        if !self.absent.is_empty() {
            let comma = if self.present.is_empty() { "" } else { ";" };
            wanted = format!("{wanted}{comma} {} absent", list(&self.absent));
        }
        if !self.owned.is_empty() {
            let comma = if self.present.is_empty() && self.absent.is_empty() { "" } else { ";" };
            let owned: Vec<String> = self.owned.iter().map(Owned::shown).collect();
            wanted = format!("{wanted}{comma} {}", owned.join(", "));
        }
        let missing: Vec<&str> =
            evidence.present.iter().filter(|(_, count)| *count == 0).map(|(p, _)| p.as_str()).collect();
        let found: Vec<_> = evidence.absent.iter().filter(|(_, _, count)| *count > 0).collect();
        let mut parts = Vec::new();
        if !missing.is_empty() {
            parts.push(format!("missing: {}", missing.join(", ")));
        }
        if !found.is_empty() {
            let names: Vec<&str> = found.iter().map(|(pattern, ..)| pattern.as_str()).collect();
            parts.push(format!("there, but should not be: {}", names.join(", ")));
        }
        let mut owners: Vec<Vec<String>> = Vec::new();
        for (wish, groups) in self.owned.iter().zip(&evidence.owned) {
            if groups.is_empty() {
                parts.push(format!("missing: {}", wish.path));
            }
            let wrong: Vec<&Group> = groups.iter().filter(|group| !wish.holds(group)).collect();
            if !wrong.is_empty() {
                parts.push(format!("another owner or mode: {}", wish.path));
            }
            owners.extend(wrong.iter().map(|group| group.row()));
        }
        let holds = parts.is_empty();
        let measured = if holds { "as wanted".into() } else { parts.join("; ") };
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|(pattern, paths, count)| {
                vec![pattern.clone(), count.to_string(), paths.first().map(|p| format!("/{p}")).unwrap_or_default()]
            })
            .collect();
        let mut finding = Finding::new(wanted, measured);
        if !rows.is_empty() {
            finding = finding.with(Detail::table("found", &["pattern", "paths", "first one"], rows));
        }
        if !owners.is_empty() {
            let head = ["first one", "files", "user id", "group id", "mode"];
            finding = finding.with(Detail::table("owners and modes that differ", &head, owners));
        }
        if holds { finding.decide(true) } else { finding.at(evidence.at.clone()).decide(false) }
    }
}

impl Contains {
    /// The `COPY` that brings the first path at fault, in the stage of the image's last one; that last
    /// one when none names the path.
    fn copy_of(&self, evidence: &Evidence, sandbox: &dyn Sandbox) -> Option<Location> {
        let last = sandbox.locate_instruction(&self.image, "COPY")?;
        let there = evidence.absent.iter().find_map(|(_, paths, _)| paths.first());
        let mut owners = self.owned.iter().zip(&evidence.owned);
        let owned = owners.find_map(|(wish, groups)| groups.iter().find(|group| !wish.holds(group)));
        let path = there.or(owned.map(|group| &group.first));
        let Some(path) = path else { return Some(last) };
        let path = path.strip_prefix(evidence.workdir.trim_matches('/')).unwrap_or(path).trim_start_matches('/');
        let all = sandbox.instructions();
        let stage = all.iter().find(|one| one.line == last.line).map(|one| one.stage.clone());
        let brings = |arguments: &str| {
            let words: Vec<&str> = arguments.split_whitespace().filter(|word| !word.starts_with("--")).collect();
            let sources = words.split_last().map(|(_, sources)| sources).unwrap_or_default();
            sources
                .iter()
                .map(|word| word.trim_start_matches("./").trim_matches('/'))
                .any(|word| word.is_empty() || word == "." || path == word || path.starts_with(&format!("{word}/")))
        };
        let copy =
            all.iter().rfind(|one| one.name == "COPY" && Some(&one.stage) == stage.as_ref() && brings(&one.arguments));
        copy.and_then(|one| sandbox.locate_line("Dockerfile", one.line)).or(Some(last))
    }
}

impl Owned {
    fn holds(&self, group: &Group) -> bool {
        self.uid.is_none_or(|uid| uid == group.uid)
            && self.gid.is_none_or(|gid| gid == group.gid)
            && self.mode.is_none_or(|mode| mode == group.mode)
    }

    fn shown(&self) -> String {
        let mut parts = vec![self.path.clone()];
        parts.extend(self.uid.map(|uid| format!("of user {uid}")));
        parts.extend(self.gid.map(|gid| format!("of group {gid}")));
        parts.extend(self.mode.map(|mode| format!("with mode {mode:04o}")));
        parts.join(" ")
    }
}

impl Group {
    fn row(&self) -> Vec<String> {
        let mode = format!("{:04o}", self.mode);
        vec![format!("/{}", self.first), self.files.to_string(), self.uid.to_string(), self.gid.to_string(), mode]
    }
}

fn groups(files: &[&LayerFile]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for file in files {
        let is = |group: &&mut Group| (group.uid, group.gid, group.mode) == (file.uid, file.gid, file.mode);
        match groups.iter_mut().find(is) {
            Some(group) => group.files += 1,
            None => {
                groups.push(Group {
                    uid: file.uid,
                    gid: file.gid,
                    mode: file.mode,
                    files: 1,
                    first: file.path.clone(),
                });
            }
        }
    }
    groups
}

/// `node_modules/nodemon` stands for the folder and all below it.
fn matcher(pattern: &str) -> Result<GlobMatcher, Fault> {
    Glob::new(&format!("{{{pattern},{pattern}/**}}")).map(|glob| glob.compile_matcher()).map_err(|error| {
        Fault::Unreadable { what: format!("the pattern `{pattern}` of the lesson"), reason: error.to_string() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_the_path_and_all_below() {
        let matcher = matcher("app/.env*").expect("pattern");
        assert!(matcher.is_match("app/.env.production"));
        assert!(!matcher.is_match("app/src/.env"));
        assert!(
            super::matcher("app/node_modules/nodemon").expect("pattern").is_match("app/node_modules/nodemon/bin/x.js")
        );
    }
}

crate::register!(Contains);
