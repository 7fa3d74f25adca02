//! Opening a session and issuing its tokens. A refresh token is 32 random bytes, kept as a keyed hash, good for one use.

use super::{
    model::{Device, Session},
    people,
    queries::AccountRow,
};
use crate::{
    db::{DbError, Tx},
    http::{Fields, Problem},
    keys::Lookup,
    sql,
    state::App,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chat::{
    ids::{Role, SessionId, Timestamp, UserId},
    token::AccessClaims,
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// How long a session lives (D.13): remembered patients slide for 30 days; staff, and patients on a device that is not to be
/// remembered, are idle for 30 minutes at most and stay 8 hours (ACC-13).
pub(super) fn lifetime(app: &App, role: Role, remember: bool, now: Timestamp) -> (Timestamp, Option<Timestamp>) {
    let settings = &app.config.accounts;
    match role {
        Role::Patient if remember => (now.plus_ms(settings.patient_session_days * DAY_MS), None),
        _ => (now.plus_ms(settings.staff_idle_s * 1000), Some(now.plus_ms(settings.staff_absolute_s * 1000))),
    }
}

/// Opens a session for somebody who has proved who he is. The device becomes known.
pub(super) async fn open_session(app: &App, account: &AccountRow, device: &Device, remember: bool) -> Result<Session, Problem> {
    let mut fields = Fields::default();
    fields.length(&device.label, 1..=80, "device.label");
    fields.finish()?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let session = insert_session(app, &mut tx, (account.id, account.role), device, remember).await?;
    tx.run(sql!(
        "INSERT INTO devices (user_id, device_id, first_seen_at) VALUES ($1, $2, $3) ON CONFLICT (user_id, device_id) DO NOTHING",
        account.id,
        device.id,
        now
    ))
    .await?;
    // Without `remember` nothing that outlives a few minutes is given out; a page that stays open renews by its access token.
    let refresh_token = if remember { Some(issue_refresh(app, &mut tx, session).await?) } else { None };
    app.commit(tx).await?;
    answer(app, account, session, refresh_token).await
}

/// What a session is used with.
pub struct Tokens {
    pub session: SessionId,
    pub access_token: String,
    pub access_expires_at: Timestamp,
    pub refresh_token: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(***)")
    }
}

/// A remembered session of somebody who has proved nothing, by the rules of everybody's. For tools of the demo: never behind a route
/// that people reach.
pub(crate) async fn open_session_unproven(app: &App, tx: &mut Tx, user: UserId, role: Role) -> Result<Tokens, Problem> {
    let device = Device { id: app.entropy.id(app.clock.now()), label: "load".into() };
    let session = insert_session(app, tx, (user, role), &device, true).await?;
    let refresh_token = issue_refresh(app, tx, session).await?;
    let (access_token, access_expires_at) = access_token(app, user, role, session)?;
    Ok(Tokens { session, access_token, access_expires_at, refresh_token })
}

async fn insert_session(
    app: &App,
    tx: &mut Tx,
    (user, role): (UserId, Role),
    device: &Device,
    remember: bool,
) -> Result<SessionId, DbError> {
    let now = app.clock.now();
    let session: SessionId = app.entropy.id(now);
    let (idle_until, absolute_until) = lifetime(app, role, remember, now);
    tx.run(sql!(
        "INSERT INTO sessions (id, user_id, tenant_id, device_id, device_label, remember, created_at, last_seen_at, idle_until, absolute_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)",
        session, user, app.tenant, device.id, device.label.trim(), remember, now, idle_until, absolute_until
    ))
    .await?;
    Ok(session)
}

pub(super) async fn issue_refresh(app: &App, tx: &mut Tx, session: SessionId) -> Result<String, DbError> {
    let token = URL_SAFE_NO_PAD.encode(app.entropy.bytes::<32>());
    tx.run(sql!(
        "INSERT INTO refresh_tokens (token_hash, session_id, issued_at) VALUES ($1, $2, $3)",
        refresh_hash(app, &token),
        session,
        app.clock.now()
    ))
    .await?;
    Ok(token)
}

pub(super) fn refresh_hash(app: &App, token: &str) -> [u8; 32] {
    app.keys.lookup(Lookup::RefreshToken, token)
}

pub(super) async fn answer(app: &App, account: &AccountRow, session: SessionId, refresh_token: Option<String>) -> Result<Session, Problem> {
    let (access_token, access_expires_at) = access_token(app, account.id, account.role, session)?;
    Ok(Session { access_token, access_expires_at, refresh_token, session_id: session, user: people::me(app, account).await? })
}

fn access_token(app: &App, user: UserId, role: Role, session: SessionId) -> Result<(String, Timestamp), Problem> {
    let issued_at = app.clock.now();
    let expires_at = issued_at.plus_ms(app.config.accounts.access_token_ttl_s * 1000);
    let claims = AccessClaims { user, session, tenant: app.tenant, role, issued_at, expires_at };
    Ok((app.tokens.mint(&claims).map_err(|error| Problem::internal(&error))?, expires_at))
}
