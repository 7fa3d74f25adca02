//! Somebody signed in.

use super::{Answer, TestApp};
use axum::body::Body;
use chat::ids::UserId;
use http::{Method, Request};
use serde_json::Value;

/// One red pixel.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\x03\x01\x01\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82";

pub struct TestPerson<'a> {
    pub test: &'a TestApp,
    pub user: UserId,
    pub access_token: String,
    pub refresh_token: Option<String>,
    pub session_id: String,
}

impl std::fmt::Debug for TestPerson<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TestPerson({})", self.user)
    }
}

impl<'a> TestPerson<'a> {
    pub fn of_session(test: &'a TestApp, session: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            test,
            user: text(&session["user"]["id"]).parse().expect("an id"),
            access_token: text(&session["access_token"]),
            refresh_token: session["refresh_token"].as_str().map(str::to_owned),
            session_id: text(&session["session_id"]),
        }
    }

    /// As a browser's form sends it, under a hostile file name.
    pub async fn upload(&self, kind: &str, mime: &str, bytes: &[u8]) -> Answer {
        let mut body = format!("--edge\r\ncontent-disposition: form-data; name=\"kind\"\r\n\r\n{kind}\r\n").into_bytes();
        let file = "content-disposition: form-data; name=\"file\"; filename=\"../x.php\"";
        body.extend(format!("--edge\r\n{file}\r\ncontent-type: {mime}\r\n\r\n").bytes());
        body.extend(bytes);
        body.extend(b"\r\n--edge--\r\n");
        let request = Request::post("/api/uploads")
            .header("authorization", format!("Bearer {}", self.access_token))
            .header("content-type", "multipart/form-data; boundary=edge")
            .body(Body::from(body))
            .expect("a request");
        self.test.send_raw(request).await
    }

    pub async fn picture(&self) -> Value {
        self.upload("image", "image/png", PNG).await.status(201).json()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// A POST with nothing to say.
    pub async fn act(&self, path: &str) -> Answer {
        self.send(Method::POST, path, None).await
    }

    /// A POST with an `Idempotency-Key`.
    pub async fn post_keyed(&self, path: &str, key: &str, body: Value) -> Answer {
        self.test.send(Method::POST, path, Some(&self.access_token), &[("idempotency-key", key)], Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.test.send(method, path, Some(&self.access_token), &[], body).await
    }
}
