//! Signing in: patients by password (ACC-06) or SMS code (ACC-08), doctors and staff at a door of their own (ACC-14).
//!
//! Every refusal of a password reads `credentials_wrong` and takes as long as a check of one.

use super::{
    lockout::Attempt,
    model::{Device, Phone, Session},
    queries::{self, AccountRow},
    sms_codes::{self, Purpose},
    tokens,
};
use crate::{
    http::{Code, Fields, Json, Problem},
    state::App,
};
use axum::extract::State;
use chat::ids::Role;
use serde::Deserialize;
use utoipa::ToSchema;

const INVALID_CREDENTIALS: Code = Code::new(401, "credentials_wrong", "账号或密码错误");
const ACCOUNT_NAME_CHARS_MAX: usize = 64;

#[derive(Deserialize, ToSchema)]
pub(super) struct PasswordLogin {
    phone: String,
    password: String,
    device: Device,
    /// Stay signed in on this device (ACC-12).
    #[serde(default)]
    remember: bool,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct SmsLogin {
    phone: String,
    code: String,
    device: Device,
    #[serde(default)]
    remember: bool,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct StaffLogin {
    account: String,
    password: String,
    device: Device,
}

/// Signs a patient in by phone and password.
#[utoipa::path(
    post, path = "/api/auth/login", tag = "accounts", request_body = PasswordLogin,
    responses((status = 200, body = Session), (status = 401, body = crate::http::ProblemBody, description = "`credentials_wrong`"),
        (status = 429, body = crate::http::ProblemBody, description = "`sign_in_locked`"))
)]
pub(super) async fn login(State(app): State<App>, Json(request): Json<PasswordLogin>) -> Result<Json<Session>, Problem> {
    let phone = Phone::of_field(&request.phone)?;
    let account = queries::find_by_phone(&app, &phone).await?.filter(|account| account.role == Role::Patient);
    let account = check_password(&app, "patient", phone.as_str(), account, &request.password, &request.device).await?;
    Ok(Json(tokens::open_session(&app, &account, &request.device, request.remember).await?))
}

/// Signs a patient in by SMS code.
#[utoipa::path(
    post, path = "/api/auth/login/sms", tag = "accounts", request_body = SmsLogin,
    responses((status = 200, body = Session), (status = 422, body = crate::http::ProblemBody, description = "`invalid_code`"),
        (status = 401, body = crate::http::ProblemBody, description = "`credentials_wrong`: the right code, and nobody to sign in"))
)]
pub(super) async fn login_by_sms(State(app): State<App>, Json(request): Json<SmsLogin>) -> Result<Json<Session>, Problem> {
    let phone = Phone::of_field(&request.phone)?;
    sms_codes::redeem(&app, &phone, Purpose::Login, &request.code).await?;
    let account = queries::find_by_phone(&app, &phone).await?;
    let account = account.filter(|account| account.role == Role::Patient && account.suspended_at.is_none()).ok_or(INVALID_CREDENTIALS)?;
    Ok(Json(tokens::open_session(&app, &account, &request.device, request.remember).await?))
}

/// Signs a doctor or a member of staff in. Patients are refused here, staff at the patients' door.
#[utoipa::path(
    post, path = "/api/auth/staff/login", tag = "accounts", request_body = StaffLogin,
    responses((status = 200, body = Session), (status = 401, body = crate::http::ProblemBody, description = "`credentials_wrong`"),
        (status = 429, body = crate::http::ProblemBody, description = "`sign_in_locked`"))
)]
pub(super) async fn login_staff(State(app): State<App>, Json(request): Json<StaffLogin>) -> Result<Json<Session>, Problem> {
    let mut fields = Fields::default();
    fields.length(&request.account, 1..=ACCOUNT_NAME_CHARS_MAX, "account");
    fields.finish()?;
    let account = queries::find_by_account_name(&app, request.account.trim()).await?;
    let account = account.filter(|account| matches!(account.role, Role::Doctor | Role::Staff));
    let account = check_password(&app, "staff", request.account.trim(), account, &request.password, &request.device).await?;
    // A refresh token always: its idle and absolute end are what bounds a shift.
    Ok(Json(tokens::open_session(&app, &account, &request.device, true).await?))
}

async fn check_password(
    app: &App,
    door: &'static str,
    subject: &str,
    account: Option<AccountRow>,
    password: &str,
    device: &Device,
) -> Result<AccountRow, Problem> {
    let attempt = Attempt::begin(app, door, subject, account.as_ref().map(|account| account.id), device.id).await?;
    let stored = account.as_ref().and_then(|account| account.password_hash.clone());
    let fits = app.passwords.verify(password, stored).await?;
    match account.filter(|account| fits && account.suspended_at.is_none()) {
        Some(account) => {
            attempt.succeeded(app).await?;
            Ok(account)
        }
        None => {
            attempt.failed(app).await?;
            Err(INVALID_CREDENTIALS.into())
        }
    }
}
