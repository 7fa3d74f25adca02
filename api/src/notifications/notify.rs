//! Telling somebody something, in the transaction of what it is about; the hint over the socket goes through the outbox.

use super::model::Category;
use crate::{
    db::Tx,
    http::Problem,
    keys::Place,
    outbox::{self, HandlerError, Message},
    sql,
    state::App,
};
use chat::ids::UserId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(super) const TOPIC: &str = "notifications.created";

/// One message to one person.
pub(crate) struct New<'a> {
    pub user: UserId,
    pub category: Category,
    pub title: &'static str,
    /// May name people: it is sealed.
    pub text: &'a str,
    /// What it is about: `("consultation", id)`.
    pub link: Option<(&'static str, Uuid)>,
}

#[derive(Serialize, Deserialize)]
struct Created {
    user: UserId,
}

pub(crate) async fn notify(app: &App, tx: &mut Tx, new: New<'_>) -> Result<(), Problem> {
    let now = app.clock.now();
    let id = app.entropy.uuid(now);
    let sealed = app.keys.person(new.user).await?.seal(&app.entropy, place(id), new.text.trim().as_bytes());
    tx.run(sql!(
        "INSERT INTO notifications (id, user_id, category, title, text_sealed, link_object, link_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        id,
        new.user,
        new.category,
        new.title,
        sealed,
        new.link.map(|link| link.0),
        new.link.map(|link| link.1),
        now
    ))
    .await?;
    outbox::enqueue(app, tx, TOPIC, id, &Created { user: new.user }).await?;
    Ok(())
}

pub(super) fn place(id: Uuid) -> Place {
    Place { table: "notifications", column: "text", row: id }
}

/// A hint only: whoever is away finds it in his list.
pub(super) async fn announce(app: App, message: Message) -> Result<(), HandlerError> {
    let created: Created = message.payload()?;
    app.tell_changed(created.user, "notification", message.key);
    Ok(())
}
