//! What a patient tells before the doctor is asked: the intake form, the proof of an earlier diagnosis, the red-flag screen.
//!
//! Pure validation; answers name the field by its path. Holds clinical text, so `Debug` prints nothing of it.

use chat::ids::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;
use uuid::Uuid;

pub const TEXT_CHARS_MIN: usize = 10;
pub const TEXT_CHARS_MAX: usize = 2000;
const SHORT_CHARS_MAX: usize = 200;
const ATTACHMENTS_MAX: usize = 9;

/// 病情描述 (CON-02).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// Main complaint. Together with the description at least 10 characters.
    #[schema(min_length = 1, max_length = 2000)]
    pub symptoms: String,
    /// When it began, in the patient's words.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub onset: String,
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub past_history: String,
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub description: String,
    /// Ids from `POST /api/uploads`, 9 at most.
    #[serde(default)]
    #[schema(max_items = 9)]
    pub attachments: Vec<Uuid>,
}

/// The earlier diagnosis a return visit continues (REG-03).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    #[schema(min_length = 1, max_length = 200)]
    pub diagnosis: String,
    #[schema(min_length = 1, max_length = 200)]
    pub institution: String,
    /// Calendar day in the hospital's zone, `2026-05-31`.
    pub visited_on: String,
    /// Pictures of the record, the discharge summary or the certificate; at least one.
    #[schema(min_items = 1, max_items = 9)]
    pub attachments: Vec<Uuid>,
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Intake(***)")
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(***)")
    }
}

/// A field that cannot stay as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    pub path: String,
    pub code: &'static str,
    pub message: String,
}

impl Flaw {
    pub fn new(path: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { path: path.into(), code, message: message.into() }
    }
}

impl Intake {
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        required(&mut flaws, "intake.symptoms", &self.symptoms, TEXT_CHARS_MAX);
        at_most(&mut flaws, "intake.onset", &self.onset, SHORT_CHARS_MAX);
        at_most(&mut flaws, "intake.past_history", &self.past_history, TEXT_CHARS_MAX);
        at_most(&mut flaws, "intake.description", &self.description, TEXT_CHARS_MAX);
        if !self.symptoms.trim().is_empty() && chars(&self.symptoms) + chars(&self.description) < TEXT_CHARS_MIN {
            flaws.push(Flaw::new("intake.description", "too_short", format!("请至少用 {TEXT_CHARS_MIN} 个字描述病情")));
        }
        attachments(&mut flaws, "intake.attachments", &self.attachments);
        flaws
    }

    /// Words of an acute or severe condition, in the order of the list (D.1 red-flag screen, EMG-04).
    /// It cannot know whether the pain is ten minutes or ten years old: the patient is warned and decides.
    pub fn red_flags(&self) -> Vec<&'static str> {
        let text = [self.symptoms.as_str(), self.description.as_str(), self.onset.as_str()].join("\n");
        RED_FLAGS.iter().copied().filter(|word| text.contains(word)).collect()
    }
}

/// Version 1. Short on purpose: each word alone sends a person to the emergency department.
const RED_FLAGS: [&str; 14] = [
    "剧烈胸痛",
    "胸口剧痛",
    "呼吸困难",
    "喘不过气",
    "意识不清",
    "昏迷",
    "抽搐",
    "大出血",
    "咯血",
    "呕血",
    "口眼歪斜",
    "半身不遂",
    "自杀",
    "服毒",
];

impl Proof {
    pub fn flaws(&self, now: Timestamp) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        required(&mut flaws, "proof.diagnosis", &self.diagnosis, SHORT_CHARS_MAX);
        required(&mut flaws, "proof.institution", &self.institution, SHORT_CHARS_MAX);
        match day(&self.visited_on) {
            None => flaws.push(Flaw::new("proof.visited_on", "invalid", "请填写就诊日期,例如 2026-05-31")),
            Some(visited) if visited > today(now) => flaws.push(Flaw::new("proof.visited_on", "in_future", "就诊日期不能晚于今天")),
            Some(_) => {}
        }
        attachments(&mut flaws, "proof.attachments", &self.attachments);
        if self.attachments.is_empty() {
            flaws.push(Flaw::new("proof.attachments", "required", "请上传既往病历、出院小结或诊断证明"));
        }
        flaws
    }
}

