//! The search box: names that the installation itself shows, so that a search that misses them is seen.

use crate::measure::Metric;
use crate::run::{Part, RunError};
use crate::seed::Seeded;
use serde_json::Value;
use std::sync::Arc;

const NAMES_MAX: usize = 50;

/// Doctors' ids with their names.
#[derive(Debug, Default)]
pub(super) struct Words(Vec<(String, String)>);

pub(super) async fn words(part: &Part) -> Result<Arc<Words>, RunError> {
    let target = &part.run.targets[0];
    let answer = part.run.http.get(target, &format!("/api/doctors?page_size={NAMES_MAX}"), None).await.map_err(RunError::Target)?;
    let words = names(&answer.body);
    if words.is_empty() {
        return Err(RunError::Target("it has no doctors to search for; set search_share = 0".into()));
    }
    Ok(Arc::new(Words(words)))
}

fn names(page: &Value) -> Vec<(String, String)> {
    let items = page.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |item: &Value, key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
    items.iter().filter_map(|item| Some((text(item, "id")?, text(item, "name")?))).collect()
}

/// A doctor by his whole name: he has to be among what is found.
pub(super) async fn search(part: Part, person: u32, words: Arc<Words>, intended_micros: u64, mut dice: Seeded) {
    let who = part.person(person);
    let Some((id, name)) = words.0.get(dice.below(words.0.len().max(1))) else { return };
    let path = format!("/api/search?q={}", percent(name));
    let request = part.run.http.request(reqwest::Method::GET, part.run.target(who), &path, None);
    let outcome = match crate::connect::Http::answer(request).await {
        Ok(answer) if !answer.is_success() => Err(answer.class()),
        Ok(answer) if shows(&answer.body, id) => Ok(()),
        Ok(_) => Err("search_missed".into()),
        Err(class) => Err(class),
    };
    part.outcome(Metric::Search, intended_micros, &outcome);
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn shows(found: &Value, id: &str) -> bool {
    let doctors = found.get("doctors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    doctors.iter().any(|doctor| doctor.get("id").and_then(Value::as_str) == Some(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doctor_is_looked_for_by_the_name_that_is_shown() {
        let page = serde_json::json!({"items": [{"id": "d1", "name": "王芳"}, {"id": "d2"}]});
        assert_eq!(names(&page), [("d1".to_owned(), "王芳".to_owned())]);
        let found = serde_json::json!({"doctors": [{"id": "d1"}], "diseases": []});
        assert_eq!(percent("王a"), "%E7%8E%8B%61");
        assert!(shows(&found, "d1") && !shows(&found, "d2"));
    }
}
