//! A person at the HTTP interface. That no answer comes is an outcome of its own: whether the thing was done, nobody knows then.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

/// No answer, or not the whole of it.
#[derive(Clone, Copy, Debug)]
pub struct Gone;

/// A problem document.
#[derive(Clone, Debug)]
pub struct Refused {
    pub status: u16,
    pub code: String,
    pub temporary: bool,
}

pub type Answer = Result<Result<Value, Refused>, Gone>;

/// Somebody signed in.
#[derive(Clone)]
pub struct Rest {
    http: Client,
    base: String,
    pub token: String,
    pub user: String,
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rest({})", self.user)
    }
}

impl Rest {
    pub async fn patient(port: u16, phone: &str, password: &str) -> Self {
        Self::signed_in(port, "/api/auth/login", json!({ "phone": phone, "password": password, "remember": true })).await
    }

    pub async fn staff(port: u16, account: &str, password: &str) -> Self {
        Self::signed_in(port, "/api/auth/staff/login", json!({ "account": account, "password": password })).await
    }

    async fn signed_in(port: u16, path: &str, mut body: Value) -> Self {
        let base = format!("http://127.0.0.1:{port}");
        let mut person = Self { http: Client::new(), base, token: String::new(), user: String::new() };
        body["device"] = json!({ "id": Uuid::now_v7(), "label": "测试设备" });
        let session = person.post(path, &body).send().await.expect("the server answers").expect("he may sign in");
        person.token = session["access_token"].as_str().expect("a token").to_owned();
        person.user = session["user"]["id"].as_str().expect("an id").to_owned();
        person
    }

    /// What he may read.
    pub async fn get(&self, path: &str) -> Result<Value, Gone> {
        Ok(self.wish(Method::GET, path).send().await?.unwrap_or_else(|refused| panic!("{path}: {refused:?}")))
    }

    pub fn post(&self, path: &str, body: &Value) -> Wish {
        Wish(self.wish(Method::POST, path).0.json(body))
    }

    /// With an `Idempotency-Key`.
    pub fn post_keyed(&self, path: &str, key: Uuid, body: &Value) -> Wish {
        Wish(self.post(path, body).0.header("idempotency-key", key.to_string()))
    }

    pub fn put(&self, path: &str, body: &Value) -> Wish {
        Wish(self.wish(Method::PUT, path).0.json(body))
    }

    /// As a page without scripts does it.
    pub fn submit(&self, path: &str, fields: &'static str) -> Wish {
        Wish(self.wish(Method::POST, path).0.header("content-type", "application/x-www-form-urlencoded").body(fields))
    }

    fn wish(&self, method: Method, path: &str) -> Wish {
        let request = self.http.request(method, format!("{}{path}", self.base));
        Wish(if self.token.is_empty() { request } else { request.bearer_auth(&self.token) })
    }
}

/// A request that can be made more than once.
#[derive(Debug)]
pub struct Wish(RequestBuilder);

impl Wish {
    pub async fn send(&self) -> Answer {
        let request = self.0.try_clone().expect("its body is in memory");
        let answer = request.send().await.map_err(|_| Gone)?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(|_| Gone)?;
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status.is_success() {
            return Ok(Ok(body));
        }
        let code = body["code"].as_str().unwrap_or_default().to_owned();
        Ok(Err(Refused { status: status.as_u16(), code, temporary: body["temporary"] == true }))
    }
}
