//! Somebody signed in.

use super::{Answer, TestApp};
use chat::ids::UserId;
use http::Method;
use serde_json::Value;

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
