//! What a patient reads before he orders: doctors with their prices, and the notices he agrees to.

use crate::run::{Part, RunError};
use crate::seed::Seeded;
use serde_json::{Value, json};

const DOCTORS_MAX: usize = 50;

#[derive(Debug)]
pub(super) struct Clinic {
    /// Id and price of a consultation by text.
    doctors: Vec<(String, i64)>,
    consents: Vec<Value>,
}

impl Clinic {
    pub async fn visit(part: &Part) -> Result<Self, RunError> {
        let (http, target) = (&part.run.http, &part.run.targets[0]);
        let path = format!("/api/doctors?kind=advice&channel=text&page_size={DOCTORS_MAX}");
        let doctors = http.get(target, &path, None).await.map_err(RunError::Target)?;
        let notices = http.get(target, "/api/notices", None).await.map_err(RunError::Target)?;
        let clinic = Self { doctors: doctors_of(&doctors.body), consents: consents_of(&notices.body) };
        if clinic.doctors.is_empty() || clinic.consents.len() < 2 {
            return Err(RunError::Usage("the target has no doctors who take patients by text, or no notices: it is no demo".into()));
        }
        Ok(clinic)
    }

    /// An order, with the price that was shown.
    pub fn order(&self, dice: &mut Seeded) -> (Value, i64) {
        let (doctor, price_fen) = &self.doctors[dice.below(self.doctors.len())];
        let form = json!({
            "doctor_id": doctor, "kind": "advice", "channel": "text", "price_fen": price_fen, "consents": self.consents,
            "intake": {"symptoms": "头晕，血压偏高", "description": "早上起来更明显，已经两周，没有发热", "onset": "两周前"},
        });
        (form, *price_fen)
    }
}

fn list(body: &Value) -> &[Value] {
    body.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn doctors_of(page: &Value) -> Vec<(String, i64)> {
    let of_text = |card: &Value| {
        let price = list(card.get("prices")?).iter().find(|price| price["kind"] == "advice" && price["channel"] == "text")?;
        Some((card.get("id")?.as_str()?.to_owned(), price.get("amount_fen")?.as_i64()?))
    };
    let accepting = |card: &&Value| card["accepting"] == true;
    list(page.get("items").unwrap_or(&Value::Null)).iter().filter(accepting).filter_map(of_text).collect()
}

fn consents_of(notices: &Value) -> Vec<Value> {
    let wanted = |notice: &&Value| notice["kind"] == "scope_notice" || notice["kind"] == "informed_consent";
    let consent = |notice: &Value| json!({"kind": notice["kind"], "version": notice["version"], "text_hash": notice["text_hash"]});
    list(notices).iter().filter(wanted).map(consent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_doctors_who_take_patients_by_text_are_asked() {
        let price = |channel: &str| json!([{"kind": "advice", "channel": channel, "amount_fen": 3700}]);
        let page = json!({"items": [
            {"id": "a", "accepting": true, "prices": price("text")},
            {"id": "b", "accepting": false, "prices": price("text")},
            {"id": "c", "accepting": true, "prices": price("video")},
        ]});
        assert_eq!(doctors_of(&page), [("a".to_owned(), 3700)]);
        let notices = json!([{"kind": "scope_notice", "version": "1", "text_hash": "h", "text": "…"}, {"kind": "av_notice"}]);
        assert_eq!(consents_of(&notices), [json!({"kind": "scope_notice", "version": "1", "text_hash": "h"})]);
    }
}
