//! What watch mode shows, as lines of text.
//!
//! Owns: the layout: head, state, the checks, the first finding, and the keys. Must not: touch the
//! terminal. Every picture fits the window; what is longer is scrolled.

use std::collections::BTreeMap;

use anstyle::{AnsiColor, Style};

use crate::course::Lesson;
use crate::event::Event;
use crate::report::{CheckReport, Report, RunResult, terminal};
use crate::verdict::{Outcome, Verdict, millis};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const ODD: Style = AnsiColor::Yellow.on_default();
const FAINT: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

const KEYS: &str = "h hint  l list  n next lesson  r reset  f measure all  q quit";

/// What the middle of the window shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Page {
    /// All checks in short, and the first that failed in full.
    #[default]
    Finding,
    /// All checks, one per line.
    List,
    /// Hints.
    Hint(String),
    /// Whether the starter's files are to be put back.
    AskReset,
}

/// Everything that is shown.
#[derive(Default)]
pub struct View {
    /// What the middle shows.
    pub page: Page,
    lesson: String,
    title: String,
    checks: Vec<(String, String)>,
    report: Option<Report>,
    /// Outcomes of the run that goes on.
    live: BTreeMap<String, Outcome>,
    runs: bool,
    state: String,
    stages: Vec<(String, String)>,
    message: String,
    fault: Option<String>,
    offset: usize,
}

impl View {
    /// Nothing is known yet.
    pub fn of(lesson: &Lesson) -> Self {
        Self {
            lesson: lesson.spec.id.clone(),
            title: lesson.spec.title.clone(),
            checks: lesson.checks.iter().map(|check| (check.spec.id.clone(), check.spec.title.clone())).collect(),
            ..Self::default()
        }
    }

    /// A run has begun.
    pub fn begun(&mut self) {
        (self.runs, self.state) = (true, "looking at your files".into());
        self.live.clear();
        self.stages.clear();
    }

