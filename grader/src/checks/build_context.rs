//! `build-context`: little is sent to the builder, and nothing that must not be there.
//!
//! Owns: adding up the context's files and matching forbidden paths. Must not: interpret ignore
//! files; BuildKit does.

use std::collections::BTreeMap;

use async_trait::async_trait;
use globset::{GlobBuilder, GlobMatcher};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::ContextFile;
use crate::verdict::{Detail, Finding, Location, Verdict, bytes};

/// Lets BuildKit itself list the files that a build of the image may see: the context folder
/// without what the ignore file leaves out. Adds up their sizes and looks for forbidden paths.
///
/// Why it matters: what is in the context can be copied by one careless `COPY . .`, and is sent to
/// the builder even over a network.
///
/// How it is cheated: comments, a pattern that a later `!` takes back, or a `.dockerignore` that a
/// `Dockerfile.dockerignore` overrules look right and leave the file in BuildKit's list; a `COPY` of
/// a few files keeps the image clean, and this check does not look at the image.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildContext {
    /// The image, by its name in `[[image]]`.
    pub image: String,
    /// The most that the context may hold, bytes.
    pub most_bytes: u64,
    /// Paths that must not be in the context, as patterns from its top: `.git/**`, `**/.env*`. `*`
    /// stands for a name or a part of one, `**` for any folders. A folder stands for all below it.
    #[serde(default)]
    pub forbid: Vec<String>,
}

/// The context.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The files that the build may see.
    pub files: Vec<ContextFile>,
    /// The ignore file that BuildKit obeys, if there is one.
    pub ignore_file: Option<String>,
    /// Its last line, where one more pattern would stand; without one, the `COPY`.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for BuildContext {
    type Evidence = Evidence;
    const KIND: &'static str = "build-context";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::image(&self.image)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        for pattern in &self.forbid {
            matcher(pattern)?;
        }
        let files = sandbox.build_context(&self.image).await?;
        // The Dockerfile's own ignore file comes before the folder's.
        let names = ["Dockerfile.dockerignore", ".dockerignore"];
        let ignore = names.iter().find_map(|name| Some((*name, sandbox.file(name)?)));
        let at = match &ignore {
            Some((name, text)) => sandbox.locate_line(name, text.lines().count()),
            None => sandbox.locate_instruction(&self.image, "COPY"),
        };
        Ok(Evidence { files, ignore_file: ignore.map(|(name, _)| name.to_owned()), at })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let files = &evidence.files;
        let total: u64 = files.iter().map(|file| file.bytes).sum();
        let found: Vec<(&String, Vec<&ContextFile>)> = self
            .forbid
            .iter()
            .filter_map(|pattern| Some((pattern, matcher(pattern).ok()?)))
            .map(|(pattern, glob)| (pattern, files.iter().filter(|file| glob.is_match(&file.path)).collect::<Vec<_>>()))
            .filter(|(_, files)| !files.is_empty())
            .collect();
        let mut wanted = format!("the builder is sent at most {}", bytes(self.most_bytes));
        if !self.forbid.is_empty() {
            wanted = format!("{wanted}, and nothing of {}", self.forbid.join(", "));
        }
        let close = total > self.most_bytes && bytes(total) == bytes(self.most_bytes);
        let size = if close { format!("{total} bytes, more than {}", self.most_bytes) } else { bytes(total) };
        let count = if files.len() == 1 { "1 file".to_owned() } else { format!("{} files", files.len()) };
        let mut measured = format!("{count} with {size}");
        if !found.is_empty() {
            let names: Vec<&str> = found.iter().map(|(pattern, _)| pattern.as_str()).collect();
            measured = format!("{measured}; it is sent {}", names.join(", "));
        }
        let holds = total <= self.most_bytes && found.is_empty();
        let mut finding = Finding::new(wanted, measured);
        if holds {
            return Verdict::Pass(finding);
        }
        if !found.is_empty() {
            let row = |(pattern, files): &(&String, Vec<&ContextFile>)| {
                vec![(*pattern).clone(), files.len().to_string(), files[0].path.clone()]
            };
            let rows = found.iter().map(row).collect();
            finding = finding.with(Detail::table("sent, but should not be", &["pattern", "files", "first one"], rows));
        }
        if total > self.most_bytes {
            finding = finding.with(Detail::table("what costs the most", &["bytes", "path"], costliest(files)));
        }
        let note = match &evidence.ignore_file {
            Some(name) if name == ".dockerignore" => {
                "The patterns in force are those of `.dockerignore`; a later line can take an earlier one back.".into()
            }
            Some(name) => {
                format!("The patterns in force are those of `{name}`: where it is, `.dockerignore` is not read.")
            }
            None => "There is no `.dockerignore`: everything in the folder is sent.".into(),
        };
        Verdict::Fail(finding.note(note).at(evidence.at.clone()))
    }
}

/// A pattern that names a folder stands for all below it.
fn matcher(pattern: &str) -> Result<GlobMatcher, Fault> {
    let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
    let text = format!("{{{pattern},{pattern}/**}}");
    let glob = GlobBuilder::new(&text).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| Fault::Unreadable {
        what: format!("the pattern `{pattern}` of the lesson"),
        reason: error.to_string(),
    })
}

/// The five costliest folders and files at the top of the context, the costliest first.
fn costliest(files: &[ContextFile]) -> Vec<Vec<String>> {
    let mut sums = BTreeMap::<String, u64>::new();
    for file in files {
        let top = file.path.split_once('/').map_or(file.path.clone(), |(top, _)| format!("{top}/"));
        *sums.entry(top).or_default() += file.bytes;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    sums.into_iter().take(5).map(|(path, size)| vec![bytes(size), path]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_a_path_from_the_top_and_all_below_it() {
        let is = |pattern: &str, path: &str| matcher(pattern).expect("pattern").is_match(path);
        assert!(is(".env*", ".env.production") && !is(".env*", "src/.env"));
        assert!(is("**/.env*", ".env") && is("**/.env*", "src/deep/.env.local"));
        assert!(is("node_modules/**", "node_modules/x/y.js") && is("node_modules", "node_modules/x/y.js"));
        assert!(!is("*.md", "docs/a.md"));
    }
}

crate::register!(BuildContext);
