//! `contains`: which paths the final file system of an image has and has not.
//!
//! Owns: judging paths, owners and modes. Must not: read contents.

mod matching;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::Entry;
use crate::verdict::{Detail, Finding, Location, Verdict};
use matching::{Image, Match};

/// Looks for paths in the image as a container would see it: what a later layer deletes is
/// absent here (the check of secrets looks into every layer). Folders count, empty ones too, and links
/// are followed, also those of the base (`/bin/entry` on Debian); a link to nothing is not present. Owners
/// and modes are those of the last layer that has the path. What the base image has is not looked at.
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
    /// root, when they begin with `/`). Each stands for the path and all below it. `/**/node_modules/x`
    /// finds a module wherever Node might.
    #[serde(default)]
    pub present: Vec<String>,
    /// Patterns that must match nothing, relative to the image's working directory.
    #[serde(default)]
    pub absent: Vec<String>,
    /// Patterns that must match nothing in any layer, not even what a later layer deletes.
    #[serde(default)]
    pub in_no_layer: Vec<String>,
    /// Patterns whose files and folders must have an owner or a mode. Each must match something. An owner is
    /// asked of all below a folder, too, a mode only of what the pattern names itself: of its files, or, where
    /// it names none, of its folders. What a link says of itself does not count.
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
    /// The same for patterns that must match nothing in any layer.
    #[serde(default)]
    pub in_layers: Vec<(String, Vec<String>, usize)>,
    /// Per pattern in `owned`, the owners and modes of the files that it matched.
    #[serde(default)]
    pub owned: Vec<Vec<Group>>,
    /// The last `COPY`, when something is not as wanted.
    #[serde(default)]
    pub at: Option<Location>,
}

/// A pattern in words, where it has some for a beginner.
fn shown(pattern: &str) -> String {
    pattern.strip_prefix("/**/").map_or_else(|| pattern.to_owned(), |rest| format!("{rest} (anywhere)"))
}

