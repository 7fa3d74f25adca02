//! Requests to the HTTP API, with failures told by class: `http_503`, `rate_limited` (the problem's own code), `timeout`, `connect`.

use super::Target;
use bytes::Bytes;
use serde_json::Value;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    /// The problem's code, else the status: what a failure is counted under.
    pub fn class(&self) -> String {
        match self.body.get("code").and_then(Value::as_str) {
            Some(code) => code.to_owned(),
            None => format!("http_{}", self.status),
        }
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Http {
    pub fn new() -> Result<Self, reqwest::Error> {
        // The one crypto provider; a second call answers that it stands already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(TIMEOUT).pool_max_idle_per_host(256).no_proxy().build()?;
        Ok(Self { client })
    }

    /// For what the methods below do not cover: uploads, bytes.
    pub fn request(&self, method: reqwest::Method, target: &Target, path: &str, token: Option<&str>) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", target.url()));
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, target: &Target, path: &str, token: Option<&str>) -> Result<Answer, String> {
        Self::answer(self.request(reqwest::Method::GET, target, path, token)).await
    }

    /// `key` goes out as `Idempotency-Key`.
    pub async fn post(&self, target: &Target, path: &str, token: Option<&str>, key: Option<&str>, body: &Value) -> Result<Answer, String> {
        let mut request = self.request(reqwest::Method::POST, target, path, token).json(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        Self::answer(request).await
    }

    /// The bytes of an attachment, with their declared type.
    pub async fn bytes(&self, target: &Target, path: &str, token: &str) -> Result<(u16, String, Bytes), String> {
        let response = self.request(reqwest::Method::GET, target, path, Some(token)).send().await.map_err(|error| class(&error))?;
        let mime = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let status = response.status().as_u16();
        Ok((status, mime, response.bytes().await.map_err(|error| class(&error))?))
    }

    /// An answer of any status; only what never became an answer is an error, by class.
    pub async fn answer(request: reqwest::RequestBuilder) -> Result<Answer, String> {
        let response = request.send().await.map_err(|error| class(&error))?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.map_err(|error| class(&error))?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status, body })
    }
}

fn class(error: &reqwest::Error) -> String {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        let io = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error);
        if matches!(io, Some(99 | 24 | 23)) {
            return "generator_limit".into();
        }
        source = cause.source();
    }
    match error {
        error if error.is_timeout() => "timeout",
        error if error.is_connect() => "connect",
        _ => "connection_broken",
    }
    .into()
}
