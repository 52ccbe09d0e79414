//! Live progress of a run, on standard error.
//!
//! Owns: what is shown while a run works. Must not: be needed by anything; a run without it is
//! the same run.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::event::{Event, Events};
use crate::report::terminal::plain;
use crate::verdict::{Outcome, Verdict, millis};

/// Shows events until their sender is gone.
pub struct Live {
    task: tokio::task::JoinHandle<()>,
}

impl Live {
    /// Starts to show. Nothing is shown when `quiet`, or when standard error is no terminal and
    /// the run is short of news: then a line is written per stage.
    #[must_use]
    pub fn start(quiet: bool) -> (Self, Events) {
        let (sender, receiver) = unbounded_channel();
        let terminal = std::io::stderr().is_terminal();
        let task = tokio::spawn(async move {
            match (quiet, terminal) {
                (true, _) => drain(receiver).await,
                (false, true) => bar(receiver).await,
                (false, false) => lines(receiver).await,
            }
        });
        (Self { task }, Events::to(sender))
    }

    /// Waits until everything is shown. All senders must be gone.
    pub async fn end(self) {
        let _ = self.task.await;
    }
}

async fn drain(mut events: UnboundedReceiver<Event>) {
    while events.recv().await.is_some() {}
}

async fn lines(mut events: UnboundedReceiver<Event>) {
    while let Some(event) = events.recv().await {
        match event {
            Event::StageStarted { stage } => eprintln!("{} ...", spoken(&stage)),
            Event::StageEnded { stage, ok, millis: taken } => {
                eprintln!("{}: {} after {}", spoken(&stage), if ok { "done" } else { "failed" }, millis(taken));
            }
            _ => {}
        }
    }
}

/// One bar that counts checks, with what is being worked on beside it.
async fn bar(mut events: UnboundedReceiver<Event>) {
    let bar = ProgressBar::new(0);
    let style =
        |template: &str| ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    bar.set_style(style("{spinner} {wide_msg}"));
    bar.enable_steady_tick(Duration::from_millis(100));
    let mut open: Vec<(String, String)> = Vec::new();
    while let Some(event) = events.recv().await {
        match event {
            // Who only looks has no checks to count.
            Event::RunStarted { checks, .. } => {
                bar.set_length(checks as u64);
                bar.set_style(style("{spinner} {pos}/{len} checks  {wide_msg}"));
            }
            Event::StageStarted { stage } => open.push((stage.clone(), spoken(&stage))),
            Event::StageProgress { stage, step } => {
                if let Some(known) = open.iter_mut().find(|(name, _)| *name == stage) {
                    known.1 = format!("{}: {}", spoken(&stage), plain(&step));
                }
            }
            Event::StageEnded { stage, .. } => open.retain(|(name, _)| *name != stage),
            Event::CheckEnded { check, outcome, .. } => {
                bar.inc(1);
                if let Some(word) = bad_news(&outcome) {
                    bar.println(format!("  {word}  {check}"));
                }
            }
            Event::Sample { .. } => continue,
            Event::CleaningUp => open = vec![(String::new(), "removing what was made".into())],
        }
        let working: Vec<&str> = open.iter().map(|(_, text)| text.as_str()).collect();
        let text = if working.is_empty() { "measuring".into() } else { working.join("  |  ") };
        bar.set_message(text);
    }
    bar.finish_and_clear();
}

fn bad_news(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Judged { verdict: Verdict::Fail(_) | Verdict::Partial { .. } } => Some("FAIL "),
        Outcome::Fault { .. } => Some("FAULT"),
        _ => None,
    }
}

fn spoken(stage: &str) -> String {
    match stage.split_once(':') {
        Some(("build", image)) => format!("building {image}"),
        Some(("stack", stack)) => format!("starting {stack}"),
        _ => stage.to_owned(),
    }
}
