//! Tests act as people do: through the public API, on a whole app in a temporary folder, with a clock that stands until it is moved.
//!
//! ```ignore
//! let test = TestApp::start().await;
//! let patient = test.patient("13800000001").await;
//! let me = patient.get("/api/me").await.ok();
//! ```

mod answer;
pub(crate) mod engine;
mod person;
#[cfg(test)]
pub(crate) mod probe;
mod statements;

pub use answer::Answer;
pub use person::{PNG, TestPerson};
pub use statements::{FoundStatement, statements};

use crate::{
    accounts::{NewAccount, Phone, StaffFunction},
    background,
    config::Config,
    outbox, server,
    state::App,
    timers,
};
use axum::{Router, body::Body};
use chat::{
    clock::Clock,
    entropy::Entropy,
    ids::{DeviceId, Role, Timestamp, UserId},
};
use http::{Method, Request};
use serde_json::{Value, json};
use std::{future::IntoFuture, net::SocketAddr, sync::Arc};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower::ServiceExt;

/// 2026-11-23 12:00 in Shanghai.
pub const START: Timestamp = Timestamp(1_795_406_400_000);
pub const PASSWORD: &str = "correct-horse-9";

/// A whole app. Background runners do not run: a test says when, with [`TestApp::settle`] or [`TestApp::advance_ms`].
pub struct TestApp {
    pub app: App,
    router: Router,
    dir: TempDir,
}

impl std::fmt::Debug for TestApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TestApp")
    }
}

impl TestApp {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With settings of its own.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = TempDir::new().expect("a temporary folder");
        let mut config = config(&dir).await;
        change(&mut config);
        Self::open(dir, config, Clock::manual(START), Entropy::seeded(1)).await
    }

    /// The demo's hospital with the past of its people.
    pub async fn start_on_history() -> Self {
        let dir = TempDir::new().expect("a temporary folder");
        let config = config(&dir).await;
        crate::demo::prepare(&config, START).await.expect("the past is written");
        Self::open(dir, config, Clock::manual(START), Entropy::seeded(1)).await
    }

    /// Closes the stores and opens them again, as after a restart. The clock goes on where it stood.
    pub async fn restart(self) -> Self {
        let Self { app, router, dir } = self;
        drop(router);
        let (config, clock, entropy) = (app.config.clone(), app.clock.clone(), app.entropy.clone());
        app.close().await;
        let log = Arc::downgrade(&app.log);
        drop(app);
        // Tasks of the hub and of calls let go of the log when they are polled next; until then its folder is locked.
        while log.upgrade().is_some() {
            tokio::task::yield_now().await;
        }
        Self::open(dir, config, clock, entropy).await
    }

    async fn open(dir: TempDir, config: Config, clock: Clock, entropy: Entropy) -> Self {
        let app = crate::build(config, clock, entropy).await.expect("the app starts");
        let router = server::router(&app);
        Self { app, router, dir }
    }

    /// Leaves the folder as it is, without closing anything, as a crash does. Drop the runtime before opening it again.
    pub fn abandon(self) -> TempDir {
        self.dir
    }

    /// Opens a folder that another life left behind.
    pub async fn reopen(dir: TempDir, clock: Clock) -> Self {
        let config = config(&dir).await;
        Self::open(dir, config, clock, Entropy::seeded(2)).await
    }

    /// What lies in the store of business data, after a restart has written everything out.
    pub async fn stored_bytes(&self) -> Vec<u8> {
        engine::stored_bytes(&self.app).await
    }

    pub fn data_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("data")
    }

    /// Starts the background runners, for tests that wait for events.
    pub fn run_background(&self) {
        background::start(&self.app);
    }

    /// Handles everything that is due now: outbox and timers, until nothing is left.
    pub async fn settle(&self) {
        loop {
            let handled = outbox::run_due(&self.app).await.expect("the outbox runs");
            let fired = timers::fire_due(&self.app).await.expect("timers fire");
            if handled + fired == 0 {
                return;
            }
        }
    }

    /// Moves the clock, then handles what became due.
    pub async fn advance_ms(&self, ms: i64) {
        self.app.clock.advance_ms(ms);
        self.settle().await;
    }

    /// A request by nobody in particular.
    pub async fn send(&self, method: Method, path: &str, token: Option<&str>, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(json) => {
                request = request.header("content-type", "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        self.send_raw(request.body(body).expect("a well-formed request")).await
    }

    pub async fn send_raw(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        Answer::read(response).await
    }

    /// Serves on a port of its own until the test ends, for what is about connections.
    pub async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let service = self.router.clone().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(axum::serve(listener, service).into_future());
        address
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[], None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, None, &[], Some(body)).await
    }

    /// Registers a patient by SMS code, as a person would.
    pub async fn patient(&self, phone: &str) -> TestPerson<'_> {
        self.post("/api/auth/sms-codes", json!({ "phone": phone, "purpose": "register" })).await.status(202);
        self.settle().await;
        let code = self.sms_code(phone).expect("the simulator sent a code");
        let device = self.device();
        let body = json!({ "phone": phone, "code": code, "password": PASSWORD, "name": "张伟", "device": device });
        let session = self.post("/api/auth/register", body).await.status(201).json();
        TestPerson::of_session(self, &session)
    }

    /// A member of staff, made as an administrator's tool would, signed in through the staff door.
    pub async fn staff(&self, account: &str, role: Role, functions: &[StaffFunction]) -> TestPerson<'_> {
        let user: UserId = self.app.entropy.id(self.app.clock.now());
        let password_hash = self.app.passwords.hash(&self.app.entropy, PASSWORD).await.expect("hashes");
        let new = NewAccount {
            id: user,
            tenant: self.app.tenant,
            role,
            account_name: Some(account.to_owned()),
            phone: None::<Phone>,
            name: Some("李明".to_owned()),
            sex: None,
            birth_date: None,
            password_hash: Some(password_hash),
            functions: functions.to_vec(),
        };
        let mut tx = self.app.db.begin().await.expect("begins");
        assert!(crate::accounts::insert_account(&self.app, &mut tx, &new).await.expect("inserts"), "the account name is free");
        self.app.commit(tx).await.expect("commits");
        self.sign_in_staff(account).await
    }

    /// Signs in somebody who exists, like the doctors of the demo.
    pub async fn sign_in_staff(&self, account: &str) -> TestPerson<'_> {
        let body = json!({ "account": account, "password": PASSWORD, "device": self.device() });
        let session = self.post("/api/auth/staff/login", body).await.status(200).json();
        TestPerson::of_session(self, &session)
    }

    /// A new device.
    pub fn device(&self) -> Value {
        let id: DeviceId = self.app.entropy.id(self.app.clock.now());
        json!({ "id": id, "label": "测试设备" })
    }

    /// The latest code in the simulator's inbox for that number.
    pub fn sms_code(&self, phone: &str) -> Option<String> {
        let message = self.app.sms.sent().into_iter().find(|message| message.phone.as_str() == phone)?;
        let digits: String = message.text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        Some(digits)
    }
}

async fn config(dir: &TempDir) -> Config {
    let mut config = Config { data: dir.path().join("data"), keys: dir.path().join("keys"), demo: true, ..Config::default() };
    // The cheapest argon2: its cost is not what tests are about.
    config.accounts.password_memory_kib = 8;
    config.database.url = engine::database_of(dir.path()).await;
    crate::payments::testing::lay_simulator_keys(&config.keys).expect("writes test keys");
    config
}
