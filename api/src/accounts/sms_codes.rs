//! SMS codes (ACC-01, 08, 10, 11): 6 digits, short-lived, few tries, kept as keyed hashes, limited per number and per address.
//!
//! Asking is answered the same for known and unknown numbers; a code for signing in goes out only to a registered one.

use super::{model::Phone, queries, sms::SmsMessage};
use crate::{
    db::{DbError, Tx},
    http::{Code, Json, Peer, Problem},
    keys::{Lookup, Place},
    outbox::{self, HandlerError, Message},
    row, sql,
    state::App,
    text_enum,
};
use chat::ids::Timestamp;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const TOPIC: &str = "accounts.sms";
const SMS_TOO_SOON: Code = Code::temporary(429, "sms_too_soon", "验证码发送过于频繁，请稍后再试");
/// Wrong, expired, used up, never sent: one answer.
const INVALID_CODE: Code = Code::new(422, "invalid_code", "验证码错误或已过期");
const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;

text_enum! {
    pub enum Purpose { Register = "register", Login = "login" }
}

#[derive(Deserialize, ToSchema)]
pub(super) struct CodeRequest {
    /// Mainland mobile number, 11 digits.
    #[schema(pattern = "^1[3-9][0-9]{9}$")]
    phone: String,
    purpose: Purpose,
}

#[derive(Serialize, ToSchema)]
pub(super) struct CodeRequested {
    resend_after_s: i64,
    expires_in_s: i64,
}

