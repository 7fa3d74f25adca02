//! Why an attachment was refused or could not be read. Codes are stable words; no message carries what the client sent.

#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    #[error("empty")]
    Empty,
    #[error("more than {max} bytes")]
    TooLarge { max: usize },
    #[error("neither a picture nor a voice message of a known kind")]
    UnknownType,
    #[error("the content is not of the declared type")]
    TypeMismatch,
    #[error("more pixels or a longer side than allowed")]
    TooManyPixels,
    #[error("longer than {max_ms} ms")]
    TooLong { max_ms: u32 },
    #[error("a codec that is not accepted")]
    UnsupportedCodec,
    #[error("damaged, or not what its header says")]
    Undecodable,
    #[error("took too long")]
    Timeout,
    #[error("the blob does not exist")]
    NotFound,
    #[error("the blob cannot be opened with this key")]
    Sealed,
    #[error("the blob store, while {doing}")]
    Store {
        doing: &'static str,
        #[source]
        source: object_store::Error,
    },
    #[error("a folder of the blob store")]
    Folder(#[source] std::io::Error),
}

impl MediaError {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "attachment_empty",
            Self::TooLarge { .. } => "too_large",
            Self::UnknownType => "unsupported_media_type",
            Self::TypeMismatch => "attachment_type_mismatch",
            Self::TooManyPixels => "attachment_too_many_pixels",
            Self::TooLong { .. } => "attachment_too_long",
            Self::UnsupportedCodec => "attachment_codec_unsupported",
            Self::Undecodable => "attachment_undecodable",
            Self::Timeout => "timeout",
            Self::NotFound => "unknown_attachment",
            Self::Sealed | Self::Store { .. } | Self::Folder(_) => "internal",
        }
    }

    /// The client's file is at fault, not this server.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Timeout | Self::NotFound | Self::Sealed | Self::Store { .. } | Self::Folder(_))
    }
}
