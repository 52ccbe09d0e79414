//! How fast this machine is at the moment, and a clock that goes as slowly as it does.
//!
//! Owns: samples of known pieces of work, and *quiet time*: how much of the time that has passed
//! a quiet machine would have needed, at the least. Must not: know what is waited for.
//!
//! A limit in seconds is meant for a quiet machine. On one that also builds something else, or is
//! emulated, the same container needs five or fifteen times as long. So no limit of a run goes by the
//! clock on the wall: [`Deadline`](super::wait::Deadline) and [`Took`](super::wait::Took) count quiet
//! time. It is counted while it passes, so a limit that began in a quiet moment stretches when load
//! comes later, and does not stretch for long after the load has gone.
//!
//! The samples: a loop of known length on a thread of its own, every half second (what an app that
//! computes would feel), the time until a helper's script prints its first word, whenever one is run
//! (what everything that Docker does would feel), and how long a helper container waits for a core while it
//! works (what an app feels beside the containers of others). The slowest of them counts.

use std::hint::black_box;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// How often the loop is run.
const EVERY: Duration = Duration::from_millis(500);
/// When it is run first: a run that is answered from memory has ended by then.
const FIRST: Duration = Duration::from_millis(150);
/// The length of the loop. Compiled without optimisation it takes 8 to 10 ms on one core of an EPYC server of
/// 2023 that has nothing else to do.
const TURNS: u64 = 1_000_000;
/// Milliseconds that the loop may take on a machine that counts as quiet: twice that. Limits are made with
/// more than that to spare, so up to here nothing changes.
const LOOP_MS: f64 = 20.0;
/// The same for the first word of a helper's script: the daemon on that server needs 45 to 65 ms.
const FIRST_WORD_MS: f64 = 120.0;
/// How many times its own running time a container's work may take on a machine that counts as quiet: a stack that
/// starts keeps two cores busy by itself.
const WAITED_TIMES: f64 = 2.0;
/// For how long what was heard from a helper container says something.
const FRESH: Duration = Duration::from_secs(3);
/// The most by which a limit is stretched. A machine that is slower is too slow to tell anything.
pub const MOST: f64 = 30.0;

/// The pace of a run. Clones are of the same run; sampling ends with the last one.
#[derive(Debug, Clone, Default)]
pub struct Pace(Option<Arc<Mutex<Record>>>);

#[derive(Debug)]
struct Record {
    /// Up to when quiet time has been counted.
    until: Instant,
    quiet: Duration,
    /// How many times as long as on a quiet machine the last loop took.
    last_loop: f64,
    /// The same of a helper's first word, and when it came.
    first_word: Option<(Instant, f64)>,
    /// How many times as long as on a quiet machine a container's work took, and when that was heard.
    in_container: Option<(Instant, f64)>,
    /// When the loop began that has not ended yet.
    looping: Option<Instant>,
}

impl Pace {
    /// Begins to take samples.
    #[must_use]
    pub fn start() -> Self {
        let record = Arc::new(Mutex::new(Record::new(Instant::now())));
        let sampled = Arc::downgrade(&record);
        // Without the thread the helper's words remain; a machine that has no thread left has other faults.
        let _ = thread::Builder::new().name("pace".into()).spawn(move || sample(&sampled));
        Self(Some(record))
    }

    /// By how much a limit is stretched at this moment: 1 on a quiet machine, at most [`MOST`].
    #[must_use]
    pub fn patience(&self) -> f64 {
        self.record().map_or(1.0, |record| record.patience(Instant::now()))
    }

