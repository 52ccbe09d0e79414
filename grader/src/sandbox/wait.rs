//! Waiting for a condition with a deadline, and telling whether something came in time.
//!
//! Owns: the one polling loop of the project, limits that go by the machine's pace, and what may be
//! concluded from them. Must not: know what is waited for.
//!
//! A limit says how long something may take on a quiet machine. `None` of [`until`] means: it did not
//! come although the machine had the time for it. Where that cannot be said there is a
//! [`Fault::TooSlow`], and never a verdict.

use std::future::Future;
use std::time::{Duration, Instant};

use super::pace::{MOST, Pace};
use crate::fault::Fault;
use crate::verdict::millis;

/// How often a condition is looked at, at most. A look that takes longer is followed by a pause of its
/// own length, so that our looking never takes more than half of a core.
const INTERVAL: Duration = Duration::from_millis(20);
/// How often a limit is looked at again while something else is waited for.
const AGAIN: Duration = Duration::from_millis(100);

/// From how many times as long on a machine counts as slower.
const SLOWER: f64 = 1.25;

/// When to stop waiting. It begins when it is made.
#[derive(Debug, Clone)]
pub struct Deadline {
    begun: Watch,
    limit: Duration,
}

/// Counts from the moment in which it was made.
#[derive(Debug, Clone)]
pub struct Watch {
    pace: Pace,
    begun: Instant,
    quiet: Option<Duration>,
}

/// How long something took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Took {
    /// Milliseconds on the wall.
    pub millis: u64,
    /// Milliseconds that it would have taken on a quiet machine, at the least.
    pub quiet_ms: u64,
}

impl Pace {
    /// A deadline so many milliseconds of a quiet machine ahead.
    #[must_use]
    pub fn within(&self, ms: u64) -> Deadline {
        Deadline { begun: self.watch(), limit: Duration::from_millis(ms) }
    }

    /// Begins to count.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch { pace: self.clone(), begun: Instant::now(), quiet: self.quiet() }
    }
}

/// A deadline by the clock on the wall, for what is no part of a run.
#[must_use]
pub fn in_ms(ms: u64) -> Deadline {
    Pace::default().within(ms)
}

impl Watch {
    /// How long it has been.
    #[must_use]
    pub fn took(&self) -> Took {
        let wall = self.begun.elapsed();
        let quiet = self.quiet.zip(self.pace.quiet()).map_or(wall, |(then, now)| now.saturating_sub(then));
        let whole = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Took { millis: whole(wall), quiet_ms: whole(quiet.min(wall)) }
    }

    /// Milliseconds on the wall.
    #[must_use]
    pub fn millis(&self) -> u64 {
        self.took().millis
    }
}

impl Took {
    /// A fault when this machine was too slow to tell whether `what` is done within `limit_ms`: it was
    /// not, but a quiet machine may have done it.
    pub fn must_tell(self, limit_ms: u64, what: &str) -> Result<(), Fault> {
        if self.millis <= limit_ms || self.quiet_ms > limit_ms {
            return Ok(());
        }
        Err(self.too_slow(format!("{what} took {}, and {} are allowed", millis(self.millis), millis(limit_ms))))
    }

    /// A fault when this machine was slower than a quiet one meanwhile: for what goes by clocks that are not
    /// ours, such as a health check's own timeout. `what` is what has happened.
    pub fn must_be_quick(self, what: &str) -> Result<(), Fault> {
        if self.times() < SLOWER { Ok(()) } else { Err(self.too_slow(what.to_owned())) }
    }

    /// How many times as long as on a quiet machine it took.
    #[must_use]
    pub fn times(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run are small")]
        let (wall, quiet) = (self.millis as f64, self.quiet_ms.max(1) as f64);
        (wall / quiet).max(1.0)
    }

    fn too_slow(self, what: String) -> Fault {
        Fault::TooSlow { what, times: self.times() }
    }
}

impl Deadline {
    /// Whether the time is up. A fault when it is, but the machine was so slow all the while that this says
    /// nothing.
    pub fn is_over(&self) -> Result<bool, Fault> {
        let took = self.begun.took();
        let limit_ms = self.limit_ms();
        if took.quiet_ms < limit_ms {
            return Ok(false);
        }
        if took.times() > MOST * 0.9 {
            let waited = format!("waited for {} for something that may take {}", millis(took.millis), millis(limit_ms));
            return Err(took.too_slow(waited));
        }
        Ok(true)
    }

