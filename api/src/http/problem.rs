//! Problem documents (RFC 9457), the only form of refusal over HTTP.
//!
//! A problem travels through the response's extensions and is rendered by the outermost layer, which knows the request id.

use super::codes::{self, Code};
use crate::db::DbError;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

#[derive(Clone, Debug)]
pub struct Problem {
    pub code: Code,
    pub detail: Option<Cow<'static, str>>,
    pub retry_after_ms: Option<i64>,
    pub fields: Vec<Field>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Field {
    /// Dotted, from the body's root: `intake.symptoms`.
    pub path: String,
    pub code: &'static str,
    pub message: Cow<'static, str>,
}

/// The document as it is sent, `application/problem+json`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    pub r#type: String,
    pub title: String,
    pub status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    pub code: String,
    pub temporary: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<i64>,
    pub request_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
}

impl Problem {
    pub fn new(code: Code) -> Self {
        Self { code, detail: None, retry_after_ms: None, fields: Vec::new() }
    }

    pub fn not_found() -> Self {
        codes::NOT_FOUND.into()
    }

    pub fn forbidden() -> Self {
        codes::FORBIDDEN.into()
    }

    /// Something broke on our side: the whole chain of causes is logged here, once; outside it is only `internal`.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %causes(error), "http.internal");
        codes::INTERNAL.into()
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    #[must_use]
    pub fn retry_after_ms(mut self, ms: i64) -> Self {
        self.retry_after_ms = Some(ms.max(0));
        self
    }

    pub(super) fn render(&self, request_id: &str) -> Response {
        let body = ProblemBody {
            r#type: format!("urn:wenzhen:problem:{}", self.code.code),
            title: self.code.title.to_owned(),
            status: self.code.status,
            detail: self.detail.as_deref().map(str::to_owned),
            code: self.code.code.to_owned(),
            temporary: self.code.temporary,
            retry_after_ms: self.retry_after_ms,
            request_id: request_id.to_owned(),
            fields: self.fields.clone(),
        };
        let mut response = (self.status(), axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/problem+json"));
        if let Some(ms) = self.retry_after_ms {
            headers.insert(http::header::RETRY_AFTER, http::HeaderValue::from((ms + 999) / 1000));
        }
        if self.code.status == 401 {
            headers.insert(http::header::WWW_AUTHENTICATE, http::HeaderValue::from_static("Bearer"));
        }
        response
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// The chain of causes on one line.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        line = format!("{line}: {source}");
        cause = source.source();
    }
    line
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Collects what is wrong with a body, so that the person sees all of it at once.
#[derive(Debug, Default)]
pub struct Fields(Vec<Field>);

impl Fields {
    pub fn refuse(&mut self, path: impl Into<String>, code: &'static str, message: impl Into<Cow<'static, str>>) {
        self.0.push(Field { path: path.into(), code, message: message.into() });
    }

    pub fn check(&mut self, holds: bool, path: impl Into<String>, code: &'static str, message: impl Into<Cow<'static, str>>) {
        if !holds {
            self.refuse(path, code, message);
        }
    }

    /// Length in characters after trimming, both ends included.
    pub fn length(&mut self, text: &str, range: std::ops::RangeInclusive<usize>, path: impl Into<String>) {
        let characters = text.trim().chars().count();
        let message = || format!("应为 {} 到 {} 个字", range.start(), range.end());
        if characters < *range.start() {
            self.refuse(path, "too_short", message());
        } else if characters > *range.end() {
            self.refuse(path, "too_long", message());
        }
    }

    pub fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem { fields: self.0, ..Problem::new(codes::INVALID_FIELDS) }) }
    }
}
