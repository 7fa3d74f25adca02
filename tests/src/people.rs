//! People of a demo installation, as `wenzhen admin mint-tokens` makes them: patients, each in an open conversation with a doctor.

use crate::process::Server;
use serde::Deserialize;

#[derive(Clone, Deserialize)]
pub struct Person {
    pub user: String,
    pub role: String,
    pub conversation: String,
    pub peer: String,
    pub access_token: String,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({}, {})", self.user, self.role)
    }
}

pub fn mint(server: &Server, count: usize) -> Vec<Person> {
    let output = server.wenzhen(&["admin", "mint-tokens", "--count", &count.to_string()]);
    assert!(output.status.success(), "mint-tokens: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("JSON lines are UTF-8");
    let people: Vec<Person> = text.lines().map(|line| serde_json::from_str(line).expect("a person a line")).collect();
    assert!(people.len() >= count, "{} people for {count} asked", people.len());
    people
}
