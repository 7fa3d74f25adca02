//! Who takes part: lines of `wenzhen admin mint-tokens`.

use crate::scenario::RunError;
use serde::Deserialize;
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

#[derive(Clone, Deserialize)]
pub struct Person {
    pub user: String,
    pub role: String,
    /// The conversation he speaks in.
    pub conversation: String,
    pub access_token: String,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({}, {})", self.user, self.role)
    }
}

/// Reads the token file; at most `users` people, both sides of a conversation together.
pub fn read(path: &Path, users: Option<usize>) -> Result<Vec<Person>, RunError> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    }
    .map_err(|source| RunError::Tokens { line: 0, reason: source.to_string() })?;
    let mut people = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let person: Person = serde_json::from_str(line).map_err(|error| RunError::Tokens { line: index + 1, reason: error.to_string() })?;
        people.push(person);
    }
    people.truncate(users.unwrap_or(usize::MAX));
    if people.is_empty() {
        return Err(RunError::Tokens { line: 0, reason: "no people in it".into() });
    }
    if let Some(asked) = users.filter(|asked| people.len() < *asked) {
        return Err(RunError::Tokens { line: 0, reason: format!("{} people, {asked} asked for", people.len()) });
    }
    Ok(people)
}

/// Indices of both members of each conversation whose members both take part.
pub fn pairs(people: &[Person]) -> HashMap<String, Vec<usize>> {
    let mut by_conversation: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, person) in people.iter().enumerate() {
        by_conversation.entry(person.conversation.clone()).or_default().push(index);
    }
    by_conversation
}
