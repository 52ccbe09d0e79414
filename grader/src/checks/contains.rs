//! `contains`: which paths the final file system of an image has and has not.
//!
//! Owns: matching paths. Must not: read contents.

use async_trait::async_trait;
use globset::{Glob, GlobMatcher};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::final_files;
use crate::verdict::{Detail, Finding, Verdict};

/// Looks for paths in the image as a container would see it: what a later layer deletes is
/// absent here (the check of secrets looks into every layer).
///
/// Why it matters: what is in the image ships. What the app needs must, the rest must not.
///
/// How it is cheated: by other paths; the app's own behaviour is checked beside this.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contains {
    /// The image, by its name in `[[image]]`.
    pub image: String,
    /// Patterns that must match something, relative to the image's working directory.
    #[serde(default)]
    pub present: Vec<String>,
    /// Patterns that must match nothing, relative to the image's working directory.
    #[serde(default)]
    pub absent: Vec<String>,
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
        let files = final_files(&layers[image.base_layers.min(layers.len())..]);
        let workdir = image.workdir.trim_matches('/').to_owned();
        let matching = |pattern: &str| -> Result<Vec<String>, Fault> {
            let full = if workdir.is_empty() { pattern.to_owned() } else { format!("{workdir}/{pattern}") };
            let matcher = matcher(&full)?;
            Ok(files.keys().filter(|path| matcher.is_match(path)).map(ToString::to_string).collect())
        };
        let mut present = Vec::new();
        for pattern in &self.present {
            present.push((pattern.clone(), matching(pattern)?.len()));
        }
        let mut absent = Vec::new();
        for pattern in &self.absent {
            let mut found = matching(pattern)?;
            let count = found.len();
            found.truncate(5);
            absent.push((pattern.clone(), found, count));
        }
        Ok(Evidence { workdir: image.workdir, present, absent })
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
        let missing: Vec<&str> = evidence.present.iter().filter(|(_, count)| *count == 0).map(|(p, _)| p.as_str()).collect();
        let found: Vec<_> = evidence.absent.iter().filter(|(_, _, count)| *count > 0).collect();
        let mut parts = Vec::new();
        if !missing.is_empty() {
            parts.push(format!("missing: {}", missing.join(", ")));
        }
        if !found.is_empty() {
            let names: Vec<&str> = found.iter().map(|(pattern, ..)| pattern.as_str()).collect();
            parts.push(format!("there, but should not be: {}", names.join(", ")));
        }
        let holds = parts.is_empty();
        let measured = if holds { "as wanted".into() } else { parts.join("; ") };
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|(pattern, paths, count)| vec![pattern.clone(), count.to_string(), paths.first().map(|p| format!("/{p}")).unwrap_or_default()])
            .collect();
        let mut finding = Finding::new(wanted, measured);
        if !rows.is_empty() {
            finding = finding.with(Detail::table("found", &["pattern", "paths", "first one"], rows));
        }
        finding.decide(holds)
    }
}

/// `node_modules/nodemon` stands for the folder and all below it.
fn matcher(pattern: &str) -> Result<GlobMatcher, Fault> {
    Glob::new(&format!("{{{pattern},{pattern}/**}}"))
        .map(|glob| glob.compile_matcher())
        .map_err(|error| Fault::Unreadable { what: format!("the pattern `{pattern}` of the lesson"), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_the_path_and_all_below() {
        let matcher = matcher("app/.env*").expect("pattern");
        assert!(matcher.is_match("app/.env.production"));
        assert!(!matcher.is_match("app/src/.env"));
        assert!(super::matcher("app/node_modules/nodemon").expect("pattern").is_match("app/node_modules/nodemon/bin/x.js"));
    }
}

crate::register!(Contains);
