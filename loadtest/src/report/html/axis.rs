//! Axes: the time axis that all plots of a page share, and value axes with round ticks, linear or logarithmic.
//!
//! A long run is drawn in bins, so that a report of three days is not larger than one of a minute; the page says how wide a bin is.

use crate::report::data::{Mark, PhaseSummary, Report, Second};

const BINS_MAX: u32 = 480;

/// How the seconds of a bin become one value.
#[derive(Clone, Copy, Debug)]
pub enum Fold {
    Mean,
    Max,
    /// Of the seconds in which there was something; none is a gap in the line.
    MeanOfSome,
    /// The same, worst of them.
    MaxOfSome,
}

#[derive(Debug)]
pub struct Time<'a> {
    /// Length of one bin.
    pub step_s: u32,
    pub end_s: f64,
    bins: Vec<Vec<&'a Second>>,
    pub phases: &'a [PhaseSummary],
    pub marks: Vec<&'a Mark>,
    /// Whether the machine was looked at at all.
    sampled: bool,
}

impl<'a> Time<'a> {
    pub fn new(report: &'a Report) -> Self {
        let seconds = report.series.iter().map(|row| row.at_s + 1).max().unwrap_or(1);
        let step_s = seconds.div_ceil(BINS_MAX);
        let mut bins = vec![Vec::new(); seconds.div_ceil(step_s) as usize];
        for row in &report.series {
            bins[(row.at_s / step_s) as usize].push(row);
        }
        let end_s = f64::from(seconds);
        let mut marks: Vec<&Mark> = report.marks.iter().filter(|mark| mark.at_s >= 0.0 && mark.at_s <= end_s).collect();
        marks.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
        let sampled = report.series.iter().any(|row| row.load1 > 0.0);
        Self { step_s, end_s, bins, phases: &report.phases, marks, sampled }
    }

    pub fn len(&self) -> usize {
        self.bins.len()
    }

    /// Middle of a bin.
    pub fn at_s(&self, bin: usize) -> f64 {
        (bin as f64 + 0.5) * f64::from(self.step_s)
    }

    /// One value a bin; NaN where there is none.
    pub fn values(&self, fold: Fold, of: impl Fn(&Second) -> f64) -> Vec<f64> {
        let one = |rows: &Vec<&Second>| {
            let some = |value: &f64| matches!(fold, Fold::Mean | Fold::Max) || *value > 0.0;
            let values: Vec<f64> = rows.iter().map(|row| of(row)).filter(|value| value.is_finite()).filter(some).collect();
            match fold {
                Fold::Mean | Fold::MeanOfSome => values.iter().sum::<f64>() / values.len() as f64,
                Fold::Max | Fold::MaxOfSome => values.into_iter().fold(f64::NAN, f64::max),
            }
        };
        self.bins.iter().map(one).collect()
    }

    /// The same of what is read off once a second: the begun second in which a run ends has no reading, which is not a zero.
    pub fn readings(&self, fold: Fold, of: impl Fn(&Second) -> f64) -> Vec<f64> {
        self.values(fold, |row| if self.sampled && row.load1 == 0.0 { f64::NAN } else { of(row) })
    }

    /// Round seconds along the axis.
    pub fn ticks(&self) -> Vec<f64> {
        const STEPS: [f64; 16] =
            [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0, 86_400.0];
        let step = STEPS.into_iter().find(|step| self.end_s / step <= 6.5).unwrap_or((self.end_s / 6.0).ceil());
        (0..).map(|index| f64::from(index) * step).take_while(|at| *at <= self.end_s).collect()
    }
}

/// `0`, `30 s`, `2 min`, `1 h 30`: short enough for a tick.
pub fn tick_time(at_s: f64) -> String {
    let whole = at_s.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, rest) => format!("{rest} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, rest) => format!("{minutes}:{rest:02}"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes:02}"),
    }
}

#[derive(Clone, Debug)]
pub struct Values {
    low: f64,
    high: f64,
    logarithmic: bool,
    pub ticks: Vec<f64>,
}

