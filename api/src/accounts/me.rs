//! One's own account: read it, change name, sex and birth date (ACC-20, 21), change the password (ACC-24).

use super::{
    model::{Me, Sex},
    people,
    queries::{self, place},
    revocation,
};
use crate::{
    authz::Actor,
    http::{Code, Fields, Json, Problem},
    sql,
    state::App,
};
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use time::{Date, macros::format_description};
use utoipa::ToSchema;

const WRONG_PASSWORD: Code = Code::new(422, "wrong_password", "原密码错误");

/// Absent fields stay as they are.
#[derive(Deserialize, ToSchema)]
pub(super) struct MeChange {
    #[schema(min_length = 1, max_length = 40)]
    name: Option<String>,
    sex: Option<Sex>,
    /// `1987-05-31`.
    birth_date: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct PasswordChange {
    old_password: String,
    new_password: String,
}

/// One's own account.
#[utoipa::path(get, path = "/api/me", tag = "accounts", responses((status = 200, body = Me)))]
pub(super) async fn get(State(app): State<App>, actor: Actor) -> Result<Json<Me>, Problem> {
    let account = queries::find_by_id_unscoped(&app, actor.user).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(people::me(&app, &account).await?))
}

/// Changes name, sex or date of birth.
#[utoipa::path(patch, path = "/api/me", tag = "accounts", request_body = MeChange, responses((status = 200, body = Me)))]
pub(super) async fn change(State(app): State<App>, actor: Actor, Json(request): Json<MeChange>) -> Result<Json<Me>, Problem> {
    let mut fields = Fields::default();
    if let Some(name) = &request.name {
        fields.length(name, 1..=40, "name");
    }
    if let Some(date) = &request.birth_date {
        let valid = Date::parse(date, format_description!("[year]-[month]-[day]")).is_ok();
        fields.check(valid, "birth_date", "invalid_date", "应为有效日期，如 1987-05-31");
    }
    fields.finish()?;
    let key = app.keys.person(actor.user).await?;
    let seal = |column, text: Option<&str>| text.map(|text| key.seal(&app.entropy, place(column, actor.user), text.trim().as_bytes()));
    let mut tx = app.db.begin().await?;
    tx.run(sql!(
        "UPDATE accounts SET name_sealed = COALESCE($1, name_sealed), sex = COALESCE($2, sex),
                birth_date_sealed = COALESCE($3, birth_date_sealed)
         WHERE id = $4",
        seal("name", request.name.as_deref()),
        request.sex,
        seal("birth_date", request.birth_date.as_deref()),
        actor.user
    ))
    .await?;
    app.commit(tx).await?;
    get(State(app), actor).await
}

/// Changes the password; every other session of the person ends.
#[utoipa::path(
    post, path = "/api/me/password", tag = "accounts", request_body = PasswordChange,
    responses((status = 204), (status = 422, body = crate::http::ProblemBody, description = "`wrong_password`, `invalid_field`"))
)]
pub(super) async fn change_password(
    State(app): State<App>,
    actor: Actor,
    Json(request): Json<PasswordChange>,
) -> Result<StatusCode, Problem> {
    app.passwords.check_new(&request.new_password, "new_password")?;
    let account = queries::find_by_id_unscoped(&app, actor.user).await?.ok_or_else(Problem::not_found)?;
    if !app.passwords.verify(&request.old_password, account.password_hash.clone()).await? {
        return Err(WRONG_PASSWORD.into());
    }
    let fresh = app.passwords.hash(&app.entropy, &request.new_password).await?;
    let mut tx = app.db.begin().await?;
    // The old hash in the condition: of two changes at once only one was made by somebody who knew the current password.
    let changed = tx
        .run_one(sql!(
            "UPDATE accounts SET password_hash = $1 WHERE id = $2 AND password_hash = $3",
            fresh,
            actor.user,
            account.password_hash
        ))
        .await?;
    if !changed {
        return Err(WRONG_PASSWORD.into());
    }
    let others = revocation::revoke_others(&app, &mut tx, &actor, "password_changed").await?;
    app.commit(tx).await?;
    revocation::announce(&app, &others);
    Ok(StatusCode::NO_CONTENT)
}
