//! What a long run shows that a short one cannot: whether the server keeps taking more memory or files, and gets slower.

use super::data::{Drift, Second};

/// A trend over less than this is noise.
const SECONDS_MIN: usize = 60;

/// Over the measured seconds, those from `from_s` on and before `to_s`.
pub fn of(series: &[Second], from_s: u32, to_s: u32) -> Option<Drift> {
    let rows: Vec<&Second> = series.iter().filter(|row| row.at_s >= from_s && row.at_s < to_s).collect();
    if rows.len() < SECONDS_MIN {
        return None;
    }
    let tenth = rows.len() / 10;
    let (first, last) = (&rows[..tenth], &rows[rows.len() - tenth..]);
    let rss: Vec<(f64, f64)> =
        rows.iter().filter(|row| row.server_rss_bytes > 0).map(|row| (f64::from(row.at_s), row.server_rss_bytes as f64)).collect();
    let slope = slope(&rss).unwrap_or(0.0);
    let begin = mean(&rss[..rss.len().min(tenth)], |point| point.1).max(1.0);
    let of_answers = |rows: &[&Second]| {
        let answered: Vec<f64> = rows.iter().map(|row| row.ack_p99_ms).filter(|ms| *ms > 0.0).collect();
        mean(&answered, |ms| *ms)
    };
    Some(Drift {
        rss_bytes_per_hour: slope * 3600.0,
        rss_percent: slope * rows.len() as f64 / begin * 100.0,
        files: mean(last, |row| row.server_files as f64) - mean(first, |row| row.server_files as f64),
        ack_p99_first_ms: of_answers(first),
        ack_p99_last_ms: of_answers(last),
    })
}

fn mean<T>(values: &[T], of: impl Fn(&T) -> f64) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().map(of).sum::<f64>() / values.len() as f64 }
}

/// Of the straight line that fits best.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let (x, y) = (mean(points, |point| point.0), mean(points, |point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    (spread > 0.0).then(|| points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum::<f64>() / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(rss: impl Fn(u32) -> u64, files: impl Fn(u32) -> u64) -> Vec<Second> {
        (0..200).map(|at_s| Second { at_s, server_rss_bytes: rss(at_s), server_files: files(at_s), ..Second::default() }).collect()
    }

    #[test]
    fn a_server_that_grows_shows_and_one_that_is_even_does_not() {
        let growing = of(&series(|at| 100_000_000 + u64::from(at) * 100_000, |at| 50 + u64::from(at) / 10), 0, 200).expect("long enough");
        assert!((growing.rss_bytes_per_hour - 360e6).abs() < 1e6, "{growing:?}");
        assert!((growing.rss_percent - 19.8).abs() < 0.3, "{growing:?}");
        assert!((growing.files - 18.0).abs() < 1.0, "{growing:?}");
        let even = of(&series(|at| 100_000_000 + u64::from(at % 2) * 1_000_000, |_| 50), 0, 200).expect("long enough");
        assert!(even.rss_percent.abs() < 0.5 && even.files == 0.0, "{even:?}");
        assert!(of(&series(|_| 1, |_| 1), 150, 200).is_none(), "fifty seconds are no trend");
    }
}