pub fn chars(text: &str) -> usize {
    text.trim().chars().count()
}

pub fn required(flaws: &mut Vec<Flaw>, path: &str, text: &str, max: usize) {
    if text.trim().is_empty() {
        flaws.push(Flaw::new(path, "required", "此项必填"));
    }
    at_most(flaws, path, text, max);
}

pub fn at_most(flaws: &mut Vec<Flaw>, path: &str, text: &str, max: usize) {
    if chars(text) > max {
        flaws.push(Flaw::new(path, "too_long", format!("不能超过 {max} 个字")));
    }
    // Control characters break the record's PDF and say nothing.
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        flaws.push(Flaw::new(path, "invalid", "含有不能识别的字符"));
    }
}

fn attachments(flaws: &mut Vec<Flaw>, path: &str, ids: &[Uuid]) {
    if ids.len() > ATTACHMENTS_MAX {
        flaws.push(Flaw::new(path, "too_many", format!("最多 {ATTACHMENTS_MAX} 个附件")));
    }
    let mut seen = std::collections::HashSet::new();
    if !ids.iter().all(|id| seen.insert(id)) {
        flaws.push(Flaw::new(path, "duplicate", "附件重复"));
    }
}

fn day(text: &str) -> Option<time::Date> {
    time::Date::parse(text, time::macros::format_description!("[year]-[month]-[day]")).ok()
}

/// Legal times are Asia/Shanghai (REG-51), which has had no daylight saving since 1991.
pub fn today(now: Timestamp) -> time::Date {
    let utc = time::OffsetDateTime::from_unix_timestamp(now.0.div_euclid(1000)).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    utc.to_offset(time::macros::offset!(+8)).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_2026_06_01: Timestamp = Timestamp(1_780_286_400_000);

    fn intake(symptoms: &str, description: &str) -> Intake {
        Intake {
            symptoms: symptoms.into(),
            onset: String::new(),
            past_history: String::new(),
            description: description.into(),
            attachments: Vec::new(),
        }
    }

    fn paths(flaws: &[Flaw]) -> Vec<(&str, &str)> {
        flaws.iter().map(|flaw| (flaw.path.as_str(), flaw.code)).collect()
    }

    /// CON-02, D.13: 10 to 2000 characters, counted as people count them.
    #[test]
    fn con_02_intake_text_has_a_least_and_a_most() {
        assert!(intake("咳嗽三天了", "夜里加重,无发热").flaws().is_empty());
        assert_eq!(paths(&intake("咳嗽", "三天").flaws()), [("intake.description", "too_short")]);
        assert_eq!(paths(&intake(" ", "已经咳嗽了三个多星期").flaws()), [("intake.symptoms", "required")]);
        assert!(intake("咳嗽", &"字".repeat(2000)).flaws().is_empty());
        assert_eq!(paths(&intake("咳嗽", &"字".repeat(2001)).flaws()), [("intake.description", "too_long")]);
        assert_eq!(paths(&intake("咳嗽了三天夜里更重一些", "\u{7}").flaws()), [("intake.description", "invalid")]);
    }

    /// REG-03: the proof names a definite earlier diagnosis and carries a picture of it.
    #[test]
    fn reg_03_proof_is_complete_or_named_field_by_field() {
        let good = Proof {
            diagnosis: "高血压病2级".into(),
            institution: "市第一医院".into(),
            visited_on: "2026-06-01".into(),
            attachments: vec![Uuid::from_u128(1)],
        };
        assert!(good.flaws(NOON_2026_06_01).is_empty());
        let bad = Proof { diagnosis: "".into(), visited_on: "2026-06-02".into(), attachments: vec![], ..good };
        assert_eq!(
            paths(&bad.flaws(NOON_2026_06_01)),
            [("proof.diagnosis", "required"), ("proof.visited_on", "in_future"), ("proof.attachments", "required")]
        );
    }

    #[test]
    fn d_1_red_flags_are_found_and_ordinary_text_is_not() {
        assert_eq!(intake("突然呼吸困难", "并且意识不清").red_flags(), ["呼吸困难", "意识不清"]);
        assert!(intake("咳嗽三天", "偶有胸闷").red_flags().is_empty());
    }

    #[test]
    fn nothing_clinical_is_printed() {
        assert_eq!(format!("{:?}", intake("咳嗽", "三天")), "Intake(***)");
    }
}
