//! Whether a command line runs a program, or only has its name in it.
//!
//! Owns: reading command lines. Must not: know containers.

/// Programs that run the file which is their first argument.
const RUNNERS: [&str; 14] = [
    "ash",
    "bash",
    "bun",
    "dash",
    "deno",
    "docker-init",
    "node",
    "perl",
    "php",
    "python",
    "python3",
    "ruby",
    "sh",
    "tini",
];
/// Options after which comes a program's text, and no file: `node -e`, `python -c`, `sh -c`.
const TEXTS: [&str; 6] = ["-c", "-e", "-p", "-pe", "--eval", "--print"];

/// Whether a command runs what is wanted, such as `node display.js`: its program and its arguments, in this
/// order, options between them left aside. A file may be named with its folder. One name alone may be that of the
/// program, or of the file that a known program runs. Of a shell's text each command counts.
pub fn runs(command: &[String], wanted: &str) -> bool {
    let words: Vec<&str> = wanted.split_whitespace().collect();
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    if let Some(text) = shell_text(&command) {
        let parts = text.split(['\n', ';', '&', '|']).map(|part| part.split_whitespace());
        return parts.map(|part| without_exec(part.collect())).any(|part| fits(&part, &words));
    }
    fits(&command, &words)
}

/// The text that a shell was given.
fn shell_text<'c>(command: &[&'c str]) -> Option<&'c str> {
    let (program, rest) = command.split_first()?;
    let is_shell = ["sh", "bash", "ash", "dash"].contains(&name(program));
    let at = rest.iter().position(|word| word.starts_with('-') && word.ends_with('c') && !word.starts_with("--"))?;
    if is_shell { rest.get(at + 1).copied() } else { None }
}

/// The words of a command up to a comment, without `exec` and settings before it.
fn without_exec(words: Vec<&str>) -> Vec<&str> {
    let words = words.into_iter().take_while(|word| !word.starts_with('#'));
    words.skip_while(|word| *word == "exec" || (word.contains('=') && !word.contains('/'))).collect()
}

fn fits(command: &[&str], words: &[&str]) -> bool {
    let (Some((program, arguments)), Some((first, rest))) = (command.split_first(), words.split_first()) else {
        return false;
    };
    if is(program, first) {
        return follow(arguments, rest);
    }
    // `tini -- node x.js`, `node x.js` where `x.js` is wanted: the program runs what is named next.
    if !RUNNERS.contains(&name(program))
        || arguments.iter().take_while(|word| !is_plain(word)).any(|w| TEXTS.contains(w))
    {
        return false;
    }
    let next = arguments.iter().position(|word| is_plain(word));
    next.is_some_and(|next| fits(&arguments[next..], words))
}

/// Whether the words come in this order, with nothing but options and what these are set to between them.
fn follow(arguments: &[&str], words: &[&str]) -> bool {
    let Some((word, rest)) = words.split_first() else { return true };
    let mut after_option = false;
    for (at, argument) in arguments.iter().enumerate() {
        if is(argument, word) {
            return follow(&arguments[at + 1..], rest);
        }
        if TEXTS.contains(argument) || (is_plain(argument) && !after_option) {
            return false;
        }
        after_option = !is_plain(argument) && !argument.contains('=');
    }
    false
}

fn is_plain(word: &str) -> bool {
    !word.starts_with('-')
}

/// The path by which a command line names a file, as [`runs`] finds it.
pub fn path_of(command: &str, file: &str) -> Option<String> {
    let word = command.split_whitespace().find(|word| is(word, file))?;
    let as_node_finds_it = !word.ends_with(name(file));
    Some(if as_node_finds_it { format!("{word}.js") } else { word.to_owned() })
}

fn is(word: &str, wanted: &str) -> bool {
    let same = |wanted: &str| word == wanted || word.ends_with(&format!("/{}", wanted.trim_start_matches("./")));
    // Node finds `display.js` by `node display`.
    same(wanted) || wanted.strip_suffix(".js").is_some_and(same)
}

fn name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yes(command: &[&str], wanted: &str) -> bool {
        runs(&command.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), wanted)
    }

    #[test]
    fn a_program_is_run_with_its_file_however_it_is_written() {
        for command in [
            &["node", "/srv/display.js"] as &[&str],
            &["node", "/srv/display"],
            &["/usr/local/bin/node", "--inspect", "display.js", "--port", "80"],
            &["node", "--require", "./a.js", "srv/display.js"],
            &["/sbin/docker-init", "--", "node", "display.js"],
            &["sh", "-c", "cd /srv && exec node display.js"],
            &["sh", "-ec", "PORT=1 node ./display.js"],
        ] {
            assert!(yes(command, "node display.js"), "{command:?}");
            assert!(yes(command, "display.js") || command.contains(&"--require"), "{command:?}");
        }
        assert!(yes(&["/srv/display.js"], "display.js"));
        assert_eq!(path_of("node --inspect /srv/display", "display.js").as_deref(), Some("/srv/display.js"));
        assert_eq!(path_of("node ./display.js --port 80", "display.js").as_deref(), Some("./display.js"));
        assert_eq!(path_of("node other.js", "display.js"), None);
        assert!(yes(&["sleep", "infinity"], "sleep infinity") && yes(&["node", "menu/server.js"], "menu/server.js"));
    }

    #[test]
    fn a_name_in_a_comment_a_text_or_another_commands_argument_runs_nothing() {
        for command in [
            &["sh", "-c", "sleep infinity # node display.js"] as &[&str],
            &["sh", "-c", "sleep infinity", "node", "display.js"],
            &["sh", "-c", "echo node display.js; sleep infinity"],
            &["node", "-e", "setInterval(() => 0, 9)", "display.js"],
            &["tail", "-f", "/srv/display.js"],
            &["sleep", "infinity", "display.js"],
            &["node", "other.js", "display.js"],
            &["node", "mydisplay.js"],
        ] {
            assert!(!yes(command, "node display.js") && !yes(command, "display.js"), "{command:?}");
        }
        assert!(!yes(&["sleep", "10"], "sleep infinity") && !yes(&[], "sleep"));
    }
}
