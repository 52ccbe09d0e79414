//! Running scripts of ours in helper containers.
//!
//! Owns: what counts as having run: a script has ended by itself, and everything that it printed is there.
//! Must not: know what a script does, or run anything of a submission.
//!
//! A script that was cut off, by time, by size or because the connection broke, has said nothing: half of a
//! list of ports or of ids is no evidence. So there is no way to get at an output but as [`Whole`].

use std::time::Instant;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use tokio_util::bytes::Bytes;

use super::pace::Pace;
use super::wait::until;
use crate::fault::Fault;

/// A helper container that runs.
#[derive(Debug, Clone)]
pub struct Helper {
    /// The daemon.
    pub client: Docker,
    /// The container.
    pub id: String,
    /// The run's pace: limits follow it, and each script is a sample of it.
    pub pace: Pace,
}

/// Everything that a script printed until it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whole {
    /// Its exit code.
    pub code: i64,
    /// What it printed, without the lines that somebody took while it ran.
    pub output: String,
    /// What it complained.
    pub errors: String,
}

/// The most that a script may print, bytes.
const MOST: usize = 4_000_000;

/// Put before each script. The last line tells the exit code, and by being there that nothing is missing. It
/// begins with an end of line, for scripts whose last line has none.
const FRAME: &str = "trap 'printf \"\\n:ended: %s\\n\" \"$?\"' EXIT; echo :begun:\n";
const BEGUN: &str = ":begun:\n";
const ENDED: &str = "\n:ended: ";

impl Helper {
    /// Runs a script with its arguments (`$1`, ...), for at most `limit_ms` of a quiet machine.
    pub async fn run(&self, script: &str, arguments: &[String], limit_ms: u64) -> Result<Whole, Fault> {
        self.run_heard(script, arguments, limit_ms, |_| false).await
    }

    /// The same, and gives each line to `takes` as soon as it is printed. What that takes is not in the output.
    pub async fn run_heard(
        &self,
        script: &str,
        arguments: &[String],
        limit_ms: u64,
        takes: impl FnMut(&str) -> bool,
    ) -> Result<Whole, Fault> {
        let action = || "running a script of the grader's in its helper container".to_owned();
        self.pace.within(limit_ms).must(action, self.read(script, arguments, takes)).await
    }

    /// Runs a script whose output is no text, and gives that as it comes; and the exit code, when it has ended.
    /// Both end when `limit_ms` of a quiet machine have passed.
    pub async fn stream(
        &self,
        script: &str,
        arguments: &[String],
        limit_ms: u64,
    ) -> Result<(BoxStream<'static, std::io::Result<Bytes>>, BoxFuture<'static, Result<i64, Fault>>), Fault> {
        let failed = || Fault::docker("running a script in the grader's helper container");
        let begin = ["sh".into(), "-c".into(), script.to_owned(), "helper".into()];
        let config = ExecConfig {
            cmd: Some(begin.into_iter().chain(arguments.iter().cloned()).collect()),
            attach_stdout: Some(true),
            ..ExecConfig::default()
        };
        let created = self.client.create_exec(&self.id, config).await.map_err(failed())?;
        let started = self.client.start_exec(&created.id, None).await.map_err(failed())?;
        let StartExecResults::Attached { output, .. } = started else {
            return Err(unreadable("it is not attached".into()));
        };
        let bytes = output.map(|part| part.map(LogOutput::into_bytes).map_err(std::io::Error::other)).boxed();
        let (client, deadline) = (self.client.clone(), self.pace.within(limit_ms));
        let ended = async move {
            let code = || async {
                let facts = client.inspect_exec(&created.id).await.map_err(failed())?;
                Ok::<_, Fault>(facts.exit_code.filter(|_| facts.running != Some(true)))
            };
            until(&deadline, code).await?.ok_or_else(|| unreadable("it did not end in time".into()))
        };
        Ok((bytes, ended.boxed()))
    }

