//! Accounts with a password: registered through the public API with the codes of the demo's SMS inbox, or named in a file.

use super::Options;
use crate::clock::unix_ms;
use crate::connect::{Answer, Target};
use crate::run::{Part, RunError};
use crate::seed::Seeded;
use serde::Deserialize;
use serde_json::json;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The inbox keeps the last 200 messages.
const REGISTERED_AT_ONCE: usize = 20;
const CODES_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// More sessions of one account than this are forgotten, the oldest first.
const SESSIONS_KEPT: usize = 8;

#[derive(Debug)]
pub(super) struct Account {
    pub phone: String,
    pub password: String,
    /// The installation he always signs in from; a stranger's failures do not lock it.
    pub device: uuid::Uuid,
    sessions: Mutex<VecDeque<Session>>,
}

#[derive(Clone, Debug)]
pub(super) struct Session {
    pub access: String,
    pub refresh: Option<String>,
    pub expires_at_ms: i64,
}

impl Session {
    pub fn of(answer: &Answer) -> Option<Self> {
        let text = |key: &str| answer.body.get(key)?.as_str().map(str::to_owned);
        let expires_at_ms = answer.body.get("access_expires_at")?.as_i64()?;
        Some(Self { access: text("access_token")?, refresh: text("refresh_token"), expires_at_ms })
    }

    pub fn is_fresh(&self) -> bool {
        self.expires_at_ms > i64::try_from(unix_ms()).unwrap_or(i64::MAX).saturating_add(5_000)
    }
}

impl Account {
    pub fn new(phone: String, password: String, device: uuid::Uuid) -> Self {
        Self { phone, password, device, sessions: Mutex::default() }
    }

    pub fn keep(&self, session: Session) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.push_back(session);
        if sessions.len() > SESSIONS_KEPT {
            sessions.pop_front();
        }
    }

    /// One for whoever asks; nobody else has it until it is kept again. Those that are over are dropped.
    pub fn take(&self) -> Option<Session> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(session) = sessions.pop_front() {
            if session.is_fresh() {
                return Some(session);
            }
        }
        None
    }

    pub async fn sign_in(&self, part: &Part, target: &Target) -> Result<Session, String> {
        let form = json!({"phone": self.phone, "password": self.password, "device": device(self.device), "remember": true});
        let answer = part.run.http.post(target, "/api/auth/login", None, None, &form).await?;
        Session::of(&answer).filter(|_| answer.status == 200).ok_or_else(|| answer.class())
    }
}

pub(super) fn device(id: uuid::Uuid) -> serde_json::Value {
    json!({"id": id, "label": "loadtest"})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    phone: String,
    password: String,
}

pub(super) async fn find(part: &Part, options: &Options) -> Result<Vec<Account>, RunError> {
    let mut dice = Seeded::new(part.run.plan.seed, &format!("{} accounts", part.label()));
    let accounts = match &options.credentials {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| RunError::Usage(format!("{}: {error}", path.display())))?;
            of_lines(&text, &mut dice).map_err(|reason| RunError::Usage(format!("{}: {reason}", path.display())))?
        }
        None => (0..options.accounts).map(|_| invented(&mut dice)).collect(),
    };
    for some in accounts.chunks(REGISTERED_AT_ONCE) {
        if options.credentials.is_none() {
            register(part, some).await?;
        }
        let signing_in = some.iter().filter(|account| account.count() == 0).map(|account| async {
            let signed_in = account.sign_in(part, &part.run.targets[0]).await;
            signed_in.map(|session| account.keep(session)).map_err(|class| RunError::Target(format!("signing in: {class}")))
        });
        futures_util::future::try_join_all(signing_in).await?;
    }
    Ok(accounts)
}

