//! `grader watch`: checks again whenever a file is saved.
//!
//! Owns: when a run begins, and what keys do. Must not: grade by itself, or decide what changed;
//! the memory of evidence answers what a save did not affect.
//!
//! A run works on a copy, so it goes on when a file is saved meanwhile. When it ends, the files are
//! compared with those that it began with: the last save is always the last to be graded.

mod changes;
mod screen;
mod view;

use std::io::Write;
use std::path::Path;
use std::pin::Pin;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::oneshot;

use super::check::{job, keep, submission, write};
use super::{course, interrupted, lesson};
use crate::cli::{ReportFormat, WatchArgs};
use crate::course::{Course, Lesson};
use crate::engine;
use crate::event::Events;
use crate::fault::Fault;
use crate::memory;
use crate::progress::Progress;
use crate::report::Report;
use crate::sandbox::build::BuildSettings;
use crate::sandbox::daemon;
use crate::{images, workspace};
use changes::{Changes, State};
use screen::{Input, Screen};
use view::{Page, View};

/// Why a lesson is not watched any more.
enum Then {
    /// The program ends with this exit code.
    Quit(u8),
    /// Another lesson comes next.
    Next(Box<Lesson>),
}

/// One session.
struct Watch<'a> {
    course: Course,
    progress: Progress,
    settings: BuildSettings,
    poll_seconds: u64,
    /// The terminal; without one, reports are written to `out` one after another.
    screen: Option<Screen>,
    out: &'a mut dyn Write,
    view: View,
    stop: Pin<Box<dyn Future<Output = ()>>>,
}

/// Watches until the person has had enough; gives the exit code.
pub async fn run(args: &WatchArgs, out: &mut dyn Write) -> Result<u8, Fault> {
    let course = course()?;
    let mut lesson = lesson(&course, args.lesson.as_deref())?;
    let mut dir = submission(&course, &lesson, args.dir.as_deref())?;
    ready(&course, &lesson).await?;
    let mut watch = Watch {
        progress: Progress::open()?,
        settings: args.builds.settings(),
        poll_seconds: args.poll,
        screen: Screen::open()?,
        out,
        view: View::default(),
        stop: Box::pin(interrupted()),
        course,
    };
    loop {
        watch.view = View::of(&lesson);
        match watch.lesson(&lesson, &dir).await? {
            Then::Quit(code) => return Ok(code),
            Then::Next(next) => {
                (dir, _) = workspace::start(&watch.course, &next)?;
                lesson = *next;
                ready(&watch.course, &lesson).await?;
            }
        }
    }
}

/// Makes sure that a lesson can be graded at all.
async fn ready(course: &Course, lesson: &Lesson) -> Result<(), Fault> {
    let mut say = |line: &str| eprintln!("{line}");
    images::ensure(&daemon::connect().await?, &course.root, images::needed(lesson), &mut say).await
}