    /// How long it has been since it was made.
    #[must_use]
    pub fn took(&self) -> Took {
        self.begun.took()
    }

    /// The limit on a quiet machine, milliseconds.
    #[must_use]
    pub fn limit_ms(&self) -> u64 {
        u64::try_from(self.limit.as_millis()).unwrap_or(u64::MAX)
    }

    /// The limit on a quiet machine, whole seconds, for messages.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.limit.as_secs()
    }

    /// Waits for something; `None` when the time was up before, and it is given up.
    pub async fn wait_for<T>(&self, future: impl Future<Output = T>) -> Result<Option<T>, Fault> {
        // On the heap: what is waited for waits itself, and each level would hold the one below twice.
        let mut future = Box::pin(future);
        loop {
            let pause = AGAIN.min(self.limit.max(Duration::from_millis(1)));
            if let Ok(done) = tokio::time::timeout(pause, future.as_mut()).await {
                return Ok(Some(done));
            }
            if self.is_over()? {
                return Ok(None);
            }
        }
    }

    /// The same for something that we, and not the submission, must have done by then.
    pub async fn must<T>(
        &self,
        what: impl FnOnce() -> String,
        future: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        match self.wait_for(future).await? {
            Some(done) => done,
            None => Err(Fault::TimedOut { action: what(), seconds: self.seconds() }),
        }
    }
}

/// Looks until `look` gives `Some`, or the deadline has passed (`None`). An error ends it. What `look` begins
/// is always brought to its end, so the last look is a whole one.
pub async fn until<T, F, L>(deadline: &Deadline, mut look: L) -> Result<Option<T>, Fault>
where
    L: FnMut() -> F,
    F: Future<Output = Result<Option<T>, Fault>>,
{
    loop {
        // A look that begins after the end is the last.
        let is_last = deadline.is_over()?;
        let begun = Instant::now();
        if let Some(found) = look().await? {
            return Ok(Some(found));
        }
        if is_last {
            return Ok(None);
        }
        tokio::time::sleep(begun.elapsed().clamp(INTERVAL, AGAIN * 2)).await;
    }
}

/// Milliseconds since `start`, on the wall.
#[must_use]
pub fn since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::pace::tests::slow;
    use super::*;

    #[tokio::test]
    async fn it_looks_at_least_once_and_ends_at_the_deadline() {
        let mut looks = 0;
        let found = until(&in_ms(0), || {
            looks += 1;
            async { Ok(None::<()>) }
        })
        .await;
        assert!(matches!((found, looks), (Ok(None), 1)));
    }

    #[tokio::test]
    async fn it_ends_as_soon_as_the_condition_holds() {
        let mut looks = 0;
        let found = until(&in_ms(60_000), || {
            looks += 1;
            let now = looks;
            async move { Ok((now == 2).then_some(now)) }
        })
        .await;
        assert!(matches!(found, Ok(Some(2))));
    }

    #[tokio::test]
    async fn what_comes_before_the_deadline_of_a_slow_machine_is_found() {
        let deadline = slow(20.0).within(100);
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert!(!deadline.is_over().expect("it can be said"), "a fifth of what a quiet machine has in 100 ms");
        assert!(deadline.wait_for(async { 1 }).await.expect("it can be said").is_some());
    }

    #[tokio::test]
    async fn what_never_comes_is_given_up_on_a_slow_machine_too_and_on_one_that_is_too_slow_it_is_a_fault() {
        let never = || std::future::pending::<()>();
        assert!(matches!(slow(3.0).within(50).wait_for(never()).await, Ok(None)));
        let deadline = slow(MOST).within(10);
        assert!(matches!(deadline.wait_for(never()).await, Err(Fault::TooSlow { .. })));
    }

    #[test]
    fn late_is_late_only_where_the_machine_had_the_time() {
        let took = |millis, quiet_ms| Took { millis, quiet_ms }.must_tell(5_000, "the stop");
        assert!(took(5_000, 100).is_ok(), "in time is in time on any machine");
        assert!(took(60_000, 5_001).is_ok(), "whoever sleeps for a minute is late on a slow machine too");
        let fault = took(9_000, 3_000).expect_err("a fault").to_string();
        assert!(fault.contains("the stop took 9.0 s") && fault.contains("3 times"), "{fault}");
    }
}