impl Account {
    fn count(&self) -> usize {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

fn of_lines(text: &str, dice: &mut Seeded) -> Result<Vec<Account>, String> {
    let account = |(index, line): (usize, &str)| {
        let line: Credentials = serde_json::from_str(line).map_err(|error| format!("line {}: {error}", index + 1))?;
        Ok(Account::new(line.phone, line.password, dice.uuid()))
    };
    text.lines().filter(|line| !line.trim().is_empty()).enumerate().map(account).collect()
}

/// The same seed invents the same people, so that a second run finds them registered.
fn invented(dice: &mut Seeded) -> Account {
    let phone = format!("1{}{:09}", 3 + dice.below(7), dice.next_u64() % 1_000_000_000);
    Account::new(phone, format!("load-{:016x}", dice.next_u64()), dice.uuid())
}

async fn register(part: &Part, accounts: &[Account]) -> Result<(), RunError> {
    let (http, target) = (&part.run.http, &part.run.targets[0]);
    let asking = accounts.iter().map(|account| async {
        let wish = json!({"phone": account.phone, "purpose": "register"});
        let answer = http.post(target, "/api/auth/sms-codes", None, None, &wish).await.map_err(RunError::Target)?;
        if answer.is_success() { Ok(()) } else { Err(RunError::Target(format!("asking for a code: {}", answer.class()))) }
    });
    futures_util::future::try_join_all(asking).await?;
    let reading = tokio::time::timeout(CODES_WITHIN, codes(part, accounts)).await;
    let codes = reading.map_err(|_| RunError::Target("the codes did not come into the demo's inbox".into()))??;
    let registering = accounts.iter().zip(codes).map(|(account, code)| async move {
        let form = json!({"phone": account.phone, "code": code, "password": account.password, "device": device(account.device)});
        let answer = http.post(target, "/api/auth/register", None, None, &form).await.map_err(RunError::Target)?;
        match Session::of(&answer) {
            Some(session) if answer.status == 201 => account.keep(session),
            _ if answer.class() == "already_registered" => {}
            _ => return Err(RunError::Target(format!("registering: {}", answer.class()))),
        }
        Ok(())
    });
    futures_util::future::try_join_all(registering).await.map(drop)
}

/// They are sent after the request was answered.
async fn codes(part: &Part, accounts: &[Account]) -> Result<Vec<String>, RunError> {
    loop {
        let request = part.run.http.request(reqwest::Method::GET, &part.run.targets[0], "/demo/inbox", None);
        let page = request.send().await.map_err(|error| RunError::Target(error.to_string()))?;
        if page.status() == 404 {
            let what = "auth registers people through the demo's inbox; elsewhere name a file: --set credentials=FILE";
            return Err(RunError::Usage(what.into()));
        }
        let page = page.text().await.map_err(|error| RunError::Target(error.to_string()))?;
        let found: Option<Vec<String>> = accounts.iter().map(|account| code(&page, &account.phone)).collect();
        if let Some(codes) = found {
            return Ok(codes);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The newest message to this number is the first on the page or the last: a number that has two is asked again by nobody.
fn code(page: &str, phone: &str) -> Option<String> {
    let text = page.split(&format!("{phone}</td><td>")).nth(1)?.split("</td>").next()?;
    text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 6).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_read_beside_its_number() {
        let row = |phone: &str, text: &str| format!("<tr><td>10:00:00</td><td data-phone=\"{phone}\">{phone}</td><td>{text}</td></tr>");
        let page = row("13800000001", "验证码 123456，5 分钟内有效") + &row("13800000002", "验证码 654321，5 分钟内有效");
        assert_eq!(code(&page, "13800000002").as_deref(), Some("654321"));
        assert_eq!(code(&page, "13800000003"), None);
    }

    #[test]
    fn a_session_is_with_one_task_at_a_time() {
        let mut dice = Seeded::new(1, "accounts");
        let account = invented(&mut dice);
        assert_eq!((account.phone.len(), invented(&mut Seeded::new(1, "accounts")).phone), (11, account.phone.clone()));
        let session = |access: &str, expires_at_ms| Session { access: access.into(), refresh: None, expires_at_ms };
        account.keep(session("over", 0));
        account.keep(session("good", i64::MAX));
        assert_eq!(account.take().map(|session| session.access).as_deref(), Some("good"));
        assert!(account.take().is_none());
        assert!(of_lines("{\"phone\": \"1\", \"pass\": \"2\"}", &mut dice).is_err());
    }
}
