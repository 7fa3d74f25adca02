//! What a doctor writes at the end, and what makes it complete. Pure.
//!
//! Two shapes by the law's split (REG-02, X-03): advice has an impression and no place for a diagnosis; a return visit
//! has a diagnosis. Surprise: a draft may be incomplete at any time; only signing asks for completeness.

use super::pdf;
use crate::consultations::Kind;
use crate::consultations::intake::{Flaw, at_most};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use utoipa::ToSchema;

const TEXT_CHARS_MAX: usize = 2000;
const SHORT_CHARS_MAX: usize = 200;
const REFERENCES_MAX: usize = 10;

/// The record's text. Which fields may be filled depends on the consultation's kind.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Advice only: 初步印象.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impression: Option<String>,
    /// Return visit only: 诊断.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<String>,
    /// Return visit only: code of the diagnosis in the hospital's disease list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis_code: Option<String>,
    #[serde(default)]
    pub symptom_analysis: String,
    /// 诊断依据
    #[serde(default)]
    pub basis: String,
    #[serde(default)]
    pub advice: String,
    #[serde(default)]
    pub medication_advice: String,
    /// Medical references, one a line of text (CON-14).
    #[serde(default)]
    pub references: Vec<String>,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Content(***)")
    }
}

impl Content {
    /// What may not even be saved as a draft: too long, or a field the kind does not have (REG-02).
    pub fn flaws(&self, kind: Kind) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        for (path, text) in self.texts() {
            at_most(&mut flaws, path, text, if path == "diagnosis_code" { SHORT_CHARS_MAX } else { TEXT_CHARS_MAX });
        }
        if self.references.len() > REFERENCES_MAX {
            flaws.push(Flaw::new("references", "too_many", format!("最多 {REFERENCES_MAX} 条参考资料")));
        }
        for (index, reference) in self.references.iter().enumerate() {
            at_most(&mut flaws, &format!("references[{index}]"), reference, SHORT_CHARS_MAX);
        }
        let foreign: &[(&str, bool)] = match kind {
            Kind::Advice => &[("diagnosis", self.diagnosis.is_some()), ("diagnosis_code", self.diagnosis_code.is_some())],
            Kind::ReturnVisit => &[("impression", self.impression.is_some())],
        };
        for (path, _) in foreign.iter().filter(|(_, filled)| *filled) {
            flaws.push(Flaw::new(*path, "not_for_this_kind", "该类型的问诊没有此项"));
        }
        flaws
    }

    /// Characters the issued copy could not show: refused while the doctor can still change them.
    pub fn unprintable(&self) -> Vec<Flaw> {
        let references = self.references.iter().map(|reference| ("references", reference.as_str()));
        let missing = |text: &str| pdf::find_unprintable(text, pdf::Fonts::embedded());
        self.texts()
            .into_iter()
            .chain(references)
            .filter_map(|(path, text)| missing(text).map(|c| Flaw::new(path, "unprintable", format!("“{c}”无法打印,请换一种写法"))))
            .collect()
    }

    /// What a complete record still lacks. Advice: impression and advice; return visit: diagnosis, basis and advice (CON-14).
    pub fn missing(&self, kind: Kind) -> Vec<&'static str> {
        let filled = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        let mut missing = Vec::new();
        match kind {
            Kind::Advice if !filled(&self.impression) => missing.push("impression"),
            Kind::ReturnVisit if !filled(&self.diagnosis) => missing.push("diagnosis"),
            _ => {}
        }
        if kind == Kind::ReturnVisit && self.basis.trim().is_empty() {
            missing.push("basis");
        }
        if self.advice.trim().is_empty() {
            missing.push("advice");
        }
        missing
    }

    /// What the signature covers: SHA-256 over the canonical JSON (declared field order, no spaces) and what binds it
    /// to its consultation, author and moment. Any later change of a byte shows.
    pub fn signed_hash(&self, consultation: uuid::Uuid, author: uuid::Uuid, signed_at_ms: i64) -> [u8; 32] {
        let body = serde_json::to_vec(self).expect("strings and lists of strings always serialise");
        let mut hash = Sha256::new();
        hash.update(b"wenzhen record v1\n");
        hash.update(consultation.as_bytes());
        hash.update(author.as_bytes());
        hash.update(signed_at_ms.to_be_bytes());
        hash.update(&body);
        hash.finalize().into()
    }

    fn texts(&self) -> [(&'static str, &str); 7] {
        [
            ("impression", self.impression.as_deref().unwrap_or_default()),
            ("diagnosis", self.diagnosis.as_deref().unwrap_or_default()),
            ("diagnosis_code", self.diagnosis_code.as_deref().unwrap_or_default()),
            ("symptom_analysis", &self.symptom_analysis),
            ("basis", &self.basis),
            ("advice", &self.advice),
            ("medication_advice", &self.medication_advice),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn advice() -> Content {
        Content { impression: Some("上呼吸道感染可能".into()), advice: "多饮水,休息".into(), ..Content::default() }
    }

    /// REG-02, X-03: an advice record has no diagnosis, also not as a draft.
    #[test]
    fn reg_02_advice_has_no_diagnosis() {
        assert!(advice().flaws(Kind::Advice).is_empty());
        let sneaky = Content { diagnosis: Some("".into()), ..advice() };
        assert_eq!(sneaky.flaws(Kind::Advice)[0].code, "not_for_this_kind");
        let coded = Content { diagnosis_code: Some("J06.9".into()), ..advice() };
        assert_eq!(coded.flaws(Kind::Advice)[0].path, "diagnosis_code");
    }

    /// CON-14, REC-04: what completes each kind.
    #[test]
    fn con_14_completeness_depends_on_the_kind() {
        assert!(advice().missing(Kind::Advice).is_empty());
        assert_eq!(Content::default().missing(Kind::Advice), ["impression", "advice"]);
        assert_eq!(Content::default().missing(Kind::ReturnVisit), ["diagnosis", "basis", "advice"]);
        let blank = Content { impression: Some(" ".into()), ..advice() };
        assert_eq!(blank.missing(Kind::Advice), ["impression"]);
    }

    #[test]
    fn the_signature_covers_every_part() {
        let (consultation, author) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let hash = advice().signed_hash(consultation, author, 5);
        assert_eq!(hash, advice().signed_hash(consultation, author, 5));
        assert_ne!(hash, advice().signed_hash(author, author, 5));
        assert_ne!(hash, advice().signed_hash(consultation, consultation, 5));
        assert_ne!(hash, advice().signed_hash(consultation, author, 6));
        assert_ne!(hash, Content { basis: " ".into(), ..advice() }.signed_hash(consultation, author, 5));
    }
}
