//! `watch_presence`: replaces the watch list and answers with how things stand.

use super::Refused;
use crate::connection::{Link, validate::Invalid};
use crate::errors::Code;
use crate::hub::Hub;
use crate::ids::UserId;
use crate::limits::wire_limits::{HEADS_MAX, WATCHED_USERS_MAX};
use crate::presence;
use crate::wire::WatchPresence;
use std::collections::HashSet;
use std::sync::Arc;

pub(super) async fn watch(hub: Arc<Hub>, link: Arc<Link>, watch: WatchPresence) {
    if let Err(refused) = replace(&hub, &link, &watch).await {
        link.refuse(&hub, refused, "", "");
    }
}

async fn replace(hub: &Hub, link: &Arc<Link>, watch: &WatchPresence) -> Result<(), Refused> {
    if watch.users.len() > WATCHED_USERS_MAX {
        return Err(Refused { message: "users: 200 at most", ..Code::TooMany.into() });
    }
    let parsed: Result<HashSet<UserId>, _> = watch.users.iter().map(|user| user.parse()).collect();
    let users = parsed.map_err(|_| Invalid::field("users: UUIDs are expected"))?;
    let acquainted = if users.is_empty() { HashSet::new() } else { acquaintances(hub, link.user).await? };
    hub.presence.unwatch(link.id, &link.replace_watched(users.iter().copied().collect()));
    // Watch before looking: a change in between is told twice rather than not at all.
    for user in &users {
        hub.presence.watch(link, *user, acquainted.contains(user));
    }
    for user in users {
        let shown = hub.is_shown_online(user, acquainted.contains(&user));
        link.reply(hub, &presence::event(user, shown));
    }
    Ok(())
}

/// People of the conversations that this person is in now.
async fn acquaintances(hub: &Hub, user: UserId) -> Result<HashSet<UserId>, Refused> {
    let heads = hub.log.conversations_of(user, HEADS_MAX).await?;
    let mine = heads.iter().filter(|head| head.members.iter().any(|member| member.user == user && member.left_at.is_none()));
    Ok(mine.flat_map(|head| head.members.iter().map(|member| member.user)).collect())
}
