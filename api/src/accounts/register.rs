//! Registering a patient (ACC-01, ACC-11): a valid SMS code, then an account and a session.

use super::{
    model::{Device, NewAccount, Phone, Session},
    queries,
    sms_codes::{self, Purpose},
    tokens,
};
use crate::{
    http::{Code, Fields, Json, Problem},
    state::App,
};
use axum::extract::State;
use chat::ids::{Role, UserId};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

/// Only whoever holds the phone learns this: the code is checked first.
const ALREADY_REGISTERED: Code = Code::new(409, "already_registered", "该手机号已注册，请直接登录");

#[derive(Deserialize, ToSchema)]
pub(super) struct Registration {
    phone: String,
    code: String,
    password: String,
    #[schema(min_length = 1, max_length = 40)]
    name: Option<String>,
    device: Device,
}

/// Registers a patient and signs him in.
#[utoipa::path(
    post, path = "/api/auth/register", tag = "accounts", request_body = Registration,
    responses((status = 201, body = Session), (status = 409, body = crate::http::ProblemBody, description = "`already_registered`"),
        (status = 422, body = crate::http::ProblemBody, description = "`invalid_code`, `invalid_field`"))
)]
pub(super) async fn register(State(app): State<App>, Json(request): Json<Registration>) -> Result<(StatusCode, Json<Session>), Problem> {
    let phone = Phone::of_field(&request.phone)?;
    app.passwords.check_new(&request.password, "password")?;
    let mut fields = Fields::default();
    if let Some(name) = &request.name {
        fields.length(name, 1..=40, "name");
    }
    fields.finish()?;
    sms_codes::redeem(&app, &phone, Purpose::Register, &request.code).await?;
    let password_hash = app.passwords.hash(&app.entropy, &request.password).await?;
    let user: UserId = app.entropy.id(app.clock.now());
    let new = NewAccount {
        id: user,
        tenant: app.tenant,
        role: Role::Patient,
        account_name: None,
        phone: Some(phone),
        name: request.name.map(|name| name.trim().to_owned()),
        sex: None,
        birth_date: None,
        password_hash: Some(password_hash),
        functions: Vec::new(),
    };
    let mut tx = app.db.begin().await?;
    if !queries::insert_account(&app, &mut tx, &new).await? {
        return Err(ALREADY_REGISTERED.into());
    }
    app.commit(tx).await?;
    let account = queries::find_by_id_unscoped(&app, user).await?.ok_or_else(Problem::not_found)?;
    Ok((StatusCode::CREATED, Json(tokens::open_session(&app, &account, &request.device, true).await?)))
}