/// What the outbox carries, sealed: a number and a code must not lie in a table.
#[derive(Serialize, Deserialize)]
struct Outgoing {
    sealed: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Plain {
    phone: Phone,
    code: String,
    minutes: i64,
}

/// Asks for an SMS code.
///
/// The answer does not tell whether the number is registered; a code for signing in is sent only to one that is. It is sent after the answer.
#[utoipa::path(
    post, path = "/api/auth/sms-codes", tag = "accounts", request_body = CodeRequest,
    responses((status = 202, body = CodeRequested), (status = 429, body = crate::http::ProblemBody, description = "`sms_too_soon`"))
)]
pub(super) async fn request_code(
    axum::extract::State(app): axum::extract::State<App>,
    peer: Peer,
    Json(request): Json<CodeRequest>,
) -> Result<(StatusCode, Json<CodeRequested>), Problem> {
    let phone = Phone::of_field(&request.phone)?;
    let registered = queries::find_by_phone(&app, &phone).await?.is_some();
    let mut tx = app.db.begin().await?;
    let id = insert(&app, &mut tx, &phone, request.purpose, peer, registered).await?;
    tracing::debug!(code = %id, "accounts.sms_code_requested");
    app.commit(tx).await?;
    let settings = &app.config.accounts;
    let answer = CodeRequested { resend_after_s: settings.sms_resend_after_s, expires_in_s: settings.sms_code_ttl_s };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

async fn insert(app: &App, tx: &mut Tx, phone: &Phone, purpose: Purpose, peer: Peer, registered: bool) -> Result<Uuid, Problem> {
    let (now, settings) = (app.clock.now(), &app.config.accounts);
    let phone_hash = queries::phone_hash(app, phone);
    let peer_hash = app.keys.lookup(Lookup::Peer, &peer.0.to_string());
    check_limits(app, tx, &phone_hash, &peer_hash, now).await?;
    let id = app.entropy.uuid(now);
    let code = format!("{:06}", app.entropy.up_to(999_999));
    tx.run(sql!(
        "UPDATE sms_codes SET closed_at = $1 WHERE phone_hash = $2 AND purpose = $3 AND closed_at IS NULL",
        now,
        phone_hash,
        purpose
    ))
    .await?;
    tx.run(sql!(
        "INSERT INTO sms_codes (id, phone_hash, purpose, code_hash, peer_hash, sent_at, expires_at, tries) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
        id, phone_hash, purpose, code_hash(app, id, &code), peer_hash, now, now.plus_ms(settings.sms_code_ttl_s * 1000)
    ))
    .await?;
    let wanted = registered || purpose == Purpose::Register;
    if wanted {
        let plain = Plain { phone: phone.clone(), code, minutes: settings.sms_code_ttl_s / 60 };
        let json = serde_json::to_vec(&plain).map_err(DbError::from)?;
        let sealed = app.keys.tenant(app.tenant).await?.seal(&app.entropy, place(id), &json);
        outbox::enqueue(app, tx, TOPIC, id, &Outgoing { sealed }).await?;
    }
    Ok(id)
}

row! { struct Sent { last_hour: i64, last_day: i64, newest: Option<Timestamp>, oldest_in_hour: Option<Timestamp>, oldest_in_day: Option<Timestamp> } }

/// One a minute, five an hour, ten a day for a number (ACC-10, D.13); and a bound for one address over all numbers.
async fn check_limits(app: &App, tx: &mut Tx, phone_hash: &[u8], peer_hash: &[u8], now: Timestamp) -> Result<(), Problem> {
    let settings = &app.config.accounts;
    let sent: Sent = tx
        .one(sql!(
            "SELECT CAST(COALESCE(SUM(CASE WHEN sent_at > $2 THEN 1 ELSE 0 END), 0) AS BIGINT) AS last_hour, COUNT(*) AS last_day,
                    MAX(sent_at) AS newest, MIN(CASE WHEN sent_at > $2 THEN sent_at END) AS oldest_in_hour, MIN(sent_at) AS oldest_in_day
             FROM sms_codes WHERE phone_hash = $1 AND sent_at > $3",
            phone_hash,
            now.plus_ms(-HOUR_MS),
            now.plus_ms(-DAY_MS)
        ))
        .await?;
    let from_peer: Option<i64> =
        tx.scalar(sql!("SELECT COUNT(*) FROM sms_codes WHERE peer_hash = $1 AND sent_at > $2", peer_hash, now.plus_ms(-HOUR_MS))).await?;
    let until = |from: Option<Timestamp>, ms: i64| from.map_or(0, |from| from.plus_ms(ms).since_ms(now));
    let resend = until(sent.newest, settings.sms_resend_after_s * 1000);
    let wait_ms = if resend > 0 {
        resend
    } else if sent.last_hour >= settings.sms_per_hour_max {
        until(sent.oldest_in_hour, HOUR_MS)
    } else if sent.last_day >= settings.sms_per_day_max {
        until(sent.oldest_in_day, DAY_MS)
    } else if from_peer.unwrap_or(0) >= settings.sms_per_peer_hour_max {
        HOUR_MS
    } else {
        return Ok(());
    };
    Err(Problem::new(SMS_TOO_SOON).retry_after_ms(wait_ms))
}

row! { struct Open { id: Uuid, code_hash: Vec<u8>, tries: i64 } }

/// Uses a code up. A wrong try is counted and committed by itself, whatever the caller does with his transaction.
pub(super) async fn redeem(app: &App, phone: &Phone, purpose: Purpose, code: &str) -> Result<(), Problem> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let open: Option<Open> = tx
        .first(sql!(
            "SELECT id, code_hash, tries FROM sms_codes
             WHERE phone_hash = $1 AND purpose = $2 AND closed_at IS NULL AND expires_at > $3 ORDER BY sent_at DESC LIMIT 1",
            queries::phone_hash(app, phone),
            purpose,
            now
        ))
        .await?;
    let Some(open) = open else { return Err(INVALID_CODE.into()) };
    let right = subtle::ConstantTimeEq::ct_eq(open.code_hash.as_slice(), code_hash(app, open.id, code).as_slice()).into();
    let exhausted = open.tries + 1 >= app.config.accounts.sms_code_tries_max;
    let closed_at = (right || exhausted).then_some(now);
    // Compare-and-set on the tries: two submissions at once cannot share one try.
    let counted = tx
        .run_one(sql!(
            "UPDATE sms_codes SET tries = tries + 1, closed_at = $1 WHERE id = $2 AND tries = $3 AND closed_at IS NULL",
            closed_at,
            open.id,
            open.tries
        ))
        .await?;
    tx.commit().await?;
    if right && counted { Ok(()) } else { Err(INVALID_CODE.into()) }
}

/// Hands the message to the provider.
pub(super) async fn send(app: App, message: Message) -> Result<(), HandlerError> {
    let outgoing: Outgoing = message.payload()?;
    let json = app.keys.tenant(app.tenant).await?.open(place(message.key), &outgoing.sealed)?;
    let plain: Plain = serde_json::from_slice(&json).map_err(|error| HandlerError::permanent(&error))?;
    let text = format!("【问诊】您的验证码为 {}，{} 分钟内有效。请勿告知他人。", plain.code, plain.minutes);
    app.sms.send(SmsMessage { phone: plain.phone, text, sent_at: app.clock.now() }).await
}

fn code_hash(app: &App, id: Uuid, code: &str) -> [u8; 32] {
    app.keys.lookup(Lookup::SmsCode, &format!("{id}:{code}"))
}

fn place(id: Uuid) -> Place {
    Place { table: "outbox", column: "payload", row: id }
}