    /// Something happened in the run.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::StageStarted { stage } => self.stages.push((stage.clone(), String::new())),
            Event::StageProgress { stage, step } => {
                if let Some((_, at)) = self.stages.iter_mut().find(|(name, _)| name == stage) {
                    at.clone_from(step);
                }
            }
            Event::StageEnded { stage, .. } => self.stages.retain(|(name, _)| name != stage),
            Event::CheckEnded { check, outcome, .. } => drop(self.live.insert(check.clone(), outcome.clone())),
            Event::CleaningUp => self.stages = vec![("removing what was made".into(), String::new())],
            Event::RunStarted { .. } | Event::Sample { .. } => {}
        }
        let spoken = |(stage, step): &(String, String)| match (stage.split_once(':'), step.as_str()) {
            (Some(("build", image)), "") => format!("building {image}"),
            (Some(("build", image)), step) => format!("building {image}: {step}"),
            (Some(("stack", stack)), _) => format!("starting {stack}"),
            _ => stage.clone(),
        };
        self.state = match self.stages.first() {
            Some(stage) => spoken(stage),
            None => format!("measuring, {} of {} checks done", self.live.len(), self.checks.len()),
        };
    }

    /// The run is given up.
    pub fn giving_up(&mut self) {
        self.state = "ending: removing what was made".into();
    }

    /// The run's report is there.
    pub fn ended(&mut self, report: Report) {
        (self.runs, self.fault) = (false, None);
        let at = jiff::Zoned::now().strftime("%H:%M:%S");
        let measured = format!("{} of {} measured", report.measured(), report.checks.len());
        self.state = format!("checked at {at} in {}, {measured}", millis(report.millis));
        self.report = Some(report);
        self.offset = 0;
        if matches!(self.page, Page::Hint(_)) {
            self.page = Page::Finding;
        }
    }

    /// The run did not come to a report.
    pub fn failed(&mut self, fault: &str) {
        (self.runs, self.state) = (false, "could not be checked".into());
        (self.fault, self.page, self.offset) = (Some(fault.to_owned()), Page::Finding, 0);
    }

    /// What kept the last run from a report.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Nothing is being done until a file is saved.
    pub fn waiting(&mut self) {
        self.runs = false;
    }

    /// Says something above the keys; nothing when the text is empty.
    pub fn tell(&mut self, text: &str) {
        text.clone_into(&mut self.message);
    }

    /// Shows another page; the one that is shown already makes room for the first one.
    pub fn turn_to(&mut self, page: Page) {
        self.page = if page == self.page { Page::Finding } else { page };
        self.offset = 0;
    }

    /// Moves the middle by some lines.
    pub fn scroll(&mut self, by: isize) {
        self.offset = self.offset.saturating_add_signed(by);
    }

    /// The id of the first check that failed, as far as it is known.
    pub fn first_failed(&self) -> Option<String> {
        let failed = |id: &String| {
            matches!(self.outcome(id), Some(Outcome::Judged { verdict: Verdict::Fail(_) | Verdict::Partial { .. } }))
        };
        self.checks.iter().map(|(id, _)| id).find(|id| failed(id)).cloned()
    }

    /// The picture: `rows` lines of at most `columns` characters.
    pub fn lines(&mut self, columns: usize, rows: usize) -> Vec<String> {
        terminal::fit(columns);
        let body: Vec<String> = self.body(columns).iter().flat_map(|line| wrapped(line, columns)).collect();
        let room = rows.saturating_sub(5).max(1);
        self.offset = self.offset.min(body.len().saturating_sub(room));
        let below = body.len().saturating_sub(self.offset + room);
        let mut lines = vec![self.head(columns), self.state_line(columns), String::new()];
        lines.extend(body.into_iter().skip(self.offset).take(room));
        lines.resize(rows.saturating_sub(2), String::new());
        let more = if below > 0 { format!("{below} more lines: arrow keys or space") } else { String::new() };
        let message = if self.message.is_empty() { format!("{FAINT}{more}{FAINT:#}") } else { self.message.clone() };
        let keys = if self.page == Page::AskReset { "y yes, reset  any other key: no" } else { KEYS };
        lines.extend([cut(&message, columns), cut(&format!("{STRONG}{keys}{STRONG:#}"), columns)]);
        lines.truncate(rows);
        lines
    }

    fn head(&self, columns: usize) -> String {
        let name = format!("{}  {}", self.lesson, self.title);
        let points = match &self.report {
            Some(report) if report.result == RunResult::Refused => "REFUSED".to_owned(),
            Some(report) => format!("{} of {} points", report.points, report.of),
            None => String::new(),
        };
        let gap = columns.saturating_sub(textwrap::core::display_width(&name) + points.len()).max(2);
        cut(&format!("{STRONG}{name}{:gap$}{points}{STRONG:#}", ""), columns)
    }

    fn state_line(&self, columns: usize) -> String {
        let text =
            if self.runs { format!("CHECKING  {}", self.state) } else { format!("{}; waiting for a save", self.state) };
        let style = if self.runs { ODD } else { FAINT };
        cut(&format!("{style}{text}{style:#}"), columns)
    }

    fn body(&self, columns: usize) -> Vec<String> {
        match &self.page {
            Page::List => self.list(),
            Page::Hint(text) => text.lines().map(str::to_owned).chain([String::new(), "Esc: back".into()]).collect(),
            Page::AskReset => vec![
                "Put the starter's files back?".into(),
                String::new(),
                "Everything that is in the folder now is kept as a snapshot.".into(),
            ],
            Page::Finding => match &self.fault {
                Some(fault) => fault.lines().map(str::to_owned).collect(),
                None => [self.grid(columns), vec![String::new()], self.finding()].concat(),
            },
        }
    }

    /// The outcome as far as it is known: of the run that goes on, else of the last one.
    fn outcome(&self, id: &str) -> Option<&Outcome> {
        let last = || self.report.as_ref()?.checks.iter().find(|check| check.id == *id).map(|check| &check.outcome);
        self.live.get(id).or_else(last)
    }

    fn grid(&self, columns: usize) -> Vec<String> {
        let longest = self.checks.iter().map(|(id, _)| id.len()).max().unwrap_or(0);
        let across = (columns / (longest + 7)).max(1);
        let down = self.checks.len().div_ceil(across);
        let cell = |(id, _): &(String, String)| {
            let (style, word) = word(self.outcome(id));
            format!("{style}{word}{style:#} {id:<longest$}  ")
        };
        (0..down).map(|row| self.checks.iter().skip(row).step_by(down).map(cell).collect()).collect()
    }

    fn list(&self) -> Vec<String> {
        let line = |(id, title): &(String, String)| {
            let (style, word) = word(self.outcome(id));
            let points = self.report.as_ref().and_then(|report| report.checks.iter().find(|check| check.id == *id));
            let points = points.map(|check| format!("{}/{}", check.points, check.of)).unwrap_or_default();
            let blocked = match self.outcome(id) {
                Some(Outcome::Blocked { by }) => format!(" (waits for `{by}`)"),
                _ => String::new(),
            };
            format!("{style}{word}{style:#} {points:>5}  {title}{FAINT}{blocked}{FAINT:#}")
        };
        self.checks.iter().map(line).collect()
    }

    /// The first check that did not pass, in full.
    fn finding(&self) -> Vec<String> {
        let Some(report) = &self.report else { return Vec::new() };
        if report.result == RunResult::Refused {
            return text(|out| terminal::write(report, out)).into_iter().skip(2).collect();
        }
        let bad = |check: &&CheckReport| {
            !matches!(check.outcome, Outcome::Judged { verdict: Verdict::Pass(_) } | Outcome::Blocked { .. })
        };
        let Some(check) = report.checks.iter().find(bad) else {
            return vec![format!("{GOOD}All checks passed.{GOOD:#} `n` goes on to the next lesson.")];
        };
        let (style, word) = word(Some(&check.outcome));
        let head = format!("{style}{word}{style:#} {STRONG}{}{STRONG:#}  {FAINT}{}{FAINT:#}", check.title, check.id);
        let finding = text(|out| terminal::write_check(report, check, out)).into_iter().skip(1);
        // The report's indentation is for its own head; here every column counts.
        let indent = |line: String| line.strip_prefix("    ").map(str::to_owned).unwrap_or(line);
        [head].into_iter().chain(finding.map(indent)).collect()
    }
}

