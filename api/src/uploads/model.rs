//! The words of uploads, as they are stored and sent.

use super::queries::AttachmentRow;
use crate::{http::Code, id_columns, text_enum};
use chat::define_id;
use serde::Serialize;
use utoipa::ToSchema;

define_id! {
    /// What a message or an intake refers to; not the id of the blob.
    AttachmentId;
}
id_columns!(AttachmentId);

text_enum! {
    pub enum AttachmentKind {
        Image = "image",
        Voice = "voice",
    }
}

text_enum! {
    pub enum AttachmentState {
        Uploaded = "uploaded",
        Attached = "attached",
        Discarded = "discarded",
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Attachment {
    #[schema(value_type = Uuid)]
    pub id: AttachmentId,
    pub kind: AttachmentKind,
    /// What is served, not what was sent.
    pub mime: String,
    pub bytes: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width_px: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height_px: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u32>,
    pub url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbnail_url: Option<String>,
}

impl From<AttachmentRow> for Attachment {
    fn from(row: AttachmentRow) -> Self {
        let url = format!("/api/attachments/{}", row.id);
        Self {
            thumbnail_url: (row.kind == AttachmentKind::Image).then(|| format!("{url}/thumbnail")),
            url,
            id: row.id,
            kind: row.kind,
            mime: row.mime,
            bytes: row.bytes,
            width_px: row.width_px,
            height_px: row.height_px,
            duration_ms: row.duration_ms,
        }
    }
}

pub(super) const QUOTA_EXCEEDED: Code = Code::temporary(429, "quota_exceeded", "今天上传的内容已达上限，请明天再试");

/// A refused file in the words of problems.
pub(super) fn code_of(error: &media::MediaError) -> Code {
    use media::MediaError as E;
    let (status, title) = match error {
        E::Empty => (422, "文件是空的"),
        E::TooLarge { .. } => (413, "文件过大"),
        E::UnknownType | E::TypeMismatch | E::UnsupportedCodec => (415, "不支持的文件类型"),
        E::TooManyPixels => (422, "图片尺寸过大"),
        E::TooLong { .. } => (422, "语音超过 60 秒"),
        E::Undecodable => (422, "文件已损坏，无法读取"),
        E::Timeout => return Code::temporary(503, "timeout", "处理超时，请稍后再试"),
        E::NotFound | E::Sealed | E::Store { .. } | E::Folder(_) => return crate::http::codes::INTERNAL,
    };
    Code::new(status, error.code(), title)
}

pub(super) fn refused(error: media::MediaError) -> crate::http::Problem {
    if error.is_refusal() || matches!(error, media::MediaError::Timeout) {
        code_of(&error).into()
    } else {
        crate::http::Problem::internal(&error)
    }
}
