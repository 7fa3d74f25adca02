//! The machine-readable report. Its keys are a contract with scripts; a report of another schema is refused, never guessed at.

use super::data::{Report, SCHEMA};

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("this is not JSON: {0}")]
    Json(#[source] serde_json::Error),
    #[error("this is no report: it has no `schema` number")]
    NoSchema,
    #[error("the report has schema {found}, this program reads {SCHEMA}; use the loadtest that wrote it")]
    Schema { found: u64 },
    #[error("the report does not have the shape of schema {SCHEMA}: {0}")]
    Shape(#[source] serde_json::Error),
}

pub fn write(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report has text keys only and no type that refuses");
    text.push('\n');
    text
}

pub fn read(text: &str) -> Result<Report, ReadError> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(ReadError::Json)?;
    let found = value.get("schema").and_then(serde_json::Value::as_u64).ok_or(ReadError::NoSchema)?;
    if found != u64::from(SCHEMA) {
        return Err(ReadError::Schema { found });
    }
    serde_json::from_value(value).map_err(ReadError::Shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    /// What scripts rely on. A key may be added; taking one away or renaming it raises the schema.
    const KEYS: [&str; 40] = [
        "/schema",
        "/verdict",
        "/exit_code",
        "/seed",
        "/schedule_hash",
        "/counts/asked",
        "/counts/opened",
        "/counts/acked",
        "/counts/delivered",
        "/counts/lost",
        "/counts/phantom",
        "/counts/duplicated",
        "/counts/reordered",
        "/counts/corrupted",
        "/counts/misdelivered",
        "/counts/indeterminate",
        "/latency_ms/ack/p50",
        "/latency_ms/ack/p90",
        "/latency_ms/ack/p99",
        "/latency_ms/ack/p999",
        "/latency_ms/ack/max",
        "/latency_ms/delivery/p50",
        "/latency_ms/delivery/p90",
        "/latency_ms/delivery/p99",
        "/latency_ms/delivery/p999",
        "/latency_ms/delivery/max",
        "/server/rss_bytes",
        "/server/cpu_seconds",
        "/server/rss_per_socket_bytes",
        "/generator/lag_p99_ms",
        "/generator/cpu_busy",
        "/environment/command",
        "/environment/git",
        "/environment/kernel",
        "/environment/cpu",
        "/environment/cores",
        "/environment/memory_bytes",
        "/environment/files_max",
        "/environment/loadtest_version",
        "/environment/server_version",
    ];

    #[test]
    fn the_keys_scripts_rely_on_are_there() {
        let value: serde_json::Value = serde_json::from_str(&write(&sample::passed())).unwrap();
        for key in KEYS {
            assert!(value.pointer(key).is_some_and(|found| !found.is_null()), "{key}");
        }
        assert_eq!(value["verdict"], "pass");
        let verdict = |report| serde_json::from_str::<serde_json::Value>(&write(&report)).unwrap()["verdict"].clone();
        assert_eq!((verdict(sample::failed()), verdict(sample::invalid())), ("fail".into(), "invalid".into()));
    }

    #[test]
    fn a_report_survives_its_file() {
        for report in [sample::passed(), sample::failed(), sample::invalid()] {
            let text = write(&report);
            let again = write(&read(&text).unwrap());
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert!(same(&value(&text), &value(&again)));
        }
    }

    /// Equal, but for the last bit that the parser may lose of a fraction.
    fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
        use serde_json::Value::{Array, Number, Object};
        match (a, b) {
            (Number(a), Number(b)) if a.is_f64() => (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() <= a.as_f64().unwrap().abs() * 1e-12,
            (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
            (Object(a), Object(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b))),
            (a, b) => a == b,
        }
    }

    #[test]
    fn an_objective_that_measured_nothing_survives_its_file() {
        let mut report = sample::passed();
        report.slo[0].measured = f64::NAN;
        assert!(read(&write(&report)).unwrap().slo[0].measured.is_nan());
    }

    #[test]
    fn another_schema_is_refused_by_its_number() {
        let text = write(&sample::passed()).replacen(&format!("\"schema\": {SCHEMA}"), "\"schema\": 99", 1);
        assert!(matches!(read(&text), Err(ReadError::Schema { found: 99 })));
        assert!(matches!(read("{}"), Err(ReadError::NoSchema)));
        assert!(matches!(read("{"), Err(ReadError::Json(_))));
        assert!(matches!(read(&format!("{{\"schema\":{SCHEMA}}}")), Err(ReadError::Shape(_))));
    }
}