/// Four letters per outcome, so that columns stand under each other.
fn word(outcome: Option<&Outcome>) -> (Style, &'static str) {
    match outcome {
        None => (FAINT, "...."),
        Some(Outcome::Judged { verdict: Verdict::Pass(_) }) => (GOOD, "PASS"),
        Some(Outcome::Judged { verdict: Verdict::Fail(_) }) => (BAD, "FAIL"),
        Some(Outcome::Judged { verdict: Verdict::Partial { .. } }) => (ODD, "PART"),
        Some(Outcome::Blocked { .. }) => (FAINT, "wait"),
        Some(Outcome::Fault { .. }) => (ODD, "ERR!"),
    }
}

fn text(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Vec<String> {
    let mut out = Vec::new();
    // Writing into memory does not fail.
    let _ = write(&mut out);
    String::from_utf8_lossy(&out).lines().map(str::to_owned).collect()
}

/// A line in as many lines as it needs.
fn wrapped(line: &str, columns: usize) -> Vec<String> {
    if textwrap::core::display_width(line) <= columns {
        return vec![line.to_owned()];
    }
    let indent = " ".repeat((line.len() - line.trim_start().len()).min(columns / 2));
    let options = textwrap::Options::new(columns.max(10)).subsequent_indent(&indent);
    textwrap::wrap(line, options).into_iter().map(std::borrow::Cow::into_owned).collect()
}

/// The beginning of a line, as far as there is room.
fn cut(line: &str, columns: usize) -> String {
    wrapped(line, columns).into_iter().next().unwrap_or_default()
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
