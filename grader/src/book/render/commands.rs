//! The index of commands: which lessons use which command of `docker` and `grader`.
//!
//! Owns: finding commands in what pages run, and the index's Markdown. Must not: run anything.

use std::collections::{BTreeMap, BTreeSet};

use crate::course::blocks;
use crate::course::page::Page;

/// Commands of `docker` that have commands of their own.
const GROUPS: [&str; 10] =
    ["builder", "buildx", "compose", "container", "context", "image", "network", "plugin", "system", "volume"];

/// The other commands of `docker`.
const SINGLE: [&str; 44] = [
    "attach", "build", "commit", "cp", "create", "diff", "events", "exec", "export", "history", "images", "import",
    "info", "inspect", "kill", "load", "login", "logout", "logs", "pause", "port", "ps", "pull", "push", "rename",
    "restart", "rm", "rmi", "run", "save", "search", "secret", "service", "stack", "start", "stats", "stop", "swarm",
    "tag", "top", "unpause", "update", "version", "wait",
];

/// A table of commands, each with the lessons in whose blocks it is typed.
pub fn markdown(pages: &[Page]) -> String {
    let mut found: BTreeMap<String, BTreeSet<(u32, &str)>> = BTreeMap::new();
    for page in pages {
        for step in blocks::steps(&page.source.text).unwrap_or_default() {
            for command in commands(&step.program) {
                found.entry(command).or_default().insert((page.number, &page.file));
            }
        }
    }
    let rows = found.iter().map(|(command, lessons)| {
        let links: Vec<String> = lessons.iter().map(|(number, file)| format!("[{number}]({file})")).collect();
        format!("| `{command}` | {} |\n", links.join(", "))
    });
    format!("| command | lessons |\n| --- | --- |\n{}", rows.collect::<String>())
}

/// The commands that a shell program calls: `docker run`, `docker compose up`, `grader check`.
fn commands(program: &str) -> BTreeSet<String> {
    program.replace("\\\n", " ").lines().flat_map(of_line).collect()
}

fn of_line(line: &str) -> BTreeSet<String> {
    let is_between = |letter: char| letter.is_whitespace() || "|&;()`\"'{}".contains(letter);
    let words: Vec<&str> = line.split(is_between).filter(|word| !word.is_empty()).collect();
    let mut found = BTreeSet::new();
    for (index, pair) in words.windows(2).enumerate() {
        let command = match pair {
            ["docker", group] if GROUPS.contains(group) => {
                after_flags(&words[index + 2..]).map(|word| format!("docker {group} {word}"))
            }
            ["docker", single] if SINGLE.contains(single) => Some(format!("docker {single}")),
            ["grader", word] if is_word(word) => Some(format!("grader {word}")),
            _ => None,
        };
        found.extend(command);
    }
    found
}

/// The first word that is neither a flag nor a flag's value (`-f FILE`, `--env-file FILE`).
fn after_flags<'a>(words: &[&'a str]) -> Option<&'a str> {
    let mut words = words.iter();
    loop {
        let word = words.next()?;
        if !word.starts_with('-') {
            return Some(*word).filter(|word| is_word(word));
        }
        if ["-f", "-p", "--file", "--project-name", "--env-file", "--profile", "--project-directory"].contains(word) {
            words.next();
        }
    }
}

fn is_word(word: &str) -> bool {
    word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-') && !word.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_wherever_they_stand_and_words_about_docker_are_not() {
        let program = "timeout 5 sh -c 'until docker exec a b; do sleep 1; done'\n\
            x=$(docker compose -f a.yml --env-file b up --detach) | docker image rm x\n\
            echo the docker daemon of docker compose --help\ndocker run \\\n --rm x\ngrader check lesson06";
        let found: Vec<_> = commands(program).into_iter().collect();
        assert_eq!(found, ["docker compose up", "docker exec", "docker image rm", "docker run", "grader check"]);
    }
}
