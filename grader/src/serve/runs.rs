//! Checks and looks that run for the browser.
//!
//! Owns: one run at a time per lesson and task, its events from the first one on, and its end. Must not:
//! know who listens, or how often: a page that is loaded again hears everything once more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use super::looks::Look;
use crate::commands::check;
use crate::course::{Course, Lesson};
use crate::event::{Event, Events};
use crate::fault::Fault;
use crate::memory;
use crate::progress::Progress;
use crate::sandbox::build::BuildSettings;
use crate::{shown, workspace};

/// The stack of a run's thread, as large as a program's first thread usually has it, and some more.
const STACK_BYTES: usize = 16 << 20;

/// What a run is for.
#[derive(Debug, Clone, Copy)]
pub enum Task {
    /// A check.
    Check(memory::Use),
    /// A look at what the exercise has made.
    Look(Look),
}

/// The last run of each lesson and task.
#[derive(Default)]
pub struct Runs {
    lessons: Mutex<BTreeMap<Key, Arc<Run>>>,
    stop: watch::Sender<bool>,
}

/// A lesson, and the kind of look when it is one.
type Key = (String, Option<Look>);

/// One run.
pub struct Run {
    /// Counts the runs of this lesson in this session, from 1.
    pub number: u32,
    events: Mutex<Vec<Value>>,
    /// How many events there are, and whether it is over.
    told: watch::Sender<(usize, bool)>,
}

impl Runs {
    /// The lesson's last check, or its last look of a kind, whether it is over or not.
    pub fn of(&self, lesson: &str, look: Option<Look>) -> Option<Arc<Run>> {
        self.lessons().get(&(lesson.to_owned(), look)).cloned()
    }

    /// Begins a run, unless one of this lesson and task is going on: then that one (`false`).
    pub fn begin(&self, course: Course, lesson: Lesson, settings: BuildSettings, task: Task) -> (Arc<Run>, bool) {
        let mut lessons = self.lessons();
        let key = (lesson.spec.id.clone(), if let Task::Look(look) = task { Some(look) } else { None });
        let last = lessons.get(&key);
        if let Some(run) = last.filter(|run| !run.is_over()) {
            return (run.clone(), false);
        }
        let number = last.map_or(1, |run| run.number + 1);
        let run = Arc::new(Run { number, events: Mutex::default(), told: watch::Sender::new((0, false)) });
        lessons.insert(key, run.clone());
        let (own, stop) = (run.clone(), self.stop.subscribe());
        // A thread of its own: a run is long, and its future stays where it was made. It is deep too:
        // the two megabytes that a thread has otherwise are not enough for every lesson.
        let work = std::thread::Builder::new().name("run".into()).stack_size(STACK_BYTES);
        if let Err(error) = work.spawn(move || own.work(&course, &lesson, &settings, task, stop)) {
            run.end(&Err(Fault::file("a thread for the run")(error)));
        }
        (run, true)
    }

    /// Asks all runs to give up.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until all runs have cleared away what they made.
    pub async fn finished(&self) {
        let all: Vec<_> = self.lessons().values().cloned().collect();
        for run in all {
            let mut told = run.told.subscribe();
            let _ = told.wait_for(|(_, over)| *over).await;
        }
    }

    fn lessons(&self) -> MutexGuard<'_, BTreeMap<Key, Arc<Run>>> {
        self.lessons.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run {
    /// Whether nothing more will be told.
    pub fn is_over(&self) -> bool {
        self.told.borrow().1
    }

    /// The events from number `from` on, as soon as there are any; `None` when it is over and all are told.
    pub async fn after(&self, from: usize) -> Option<Vec<Value>> {
        let mut told = self.told.subscribe();
        let news = told.wait_for(|(count, over)| *count > from || *over).await.ok()?.0;
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        (news > from).then(|| events[from..].to_vec())
    }

    fn work(
        &self,
        course: &Course,
        lesson: &Lesson,
        settings: &BuildSettings,
        task: Task,
        stop: watch::Receiver<bool>,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let done = match runtime.map_err(Fault::file("the runtime")) {
            Ok(runtime) => runtime.block_on(self.done(course, lesson, settings, task, stop)),
            Err(fault) => Err(fault),
        };
        self.end(&done);
    }

    /// Tells how it ended; nothing comes after that.
    fn end(&self, done: &Result<Value, Fault>) {
        match done {
            Ok(last) => self.tell(last, true),
            Err(fault) => {
                self.tell(&json!({"event": "fault", "message": fault.to_string(), "remedy": fault.remedy()}), true);
            }
        }
    }

    /// Does the work, and gives what is to be told last.
    async fn done(
        &self,
        course: &Course,
        lesson: &Lesson,
        settings: &BuildSettings,
        task: Task,
        mut stop: watch::Receiver<bool>,
    ) -> Result<Value, Fault> {
        let dir = workspace::folder(course, lesson);
        let (sender, mut receiver) = mpsc::unbounded_channel::<Event>();
        let events = Events::to(sender);
        let stopped = async move {
            let _ = stop.wait_for(|stop| *stop).await;
        };
        let working = async {
            let done = match task {
                Task::Check(memory) => {
                    let progress = Progress::open()?;
                    let graded = check::graded(course, lesson, &dir, &progress, settings, memory, &events, stopped);
                    graded.await.map(|report| json!({"event": "report", "report": report}))
                }
                Task::Look(look) => look.looked(course, lesson, dir, settings, &events, stopped).await,
            };
            drop(events);
            done
        };
        let telling = async {
            while let Some(event) = receiver.recv().await {
                self.tell(&event, false);
            }
        };
        tokio::join!(working, telling).0
    }

    fn tell(&self, event: &impl Serialize, is_last: bool) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let mut event = serde_json::to_value(event).unwrap_or_default();
        // Here, and not where the page shows it: nothing that a container wrote reaches a page unmarked.
        shown::every_text(&mut event);
        // A page that comes later knows by it for how long a stage has been going on.
        event["at"] = jiff::Timestamp::now().as_millisecond().into();
        events.push(event);
        self.told.send_replace((events.len(), is_last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_containers_wrote_reaches_no_page_unmarked() {
        let run = Run { number: 1, events: Mutex::default(), told: watch::Sender::new((0, false)) };
        run.tell(
            &json!({"event": "report", "report": {"checks": [{"measured": "said \u{202e}\u{2028}x\u{1b}"}]}}),
            true,
        );
        let told = run.after(0).await.expect("an event");
        assert_eq!(told[0]["report"]["checks"][0]["measured"], "said ··x·");
    }
}