    async fn read(&self, script: &str, arguments: &[String], takes: impl FnMut(&str) -> bool) -> Result<Whole, Fault> {
        let failed = || Fault::docker("running a script in the grader's helper container");
        let begin = ["sh".into(), "-c".into(), format!("{FRAME}{script}"), "helper".into()];
        let config = ExecConfig {
            cmd: Some(begin.into_iter().chain(arguments.iter().cloned()).collect()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..ExecConfig::default()
        };
        let asked = Instant::now();
        let created = self.client.create_exec(&self.id, config).await.map_err(failed())?;
        let started = self.client.start_exec(&created.id, None).await.map_err(failed())?;
        let mut heard = Heard { takes, has_begun: false, unfinished: String::new(), whole: Whole::default(), bytes: 0 };
        if let StartExecResults::Attached { output: mut stream, .. } = started {
            while let Some(part) = stream.next().await {
                let has_begun = heard.has_begun;
                heard.hear(&part.map_err(failed())?)?;
                if heard.has_begun && !has_begun {
                    self.pace.heard_first_word(asked.elapsed());
                }
            }
        }
        heard.end()
    }
}

/// What was heard of a script so far.
struct Heard<T> {
    takes: T,
    has_begun: bool,
    /// What comes after the last end of a line.
    unfinished: String,
    whole: Whole,
    bytes: usize,
}

impl<T: FnMut(&str) -> bool> Heard<T> {
    fn hear(&mut self, part: &LogOutput) -> Result<(), Fault> {
        self.bytes += part.as_ref().len();
        if self.bytes > MOST && self.whole.output.len() + self.whole.errors.len() + self.unfinished.len() > MOST {
            return Err(unreadable(format!("it printed more than {} MB", MOST / 1_000_000)));
        }
        if let LogOutput::StdErr { .. } = part {
            self.whole.errors.push_str(&part.to_string());
            return Ok(());
        }
        self.unfinished.push_str(&part.to_string());
        if !self.has_begun {
            let Some(rest) = self.unfinished.strip_prefix(BEGUN) else { return Ok(()) };
            self.unfinished = rest.to_owned();
            self.has_begun = true;
        }
        while let Some(end) = self.unfinished.find('\n') {
            let line: String = self.unfinished.drain(..=end).collect();
            if !(self.takes)(line.trim_end()) {
                self.whole.output.push_str(&line);
            }
        }
        Ok(())
    }

    /// What it said, if it was all of it.
    fn end(self) -> Result<Whole, Fault> {
        let Whole { output, errors, .. } = self.whole;
        let broke_off =
            || unreadable(format!("it broke off after {:?}, with the complaint {:?}", last(&output), last(&errors)));
        if !self.has_begun || !self.unfinished.is_empty() {
            return Err(broke_off());
        }
        // A script that prints nothing has the end at the beginning of its output.
        let framed = format!("\n{output}");
        let (said, code) = framed.rsplit_once(ENDED).ok_or_else(broke_off)?;
        let code = code.trim_end().parse().map_err(|_| broke_off())?;
        let said = said.strip_prefix('\n').unwrap_or(said);
        let output = if said.is_empty() || said.ends_with('\n') { said.to_owned() } else { format!("{said}\n") };
        Ok(Whole { code, output, errors })
    }
}

fn unreadable(reason: String) -> Fault {
    Fault::Unreadable { what: "what a script in the grader's helper container says".into(), reason }
}

fn last(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(parts: &[&str], takes: fn(&str) -> bool) -> Result<Whole, Fault> {
        let mut heard = Heard { takes, has_begun: false, unfinished: String::new(), whole: Whole::default(), bytes: 0 };
        for part in parts {
            heard.hear(&LogOutput::StdOut { message: (*part).to_owned().into() })?;
        }
        heard.end()
    }

    fn output(parts: &[&str]) -> Result<(i64, String), String> {
        heard(parts, |_| false).map(|whole| (whole.code, whole.output)).map_err(|fault| fault.to_string())
    }

    #[test]
    fn an_output_with_its_end_is_whole_however_it_comes() {
        assert_eq!(output(&[":begun:\n", "a 1\nb", " 2\n", "\n:ended: 0\n"]), Ok((0, "a 1\nb 2\n".into())));
        assert_eq!(output(&[":beg", "un:\n", "\n:ended: 3\n"]), Ok((3, String::new())));
        assert_eq!(output(&[":begun:\nno end of line\n:ended: 1\n"]), Ok((1, "no end of line\n".into())));
    }

    #[test]
    fn what_was_cut_off_anywhere_is_a_fault() {
        let whole = ":begun:\nports\n22\n\n:ended: 0\n";
        for length in 0..whole.len() {
            let said = output(&[&whole[..length]]);
            assert!(said.is_err_and(|reason| reason.contains("broke off")), "{length}");
        }
        assert!(output(&[whole]).is_ok());
    }

    #[test]
    fn an_output_without_end_is_a_fault_but_not_what_was_taken() {
        let line = format!("sample {}\n", "x".repeat(999));
        let many: Vec<&str> = std::iter::repeat_n(line.as_str(), MOST / 1_000).collect();
        let parts: Vec<&str> = [":begun:\n"].into_iter().chain(many).chain(["x\n\n:ended: 0\n"]).collect();
        assert!(output(&parts).is_err_and(|reason| reason.contains("more than 4 MB")));
        let taken = heard(&parts, |line| line.starts_with("sample ")).expect("whole");
        assert_eq!(taken.output, "x\n");
    }

    #[test]
    fn complaints_are_apart_and_do_not_tear_lines() {
        let mut heard = Heard {
            takes: |_: &str| false,
            has_begun: false,
            unfinished: String::new(),
            whole: Whole::default(),
            bytes: 0,
        };
        let parts = [
            LogOutput::StdOut { message: ":begun:\nhalf ".into() },
            LogOutput::StdErr { message: "sh: oh\n".into() },
            LogOutput::StdOut { message: "whole\n\n:ended: 0\n".into() },
        ];
        for part in &parts {
            heard.hear(part).expect("heard");
        }
        let whole = heard.end().expect("whole");
        assert_eq!((whole.output.as_str(), whole.errors.as_str()), ("half whole\n", "sh: oh\n"));
    }
}
