//! What the helper's scripts see while they press, as samples.
//!
//! Owns: reading `sample` lines, telling each as an event, keeping those that a curve needs. Must not:
//! judge: verdicts come from the kernel's own counts at the end.

use crate::event::Events;
use crate::verdict::drawn::thinned;
use crate::verdict::{Quantity, Sample};

/// The span over which CPU use is averaged, microseconds. A quota holds for periods of 100 ms, in which its
/// time is used up at once: the use of less than a few periods jumps between all and nothing.
const AVERAGED_US: u64 = 300_000;

/// Samples as they come.
pub struct Samples<'e> {
    events: &'e Events,
    quantity: Quantity,
    limit: Option<u64>,
    raw: Vec<(u64, u64)>,
    seen: Vec<Sample>,
}

impl<'e> Samples<'e> {
    /// None yet. `limit` is told beside each.
    pub fn new(events: &'e Events, quantity: Quantity, limit: Option<u64>) -> Self {
        Self { events, quantity, limit, raw: Vec::new(), seen: Vec::new() }
    }

    /// Whether this line of a script is a sample; then it is told and kept. It is `sample MOMENT VALUE`:
    /// microseconds of some clock, and bytes in use or microseconds of CPU time used so far.
    pub fn takes(&mut self, line: &str) -> bool {
        let Some(rest) = line.strip_prefix("sample ") else { return false };
        let mut numbers = rest.split(' ').map(str::parse::<u64>);
        // Where a container ends, its files go: then a number is missing.
        if let (Some(Ok(at)), Some(Ok(value))) = (numbers.next(), numbers.next()) {
            self.raw.push((at, value));
            if let Some(sample) = self.newest() {
                self.events.sample(self.quantity, self.limit, sample);
                self.seen.push(sample);
            }
        }
        true
    }

    /// What is kept of them.
    pub fn kept(self) -> Vec<Sample> {
        thinned(self.seen)
    }

    /// Moments count from the first sample that is one.
    fn newest(&self) -> Option<Sample> {
        let ((first, _), (now, value)) = (*self.raw.first()?, *self.raw.last()?);
        let since = now.saturating_sub(first);
        match self.quantity {
            Quantity::Memory => Some(Sample { at_ms: since / 1_000, value }),
            Quantity::Cpu => {
                let is_far = |(at, _): &&(u64, u64)| now.saturating_sub(*at) >= AVERAGED_US;
                let (then, before) = *self.raw.iter().rev().find(is_far)?;
                let at_ms = (since - AVERAGED_US) / 1_000;
                Some(Sample { at_ms, value: value.saturating_sub(before) * 1_000 / (now - then) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(quantity: Quantity, lines: &[&str]) -> Vec<(u64, u64)> {
        let events = Events::default();
        let mut samples = Samples::new(&events, quantity, None);
        for line in lines {
            assert!(samples.takes(line), "{line}");
        }
        samples.kept().into_iter().map(|sample| (sample.at_ms, sample.value)).collect()
    }

    #[test]
    fn memory_is_what_is_read_and_moments_count_from_the_first() {
        let lines = ["sample 7000000 100", "sample 7050900 300", "sample 7100000 ", "sample 7150000 200"];
        assert_eq!(seen(Quantity::Memory, &lines), [(0, 100), (50, 300), (150, 200)]);
        assert!(!Samples::new(&Events::default(), Quantity::Memory, None).takes("peak 12"));
    }

    #[test]
    fn cpu_use_is_averaged_over_whole_periods_so_that_a_quota_is_a_level_line() {
        // Half a CPU on two: 25 ms on both, then 75 ms of rest.
        let used = |at: u64| at / 100 * 50_000 + (at % 100).min(25) * 2_000;
        let lines: Vec<String> = (0..30).map(|at| format!("sample {} {}", at * 50_000, used(at * 50))).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let seen = seen(Quantity::Cpu, &lines);
        assert_eq!((seen[0], seen.len()), ((0, 500), 24), "nothing is said before there is enough to average over");
        assert!(seen.iter().all(|(_, value)| *value == 500), "{seen:?}");
    }

    #[tokio::test]
    async fn samples_are_told_with_the_check_whose_work_it_is_and_else_not_at_all() {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let events = Events::to(sender);
        Samples::new(&events, Quantity::Memory, None).takes("sample 0 1");
        crate::event::of_check("leak", async {
            Samples::new(&events, Quantity::Memory, Some(9)).takes("sample 0 2");
        })
        .await;
        drop(events);
        let told = serde_json::to_value(receiver.recv().await.expect("an event")).expect("JSON");
        let expected = serde_json::json!({"event": "sample", "check": "leak", "quantity": "memory", "limit": 9, "at_ms": 0, "value": 2});
        assert_eq!(told, expected);
        assert!(receiver.recv().await.is_none());
    }
}
