//! Histograms of several workers as one, exactly: buckets are added, nothing is estimated.

use super::{MergeError, One};
use crate::measure::Histogram;
use crate::report::data::{MetricSummary, Report};
use std::collections::BTreeMap;

type Metrics = BTreeMap<String, MetricSummary>;

pub(super) fn merge(reports: &[One<'_>], of: impl Fn(&Report) -> &Metrics) -> Result<Metrics, MergeError> {
    merge_maps(reports.iter().map(|one| (one.index, of(one.report))))
}

pub(super) fn merge_maps<'a>(maps: impl Iterator<Item = (u32, &'a Metrics)>) -> Result<Metrics, MergeError> {
    let mut merged: BTreeMap<String, Histogram> = BTreeMap::new();
    for (index, metrics) in maps {
        for (metric, summary) in metrics {
            let histogram = Histogram::from_base64(&summary.histogram);
            let histogram = histogram.ok_or_else(|| MergeError::Histogram { index, metric: metric.clone() })?;
            merged.entry(metric.clone()).or_default().add(&histogram);
        }
    }
    Ok(merged.into_iter().map(|(metric, histogram)| (metric, histogram.summary())).collect())
}
