//! Checks that run for the browser.
//!
//! Owns: one run at a time per lesson, its events from the first one on, and its end. Must not:
//! know who listens, or how often: a page that is loaded again hears everything once more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::commands::check;
use crate::course::{Course, Lesson};
use crate::event::{Event, Events};
use crate::fault::Fault;
use crate::memory;
use crate::progress::Progress;
use crate::report::Report;
use crate::sandbox::build::BuildSettings;
use crate::workspace;

/// The stack of a run's thread, as large as a program's first thread usually has it, and some more.
const STACK_BYTES: usize = 16 << 20;

/// The last run of each lesson.
#[derive(Default)]
pub struct Runs {
    lessons: Mutex<BTreeMap<String, Arc<Run>>>,
    stop: watch::Sender<bool>,
}

/// One run.
pub struct Run {
    /// Counts the runs of this lesson in this session, from 1.
    pub number: u32,
    events: Mutex<Vec<Value>>,
    /// How many events there are, and whether it is over.
    told: watch::Sender<(usize, bool)>,
}

impl Runs {
    /// The lesson's last run, whether it is over or not.
    pub fn of(&self, lesson: &str) -> Option<Arc<Run>> {
        self.lessons().get(lesson).cloned()
    }

    /// Begins a run, unless one of this lesson is going on: then that one (`false`).
    pub fn begin(
        &self,
        course: Course,
        lesson: Lesson,
        settings: BuildSettings,
        memory: memory::Use,
    ) -> (Arc<Run>, bool) {
        let mut lessons = self.lessons();
        let last = lessons.get(&lesson.spec.id);
        if let Some(run) = last.filter(|run| !run.is_over()) {
            return (run.clone(), false);
        }
        let number = last.map_or(1, |run| run.number + 1);
        let run = Arc::new(Run { number, events: Mutex::default(), told: watch::Sender::new((0, false)) });
        lessons.insert(lesson.spec.id.clone(), run.clone());
        let (own, stop) = (run.clone(), self.stop.subscribe());
        // A thread of its own: a run is long, and its future stays where it was made. It is deep too:
        // the two megabytes that a thread has otherwise are not enough for every lesson.
        let work = std::thread::Builder::new().name("run".into()).stack_size(STACK_BYTES);
        if let Err(error) = work.spawn(move || own.work(&course, &lesson, &settings, memory, stop)) {
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

    fn lessons(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Run>>> {
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
        memory: memory::Use,
        stop: watch::Receiver<bool>,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let graded = match runtime.map_err(Fault::file("the runtime")) {
            Ok(runtime) => runtime.block_on(self.graded(course, lesson, settings, memory, stop)),
            Err(fault) => Err(fault),
        };
        self.end(&graded);
    }

    /// Tells how it ended; nothing comes after that.
    fn end(&self, graded: &Result<Report, Fault>) {
        let last = match graded {
            Ok(report) => json!({"event": "report", "report": report}),
            Err(fault) => json!({"event": "fault", "message": fault.to_string(), "remedy": fault.remedy()}),
        };
        self.tell(&last, true);
    }

    async fn graded(
        &self,
        course: &Course,
        lesson: &Lesson,
        settings: &BuildSettings,
        memory: memory::Use,
        mut stop: watch::Receiver<bool>,
    ) -> Result<Report, Fault> {
        let dir = workspace::folder(course, lesson);
        let progress = Progress::open()?;
        let (sender, mut receiver) = mpsc::unbounded_channel::<Event>();
        let events = Events::to(sender);
        let stopped = async move {
            let _ = stop.wait_for(|stop| *stop).await;
        };
        let grading = async {
            let report = check::graded(course, lesson, &dir, &progress, settings, memory, &events, stopped).await;
            drop(events);
            report
        };
        let telling = async {
            while let Some(event) = receiver.recv().await {
                self.tell(&event, false);
            }
        };
        tokio::join!(grading, telling).0
    }

    fn tell(&self, event: &impl Serialize, is_last: bool) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let mut event = serde_json::to_value(event).unwrap_or_default();
        // A page that comes later knows by it for how long a stage has been going on.
        event["at"] = jiff::Timestamp::now().as_millisecond().into();
        events.push(event);
        self.told.send_replace((events.len(), is_last));
    }
}
