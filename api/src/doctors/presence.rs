//! Who can be reached right now: has a socket and it is his opening time. Asked at every request, never stored.

use super::{hours, model::DoctorId, queries};
use crate::{db::DbError, state::App};
use chat::ids::UserId;
use std::collections::HashSet;

/// The doctors who are open at this moment; with the hub it answers for any of them.
pub(crate) struct Presence<'a> {
    app: &'a App,
    open: HashSet<DoctorId>,
}

impl Presence<'_> {
    pub fn is_online(&self, doctor: DoctorId, user: UserId) -> bool {
        self.open.contains(&doctor) && self.app.hub.is_online(user)
    }
}

pub(crate) async fn online_now(app: &App) -> Result<Presence<'_>, DbError> {
    let (weekday, minute) = hours::wall_clock(app.clock.now());
    Ok(Presence { app, open: queries::open_at(app, weekday, minute).await?.into_iter().collect() })
}