    /// The same as a whole number, rounded up, for whoever can count in nothing else.
    #[must_use]
    pub fn whole_patience(&self) -> u32 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between 1 and MOST")]
        let whole = self.patience().ceil() as u32;
        whole
    }

    /// The quiet time since some moment; only differences say something. `None` where nothing is measured,
    /// outside of runs: there the clock on the wall counts.
    #[must_use]
    pub fn quiet(&self) -> Option<Duration> {
        self.record().map(|record| record.quiet(Instant::now()))
    }

    /// A helper's script has printed its first word so long after it was asked for.
    pub fn heard_first_word(&self, after: Duration) {
        if let Some(mut record) = self.record() {
            record.heard_first_word(Instant::now(), after);
        }
    }

    /// A helper container has done a piece of work: it ran for so long, and waited for a core for so long.
    pub fn heard_from_container(&self, ran: Duration, waited: Duration) {
        if let Some(mut record) = self.record() {
            record.heard_from_container(Instant::now(), ran, waited);
        }
    }

    fn record(&self) -> Option<MutexGuard<'_, Record>> {
        Some(self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Record {
    fn new(now: Instant) -> Self {
        Self { until: now, quiet: Duration::ZERO, last_loop: 1.0, first_word: None, in_container: None, looping: None }
    }

    fn patience(&self, now: Instant) -> f64 {
        let since = |then: Instant| now.saturating_duration_since(then);
        let fresh =
            |heard: Option<(Instant, f64)>| heard.filter(|(at, _)| since(*at) < FRESH).map_or(1.0, |(_, times)| times);
        let heard = fresh(self.first_word).max(fresh(self.in_container));
        // A loop that should have ended long ago says as much as one that has.
        let unfinished = self.looping.map_or(1.0, |begun| times(since(begun), LOOP_MS));
        self.last_loop.max(heard).max(unfinished).clamp(1.0, MOST)
    }

    fn quiet(&self, now: Instant) -> Duration {
        self.quiet + now.saturating_duration_since(self.until).div_f64(self.patience(now))
    }

    /// Takes a sample in. The time before it counts as if it had all been as slow as the slower end of it.
    fn change(&mut self, now: Instant, change: impl FnOnce(&mut Self)) {
        let before = self.patience(now);
        change(self);
        let patience = before.max(self.patience(now));
        self.quiet += now.saturating_duration_since(self.until).div_f64(patience);
        self.until = now;
    }

    fn loop_began(&mut self, now: Instant) {
        self.looping = Some(now);
    }

    fn loop_ended(&mut self, now: Instant) {
        self.change(now, |record| {
            let took = record.looping.take().map_or(Duration::ZERO, |begun| now.saturating_duration_since(begun));
            record.last_loop = times(took, LOOP_MS);
        });
    }

    fn heard_first_word(&mut self, now: Instant, after: Duration) {
        self.change(now, |record| record.first_word = Some((now, times(after, FIRST_WORD_MS))));
    }

    fn heard_from_container(&mut self, now: Instant, ran: Duration, waited: Duration) {
        let times = (ran + waited).as_secs_f64() / ran.as_secs_f64().max(f64::EPSILON) / WAITED_TIMES;
        self.change(now, |record| record.in_container = Some((now, times)));
    }
}

fn times(took: Duration, reference_ms: f64) -> f64 {
    took.as_secs_f64() * 1_000.0 / reference_ms
}

fn sample(record: &Weak<Mutex<Record>>) {
    let with = |change: fn(&mut Record, Instant)| {
        let record = record.upgrade()?;
        change(&mut record.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        Some(())
    };
    thread::sleep(FIRST);
    while with(Record::loop_began).is_some() {
        known_work();
        with(Record::loop_ended);
        thread::sleep(EVERY);
    }
}

/// Something that takes the same time whenever nobody else wants the core.
fn known_work() {
    let mut number = 1_u64;
    for turn in 0..TURNS {
        number = black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(turn));
    }
    black_box(number);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A pace at which everything takes so many times as long as on a quiet machine, for a while.
    pub fn slow(times: f64) -> Pace {
        let mut record = Record::new(Instant::now());
        record.last_loop = times;
        Pace(Some(Arc::new(Mutex::new(record))))
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A loop of this length that ends now.
    fn looped(record: &mut Record, now: Instant, took: Duration) {
        record.loop_began(now.checked_sub(took).expect("a moment"));
        record.loop_ended(now);
    }

    #[test]
    fn on_a_quiet_machine_quiet_time_is_the_time_on_the_wall() {
        let begun = Instant::now();
        let mut record = Record::new(begun);
        looped(&mut record, begun + ms(500), ms(9));
        record.heard_first_word(begun + ms(700), ms(60));
        assert_eq!(record.quiet(begun + ms(1_000)), ms(1_000));
    }

    #[test]
    fn load_that_comes_later_stretches_what_has_begun_and_ends_with_it() {
        let begun = Instant::now();
        let mut record = Record::new(begun);
        looped(&mut record, begun + ms(1_000), ms(10));
        looped(&mut record, begun + ms(2_000), ms(100));
        assert_eq!(record.quiet(begun + ms(3_000)), ms(1_400), "1 s, and two seconds at a fifth of the pace");
        looped(&mut record, begun + ms(3_000), ms(10));
        assert_eq!(record.quiet(begun + ms(4_000)), ms(2_400));
    }

    #[test]
    fn the_slower_sample_counts_and_a_first_word_is_forgotten() {
        let begun = Instant::now();
        let mut record = Record::new(begun);
        looped(&mut record, begun, ms(40));
        record.heard_first_word(begun, ms(1_200));
        let patience = |record: &Record, at: u64| record.patience(begun + ms(at)).round();
        assert!((patience(&record, 100) - 10.0).abs() < 0.1);
        assert!((patience(&record, 3_100) - 2.0).abs() < 0.1);
    }

    #[test]
    fn a_container_that_waits_for_a_core_is_slow_for_as_long_as_it_says_so() {
        let begun = Instant::now();
        let mut record = Record::new(begun);
        let patience = |record: &Record, at: u64| record.patience(begun + ms(at));
        record.heard_from_container(begun, ms(30), ms(30));
        assert!((patience(&record, 0) - 1.0).abs() < 0.1, "as long again counts as quiet");
        record.heard_from_container(begun, ms(30), ms(270));
        assert!((patience(&record, 100) - 5.0).abs() < 0.1);
        assert!((patience(&record, 3_100) - 1.0).abs() < 0.1);
    }

    #[test]
    fn a_loop_that_does_not_end_is_a_sample_and_patience_has_a_bound() {
        let begun = Instant::now();
        let mut record = Record::new(begun);
        record.loop_began(begun);
        assert!((record.patience(begun + ms(200)) - 10.0).abs() < 0.1);
        assert!((record.patience(begun + ms(60_000)) - MOST).abs() < 0.1);
    }

    #[test]
    fn outside_of_a_run_nothing_is_stretched() {
        let pace = Pace::default();
        pace.heard_first_word(ms(60_000));
        assert!((pace.patience() - 1.0).abs() < f64::EPSILON && pace.quiet().is_none());
    }

    #[test]
    fn sampling_ends_with_the_run() {
        let pace = Pace::start();
        let record = Arc::downgrade(pace.0.as_ref().expect("a record"));
        drop(pace.clone());
        assert!(record.upgrade().is_some());
        drop(pace);
        // The thread may hold it for as long as it takes to write one sample down.
        while record.upgrade().is_some() {
            thread::yield_now();
        }
    }
}
