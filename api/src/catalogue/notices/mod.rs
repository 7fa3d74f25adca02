//! The texts a patient has to be shown and accept: versioned, with their hash, so that a consent names exactly what was read (REG-07).
//!
//! A version that was ever published stays in [`PUBLISHED`] word for word: consents name it. A new wording is a new row at the end of its kind.

use crate::{http::Json, text_enum};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

text_enum! {
    pub enum NoticeKind {
        /// Not for acute, critical or severe illness; 120 (CON-23).
        ScopeNotice = "scope_notice",
        /// Risks and consent before each treatment (REG-07).
        InformedConsent = "informed_consent",
        /// Before a voice or video session (CON-08).
        AvNotice = "av_notice",
        Privacy = "privacy",
    }
}

/// A text as it was published.
struct Published {
    kind: NoticeKind,
    version: &'static str,
    title: &'static str,
    text: &'static str,
}

/// By kind, the current version last.
static PUBLISHED: &[Published] = &[
    Published { kind: NoticeKind::ScopeNotice, version: "1", title: "服务范围提示", text: include_str!("scope_notice.1.txt") },
    Published {
        kind: NoticeKind::InformedConsent,
        version: "1",
        title: "互联网诊疗知情同意书",
        text: include_str!("informed_consent.1.txt"),
    },
    Published { kind: NoticeKind::AvNotice, version: "1", title: "语音、视频问诊须知", text: include_str!("av_notice.1.txt") },
    Published { kind: NoticeKind::Privacy, version: "1", title: "个人信息保护告知", text: include_str!("privacy.1.txt") },
];

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Notice {
    pub kind: NoticeKind,
    pub version: &'static str,
    pub title: &'static str,
    pub text: &'static str,
    /// SHA-256 of the text's UTF-8 bytes, lowercase hex: what a consent sends back.
    pub text_hash: String,
}

impl Published {
    fn notice(&self) -> Notice {
        Notice { kind: self.kind, version: self.version, title: self.title, text: self.text, text_hash: hex(&Sha256::digest(self.text)) }
    }
}

/// The text to be shown now.
pub fn current(kind: NoticeKind) -> Notice {
    PUBLISHED.iter().rev().find(|published| published.kind == kind).expect("every kind has a text; a test counts them").notice()
}

/// Whether a consent names the current text of its kind: an older one has to be read again.
pub fn is_current(kind: NoticeKind, version: &str, text_hash: &str) -> bool {
    let notice = current(kind);
    notice.version == version && notice.text_hash == text_hash
}

/// The notices in force, each with the hash that a consent sends back.
#[utoipa::path(get, path = "/api/notices", tag = "catalogue", responses((status = 200, body = [Notice])))]
pub(super) async fn list() -> Json<Vec<Notice>> {
    Json(NoticeKind::ALL.iter().map(|kind| current(*kind)).collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published texts never change: consents in the field name these hashes.
    #[test]
    fn published_texts_are_unchanged() {
        let pinned: Vec<(NoticeKind, &str, String)> =
            PUBLISHED.iter().map(|published| (published.kind, published.version, published.notice().text_hash[..16].to_owned())).collect();
        let expected = [
            (NoticeKind::ScopeNotice, "1", "2b9db9e60950784d"),
            (NoticeKind::InformedConsent, "1", "24e68515d7295859"),
            (NoticeKind::AvNotice, "1", "34c31c5228591e6e"),
            (NoticeKind::Privacy, "1", "bd2015b01972d2e7"),
        ];
        assert_eq!(pinned, expected.map(|(kind, version, hash)| (kind, version, hash.to_owned())));
    }

    /// CON-23, REG-07, CON-08.
    #[test]
    fn every_kind_has_a_text_and_the_scope_notice_names_the_emergency_number() {
        for kind in NoticeKind::ALL {
            assert!(!current(*kind).text.trim().is_empty(), "{kind}");
        }
        assert!(current(NoticeKind::ScopeNotice).text.contains("120"));
        let notice = current(NoticeKind::InformedConsent);
        assert!(is_current(notice.kind, notice.version, &notice.text_hash));
        assert!(!is_current(notice.kind, "0", &notice.text_hash));
        assert!(!is_current(NoticeKind::Privacy, notice.version, &notice.text_hash));
    }
}
