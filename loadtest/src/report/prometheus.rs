//! The running figures over HTTP in Prometheus' text form, for whoever has a dashboard already.
//!
//! Names begin with `loadtest_`, units are seconds and bytes. Without a host in the address it listens on the loopback only.

use super::data::Live;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use std::fmt::Write as _;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

#[derive(Debug, thiserror::Error)]
pub enum PrometheusError {
    #[error("{0:?} is no address for Prometheus; write :9464 or 0.0.0.0:9464")]
    Address(String),
    #[error("Prometheus' address {address} cannot be listened on")]
    Bind {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
}

/// `:9464` is the loopback's: figures of a run are nobody else's unless asked for.
pub fn address(text: &str) -> Result<SocketAddr, PrometheusError> {
    let whole = if text.starts_with(':') { format!("127.0.0.1{text}") } else { text.to_owned() };
    whole.parse().map_err(|_| PrometheusError::Address(text.to_owned()))
}

pub async fn bind(address: SocketAddr) -> Result<TcpListener, PrometheusError> {
    TcpListener::bind(address).await.map_err(|source| PrometheusError::Bind { address, source })
}

/// Answers until `stop`.
pub async fn serve(listener: TcpListener, live: watch::Receiver<Live>, stop: CancellationToken) -> std::io::Result<()> {
    let router = Router::new().route("/metrics", get(answer)).with_state(live);
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn answer(State(live): State<watch::Receiver<Live>>) -> impl IntoResponse {
    let text = text(&live.borrow());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

pub fn text(live: &Live) -> String {
    let mut page = Page(String::with_capacity(4096));
    let (row, counts) = (&live.second, &live.counts);
    page.metric(
        "info",
        "gauge",
        "What runs; always 1.",
        [(vec![("scenario", live.scenario.as_str()), ("phase", live.phase.as_str())], 1.0)],
    );
    for (name, help, value) in [
        ("sent_total", "Messages that left.", counts.sent),
        ("acked_total", "Messages acknowledged.", counts.acked),
        ("refused_total", "Messages refused with a code.", counts.refused),
        ("delivered_total", "Messages that reached another person.", counts.delivered),
        ("never_tried_total", "Intended events that nobody could send.", counts.never_tried),
        ("sockets_asked_total", "Sockets asked for.", counts.asked),
        ("sockets_opened_total", "Sockets opened.", counts.opened),
    ] {
        page.metric(name, "counter", help, [(Vec::new(), value as f64)]);
    }
    let classes = counts.violations();
    let violations = classes.iter().map(|(class, count)| (vec![("class", *class)], *count as f64));
    page.metric("violations_total", "counter", "Findings of the correctness ledger, by class.", violations);
    for (name, help, classes) in [
        ("sockets_not_opened_total", "Sockets that did not open, by reason.", &live.not_opened),
        ("failures_total", "Failed or refused requests and commands, by reason.", &live.failures),
    ] {
        page.metric(name, "counter", help, classes.iter().map(|(class, count)| (vec![("reason", class.as_str())], *count as f64)));
    }
    let quantiles = live.metrics_ms.iter().flat_map(|(metric, p)| {
        [("0.5", p.p50), ("0.9", p.p90), ("0.99", p.p99), ("0.999", p.p999), ("1", p.max)]
            .map(|(quantile, ms)| (vec![("metric", metric.as_str()), ("quantile", quantile)], ms / 1000.0))
    });
    page.metric("latency_seconds", "gauge", "Latency from the intended moment, over the measured time so far.", quantiles);
    for (name, help, value) in [
        ("elapsed_seconds", "Since the first intended moment.", live.elapsed_s),
        ("in_flight", "Sent and not answered.", row.in_flight as f64),
        ("sockets", "Sockets open.", row.sockets as f64),
        ("sent_per_second", "In the newest whole second.", row.sent as f64),
        ("acked_per_second", "In the newest whole second.", row.acked as f64),
        ("delivered_per_second", "In the newest whole second.", row.delivered as f64),
        ("failed_per_second", "In the newest whole second.", row.failed as f64),
        ("schedule_lag_p99_seconds", "How late the generator sent.", row.lag_p99_ms / 1000.0),
        ("generator_busy_ratio", "Busy part of the generator's cores.", row.generator_cpu),
        ("server_cpu_cores", "Cores the server keeps busy.", row.server_cpu),
        ("server_resident_bytes", "The server's resident memory.", row.server_rss_bytes as f64),
        ("server_open_files", "The server's open files and sockets.", row.server_files as f64),
        ("host_load1", "Load average of one minute.", row.load1),
        ("host_steal_ratio", "Part of all cores that the hypervisor took.", row.steal),
    ] {
        page.metric(name, "gauge", help, [(Vec::new(), value)]);
    }
    page.0
}

struct Page(String);

impl Page {
    fn metric<'a>(&mut self, name: &str, kind: &str, help: &str, samples: impl IntoIterator<Item = (Vec<(&'a str, &'a str)>, f64)>) {
        let _ = writeln!(self.0, "# HELP loadtest_{name} {help}\n# TYPE loadtest_{name} {kind}");
        for (labels, value) in samples {
            let labels: Vec<String> = labels.into_iter().map(|(key, text)| format!("{key}=\"{}\"", escape(text))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(self.0, "loadtest_{name}{labels} {value}");
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn the_figures_of_this_second_are_read_over_http() {
        let report = sample::failed();
        let (live, shown) = watch::channel(sample::live(&report, 30));
        let listener = bind(address("127.0.0.1:0").unwrap()).await.unwrap();
        let (at, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let served = tokio::spawn(serve(listener, shown, stop.clone()));
        let answer = get(at, "/metrics").await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("text/plain; version=0.0.4"), "{answer}");
        for line in [
            format!("\nloadtest_acked_total {}\n", live.borrow().counts.acked),
            "\nloadtest_violations_total{class=\"lost\"} 3\n".to_owned(),
            "\nloadtest_sockets_not_opened_total{reason=\"timeout\"} 48\n".to_owned(),
            "\nloadtest_info{scenario=\"reconnect\",phase=\"steady\"} 1\n".to_owned(),
            format!("\nloadtest_latency_seconds{{metric=\"ack\",quantile=\"0.99\"}} {}\n", report.latency_ms.ack.p99 / 1000.0),
        ] {
            assert!(answer.contains(&line), "{line} in {answer}");
        }
        live.send(sample::live(&report, 31)).unwrap();
        let answer = get(at, "/metrics").await;
        assert!(answer.contains("\nloadtest_elapsed_seconds 32\n"), "the newest second: {answer}");
        assert!(get(at, "/").await.starts_with("HTTP/1.1 404"));
        stop.cancel();
        served.await.unwrap().unwrap();
    }

    #[test]
    fn every_line_has_the_form_prometheus_reads() {
        let mut live = sample::live(&sample::failed(), 55);
        live.failures.insert("a\"b\\c\nd".into(), 1);
        let text = text(&live);
        assert!(text.contains("reason=\"a\\\"b\\\\c\\nd\""));
        for line in text.lines() {
            let sample = line.starts_with("loadtest_") && line.rsplit_once(' ').is_some_and(|(_, value)| value.parse::<f64>().is_ok());
            assert!(line.starts_with("# HELP loadtest_") || line.starts_with("# TYPE loadtest_") || sample, "{line}");
        }
    }

    #[test]
    fn an_address_without_a_host_is_the_loopbacks() {
        assert_eq!(address(":9464").unwrap(), "127.0.0.1:9464".parse().unwrap());
        assert_eq!(address("0.0.0.0:9464").unwrap(), "0.0.0.0:9464".parse().unwrap());
        assert!(address("9464").is_err() && address("everywhere:1").is_err());
    }
}