/// Files and folders of one owner and mode.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The owner's user id.
    pub uid: u64,
    /// The owner's group id.
    pub gid: u64,
    /// The permission bits.
    pub mode: u32,
    /// Whether the pattern does not ask for their mode: they lie below what it names, or are folders
    /// beside files.
    #[serde(default)]
    pub any_mode: bool,
    /// How many there are.
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
        let tree = Image::new(&layers, image.base_layers, &image.workdir);
        let mut present = Vec::new();
        for pattern in &self.present {
            let there = tree.matches(pattern)?.iter().filter(|one| !one.leads_nowhere).count();
            present.push((pattern.clone(), there));
        }
        let mut absent = Vec::new();
        for pattern in &self.absent {
            let found = tree.matches(pattern)?;
            let some = found.iter().take(5).map(|one| one.file.path.clone()).collect();
            absent.push((pattern.clone(), some, found.len()));
        }
        let mut in_layers = Vec::new();
        for pattern in &self.in_no_layer {
            let mut found = Vec::new();
            for layer in layers.iter().skip(image.base_layers) {
                let alone = Image::new(std::slice::from_ref(layer), 0, &image.workdir);
                found.extend(alone.matches(pattern)?.iter().map(|one| one.file.path.clone()));
            }
            in_layers.push((pattern.clone(), found.iter().take(5).cloned().collect(), found.len()));
        }
        let mut owned = Vec::new();
        for wish in &self.owned {
            owned.push(groups(&tree.matches(&wish.path)?));
        }
        let mut evidence = Evidence { workdir: image.workdir, present, absent, in_layers, owned, at: None };
        if !matches!(self.judge(&evidence), Verdict::Pass(_)) {
            evidence.at = self.copy_of(&evidence, sandbox);
        }
        Ok(evidence)
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let list = |patterns: &[String]| patterns.iter().map(|one| shown(one)).collect::<Vec<_>>().join(", ");
        let mut wanted = format!("under {}:", evidence.workdir);
        if !self.present.is_empty() {
            wanted = format!("{wanted} {} present", list(&self.present));
        }
        if !self.absent.is_empty() {
            let comma = if self.present.is_empty() { "" } else { ";" };
            wanted = format!("{wanted}{comma} {} absent", list(&self.absent));
        }
        if !self.in_no_layer.is_empty() {
            let comma = if self.present.is_empty() && self.absent.is_empty() { "" } else { ";" };
            wanted = format!("{wanted}{comma} {} in no layer", list(&self.in_no_layer));
        }
        if !self.owned.is_empty() {
            let comma =
                if self.present.is_empty() && self.absent.is_empty() && self.in_no_layer.is_empty() { "" } else { ";" };
            let owned: Vec<String> = self.owned.iter().map(Owned::shown).collect();
            wanted = format!("{wanted}{comma} {}", owned.join(", "));
        }
        let missing: Vec<String> =
            evidence.present.iter().filter(|(_, count)| *count == 0).map(|(pattern, _)| shown(pattern)).collect();
        let found: Vec<_> = evidence.absent.iter().filter(|(_, _, count)| *count > 0).collect();
        let mut parts = Vec::new();
        if !missing.is_empty() {
            parts.push(format!("missing: {}", missing.join(", ")));
        }
        if !found.is_empty() {
            let names: Vec<String> = found.iter().map(|(pattern, ..)| shown(pattern)).collect();
            parts.push(format!("there, but should not be: {}", names.join(", ")));
        }
        let stored: Vec<_> = evidence.in_layers.iter().filter(|(_, _, count)| *count > 0).collect();
        if !stored.is_empty() {
            let names: Vec<String> = stored.iter().map(|(pattern, ..)| shown(pattern)).collect();
            parts.push(format!("in a layer, though perhaps deleted in a later one: {}", names.join(", ")));
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
            .chain(&stored)
            .map(|(pattern, paths, count)| {
                vec![pattern.clone(), count.to_string(), paths.first().map(|p| format!("/{p}")).unwrap_or_default()]
            })
            .collect();
        let mut finding = Finding::new(wanted, measured);
        if !rows.is_empty() {
            finding = finding.with(Detail::table("found", &["pattern", "paths", "first one"], rows));
        }
        if !owners.is_empty() {
            let head = ["first one", "paths", "user id", "group id", "mode"];
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
        let there = evidence.absent.iter().chain(&evidence.in_layers).find_map(|(_, paths, _)| paths.first());
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
            && self.mode.is_none_or(|mode| group.any_mode || mode == group.mode)
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

fn groups(found: &[Match<'_>]) -> Vec<Group> {
    let found = || found.iter().filter(|one| !matches!(one.file.kind, Entry::Link(_)));
    let names_files = found().any(|one| !one.below && !one.file.is_folder());
    let mut groups: Vec<Group> = Vec::new();
    for one in found() {
        let any_mode = one.below || (names_files && one.file.is_folder());
        let (uid, gid, mode) = (one.file.uid, one.file.gid, one.file.mode);
        let is = |group: &&mut Group| (group.uid, group.gid, group.mode, group.any_mode) == (uid, gid, mode, any_mode);
        match groups.iter_mut().find(is) {
            Some(group) => group.files += 1,
            None => groups.push(Group { uid, gid, mode, any_mode, files: 1, first: one.file.path.clone() }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::facts::LayerFile;

    fn one(path: &str, kind: Entry, mode: u32) -> LayerFile {
        LayerFile { path: path.into(), kind, mode, ..LayerFile::default() }
    }

    #[test]
    fn a_mode_is_asked_of_files_or_of_folders_and_never_of_links_or_of_what_lies_below() {
        let mode = |wanted: u32, all: &[(&LayerFile, bool)]| {
            let found: Vec<Match<'_>> =
                all.iter().map(|(file, below)| Match { file, below: *below, leads_nowhere: false }).collect();
            let wish = Owned { path: String::new(), uid: Some(0), gid: None, mode: Some(wanted) };
            groups(&found).iter().all(|group| wish.holds(group))
        };
        let (folder, file) = (one("a", Entry::Folder, 0o750), one("a/b", Entry::File, 0o644));
        let link = one("a/c", Entry::Link("b".into()), 0o777);
        assert!(mode(0o750, &[(&folder, false), (&file, true), (&link, true)]));
        assert!(!mode(0o644, &[(&folder, false), (&file, true)]));
        assert!(mode(0o644, &[(&folder, false), (&file, false), (&link, false)]));
        assert!(!mode(0o600, &[(&file, false)]));
    }
}

crate::register!(Contains);
