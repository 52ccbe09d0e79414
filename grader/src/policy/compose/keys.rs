//! Keys that Compose knows, and what a misspelt one was meant to be.
//!
//! Owns: which keys belong where in a Compose file, before anything is merged. Must not: judge values.

use super::super::Refusal;
use super::{TOP, build, service};
use crate::submission::Submission;
use crate::submission::compose_file::ComposeFile;
use crate::submission::yaml::Node;

/// Keys of a health check, and of a service's log.
const HEALTHCHECK: [&str; 7] = ["test", "interval", "timeout", "retries", "start_period", "start_interval", "disable"];
const LOGGING: [&str; 2] = ["driver", "options"];

/// Words of deeper places, for suggestions only: Compose says what belongs where.
const DEEPER: [&str; 40] = [
    "aliases",
    "app_protocol",
    "bind",
    "condition",
    "cpus",
    "create_host_path",
    "driver",
    "driver_opts",
    "external",
    "file",
    "gid",
    "host_ip",
    "internal",
    "ipam",
    "ipv4_address",
    "labels",
    "limits",
    "max_attempts",
    "memory",
    "mode",
    "name",
    "nocopy",
    "options",
    "path",
    "pids",
    "propagation",
    "protocol",
    "published",
    "read_only",
    "replicas",
    "required",
    "reservations",
    "resources",
    "restart_policy",
    "service",
    "size",
    "source",
    "subpath",
    "target",
    "type",
];

/// What is wrong with the keys of a file: at the top, in services, and in the parts of those that
/// everybody writes. Anything that Compose does not know either is a mistake and not forbidden.
pub fn inspect(submission: &Submission, name: &str, file: &ComposeFile) -> Vec<Refusal> {
    let mut look = Look { submission, name, mistakes: Vec::new() };
    let top: Vec<&str> = TOP.into_iter().chain(["include"]).collect();
    for root in &file.documents {
        look.at(root, &top, "");
    }
    let known = service::known();
    for (service, node) in file.services() {
        look.at(node, &known, &format!(" at `{service}`"));
        for (key, known) in
            [("build", build::known()), ("healthcheck", HEALTHCHECK.to_vec()), ("logging", LOGGING.to_vec())]
        {
            if let Some(entry) = node.get(key) {
                look.at(&entry.value, &known, &format!(" in the `{key}` of `{service}`"));
            }
        }
    }
    look.mistakes
}

struct Look<'a> {
    submission: &'a Submission,
    name: &'a str,
    mistakes: Vec<Refusal>,
}

impl Look<'_> {
    fn at(&mut self, node: &Node, known: &[&str], place: &str) {
        let unknown = |key: &str| !known.contains(&key) && !key.starts_with("x-");
        for entry in node.entries().iter().filter(|entry| unknown(&entry.key.text)) {
            let what = format!("the grader does not know the key `{}`{place}", entry.key.text);
            let at = self.submission.location(self.name, entry.line);
            self.mistakes.push(Refusal::mistake(what, remedy(&entry.key.text, known), at));
        }
    }
}

/// What to do about a key that is not among those that are known.
#[must_use]
pub fn remedy(key: &str, known: &[&str]) -> String {
    let near = |known: &str| strsim::damerau_levenshtein(&key.to_lowercase(), known);
    let nearest = known.iter().copied().chain(DEEPER).min_by_key(|known| near(known));
    // A third of a word may be wrong, and then it is still that word.
    match nearest.filter(|known| near(known) * 3 <= known.len().max(3)) {
        Some(meant) if meant == key => format!("`{meant}` belongs elsewhere: look at the indentation of this line."),
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => "It may be a slip of the pen, or a part of Compose that no exercise needs. Leave it out.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_a_mistake_at_its_own_line_with_a_suggestion() {
        let text = "services:\n  app:\n    image: x\n    enviroment: {A: 1}\n    Ports: []\n    helthcheck: {}\n    teleport: 1\n    healthcheck:\n      intervall: 3s\nnetwork: {}\nx-mine: 1\n";
        let dir = tempfile::tempdir().expect("folder");
        std::fs::write(dir.path().join("c.yml"), text).expect("write");
        let submission = Submission::at(dir.path());
        let found = inspect(&submission, "c.yml", &ComposeFile::parse(text).expect("YAML"));
        assert!(found.iter().all(|refusal| refusal.is_mistake));
        let line = |refusal: &Refusal| refusal.at.as_ref().map_or(0, |at| at.line);
        let mut shown: Vec<_> = found.iter().map(|one| (line(one), one.why.as_str())).collect();
        shown.sort_unstable();
        let slip = remedy("teleport", &[]);
        assert_eq!(
            shown,
            [
                (4, "Did you mean `environment`?"),
                (5, "Did you mean `ports`?"),
                (6, "Did you mean `healthcheck`?"),
                (7, slip.as_str()),
                (9, "Did you mean `interval`?"),
                (10, "Did you mean `networks`?"),
            ]
        );
        assert!(!slip.contains("mean"));
    }

    #[test]
    fn a_key_in_a_wrong_place_is_no_misspelt_one() {
        assert!(remedy("published", &["ports"]).contains("belongs elsewhere"));
    }
}
