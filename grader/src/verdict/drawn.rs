//! Evidence that is drawn: what grew or was used over time, and what happened when.
//!
//! Owns: curves and timelines as data, and what they say in words. Must not: draw; pages and terminals do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Detail, millis};

/// The most samples that are kept of one curve: more than a screen can show.
const KEPT: usize = 200;

/// What a curve counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// Bytes of memory.
    Memory,
    /// Thousandths of a CPU, on average over the last 300 ms.
    Cpu,
}

impl Quantity {
    /// A value with its unit.
    #[must_use]
    pub fn spoken(self, value: u64) -> String {
        #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
        let value = value as f64;
        match self {
            Self::Memory => format!("{:.1} MiB", value / f64::from(1 << 20)),
            Self::Cpu => format!("{:.2} CPUs", value / 1e3),
        }
    }
}

/// A value at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// Milliseconds since the first look.
    pub at_ms: u64,
    /// The value, in the unit of the curve.
    pub value: u64,
}

/// Something that lasted. Milliseconds count from the timeline's zero; what came before it is negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// What it was.
    pub label: String,
    /// When it began, milliseconds.
    pub from_ms: i64,
    /// When it ended, milliseconds.
    pub to_ms: i64,
}

/// Something that happened at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    /// What it was.
    pub label: String,
    /// When, milliseconds.
    pub at_ms: i64,
}

impl Span {
    /// A span; the end never lies before the beginning.
    pub fn new(label: impl Into<String>, from_ms: i64, to_ms: i64) -> Self {
        Self { label: label.into(), from_ms, to_ms: to_ms.max(from_ms) }
    }
}

impl Mark {
    /// A mark.
    pub fn new(label: impl Into<String>, at_ms: i64) -> Self {
        Self { label: label.into(), at_ms }
    }
}

impl Detail {
    /// A curve; `None` when nothing was seen. `highest` is the highest value that is known otherwise.
    #[must_use]
    pub fn curve(
        title: impl Into<String>,
        quantity: Quantity,
        limit: Option<u64>,
        highest: Option<u64>,
        samples: &[Sample],
    ) -> Option<Self> {
        let seen = samples.iter().map(|sample| sample.value).max()?;
        let highest = highest.unwrap_or(seen).max(seen);
        Some(Self::Curve { title: title.into(), quantity, limit, highest, samples: samples.to_vec() })
    }
}

/// At most 200 of the samples: evenly chosen, and with them the highest and the last one.
#[must_use]
pub fn thinned(samples: Vec<Sample>) -> Vec<Sample> {
    let Some(last) = samples.len().checked_sub(1) else { return samples };
    let highest = (0..=last).max_by_key(|at| samples[*at].value).unwrap_or(last);
    // Two places are for the highest and the last.
    let step = samples.len().div_ceil(KEPT - 2);
    let is_kept = |at: usize| at.is_multiple_of(step) || at == highest || at == last;
    samples.into_iter().enumerate().filter(|(at, _)| is_kept(*at)).map(|(_, sample)| sample).collect()
}

/// A curve in one sentence.
#[must_use]
pub fn curve_in_words(quantity: Quantity, limit: Option<u64>, highest: u64, samples: &[Sample]) -> String {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return "nothing was seen".into() };
    let limit = limit.map_or_else(|| "no limit".into(), |limit| format!("limit {}", quantity.spoken(limit)));
    format!(
        "{} at first, {} at the most ({limit}), {} in the end, after {}",
        quantity.spoken(first.value),
        quantity.spoken(highest),
        quantity.spoken(last.value),
        millis(last.at_ms.saturating_sub(first.at_ms))
    )
}

/// The rows of a timeline as a table: what, from, to. What happened first comes first.
#[must_use]
pub fn timeline_rows(spans: &[Span], marks: &[Mark], limit: Option<&Mark>) -> Vec<Vec<String>> {
    let marks = marks.iter().chain(limit);
    let mut rows: Vec<_> = marks.map(|mark| (mark.at_ms, vec![mark.label.clone(), moment(mark.at_ms)])).collect();
    rows.extend(spans.iter().map(|span| {
        (span.from_ms, vec![span.label.clone(), format!("{} to {}", moment(span.from_ms), moment(span.to_ms))])
    }));
    rows.sort_by_key(|(at, _)| *at);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// A moment before or after zero.
fn moment(at_ms: i64) -> String {
    format!("{}{}", if at_ms < 0 { "−" } else { "" }, millis(at_ms.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(count: u64) -> Vec<Sample> {
        (0..count).map(|at| Sample { at_ms: at * 50, value: if at == 333 { 9_000 } else { at } }).collect()
    }

    #[test]
    fn few_samples_all_stay_and_of_many_the_first_the_highest_and_the_last() {
        assert_eq!(thinned(samples(198)), samples(198));
        for count in [199, 1_000, 100_000] {
            let (all, kept) = (samples(count), thinned(samples(count)));
            assert!((60..=KEPT).contains(&kept.len()), "{count}: {}", kept.len());
            let highest = all.iter().max_by_key(|sample| sample.value).expect("one");
            assert!(kept.contains(highest) && kept[0] == all[0] && kept.last() == all.last(), "{count}");
        }
        assert_eq!(thinned(Vec::new()), Vec::new());
    }

    #[test]
    fn a_curve_says_the_highest_that_is_known_even_if_no_sample_has_it() {
        let seen = [Sample { at_ms: 10, value: 1 << 20 }, Sample { at_ms: 910, value: 3 << 19 }];
        assert_eq!(Detail::curve("t", Quantity::Memory, None, None, &[]), None);
        let of = |highest| match Detail::curve("t", Quantity::Memory, Some(2 << 20), highest, &seen) {
            Some(Detail::Curve { quantity, limit, highest, samples, .. }) => {
                curve_in_words(quantity, limit, highest, &samples)
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(
            of(Some(2 << 20)),
            "1.0 MiB at first, 2.0 MiB at the most (limit 2.0 MiB), 1.5 MiB in the end, after 900 ms"
        );
        assert!(of(Some(7)).contains("1.5 MiB at the most"), "a sample is never above the highest");
    }

    #[test]
    fn a_timeline_lists_what_happened_in_its_order_before_and_after_zero() {
        let rows = timeline_rows(
            &[Span::new("request", -250, 1_500), Span::new("end", 0, -3)],
            &[Mark::new("SIGTERM", 0)],
            Some(&Mark::new("limit", 6_000)),
        );
        let expected =
            [["request", "−250 ms to 1.5 s"], ["SIGTERM", "0 ms"], ["end", "0 ms to 0 ms"], ["limit", "6.0 s"]];
        assert_eq!(rows, expected.map(|row| row.map(str::to_owned).to_vec()));
    }
}
