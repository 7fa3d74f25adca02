//! One GET, for readiness and for the version of a server.

use std::time::Duration;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
#[error("GET {url}: {}", reason(.source))]
pub struct HttpError {
    pub url: String,
    pub source: reqwest::Error,
}

/// Of a GET on `url`: status and body. Never through a proxy: the figures are about the server.
pub async fn answers(url: &str) -> Result<(u16, String), HttpError> {
    // The first of several callers wins; the others find it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let failed = |source| HttpError { url: url.to_owned(), source };
    let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_TIMEOUT).build().map_err(failed)?;
    let answer = client.get(url).send().await.map_err(failed)?;
    let status = answer.status().as_u16();
    Ok((status, answer.text().await.map_err(failed)?))
}

/// Returns once `/readyz` of the server at `base` says so; never ends by itself.
pub(super) async fn ready(base: &str) {
    let url = format!("{base}/readyz");
    let mut every = tokio::time::interval(Duration::from_millis(20));
    loop {
        every.tick().await;
        if matches!(answers(&url).await, Ok((200..=299, _))) {
            return;
        }
    }
}

/// The innermost cause: the outer ones only say that a request was sent.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
