//! Extractors whose refusals are problem documents that name the field.

use super::{Field, Problem, codes};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header, request::Parts};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::error::Error;

/// Longest `Idempotency-Key`; a UUID is the expected form.
const IDEMPOTENCY_KEY_CHARS_MAX: usize = 128;

#[derive(Clone, Debug)]
pub struct Json<T>(pub T);

#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

#[derive(Clone, Debug)]
pub struct Path<T>(pub T);

/// A JSON body with the request's `Idempotency-Key`, for POSTs that create something (see [`crate::idempotency`]).
#[derive(Clone, Debug)]
pub struct Keyed<T> {
    pub key: Option<String>,
    /// SHA-256 of the raw body.
    pub body_hash: [u8; 32],
    pub body: T,
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = json_bytes(request, state).await?;
        decode(&bytes).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Keyed<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let key = idempotency_key(request.headers())?;
        let bytes = json_bytes(request, state).await?;
        let body = decode(&bytes)?;
        Ok(Self { key, body_hash: Sha256::digest(&bytes).into(), body })
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|query: axum::extract::Query<T>| Self(query.0))
            .map_err(|error| unfit_query(&error))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    /// A path that is not an id names nothing: 404, like an id nobody has.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::from_request_parts(parts, state).await.map(|path| Self(path.0)).map_err(|_| Problem::not_found())
    }
}

async fn json_bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("application/json") {
        return Err(codes::UNSUPPORTED_MEDIA_TYPE.into());
    }
    Bytes::from_request(request, state).await.map_err(|rejection| {
        let code = if rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE { codes::TOO_LARGE } else { codes::INVALID_REQUEST };
        code.into()
    })
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        // An enum that gets null or a number is called a syntax error by serde_json: only what does not parse at all is one.
        if !error.inner().is_data() && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_err() {
            return Problem::new(codes::INVALID_REQUEST).detail("正文不是有效的 JSON");
        }
        unfit(path_of(error.path(), &error.inner().to_string()))
    })?;
    deserializer.end().map_err(|_| Problem::new(codes::INVALID_REQUEST).detail("正文之后还有内容"))?;
    Ok(value)
}

/// Serde's words about a type mismatch may quote the value: the path says enough.
fn unfit(path: String) -> Problem {
    let field = Field { path, code: "invalid", message: "缺少或类型不符".into() };
    Problem { fields: vec![field], ..Problem::new(codes::INVALID_FIELDS) }
}

/// The query extractor keeps the path in a cause of its refusal.
fn unfit_query(error: &QueryRejection) -> Problem {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(named) = error.downcast_ref::<serde_path_to_error::Error<serde::de::value::Error>>() {
            return unfit(path_of(named.path(), &named.inner().to_string()));
        }
        cause = error.source();
    }
    unfit(String::new())
}

/// What is lacking is reported at its parent, and only the message names it.
fn path_of(parent: &serde_path_to_error::Path, message: &str) -> String {
    let lacking = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    match lacking {
        Some(field) if parent.iter().next().is_none() => field.to_owned(),
        Some(field) => format!("{parent}.{field}"),
        None => parent.to_string(),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > IDEMPOTENCY_KEY_CHARS_MAX {
        return Err(Problem::new(codes::INVALID_REQUEST).detail("Idempotency-Key 应为 1 到 128 个可见字符"));
    }
    Ok(Some(key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Answer {
        Yes,
    }

    #[derive(serde::Deserialize)]
    struct Form {
        #[serde(rename = "answer")]
        _answer: Answer,
    }

    #[test]
    fn what_is_lacking_is_named() {
        #[derive(Debug, serde::Deserialize)]
        struct Outer {
            #[serde(rename = "inner")]
            _inner: Inner,
        }
        #[derive(Debug, serde::Deserialize)]
        struct Inner {
            #[serde(rename = "word")]
            _word: String,
        }
        for (body, path) in [("{}", "inner"), (r#"{"inner":{}}"#, "inner.word"), (r#"{"inner":{"word":7}}"#, "inner.word")] {
            assert_eq!(decode::<Outer>(body.as_bytes()).unwrap_err().fields[0].path, path, "{body}");
        }
    }

    /// In the words of a body that does not fit, without the parser's English.
    #[test]
    fn a_query_that_does_not_fit_names_its_field() {
        #[derive(Debug, serde::Deserialize)]
        struct Asked {
            #[serde(rename = "page")]
            _page: Option<u32>,
            #[serde(rename = "list")]
            _list: bool,
        }
        for (query, path) in [("page=x&list=true", "page"), ("list=7", "list"), ("page=1", "list"), ("", "list")] {
            let uri = format!("/?{query}").parse().unwrap();
            let error = axum::extract::Query::<Asked>::try_from_uri(&uri).unwrap_err();
            let problem = unfit_query(&error);
            assert_eq!((problem.code.code, problem.fields[0].path.as_str(), &problem.detail), ("invalid_field", path, &None), "{query}");
        }
    }

    #[test]
    fn what_parses_but_does_not_fit_names_its_field() {
        assert!(decode::<Form>(br#"{"answer":"yes"}"#).is_ok());
        for body in [r#"{"answer":null}"#, r#"{"answer":7}"#, r#"{"answer":"no"}"#] {
            let problem = decode::<Form>(body.as_bytes()).err().expect(body);
            assert_eq!((problem.code.code, problem.fields[0].path.as_str()), ("invalid_field", "answer"), "{body}");
        }
        for body in ["", r#"{"answer":"#, r#"{"answer":"yes"} more"#] {
            assert_eq!(decode::<Form>(body.as_bytes()).err().expect(body).code.code, "malformed", "{body}");
        }
    }
}
