//! The meters of one run: who records knows neither phases nor seconds, only the intended moment.

use super::{Histogram, Metric, Phase};
use crate::report::data::{Mark, MetricSummary, Percentiles, PhaseSummary, Second};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A second is closed, and its raw values become percentiles, when answers to it have had this long.
const OPEN_SECONDS: usize = 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    Sent,
    Acked,
    Delivered,
}

#[derive(Debug)]
pub struct Meters {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The first intended moment; nothing before it has a second.
    start_micros: Option<u64>,
    /// Beginnings of the phases, ascending.
    phases: Vec<(u64, Phase)>,
    by_phase: BTreeMap<(usize, Metric), Histogram>,
    lag: Histogram,
    closed: Vec<Second>,
    open: VecDeque<OpenSecond>,
    failures: BTreeMap<String, u64>,
    expected: BTreeMap<String, u64>,
    marks: Vec<Mark>,
    in_flight: u64,
    sockets: u64,
}

#[derive(Debug, Default)]
struct OpenSecond {
    row: Second,
    ack: Vec<u32>,
    delivery: Vec<u32>,
    lag: Vec<u32>,
}

impl Meters {
    pub fn new() -> Self {
        Self { inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run's first intended moment, and how long the warm-up is.
    pub fn start(&self, start_micros: u64, warmup_micros: u64) {
        let mut inner = self.lock();
        inner.start_micros = Some(start_micros);
        inner.phases = vec![(0, Phase::Warmup), (start_micros + warmup_micros, Phase::Steady)];
    }

    pub fn enter(&self, phase: Phase, now_micros: u64) {
        self.lock().phases.push((now_micros, phase));
    }

    pub fn phase(&self, now_micros: u64) -> Option<Phase> {
        let inner = self.lock();
        inner.phase_index(now_micros).map(|index| inner.phases[index].1)
    }

    pub fn mark(&self, what: impl Into<String>, now_micros: u64) {
        let mut inner = self.lock();
        let at_s = now_micros.saturating_sub(inner.start_micros.unwrap_or(now_micros)) as f64 / 1e6;
        inner.marks.push(Mark { at_s, what: what.into() });
    }

    /// What was meant for `intended_micros` was answered at `now_micros`.
    pub fn record(&self, metric: Metric, intended_micros: u64, now_micros: u64) {
        let micros = now_micros.saturating_sub(intended_micros);
        let mut inner = self.lock();
        let phase = inner.phase_index(intended_micros).unwrap_or(0);
        inner.by_phase.entry((phase, metric)).or_default().record(micros);
        let value = u32::try_from(micros).unwrap_or(u32::MAX);
        match metric {
            Metric::Ack => inner.with_second(intended_micros, |second| second.ack.push(value)),
            Metric::Delivery => inner.with_second(intended_micros, |second| second.delivery.push(value)),
            _ => {}
        }
    }

    /// How late an event left.
    pub fn lag(&self, intended_micros: u64, now_micros: u64) {
        let micros = now_micros.saturating_sub(intended_micros);
        let mut inner = self.lock();
        if inner.phase_index(intended_micros).is_some_and(|index| inner.phases[index].1 != Phase::Warmup) {
            inner.lag.record(micros);
        }
        inner.with_second(intended_micros, |second| second.lag.push(u32::try_from(micros).unwrap_or(u32::MAX)));
    }

    pub fn tick(&self, tick: Tick, now_micros: u64) {
        let mut inner = self.lock();
        inner.with_second(now_micros, |second| match tick {
            Tick::Sent => second.row.sent += 1,
            Tick::Acked => second.row.acked += 1,
            Tick::Delivered => second.row.delivered += 1,
        });
    }

    pub fn fail(&self, class: &str, now_micros: u64) {
        let mut inner = self.lock();
        *inner.failures.entry(class.to_owned()).or_default() += 1;
        inner.with_second(now_micros, |second| second.row.failed += 1);
    }

    /// Something refused, lost or shed that was meant to be: counted, and no failure.
    pub fn expected(&self, class: &str) {
        *self.lock().expected.entry(class.to_owned()).or_default() += 1;
    }

    pub fn all_expected(&self) -> BTreeMap<String, u64> {
        self.lock().expected.clone()
    }

    pub fn gauge(&self, in_flight: u64) {
        self.lock().in_flight = in_flight;
    }

    pub fn socket_opened(&self) {
        self.lock().sockets += 1;
    }

    pub fn socket_lost(&self) {
        let mut inner = self.lock();
        inner.sockets = inner.sockets.saturating_sub(1);
    }

    /// Writes what the machine probe saw into the second of that moment and returns the newest finished row.
    pub fn second(&self, now_micros: u64, probe: impl FnOnce(&mut Second)) -> Second {
        let mut inner = self.lock();
        let (in_flight, sockets) = (inner.in_flight, inner.sockets);
        let mut shown = Second::default();
        inner.with_second(now_micros, |second| {
            second.row.in_flight = in_flight;
            second.row.sockets = sockets;
            probe(&mut second.row);
            shown = second.summarise();
        });
        // The row before has its whole second of sends; the newest has just begun.
        let before = inner.open.len().checked_sub(2).and_then(|index| inner.open.get(index)).map(OpenSecond::summarise);
        before.unwrap_or(shown)
    }

    pub fn recent(&self, seconds: usize) -> Vec<Second> {
        let inner = self.lock();
        let mut rows: Vec<Second> = inner.closed.iter().rev().take(seconds).rev().cloned().collect();
        rows.extend(inner.open.iter().map(OpenSecond::summarise));
        rows.split_off(rows.len().saturating_sub(seconds))
    }

    pub fn series(&self) -> Vec<Second> {
        self.recent(usize::MAX)
    }

    pub fn failures(&self) -> BTreeMap<String, u64> {
        self.lock().failures.clone()
    }

    pub fn marks(&self) -> Vec<Mark> {
        self.lock().marks.clone()
    }

    pub fn lag_ms(&self) -> Percentiles {
        self.lock().lag.percentiles_ms()
    }

    /// Every metric over the measured time: all phases but the warm-up.
    pub fn summaries(&self) -> BTreeMap<String, MetricSummary> {
        self.lock().measured().into_iter().map(|(metric, histogram)| (metric.name().to_owned(), histogram.summary())).collect()
    }

    pub fn percentiles(&self) -> BTreeMap<String, Percentiles> {
        self.lock().measured().into_iter().map(|(metric, histogram)| (metric.name().to_owned(), histogram.percentiles_ms())).collect()
    }

    pub fn phases(&self, end_micros: u64) -> Vec<PhaseSummary> {
        let inner = self.lock();
        let start = inner.start_micros.unwrap_or(0);
        let second = |micros: u64| micros.saturating_sub(start) as f64 / 1e6;
        let summary = |(index, (from, phase)): (usize, &(u64, Phase))| PhaseSummary {
            phase: phase.name().into(),
            from_s: second(*from),
            to_s: second(inner.phases.get(index + 1).map_or(end_micros, |next| next.0)),
            metrics: inner
                .by_phase
                .range((index, Metric::ALL[0])..)
                .take_while(|((phase, _), _)| *phase == index)
                .map(|((_, metric), histogram)| (metric.name().to_owned(), histogram.summary()))
                .collect(),
        };
        inner.phases.iter().enumerate().map(summary).collect()
    }
}

impl Inner {
    fn phase_index(&self, micros: u64) -> Option<usize> {
        self.phases.iter().rposition(|(from, _)| *from <= micros)
    }

    /// Metrics of the warm-up are left out, but those of opening happen before anything and are kept.
    fn measured(&self) -> BTreeMap<Metric, Histogram> {
        let mut all: BTreeMap<Metric, Histogram> = BTreeMap::new();
        for ((phase, metric), histogram) in &self.by_phase {
            let warmup = self.phases.get(*phase).is_none_or(|(_, phase)| *phase == Phase::Warmup);
            if !warmup || *metric == Metric::Open {
                all.entry(*metric).or_default().add(histogram);
            }
        }
        all
    }

    fn with_second(&mut self, micros: u64, change: impl FnOnce(&mut OpenSecond)) {
        let Some(at) = self.start_micros.and_then(|start| micros.checked_sub(start)).map(|micros| (micros / 1_000_000) as usize) else {
            return;
        };
        while self.closed.len() + self.open.len() <= at {
            let at_s = u32::try_from(self.closed.len() + self.open.len()).unwrap_or(u32::MAX);
            self.open.push_back(OpenSecond { row: Second { at_s, ..Second::default() }, ..OpenSecond::default() });
            if self.open.len() > OPEN_SECONDS {
                self.closed.extend(self.open.pop_front().map(|second| second.summarise()));
            }
        }
        match at.checked_sub(self.closed.len()) {
            Some(open) => {
                if let Some(second) = self.open.get_mut(open) {
                    change(second);
                }
            }
            // An answer later than half a minute: its latency is in the histograms, its second shows the worst.
            None => {
                let mut late = OpenSecond::default();
                change(&mut late);
                if let Some(row) = self.closed.get_mut(at) {
                    row.ack_max_ms = late.ack.iter().map(|micros| f64::from(*micros) / 1000.0).fold(row.ack_max_ms, f64::max);
                }
            }
        }
    }
}

impl OpenSecond {
    fn summarise(&self) -> Second {
        let at = |values: &[u32], quantile: f64| {
            let mut sorted = values.to_vec();
            sorted.sort_unstable();
            let index = ((sorted.len() as f64 * quantile).ceil() as usize).saturating_sub(1);
            sorted.get(index).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
        };
        Second {
            ack_p50_ms: at(&self.ack, 0.5),
            ack_p99_ms: at(&self.ack, 0.99),
            ack_max_ms: at(&self.ack, 1.0),
            delivery_p50_ms: at(&self.delivery, 0.5),
            delivery_p99_ms: at(&self.delivery, 0.99),
            lag_p99_ms: at(&self.lag, 0.99),
            ..self.row.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_belongs_to_the_phase_and_second_in_which_it_was_meant() {
        let meters = Meters::new();
        meters.start(1_000_000, 2_000_000);
        meters.record(Metric::Ack, 1_500_000, 1_510_000); // warm-up
        meters.record(Metric::Ack, 3_500_000, 18_500_000); // a stall of 15 s
        meters.enter(Phase::Fault, 10_000_000);
        meters.record(Metric::Ack, 11_000_000, 11_001_000);
        let all = meters.summaries();
        assert_eq!(all["ack"].count, 2);
        assert!(all["ack"].percentiles_ms.max > 14_900.0);
        let phases = meters.phases(20_000_000);
        assert_eq!(phases.iter().map(|phase| phase.metrics["ack"].count).collect::<Vec<_>>(), [1, 1, 1]);
        let series = meters.series();
        assert!(series[2].ack_max_ms > 14_900.0, "the second of the intended moment shows the stall");
    }

    #[test]
    fn rows_stay_whole_after_they_are_closed() {
        let meters = Meters::new();
        meters.start(0, 0);
        for second in 0..100_u64 {
            meters.tick(Tick::Sent, second * 1_000_000);
            meters.record(Metric::Ack, second * 1_000_000, second * 1_000_000 + 5_000);
        }
        let series = meters.series();
        assert_eq!(series.len(), 100);
        assert!(series.iter().all(|row| row.sent == 1 && row.ack_p50_ms == 5.0));
    }
}
