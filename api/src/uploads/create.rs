//! `POST /api/uploads`: one file of a form. Nothing of what was sent is kept: see the crate `media`.

use super::{
    model::{Attachment, AttachmentKind, AttachmentState, refused},
    queries::{self, AttachmentRow},
    quota, sweep,
};
use crate::{
    authz::Actor,
    http::{Fields, Json, Problem, ProblemBody, codes},
    keys::KeyError,
    state::App,
    timers,
};
use axum::extract::{
    Multipart, State,
    multipart::{MultipartError, MultipartRejection},
};
use bytes::Bytes;
use chat::ids::UserId;
use hkdf::Hkdf;
use http::StatusCode;
use media::Processed;
use sha2::Sha256;
use utoipa::ToSchema;

/// Parts of the form.
#[derive(ToSchema)]
#[allow(dead_code)] // only the document reads it
pub(super) struct UploadForm {
    kind: AttachmentKind,
    /// JPEG, PNG, WebP, GIF up to 10 MiB; WebM, Ogg, MP4, WAV up to 2 MiB and 60 s (a second more is let pass).
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Uploads one picture or voice message.
///
/// The part `file` names its media type in its own `Content-Type`, and it must be the content's: `image/jpeg`, `image/png`, `image/webp`,
/// `image/gif`; `audio/webm`, `audio/ogg`, `audio/mp4`, `audio/wav`. Without one, or with `application/octet-stream`, it is refused with
/// `attachment_type_mismatch`. Pictures are encoded anew, sound is put into a file of its own; nothing else of what was sent is
/// kept. `bytes`, `mime` and the sizes are those of what is stored and served.
///
/// An attachment is used once: in the intake or the proof of a consultation, or in one message. What nothing has used within 24 hours is deleted.
#[utoipa::path(
    post, path = "/api/uploads", tag = "uploads", request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, body = Attachment), (status = 415, body = ProblemBody, description = "`unsupported_media_type`: of none \
            of the types, or of the other kind; `attachment_type_mismatch`: not what its `Content-Type` says; `attachment_codec_unsupported`"),
        (status = 422, body = ProblemBody, description = "`invalid_field`: `kind` or `file` is lacking; `attachment_empty`, \
            `attachment_undecodable`, `attachment_too_long`, `attachment_too_many_pixels`"),
        (status = 429, body = ProblemBody, description = "`quota_exceeded`: of the last 24 hours"),
        (status = 503, body = ProblemBody, description = "`timeout`: decoding took too long; `unavailable`")
    )
)]
pub(super) async fn create(
    State(app): State<App>,
    actor: Actor,
    form: Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<Attachment>), Problem> {
    let form = form.map_err(|_| codes::UNSUPPORTED_MEDIA_TYPE)?;
    let now = app.clock.now();
    let mut looking = app.db.begin().await?;
    let allowed = quota::check(&app.config.uploads, &mut looking, actor.user, now, 0).await;
    looking.rollback().await?;
    allowed?;
    let form = Form::read(form).await?;
    let processed = form.process(&app).await?;
    let key = key_of(&app, actor.user).await?;
    let stored = app.attachments.store(&processed, &key).await.map_err(refused)?;
    let row = row_of(&app, &actor, &processed, &stored);
    match insert(&app, &actor, &row).await {
        Ok(()) => Ok((StatusCode::CREATED, Json(row.into()))),
        Err(problem) => {
            if let Err(error) = app.attachments.delete(stored.id).await {
                tracing::warn!(error = %crate::http::causes(&error), "uploads.blob_left_behind");
            }
            Err(problem)
        }
    }
}

async fn insert(app: &App, actor: &Actor, row: &AttachmentRow) -> Result<(), Problem> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    quota::check(&app.config.uploads, &mut tx, actor.user, now, row.bytes).await?;
    queries::insert(&mut tx, actor.tenant, row, now).await?;
    let due_at = now.plus_ms(sweep::UNATTACHED_AFTER_MS);
    timers::schedule(app, &mut tx, sweep::UNATTACHED, row.id.0, AttachmentState::Uploaded.as_str(), due_at).await?;
    app.commit(tx).await?;
    Ok(())
}

/// Blobs are sealed under a key derived from their uploader's: erasing the person erases them.
pub(super) async fn key_of(app: &App, uploader: UserId) -> Result<media::Key, KeyError> {
    let person = app.keys.person(uploader).await?;
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, person.bytes()).expand(b"attachments v1", &mut key).expect("32 bytes are within HKDF's 8160");
    Ok(media::Key(key))
}

struct Form {
    kind: AttachmentKind,
    declared_mime: String,
    bytes: Bytes,
}

impl Form {
    /// Both parts, in any order; what else is in the form is passed over.
    async fn read(mut form: Multipart) -> Result<Self, Problem> {
        let (mut kind, mut file) = (None, None);
        while let Some(field) = form.next_field().await.map_err(malformed)? {
            match field.name() {
                Some("kind") => kind = AttachmentKind::from_text(&field.text().await.map_err(malformed)?),
                Some("file") if file.is_none() => {
                    let declared_mime = field.content_type().unwrap_or_default().to_owned();
                    file = Some((declared_mime, field.bytes().await.map_err(malformed)?));
                }
                _ => {}
            }
        }
        let mut fields = Fields::default();
        fields.check(kind.is_some(), "kind", "required", "应为 image 或 voice");
        fields.check(file.is_some(), "file", "required", "请选择文件");
        fields.finish()?;
        let (Some(kind), Some((declared_mime, bytes))) = (kind, file) else { return Err(codes::INVALID_REQUEST.into()) };
        Ok(Self { kind, declared_mime, bytes })
    }

    async fn process(self, app: &App) -> Result<Processed, Problem> {
        let made = match self.kind {
            AttachmentKind::Image => app.attachments.accept_image(self.bytes, &self.declared_mime).await.map(Processed::Image),
            AttachmentKind::Voice => app.attachments.accept_voice(self.bytes, &self.declared_mime).await.map(Processed::Voice),
        };
        made.map_err(refused)
    }
}

fn malformed(error: MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE { codes::TOO_LARGE.into() } else { codes::INVALID_REQUEST.into() }
}

fn row_of(app: &App, actor: &Actor, processed: &Processed, stored: &media::StoredBlob) -> AttachmentRow {
    let (kind, mime, size, duration_ms) = match processed {
        Processed::Image(image) => (AttachmentKind::Image, image.full.mime, Some((image.full.width_px, image.full.height_px)), None),
        Processed::Voice(voice) => (AttachmentKind::Voice, voice.mime, None, Some(voice.duration_ms)),
    };
    AttachmentRow {
        id: app.entropy.id(app.clock.now()),
        uploader_id: actor.user,
        kind,
        mime: mime.to_owned(),
        bytes: i64::try_from(stored.bytes).unwrap_or(i64::MAX),
        width_px: size.map(|(width, _)| width),
        height_px: size.map(|(_, height)| height),
        duration_ms,
        blob_id: stored.id.0,
        state: AttachmentState::Uploaded,
        reader_id: None,
        conversation_id: None,
        message_id: None,
    }
}
