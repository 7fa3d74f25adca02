//! Who takes part: lines of `wenzhen admin mint-tokens`, and their sessions over a run that outlives a token.

use crate::clock::unix_ms;
use crate::connect::{Http, Target};
use serde::Deserialize;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A token is renewed when this part of its life is over: two minutes before the end of ten.
const RENEW_AFTER: f64 = 0.8;

/// Where a token cannot be renewed there is nothing to wait for.
const FOR_EVER: Duration = Duration::from_secs(30 * 24 * 3600);

#[derive(Clone)]
pub struct Person {
    pub user: String,
    pub role: Role,
    /// The conversation he speaks in.
    pub conversation: String,
    /// Which of the run's targets is his.
    pub target: usize,
    tokens: Arc<Mutex<Tokens>>,
    /// Of several devices one renews; a refresh token used twice would end the session.
    renewing: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Patient,
    Doctor,
}

#[derive(Clone, Default)]
struct Tokens {
    access: String,
    refresh: Option<String>,
    renew_at_ms: Option<i64>,
}

/// The line as it is minted; fields of newer servers are ignored.
#[derive(Deserialize)]
struct Line {
    user: String,
    role: Role,
    conversation: String,
    access_token: String,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default, alias = "access_expires_at")]
    expires_at_ms: Option<i64>,
    /// Set where people of several installations travel together, as to a worker.
    #[serde(default)]
    target: Option<usize>,
}

#[derive(Debug, thiserror::Error)]
#[error("the token file, line {line}: {reason}; make one with `wenzhen admin mint-tokens`")]
pub struct TokensError {
    line: usize,
    reason: String,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({}, {:?})", self.user, self.role)
    }
}

impl Person {
    pub fn access_token(&self) -> String {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).access.clone()
    }

    /// When his token has to be renewed; none where the line has no refresh token.
    pub fn renew_at_ms(&self) -> Option<i64> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.refresh.as_ref().and(tokens.renew_at_ms)
    }

    /// Spread over half a minute by `place`, so that people who came together do not renew together.
    pub fn until_renewal(&self, place: u32) -> Duration {
        let now = i64::try_from(unix_ms()).unwrap_or(i64::MAX);
        let left = |at: i64| Duration::from_millis(u64::try_from(at - now).unwrap_or(0) + u64::from(place) % 30_000);
        self.renew_at_ms().map_or(FOR_EVER, left)
    }

    /// The same when it is time for it; another device of his may have done it.
    pub async fn renew_if_due(&self, http: &Http, target: &Target) -> Result<(), String> {
        let now = i64::try_from(unix_ms()).unwrap_or(i64::MAX);
        if self.renew_at_ms().is_some_and(|at| at <= now) { self.renew(http, target).await } else { Ok(()) }
    }

    /// New tokens of the same session (ACC-11); a refusal is told by its class.
    pub async fn renew(&self, http: &Http, target: &Target) -> Result<(), String> {
        let before = self.access_token();
        let _turn = self.renewing.lock().await;
        if self.access_token() != before {
            return Ok(());
        }
        let refresh = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).refresh.clone().ok_or("no_refresh_token")?;
        let answer = http.post(target, "/api/auth/refresh", None, None, &serde_json::json!({ "refresh_token": refresh })).await?;
        let text = |key: &str| answer.body.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
        match (answer.is_success(), text("access_token")) {
            (true, Some(access)) => {
                let renew_at_ms = answer.body.get("access_expires_at").and_then(serde_json::Value::as_i64).map(renew_at);
                let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
                *tokens = Tokens { access, refresh: text("refresh_token").or(Some(refresh)), renew_at_ms };
                Ok(())
            }
            _ => Err(answer.class()),
        }
    }
}

fn renew_at(expires_at_ms: i64) -> i64 {
    let now = i64::try_from(unix_ms()).unwrap_or(i64::MAX);
    now + ((expires_at_ms - now) as f64 * RENEW_AFTER) as i64
}

/// Reads a token file; `-` is standard input.
pub fn read_lines(path: &Path) -> Result<Vec<String>, TokensError> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.map_err(|source| TokensError { line: 0, reason: source.to_string() })?;
    Ok(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect())
}

/// The first `users` people of the lines of each target, both sides of a conversation together.
pub fn parse(lines_by_target: &[Vec<String>], users: usize) -> Result<Vec<Person>, TokensError> {
    let mut people = Vec::new();
    let share = users.div_ceil(lines_by_target.len().max(1)).next_multiple_of(2);
    for (target, lines) in lines_by_target.iter().enumerate() {
        let wanted = share.min(users - people.len());
        if lines.len() < wanted {
            return Err(TokensError { line: lines.len(), reason: format!("{} people, {wanted} asked for", lines.len()) });
        }
        for (index, line) in lines.iter().take(wanted).enumerate() {
            let line: Line = serde_json::from_str(line).map_err(|error| TokensError { line: index + 1, reason: error.to_string() })?;
            let tokens = Tokens { access: line.access_token, refresh: line.refresh_token, renew_at_ms: line.expires_at_ms.map(renew_at) };
            let tokens = Arc::new(Mutex::new(tokens));
            let target = line.target.unwrap_or(target);
            people.push(Person {
                user: line.user,
                role: line.role,
                conversation: line.conversation,
                target,
                tokens,
                renewing: Arc::default(),
            });
        }
    }
    if people.is_empty() && users > 0 {
        return Err(TokensError { line: 0, reason: "no people in it".into() });
    }
    Ok(people)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_before_its_life_is_over_however_short_that_is() {
        let now = i64::try_from(unix_ms()).expect("this century");
        let person = |refresh: &str| {
            let line = format!(
                r#"{{"user":"u","role":"patient","conversation":"c","access_token":"t",{refresh}"expires_at_ms":{}}}"#,
                now + 20_000
            );
            parse(&[vec![line]], 1).expect("well formed").remove(0)
        };
        let at = person(r#""refresh_token":"r","#).renew_at_ms().expect("it can be renewed");
        assert!((now + 15_000..now + 17_000).contains(&at), "{} ms before the end of 20 s", now + 20_000 - at);
        assert_eq!(person("").renew_at_ms(), None);
    }
}