impl Watch<'_> {
    /// Watches one lesson's folder.
    async fn lesson(&mut self, lesson: &Lesson, dir: &Path) -> Result<Then, Fault> {
        let mut changes = Changes::of(dir, self.poll_seconds);
        let mut graded: Option<State> = None;
        let mut wanted = memory::Use::Recall;
        if self.screen.is_none() {
            self.say(&format!("Watching {}. Ctrl-C ends it.", dir.display()))?;
        }
        loop {
            let now = changes.state(&self.course, lesson, &self.progress);
            if graded.as_ref() != Some(&now) || wanted == memory::Use::Renew {
                graded = Some(now);
                if let Some(then) = self.grade(lesson, dir, wanted).await? {
                    return Ok(then);
                }
                wanted = memory::Use::Recall;
                // What was saved during the run is seen by comparing again.
                continue;
            }
            self.view.waiting();
            self.draw()?;
            tokio::select! {
                // What kept a run from its report (Docker is not there, a file went away while it was
                // copied) may be over.
                () = changes.next() => if self.view.fault().is_some() { graded = None },
                input = input(&mut self.screen) => match self.pressed(&input, lesson, dir) {
                    Pressed::Then(then) => return Ok(then),
                    Pressed::Fresh => wanted = memory::Use::Renew,
                    Pressed::Nothing => {}
                },
                () = &mut self.stop => return Ok(Then::Quit(130)),
            }
        }
    }

    /// One run, with the keys alive. Everything that it has made is removed before this returns.
    async fn grade(&mut self, lesson: &Lesson, dir: &Path, memory: memory::Use) -> Result<Option<Then>, Fault> {
        self.view.begun();
        self.draw()?;
        let (job, files) = match job(&self.course, lesson, dir, &self.progress, &self.settings, memory) {
            Ok(job) => job,
            Err(fault) => return self.ended(Err(fault), "").map(|()| None),
        };
        let (sender, mut events) = unbounded_channel();
        let (give_up, wish) = oneshot::channel::<()>();
        let stop = async {
            // A sender that is dropped does not mean that the run is to end.
            if wish.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let sent = Events::to(sender);
        let mut run = std::pin::pin!(engine::grade(&job, &sent, stop));
        let (mut give_up, mut then) = (Some(give_up), None);
        let graded = loop {
            tokio::select! {
                graded = &mut run => break graded,
                Some(event) = events.recv() => self.view.event(&event),
                input = input(&mut self.screen) => match self.pressed(&input, lesson, dir) {
                    Pressed::Then(wanted) => then = Some(wanted),
                    Pressed::Fresh | Pressed::Nothing => {}
                },
                () = &mut self.stop, if then.is_none() => then = Some(Then::Quit(130)),
            }
            // A terminal that is gone ends the session, not before everything is removed.
            if self.draw().is_err() {
                then.get_or_insert(Then::Quit(3));
            }
            if then.is_some()
                && let Some(give_up) = give_up.take()
            {
                self.view.giving_up();
                let _ = (give_up.send(()), self.draw());
            }
        };
        if then.is_none() {
            self.ended(graded, &files)?;
        }
        Ok(then)
    }

    /// Shows and keeps what came of a run.
    fn ended(&mut self, graded: Result<Report, Fault>, files: &str) -> Result<(), Fault> {
        match graded {
            Ok(report) => {
                keep(&self.progress, &report, files)?;
                if self.screen.is_none() {
                    write(&report, ReportFormat::Human, self.out)
                        .and_then(|()| self.out.flush())
                        .map_err(Fault::file("standard output"))?;
                }
                self.view.ended(report);
            }
            Err(fault) => {
                let text = format!("{fault}\n{}", fault.remedy());
                if self.screen.is_none() && self.view.fault() != Some(&text) {
                    self.say(&text)?;
                }
                self.view.failed(&text);
            }
        }
        Ok(())
    }

    /// What a key does. What goes wrong with it is told, and ends nothing.
    fn pressed(&mut self, input: &Input, lesson: &Lesson, dir: &Path) -> Pressed {
        self.press(input, lesson, dir).unwrap_or_else(|fault| {
            self.view.tell(&fault.to_string());
            Pressed::Nothing
        })
    }

    /// Pages are shown; the rest is handed back.
    fn press(&mut self, input: &Input, lesson: &Lesson, dir: &Path) -> Result<Pressed, Fault> {
        let Input::Key(key) = input else { return Ok(Pressed::Nothing) };
        if is_ctrl_c(key) {
            return Ok(Pressed::Then(Then::Quit(130)));
        }
        if self.view.page == Page::AskReset {
            self.view.page = Page::Finding;
            let message =
                if key.code == KeyCode::Char('y') { self.reset(lesson)? } else { "Nothing was reset.".into() };
            self.view.tell(&message);
            return Ok(Pressed::Nothing);
        }
        self.view.tell("");
        match key.code {
            KeyCode::Char('q') => return Ok(Pressed::Then(Then::Quit(0))),
            KeyCode::Char('f') => return Ok(Pressed::Fresh),
            KeyCode::Char('h') => self.hint(lesson)?,
            KeyCode::Char('l') => self.view.turn_to(Page::List),
            KeyCode::Char('r') if dir == workspace::folder(&self.course, lesson) => self.view.turn_to(Page::AskReset),
            KeyCode::Char('r') => {
                self.view.tell("Only your own copy under workspace/ can be reset; this is another folder.");
            }
            KeyCode::Char('n') => match self.next_lesson(lesson)? {
                Some(next) => return Ok(Pressed::Then(Then::Next(Box::new(next)))),
                None => self.view.tell("No other lesson is left to pass."),
            },
            KeyCode::Up => self.view.scroll(-1),
            KeyCode::Down => self.view.scroll(1),
            KeyCode::PageUp => self.view.scroll(-10),
            KeyCode::PageDown | KeyCode::Char(' ') => self.view.scroll(10),
            KeyCode::Esc => self.view.turn_to(Page::Finding),
            _ => {}
        }
        Ok(Pressed::Nothing)
    }

    fn hint(&mut self, lesson: &Lesson) -> Result<(), Fault> {
        let Some(check) = self.view.first_failed() else {
            self.view.tell("No check has failed, so there is no hint to give.");
            return Ok(());
        };
        // Asked for again, one more is opened.
        let more = matches!(self.view.page, Page::Hint(_));
        let mut text = Vec::new();
        super::hint::run(lesson, Some(&check), more, &mut text)?;
        self.view.turn_to(Page::Hint(String::from_utf8_lossy(&text).into_owned()));
        Ok(())
    }

    fn reset(&self, lesson: &Lesson) -> Result<String, Fault> {
        let (_, snapshot) = workspace::reset(&self.course, lesson)?;
        // The end of the path has the date; all of it does not fit into a line.
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let kept = snapshot.map(|path| format!(" Yours: snapshots/{}/{}", lesson.folder(), name(&path)));
        Ok(format!("Reset.{}", kept.unwrap_or_default()))
    }

    /// The next lesson, after the last one the first, that is not passed.
    fn next_lesson(&self, lesson: &Lesson) -> Result<Option<Lesson>, Fault> {
        let names = self.course.names()?;
        let here = names.iter().position(|name| name.id == lesson.spec.id).unwrap_or(0);
        for name in names.iter().cycle().skip(here + 1).take(names.len().saturating_sub(1)) {
            if self.progress.summary(&name.id)?.passed.is_none() {
                return self.course.lesson(&name.id).map(Some);
            }
        }
        Ok(None)
    }

    fn draw(&mut self) -> Result<(), Fault> {
        let Some(screen) = &mut self.screen else { return Ok(()) };
        screen.draw(&mut self.view).map_err(Fault::file("the terminal"))
    }

    fn say(&mut self, text: &str) -> Result<(), Fault> {
        writeln!(self.out, "{text}").and_then(|()| self.out.flush()).map_err(Fault::file("standard output"))
    }
}

/// What a key has brought about.
enum Pressed {
    /// Nothing but another picture.
    Nothing,
    /// Everything is to be measured.
    Fresh,
    /// The lesson is left.
    Then(Then),
}

/// The next key; without a terminal there never is one.
async fn input(screen: &mut Option<Screen>) -> Input {
    match screen {
        Some(screen) => screen.input().await,
        None => std::future::pending().await,
    }
}

fn is_ctrl_c(key: &KeyEvent) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c')
}
