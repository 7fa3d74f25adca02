//! Confidence intervals of a change, by resampling with a seed.
//!
//! A percentile of a resample of n values is the value at the k-th of n even draws, and that place is Beta(k, n - k + 1) distributed: one
//! draw replaces a resample of a million. Latencies of one second resemble each other, so a million of them do not know as much
//! as a million independent ones: n is divided by how much more the seconds differ than independent values would (the design effect).
//! Means of the series are resampled in blocks of seconds for the same reason.

use super::subject::Measured;
use crate::measure::Histogram;
use crate::seed::Seeded;

const RESAMPLES: usize = 2_000;
/// Of two sides: 99 % of intervals hold the truth.
const OUTSIDE: f64 = 0.005;
const BLOCK_SECONDS: usize = 5;
const SECONDS_MIN: usize = 5;

/// The change from base to new, as a part of the base (or as a difference of shares).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

pub fn interval(base: &Measured, new: &Measured, difference: bool, seed: u64, purpose: &str) -> Interval {
    let mut random = Seeded::new(seed, purpose);
    let (base, new) = (resample(base, &mut random), resample(new, &mut random));
    let change = |(base, new): (&f64, &f64)| match (difference, *base > 0.0) {
        (true, _) => new - base,
        (false, true) => new / base - 1.0,
        (false, false) => 0.0,
    };
    let mut changes: Vec<f64> = base.iter().zip(&new).map(change).collect();
    changes.sort_by(f64::total_cmp);
    let at = |part: f64| changes[((part * RESAMPLES as f64) as usize).min(RESAMPLES - 1)];
    Interval { low: at(OUTSIDE), high: at(1.0 - OUTSIDE) }
}

fn resample(measured: &Measured, random: &mut Seeded) -> Vec<f64> {
    match measured {
        Measured::Latency { histogram, quantile, seconds } => {
            let places = Places::new(histogram);
            let independent = histogram.count() as f64 / design_effect(&places, *quantile, seconds, random);
            (0..RESAMPLES).map(|_| places.quantile_of(independent, *quantile, random)).collect()
        }
        Measured::Mean(values) => (0..RESAMPLES).map(|_| mean_of_blocks(values, random)).collect(),
    }
}

/// The histogram as a table from a place between 0 and 1 to the value there.
#[derive(Debug)]
struct Places {
    /// Part of all values up to and with this one, and the value in ms.
    steps: Vec<(f64, f64)>,
    count: f64,
}

impl Places {
    fn new(histogram: &Histogram) -> Self {
        let count = histogram.count() as f64;
        let mut below = 0;
        let step = |(micros, times): (u64, u64)| {
            below += times;
            (below as f64 / count, micros as f64 / 1000.0)
        };
        Self { steps: histogram.values().into_iter().map(step).collect(), count }
    }

    fn at(&self, place: f64) -> f64 {
        let index = self.steps.partition_point(|(upto, _)| *upto < place);
        self.steps.get(index).or(self.steps.last()).map_or(0.0, |(_, value)| *value)
    }

    /// The quantile that another draw of so many values might have had.
    fn quantile_of(&self, count: f64, quantile: f64, random: &mut Seeded) -> f64 {
        let count = count.round().max(1.0);
        let rank = (quantile * count).ceil().clamp(1.0, count);
        self.at(beta(rank, count - rank + 1.0, random))
    }
}

/// How many values of this run know as much as one independent value: from how much the seconds' own percentiles differ.
fn design_effect(places: &Places, quantile: f64, seconds: &[f64], random: &mut Seeded) -> f64 {
    if seconds.len() < SECONDS_MIN {
        return 1.0;
    }
    let observed = log_variance(seconds.iter().copied());
    let each = places.count / seconds.len() as f64;
    let independent = log_variance((0..400).map(|_| places.quantile_of(each, quantile, random)));
    if independent > 0.0 { (observed / independent).max(1.0) } else { 1.0 }
}

fn log_variance(values: impl Iterator<Item = f64>) -> f64 {
    let logs: Vec<f64> = values.map(|value| value.max(1e-6).ln()).collect();
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (logs.len() as f64 - 1.0)
}

/// The mean of as many seconds, taken in blocks that lie anywhere (around the end too).
fn mean_of_blocks(values: &[f64], random: &mut Seeded) -> f64 {
    let (count, block) = (values.len(), BLOCK_SECONDS.min(values.len()));
    let mut sum = 0.0;
    let mut taken = 0;
    while taken < count {
        let from = random.below(count);
        let take = block.min(count - taken);
        sum += (0..take).map(|offset| values[(from + offset) % count]).sum::<f64>();
        taken += take;
    }
    sum / count as f64
}

fn beta(a: f64, b: f64, random: &mut Seeded) -> f64 {
    let (x, y) = (gamma(a, random), gamma(b, random));
    x / (x + y)
}

/// Marsaglia and Tsang, "A simple method for generating gamma variables" (2000), for shapes from 1.
fn gamma(shape: f64, random: &mut Seeded) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(random);
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && (1.0 - random.unit()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// Box and Muller.
fn normal(random: &mut Seeded) -> f64 {
    let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.unit()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shortcut against what it stands for: resamples drawn value by value.
    #[test]
    fn the_place_of_a_resampled_percentile_is_the_one_of_drawn_resamples() {
        let mut random = Seeded::new(11, "shortcut");
        let mut histogram = Histogram::new();
        (0..500).for_each(|_| histogram.record((1_000.0 * normal(&mut random).exp()) as u64));
        let places = Places::new(&histogram);
        let draw = |random: &mut Seeded| {
            let mut values: Vec<f64> = (0..500).map(|_| places.at(random.unit())).collect();
            values.sort_by(f64::total_cmp);
            values[449]
        };
        let drawn: Vec<f64> = (0..2_000).map(|_| draw(&mut random)).collect();
        let short: Vec<f64> = (0..2_000).map(|_| places.quantile_of(500.0, 0.9, &mut random)).collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (a, b) = (mean(&drawn), mean(&short));
        assert!((a / b - 1.0).abs() < 0.02, "means {a} and {b}");
        let (a, b) = (log_variance(drawn.into_iter()).sqrt(), log_variance(short.into_iter()).sqrt());
        assert!((a / b - 1.0).abs() < 0.1, "spreads {a} and {b}");
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let base = Measured::Mean((0..60).map(f64::from).collect());
        let new = Measured::Mean((5..65).map(f64::from).collect());
        assert_eq!(interval(&base, &new, false, 3, "x"), interval(&base, &new, false, 3, "x"));
        assert_ne!(interval(&base, &new, false, 3, "x"), interval(&base, &new, false, 4, "x"));
    }
}
