//! SQL of accounts.

use super::{
    model::{NewAccount, Phone, Sex},
    staff,
};
use crate::{
    db::{DbError, Tx},
    http::Problem,
    keys::{Lookup, Place},
    row, sql,
    state::App,
};
use chat::ids::{Role, Timestamp, UserId};

row! {
    pub(super) struct AccountRow {
        pub id: UserId,
        pub role: Role,
        pub account_name: Option<String>,
        pub phone_sealed: Option<Vec<u8>>,
        pub name_sealed: Option<Vec<u8>>,
        pub sex: Option<Sex>,
        pub birth_date_sealed: Option<Vec<u8>>,
        pub password_hash: Option<String>,
        pub avatar_url: Option<String>,
        pub suspended_at: Option<Timestamp>,
    }
}

pub(super) fn place(column: &'static str, user: UserId) -> Place {
    Place { table: "accounts", column, row: user.0 }
}

/// Inserts an account and its functions; false when the phone or the account name is taken.
pub async fn insert_account(app: &App, tx: &mut Tx, new: &NewAccount) -> Result<bool, Problem> {
    let key = app.keys.person(new.id).await?;
    let seal = |column, text: &Option<String>| text.as_ref().map(|text| key.seal(&app.entropy, place(column, new.id), text.as_bytes()));
    let phone = new.phone.as_ref().map(|phone| phone.as_str().to_owned());
    let phone_hash = new.phone.as_ref().map(|phone| phone_hash(app, phone).to_vec());
    let inserted = tx
        .run_one(sql!(
            "INSERT INTO accounts (id, tenant_id, role, account_name, phone_hash, phone_sealed, name_sealed, sex, birth_date_sealed,
                                   password_hash, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
            new.id,
            new.tenant,
            new.role,
            new.account_name,
            phone_hash,
            seal("phone", &phone),
            seal("name", &new.name),
            new.sex,
            seal("birth_date", &new.birth_date),
            new.password_hash,
            app.clock.now()
        ))
        .await?;
    if inserted {
        for function in &new.functions {
            staff::grant(tx, new.id, *function).await?;
        }
    }
    Ok(inserted)
}

pub(super) fn phone_hash(app: &App, phone: &Phone) -> [u8; 32] {
    app.keys.lookup(Lookup::Phone, phone.as_str())
}

pub(super) async fn find_by_phone(app: &App, phone: &Phone) -> Result<Option<AccountRow>, DbError> {
    app.db
        .first(sql!(
            "SELECT id, role, account_name, phone_sealed, name_sealed, sex, birth_date_sealed, password_hash, avatar_url, suspended_at
             FROM accounts WHERE tenant_id = $1 AND phone_hash = $2",
            app.tenant,
            phone_hash(app, phone)
        ))
        .await
}

pub(super) async fn find_by_account_name(app: &App, account_name: &str) -> Result<Option<AccountRow>, DbError> {
    app.db
        .first(sql!(
            "SELECT id, role, account_name, phone_sealed, name_sealed, sex, birth_date_sealed, password_hash, avatar_url, suspended_at
             FROM accounts WHERE tenant_id = $1 AND account_name = $2",
            app.tenant,
            account_name
        ))
        .await
}

pub(super) async fn find_by_id_unscoped(app: &App, user: UserId) -> Result<Option<AccountRow>, DbError> {
    app.db
        .first(sql!(
            "SELECT id, role, account_name, phone_sealed, name_sealed, sex, birth_date_sealed, password_hash, avatar_url, suspended_at
             FROM accounts WHERE id = $1",
            user
        ))
        .await
}

row! { struct FunctionRow { staff_function: String } }

pub(super) async fn functions_of(app: &App, user: UserId) -> Result<Vec<String>, DbError> {
    let rows: Vec<FunctionRow> =
        app.db.all(sql!("SELECT staff_function FROM staff_functions WHERE user_id = $1 ORDER BY staff_function", user)).await?;
    Ok(rows.into_iter().map(|row| row.staff_function).collect())
}
