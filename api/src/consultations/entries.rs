//! A conversation over HTTP: pages of entries as a member sees them, and the whole transcript (CON-15, CON-06).
//!
//! Visibility is the hub's own rule, applied here to the same entries: outside a member's interval there is a placeholder.

use super::{notice::hex, queries, stored::ConsultationId, trouble::Trouble};
use crate::{
    authz::Actor,
    http::{Fields, Json, Path, Problem, ProblemBody, Query},
    records,
    state::App,
};
use axum::extract::State;
use chat::{
    ids::{ConversationId, UserId},
    log::head::Head,
    wire,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 200;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EntriesQuery {
    /// First wanted seq; absent or 0 = the newest `limit` entries.
    from_seq: Option<u64>,
    /// 1 to 200; absent = 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Entries {
    /// `wenzhen.v1.Entry` in the canonical proto3 JSON mapping.
    #[schema(value_type = Vec<Object>)]
    entries: Vec<wire::Entry>,
    head_seq: u64,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Transcript {
    #[schema(value_type = uuid::Uuid)]
    conversation_id: ConversationId,
    #[schema(value_type = Option<uuid::Uuid>)]
    consultation_id: Option<ConsultationId>,
    head_seq: u64,
    /// Hexadecimal hash of the newest entry: where the chain of `links` ends.
    head_hash: String,
    /// `wenzhen.v1.Entry` in the canonical proto3 JSON mapping, all of them.
    #[schema(value_type = Vec<Object>)]
    entries: Vec<wire::Entry>,
    /// One for each entry: with them the chain is verified without us. The rule is in chat/PROTOCOL.md.
    links: Vec<ChainLink>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct ChainLink {
    /// Hexadecimal: the entry's header as it was hashed.
    header: String,
    /// Hexadecimal SHA-256 of the sealed body.
    sealed_hash: String,
}

/// A page of a conversation, as a member sees it.
///
/// `head_seq` is a number here (on the socket 64-bit numbers are strings). A recalled entry still comes with its body: do not show it.
#[utoipa::path(
    get, path = "/api/conversations/{id}/entries", tag = "consultations", params(("id" = uuid::Uuid, Path, description = "`Consultation.conversation_id`"), EntriesQuery),
    responses((status = 200, body = Entries), (status = 404, body = ProblemBody),
        (status = 422, body = ProblemBody, description = "`invalid_field`: `limit`"))
)]
pub(super) async fn list(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ConversationId>,
    Query(query): Query<EntriesQuery>,
) -> Result<Json<Entries>, Problem> {
    let head = membership(&app, &actor, id).await?;
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    let mut fields = Fields::default();
    fields.check((1..=LIMIT_MAX).contains(&limit), "limit", "out_of_range", "应为 1 到 200");
    fields.finish()?;
    let from = match query.from_seq.unwrap_or(0) {
        0 => head.seq.saturating_sub(limit as u64) + 1,
        from => from,
    };
    note_read(&app, &actor, &head, "entries").await?;
    let entries = page(&app, actor.user, &head, from, limit).await?;
    Ok(Json(Entries { entries, head_seq: head.seq }))
}

/// The whole conversation with the links of its hash chain.
///
/// How to verify it is said in chat/PROTOCOL.md.
#[utoipa::path(
    get, path = "/api/conversations/{id}/transcript", tag = "consultations", params(("id" = uuid::Uuid, Path, description = "`Consultation.conversation_id`")),
    responses((status = 200, body = Transcript), (status = 404, body = crate::http::ProblemBody))
)]
pub(super) async fn transcript(State(app): State<App>, actor: Actor, Path(id): Path<ConversationId>) -> Result<Json<Transcript>, Problem> {
    let head = membership(&app, &actor, id).await?;
    let consultation = queries::of_conversation_unscoped(&app.db, id).await?;
    note_read(&app, &actor, &head, "transcript").await?;
    let mut entries = Vec::new();
    while (entries.len() as u64) < head.seq {
        let more = page(&app, actor.user, &head, entries.len() as u64 + 1, LIMIT_MAX).await?;
        if more.is_empty() {
            break;
        }
        entries.extend(more);
    }
    entries.truncate(usize::try_from(head.seq).unwrap_or(usize::MAX));
    let links = app.log.links(id, 1, entries.len()).await.map_err(Trouble::from)?;
    let links = links.iter().map(|link| ChainLink { header: hex(&link.header), sealed_hash: hex(&link.sealed_hash) }).collect();
    let head_hash = hex(&head.hash.0);
    Ok(Json(Transcript {
        conversation_id: id,
        consultation_id: consultation.map(|it| it.id),
        head_seq: head.seq,
        head_hash,
        entries,
        links,
    }))
}

/// A read by anybody but the patient leaves its row before the answer leaves (D.11-10).
async fn note_read(app: &App, actor: &Actor, head: &Head, what: &'static str) -> Result<(), Problem> {
    if head.subject == actor.user {
        return Ok(());
    }
    let consultation = queries::of_conversation_unscoped(&app.db, head.conversation).await?;
    records::note_history_read(app, actor, head.conversation, consultation.map(|it| it.id), what).await
}

/// The head, for somebody who is or was a member; for anybody else the conversation does not exist.
async fn membership(app: &App, actor: &Actor, id: ConversationId) -> Result<Head, Problem> {
    let head = app.log.head(id).await.map_err(Trouble::from)?;
    head.filter(|head| head.tenant == actor.tenant && head.members.iter().any(|member| member.user == actor.user))
        .ok_or_else(Problem::not_found)
}

async fn page(app: &App, reader: UserId, head: &Head, from: u64, limit: usize) -> Result<Vec<wire::Entry>, Problem> {
    let entries = app.log.read(head.conversation, from, limit).await.map_err(Trouble::from)?;
    Ok(entries.iter().map(|entry| visible(head, reader, entry)).collect())
}

/// The entry as this member may see it.
fn visible(head: &Head, reader: UserId, entry: &wire::Entry) -> wire::Entry {
    let sees = |member: &chat::log::head::Member| {
        member.user == reader && entry.seq >= member.visible_from && member.left_at.is_none_or(|left| entry.seq <= left)
    };
    if head.members.iter().any(sees) {
        return entry.clone();
    }
    wire::Entry { body: None, withheld: wire::Withheld::Interval.into(), ..entry.clone() }
}
