//! Latency histograms: three significant digits, one microsecond to ten minutes, mergeable without loss.

use crate::report::data::{MetricSummary, Percentiles};
use base64::{Engine, engine::general_purpose::STANDARD};
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};

const MICROS_MAX: u64 = 600_000_000;

#[derive(Clone, Debug)]
pub struct Histogram(hdrhistogram::Histogram<u64>);

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Histogram {
    pub fn new() -> Self {
        let mut inner = hdrhistogram::Histogram::new_with_bounds(1, 10_000, 3).expect("the bounds are constants the library accepts");
        // Small until a large value comes: most never see ten minutes.
        inner.auto(true);
        Self(inner)
    }

    pub fn record(&mut self, micros: u64) {
        // Resizes by itself within the bound just kept.
        let _ = self.0.record(micros.clamp(1, MICROS_MAX));
    }

    pub fn add(&mut self, other: &Self) {
        // Both resize by themselves, so adding cannot fail.
        let _ = self.0.add(&other.0);
    }

    pub fn count(&self) -> u64 {
        self.0.len()
    }

    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        if self.0.is_empty() { 0.0 } else { self.0.value_at_quantile(quantile) as f64 / 1000.0 }
    }

    pub fn percentiles_ms(&self) -> Percentiles {
        if self.0.is_empty() {
            return Percentiles::default();
        }
        Percentiles {
            p50: self.quantile_ms(0.5),
            p90: self.quantile_ms(0.9),
            p99: self.quantile_ms(0.99),
            p999: self.quantile_ms(0.999),
            max: self.0.max() as f64 / 1000.0,
        }
    }

    pub fn summary(&self) -> MetricSummary {
        let mean_ms = if self.0.is_empty() { 0.0 } else { self.0.mean() / 1000.0 };
        MetricSummary { count: self.count(), mean_ms, percentiles_ms: self.percentiles_ms(), histogram: self.to_base64() }
    }

    fn to_base64(&self) -> String {
        let mut bytes = Vec::new();
        // Writing to memory cannot fail; an empty text would show as a histogram without values.
        let _ = V2Serializer::new().serialize(&self.0, &mut bytes);
        STANDARD.encode(bytes)
    }

    /// None when the text is no histogram of ours.
    pub fn from_base64(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?;
        let mut inner = Deserializer::new().deserialize(&mut bytes.as_slice()).ok()?;
        // The text does not say so, and adding a larger one would be refused.
        inner.auto(true);
        Some(Self(inner))
    }

    /// Every recorded value in microseconds with how often it came.
    pub fn values(&self) -> Vec<(u64, u64)> {
        self.0.iter_recorded().map(|value| (value.value_iterated_to(), value.count_at_value())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_survives_its_text_and_merges_exactly() {
        let (mut low, mut high) = (Histogram::new(), Histogram::new());
        (1..=1000).for_each(|value| low.record(value));
        high.record(599_000_000);
        let mut merged = Histogram::from_base64(&low.summary().histogram).expect("our own text");
        merged.add(&Histogram::from_base64(&high.summary().histogram).expect("our own text"));
        assert_eq!(merged.count(), 1001);
        assert_eq!(merged.percentiles_ms().p50, 0.501);
        assert!(merged.percentiles_ms().max > 598_000.0);
        assert!(Histogram::from_base64("not one").is_none());
    }
}