impl Values {
    /// From zero to a round number above the highest.
    pub fn linear(highest: f64) -> Self {
        let highest = if highest.is_finite() && highest > 0.0 { highest } else { 1.0 };
        let rough = highest / 4.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough * 0.999).unwrap_or(rough);
        let high = (highest / step * 0.999).ceil() * step;
        let ticks = (0..=(high / step).round() as u32).map(|index| f64::from(index) * step).collect();
        Self { low: 0.0, high, logarithmic: false, ticks }
    }

    /// Binary steps, so that ticks of bytes are round numbers of MiB.
    pub fn bytes(highest: f64) -> Self {
        let unit = 1024f64.powf(if highest > 1.0 { (highest.log2() / 10.0).floor() } else { 0.0 });
        let mut values = Self::linear(highest / unit);
        values.high *= unit;
        values.ticks.iter_mut().for_each(|tick| *tick *= unit);
        values
    }

    /// Whole decades would waste half a plot: bounds and ticks are 1, 2, 5 times a power of ten.
    pub fn logarithmic(lowest: f64, highest: f64) -> Self {
        let (lowest, highest) = if lowest > 0.0 && highest.is_finite() { (lowest, highest) } else { (0.1, 1.0) };
        let from = lowest.log10().floor() as i32;
        let rungs: Vec<f64> = (from..from + 14).flat_map(|power| [1.0, 2.0, 5.0].map(|factor| factor * 10f64.powi(power))).collect();
        let low = rungs.iter().rposition(|rung| *rung <= lowest * 1.0001).unwrap_or(0);
        let high = rungs.iter().position(|rung| *rung >= highest * 0.9999).unwrap_or(rungs.len() - 1).max(low + 1);
        let inside = &rungs[low..=high];
        let decade = |rung: &f64| (rung.log10() - rung.log10().round()).abs() < 1e-6;
        let ticks = if inside.len() <= 6 { inside.to_vec() } else { inside.iter().copied().filter(|rung| decade(rung)).collect() };
        Self { low: rungs[low], high: rungs[high], logarithmic: true, ticks }
    }

    /// 0 at the foot, 1 at the top.
    pub fn place(&self, value: f64) -> f64 {
        let part = if self.logarithmic {
            (value.max(self.low).log10() - self.low.log10()) / (self.high.log10() - self.low.log10())
        } else {
            (value - self.low) / (self.high - self.low)
        };
        part.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn ticks_are_round_and_hold_the_highest() {
        assert_eq!(Values::linear(5_102.0).ticks, [0.0, 2_000.0, 4_000.0, 6_000.0]);
        assert_eq!(Values::linear(0.0).ticks.last(), Some(&1.0));
        assert_eq!(Values::bytes(290.0 * 1_048_576.0).ticks.last(), Some(&(300.0 * 1_048_576.0)));
        assert_eq!(Values::logarithmic(3.0, 18.0).ticks, [2.0, 5.0, 10.0, 20.0]);
        assert_eq!(Values::logarithmic(0.3, 4_100.0).ticks, [1.0, 10.0, 100.0, 1_000.0]);
        let axis = Values::logarithmic(1.0, 100.0);
        assert!((axis.place(10.0) - 0.5).abs() < 1e-9 && axis.place(0.0) == 0.0);
    }

    #[test]
    fn three_days_are_drawn_in_bins_that_lose_no_peak_and_no_second() {
        let mut report = sample::passed();
        let row = report.series[20].clone();
        report.series = (0..259_200).map(|at_s| Second { at_s, sent: 10, ..row.clone() }).collect();
        report.series[123_456].ack_max_ms = 9_999.0;
        let time = Time::new(&report);
        assert!(time.len() <= 480 && time.step_s == 540);
        assert_eq!(time.values(Fold::Max, |row| row.ack_max_ms).into_iter().fold(0.0, f64::max), 9_999.0);
        assert!(time.values(Fold::Mean, |row| row.sent as f64).iter().all(|mean| (mean - 10.0).abs() < 1e-9));
    }

    #[test]
    fn a_second_without_a_reading_is_no_zero() {
        let mut report = sample::passed();
        report.series.push(Second { at_s: 120, acked: 3, ..Second::default() });
        let time = Time::new(&report);
        assert!(time.readings(Fold::Max, |row| row.sockets as f64)[120].is_nan());
        assert_eq!(time.values(Fold::Mean, |row| row.acked as f64)[120], 3.0);
    }

    #[test]
    fn a_second_in_which_nothing_was_intended_is_a_gap() {
        let mut report = sample::passed();
        report.series[30].ack_p99_ms = 0.0;
        let time = Time::new(&report);
        assert!(time.values(Fold::MaxOfSome, |row| row.ack_p99_ms)[30].is_nan());
        assert_eq!(time.values(Fold::Mean, |row| row.ack_p99_ms)[30], 0.0);
    }
}
