//! Who goes to which worker: whole conversations, in their order, as equal as they come.

use serde::Deserialize;
use std::collections::HashMap;

#[derive(Deserialize)]
struct Member {
    conversation: Option<String>,
}

/// Always `parts` slices; some are empty where there are fewer conversations. A line that is no member of one stands alone.
pub fn split(lines: Vec<String>, parts: usize) -> Vec<Vec<String>> {
    let (total, mut slices) = (lines.len(), vec![Vec::new(); parts.max(1)]);
    let mut groups: Vec<Vec<String>> = Vec::new();
    let mut group_of: HashMap<String, usize> = HashMap::new();
    for line in lines {
        let member = serde_json::from_str::<Member>(&line).ok().and_then(|member| member.conversation);
        let group = match member {
            Some(conversation) => *group_of.entry(conversation).or_insert(groups.len()),
            None => groups.len(),
        };
        if group == groups.len() {
            groups.push(Vec::new());
        }
        groups[group].push(line);
    }
    let (mut dealt, last) = (0, slices.len() - 1);
    for group in groups {
        // The slice in which the group's first line falls when all lines are cut into equal pieces.
        let slice = (dealt * slices.len() / total.max(1)).min(last);
        dealt += group.len();
        slices[slice].extend(group);
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_stay_whole_and_nobody_is_lost() {
        let line = |index: usize| format!(r#"{{"user":"{index}","conversation":"{}"}}"#, index / 2);
        let mut lines: Vec<String> = (0..20).map(line).collect();
        lines.push("not a person".into());
        let slices = split(lines.clone(), 3);
        assert_eq!(slices.iter().map(Vec::len).collect::<Vec<_>>(), [8, 6, 7]);
        for slice in &slices[..2] {
            assert_eq!(slice.len() % 2, 0, "both members together");
        }
        let mut together: Vec<String> = slices.concat();
        together.sort();
        lines.sort();
        assert_eq!(together, lines);
        assert_eq!(split(vec![line(0)], 3).iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 0]);
    }

    #[test]
    fn members_far_apart_come_together() {
        let slices = split(["a", "b", "a", "b"].map(|name| format!(r#"{{"conversation":"{name}"}}"#)).to_vec(), 2);
        assert_eq!(slices[0].len(), 2);
        assert!(slices[0].iter().all(|line| line.contains("\"a\"")), "{slices:?}");
    }
}
