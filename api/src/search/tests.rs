//! The index on its own; the route is tested with the catalogue's.

use super::index::{Entry, EntryKind, Index};
use uuid::Uuid;

fn index() -> Index {
    let entry = |kind, number: u128, name: &str, text: &str| {
        let within = if kind == EntryKind::Doctor { text.split(' ').next().unwrap_or_default() } else { "" };
        Entry { kind, id: Uuid::from_u128(number), name: name.into(), within: within.into(), text: text.into() }
    };
    Index::build(vec![
        entry(EntryKind::Doctor, 1, "周明远", "心血管内科 高血压、冠心病、心力衰竭的长期管理"),
        entry(EntryKind::Doctor, 2, "周明珠", "儿科 儿童哮喘、反复呼吸道感染"),
        entry(EntryKind::Doctor, 3, "林清音", "皮肤科 湿疹、荨麻疹；兼看老年高血压患者的皮肤瘙痒"),
        entry(EntryKind::Doctor, 4, "陈思", "康复科 心血管内科、心血管外科，内科"),
        entry(EntryKind::Department, 10, "呼吸内科", "内科系统 咳嗽、哮喘、慢阻肺"),
        entry(EntryKind::Department, 11, "皮肤科", "皮疹、瘙痒"),
        entry(EntryKind::Disease, 20, "高血压", "I10"),
        entry(EntryKind::Disease, 21, "支气管哮喘", "J45"),
    ])
    .unwrap()
}

fn found(query: &str) -> Vec<u128> {
    index().find(query).unwrap().into_iter().map(|(_, id)| id.as_u128()).collect()
}

/// FND-02: by name, part of a name, speciality.
#[test]
fn names_and_specialities_are_found() {
    assert_eq!(found("周明远"), [1]);
    let mut surname = found("周明");
    surname.sort_unstable();
    assert_eq!(surname, [1, 2]);
    assert_eq!(found("清音"), [3]);
    assert!(found("湿疹").contains(&3));
    assert!(found("冠心病").contains(&1));
}

/// FND-02: the doctors of a department come before those who only speak of its matters, also by a part of its name.
#[test]
fn a_department_finds_its_doctors_first() {
    let hits = found("心血管内科");
    assert_eq!(hits[0], 1, "{hits:?}");
    assert!(hits.contains(&10), "a loose hit stays: {hits:?}");
    assert_eq!(found("心"), [1]);
    assert_eq!(found("皮肤")[..2], [11, 3]);
}

/// FND-01: one box for doctors, departments and diseases; a name that fits comes first.
#[test]
fn one_query_finds_all_three_kinds() {
    let hits = found("哮喘");
    assert_eq!(hits[0], 21, "{hits:?}");
    assert!(hits.contains(&2) && hits.contains(&10), "{hits:?}");
    assert_eq!(found("高血压")[0], 20);
    assert_eq!(found("皮肤科")[0], 11);
}

#[test]
fn initials_of_the_pinyin_are_found_from_the_beginning() {
    assert_eq!(found("hxnk"), [10]);
    assert_eq!(found("HX"), [10]);
    assert_eq!(found("zmy"), [1]);
    assert_eq!(found("xnk"), Vec::<u128>::new());
}

#[test]
fn every_word_has_to_fit() {
    assert_eq!(found("周 高血压"), [1]);
    assert_eq!(found("林 冠心病"), Vec::<u128>::new());
}

#[test]
fn what_people_type_never_breaks_the_search() {
    for query in ["", "   ", "\"", "AND OR NOT", "name:x", "(((", "a*", "-高血压", "~^", "🧪", "%_", "\u{0}", &"长".repeat(50)] {
        index().find(query).unwrap();
    }
}
