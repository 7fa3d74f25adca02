//! `GET /api/attachments/{id}` and its thumbnail. Who may see it is decided at that moment, against the conversation as it stands.

use super::{
    create::key_of,
    model::{AttachmentId, AttachmentKind, refused},
    queries::{self, AttachmentRow},
};
use crate::{
    authz::Actor,
    http::{Binary, Path, Problem},
    state::App,
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use media::{BlobId, MediaError, Variant};

const THUMBNAIL_MIME: &str = "image/jpeg";
/// Only the browser of the person who asked keeps it, and not for long.
const CACHE: &str = "private, max-age=300";
/// Were it ever opened as a page, it could do nothing.
const SANDBOX: &str = "default-src 'none'; sandbox";

/// The picture or voice message itself.
///
/// To its uploader at once, to the doctor of the consultation whose intake or proof carries it, and to the present members of the
/// conversation it was sent in. To everybody else it is `not_found`, like what never was.
#[utoipa::path(
    get, path = "/api/attachments/{id}", tag = "uploads", params(("id" = Uuid, Path, description = "`Attachment.id`")),
    responses((status = 200, content(
        (Binary = "image/jpeg"), (Binary = "image/png"), (Binary = "audio/ogg"), (Binary = "audio/aac"), (Binary = "audio/wav"))), (status = 404, body = crate::http::ProblemBody))
)]
pub(super) async fn full(State(app): State<App>, actor: Actor, Path(id): Path<AttachmentId>) -> Result<Response, Problem> {
    let row = visible(&app, &actor, id).await?;
    serve(&app, &row, Variant::Full, &row.mime).await
}

/// A small JPEG of a picture.
///
/// Seen by whoever sees the picture; a voice message has none (`not_found`).
#[utoipa::path(
    get, path = "/api/attachments/{id}/thumbnail", tag = "uploads", params(("id" = Uuid, Path, description = "`Attachment.id`")),
    responses((status = 200, content_type = "image/jpeg", body = Binary), (status = 404, body = crate::http::ProblemBody))
)]
pub(super) async fn thumbnail(State(app): State<App>, actor: Actor, Path(id): Path<AttachmentId>) -> Result<Response, Problem> {
    let row = visible(&app, &actor, id).await?;
    if row.kind != AttachmentKind::Image {
        return Err(Problem::not_found());
    }
    serve(&app, &row, Variant::Thumbnail, THUMBNAIL_MIME).await
}

/// Unknown and foreign answer alike.
async fn visible(app: &App, actor: &Actor, id: AttachmentId) -> Result<AttachmentRow, Problem> {
    let row = queries::find(&app.db, actor, id).await?.ok_or_else(Problem::not_found)?;
    let mine = row.uploader_id == actor.user || row.reader_id == Some(actor.user);
    if mine || is_member(app, actor, &row).await? { Ok(row) } else { Err(Problem::not_found()) }
}

/// Whoever has left the conversation sees it no more.
async fn is_member(app: &App, actor: &Actor, row: &AttachmentRow) -> Result<bool, Problem> {
    let Some(conversation) = row.conversation_id else { return Ok(false) };
    let head = app.log.head(conversation).await.map_err(|error| Problem::internal(&error))?;
    Ok(head.is_some_and(|head| head.members.iter().any(|member| member.user == actor.user && member.left_at.is_none())))
}

async fn serve(app: &App, row: &AttachmentRow, variant: Variant, mime: &str) -> Result<Response, Problem> {
    let key = key_of(app, row.uploader_id).await?;
    let bytes = app.attachments.load(BlobId(row.blob_id), variant, &key).await.map_err(|error| match error {
        MediaError::NotFound => Problem::not_found(),
        error => refused(error),
    })?;
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    let of_text = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_TYPE, of_text(mime));
    headers.insert(header::CONTENT_DISPOSITION, of_text(&format!("inline; filename=\"attachment.{}\"", extension(mime))));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    Ok(response)
}

fn extension(mime: &str) -> &'static str {
    match mime {
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "audio/ogg" => "ogg",
        "audio/aac" => "aac",
        "audio/wav" => "wav",
        _ => "bin",
    }
}
