//! Who somebody is, for the slices that show him: names are opened here and nowhere else.

use super::{
    model::{Me, Phone, Sex},
    queries::{self, AccountRow, place},
};
use crate::{http::Problem, keys::SecretKey, state::App};
use chat::ids::UserId;

/// A person as his doctor or patient sees him.
#[derive(Clone)]
pub struct Person {
    pub id: UserId,
    pub name: Option<String>,
    pub sex: Option<Sex>,
    /// `1987-05-31`.
    pub birth_date: Option<String>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({} ***)", self.id)
    }
}

/// For slices that have checked that the reader may know: not scoped to an actor.
pub async fn find_person_unscoped(app: &App, user: UserId) -> Result<Option<Person>, Problem> {
    let Some(row) = queries::find_by_id_unscoped(app, user).await? else { return Ok(None) };
    let opened = Opened::of(app, &row).await?;
    Ok(Some(Person { id: row.id, name: opened.name, sex: row.sex, birth_date: opened.birth_date }))
}

pub(super) async fn me(app: &App, row: &AccountRow) -> Result<Me, Problem> {
    let opened = Opened::of(app, row).await?;
    Ok(Me {
        id: row.id,
        role: row.role,
        name: opened.name,
        phone_masked: opened.phone.as_deref().and_then(Phone::parse).map(|phone| phone.masked()),
        account: row.account_name.clone(),
        sex: row.sex,
        birth_date: opened.birth_date,
        avatar_url: row.avatar_url.clone(),
        roles: queries::functions_of(app, row.id).await?,
    })
}

struct Opened {
    name: Option<String>,
    phone: Option<String>,
    birth_date: Option<String>,
}

impl Opened {
    async fn of(app: &App, row: &AccountRow) -> Result<Self, Problem> {
        let key = app.keys.person(row.id).await?;
        Ok(Self {
            name: open(&key, "name", row.id, row.name_sealed.as_deref())?,
            phone: open(&key, "phone", row.id, row.phone_sealed.as_deref())?,
            birth_date: open(&key, "birth_date", row.id, row.birth_date_sealed.as_deref())?,
        })
    }
}

fn open(key: &SecretKey, column: &'static str, user: UserId, sealed: Option<&[u8]>) -> Result<Option<String>, Problem> {
    Ok(sealed.map(|sealed| key.open_text(place(column, user), sealed)).transpose()?)
}
