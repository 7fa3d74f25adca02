//! Throttle of failed sign-ins: 5 failures lock for 15 minutes (D.13), the same for subjects that do not exist.
//!
//! Devices on which the owner has signed in before count for themselves; all others count together. So a stranger
//! who fails on purpose locks out strangers only (U-05).

use crate::{
    db::DbError,
    http::{Code, Problem},
    keys::Lookup,
    row, sql,
    state::App,
};
use chat::ids::{DeviceId, Timestamp, UserId};

const LOCKED: Code = Code::temporary(429, "sign_in_locked", "登录失败次数过多，请稍后再试或使用验证码登录");

/// What one attempt is counted under.
pub(super) struct Attempt {
    subject_hash: [u8; 32],
    scope: DeviceId,
}

row! { struct Failures { failures: i64, window_until: Timestamp } }

impl Attempt {
    /// Refuses when the subject is locked for this device.
    pub(super) async fn begin(
        app: &App,
        door: &'static str,
        subject: &str,
        user: Option<UserId>,
        device: DeviceId,
    ) -> Result<Self, Problem> {
        let known = match user {
            Some(user) => is_known(app, user, device).await?,
            None => false,
        };
        let subject_hash = app.keys.lookup(Lookup::SignInSubject, &format!("{door}:{subject}"));
        let attempt = Self { subject_hash, scope: if known { device } else { DeviceId::NIL } };
        let failures: Option<Failures> = app
            .db
            .first(sql!(
                "SELECT failures, window_until FROM sign_in_failures WHERE subject_hash = $1 AND device_scope = $2",
                attempt.subject_hash,
                attempt.scope
            ))
            .await?;
        let now = app.clock.now();
        match failures {
            Some(row) if row.window_until > now && row.failures >= app.config.accounts.lockout_failures => {
                Err(Problem::new(LOCKED).retry_after_ms(row.window_until.since_ms(now)))
            }
            _ => Ok(attempt),
        }
    }

    /// Each failure opens the window anew, so the lock lasts its full time.
    pub(super) async fn failed(&self, app: &App) -> Result<(), DbError> {
        let now = app.clock.now();
        let until = now.plus_ms(app.config.accounts.lockout_s * 1000);
        let mut tx = app.db.begin().await?;
        tx.run(sql!(
            "INSERT INTO sign_in_failures (subject_hash, device_scope, failures, window_until) VALUES ($1, $2, 1, $3)
             ON CONFLICT (subject_hash, device_scope) DO UPDATE SET
                 failures = CASE WHEN sign_in_failures.window_until > $4 THEN sign_in_failures.failures + 1 ELSE 1 END,
                 window_until = excluded.window_until",
            self.subject_hash,
            self.scope,
            until,
            now
        ))
        .await?;
        tx.commit().await
    }

    pub(super) async fn succeeded(&self, app: &App) -> Result<(), DbError> {
        let mut tx = app.db.begin().await?;
        tx.run(sql!("DELETE FROM sign_in_failures WHERE subject_hash = $1 AND device_scope = $2", self.subject_hash, self.scope)).await?;
        tx.commit().await
    }
}

async fn is_known(app: &App, user: UserId, device: DeviceId) -> Result<bool, DbError> {
    let found: Option<i64> =
        app.db.scalar(sql!("SELECT COUNT(*) FROM devices WHERE user_id = $1 AND device_id = $2", user, device)).await?;
    Ok(found == Some(1))
}
