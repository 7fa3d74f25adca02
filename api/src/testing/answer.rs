//! An answer with the checks a test makes on it.

use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

#[derive(Debug)]
pub struct Answer {
    pub code: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub(super) async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a whole body").to_vec();
        Self { code: parts.status, headers: parts.headers, body }
    }

    /// Panics with the body when the status is another.
    pub fn status(self, expected: u16) -> Self {
        assert_eq!(self.code.as_u16(), expected, "{}", self.text());
        self
    }

    /// The JSON of a success.
    pub fn ok(self) -> Value {
        assert!(self.code.is_success(), "{}: {}", self.code, self.text());
        self.json()
    }

    pub fn json(self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn parse<T: DeserializeOwned>(self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Checks that it is a problem document of that code; gives the document.
    pub fn refused(self, status: u16, code: &str) -> Value {
        let content_type = self.headers.get("content-type").map(|value| value.as_bytes().to_vec());
        let answer = self.status(status);
        assert_eq!(content_type.as_deref(), Some(b"application/problem+json".as_slice()));
        let problem = answer.json();
        assert_eq!(problem["code"], code, "{problem}");
        problem
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
