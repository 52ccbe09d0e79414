//! What the steps of a build may ask for: `RUN`, `COPY` and `ADD`.
//!
//! Owns: flags, mounts and addresses. Must not: know which images there are.

use super::Look;
use crate::submission::dockerfile::Instruction;

impl Look<'_> {
    pub(super) fn run(&mut self, one: &Instruction) {
        for flag in &one.flags {
            let line = one.line;
            match flag.split_once('=').unwrap_or((flag, "")) {
                ("--network", "default" | "none") | ("--security", "sandbox") => {}
                ("--network", "host") => self.refuse(
                    line,
                    "a build step asks for the host's network",
                    "A build with the host's network can reach every service of this machine. Remove `--network=host`: steps have a network of their own.",
                ),
                ("--security", _) => self.refuse(
                    line,
                    "a build step asks to run without protection",
                    "`--security=insecure` gives a build step the rights of root on this machine. No exercise needs it.",
                ),
                ("--mount", mount) => self.mount(line, mount),
                _ => self.refuse(
                    line,
                    format!("the grader does not know `{flag}` at RUN"),
                    "Leave it out. Known are `--mount=...` and `--network=none`, in small letters.",
                ),
            }
        }
    }

    fn mount(&mut self, line: usize, mount: &str) {
        for option in mount.split(',') {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            let value = value.trim_matches(['"', '\'']);
            match (key.trim_matches(['"', '\'']).to_lowercase().as_str(), value) {
                ("type", "ssh") => self.refuse(
                    line,
                    "a build step asks for SSH keys",
                    "No exercise needs the keys of this machine. Remove `--mount=type=ssh`.",
                ),
                ("from", image) => self.source(line, image),
                _ => {}
            }
        }
    }

    pub(super) fn copy(&mut self, one: &Instruction) {
        for from in one.flag("from") {
            self.source(one.line, from);
        }
        let is_remote =
            |word: &&String| word.contains("://") || word.starts_with("git@") || word.starts_with("github.com/");
        let words = one.words();
        if one.name == "ADD"
            && let Some(source) = words.iter().find(is_remote)
        {
            let source = source.trim_matches(['"', '\'']);
            self.refuse(
                one.line,
                format!("ADD fetches {source}"),
                "The Docker daemon fetches it on this machine's own network, where it reaches what you may not. Put a copy of the file into the exercise folder.",
            );
        }
    }
}
