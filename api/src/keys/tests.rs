use super::*;
use uuid::Uuid;

const PLACE: Place = Place { table: "accounts", column: "name", row: Uuid::from_u128(7) };

fn open(dir: &Path) -> Keys {
    Keys::open(dir, &Entropy::System).expect("opens")
}

#[tokio::test]
async fn keys_survive_a_restart_and_differ_by_owner() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
    let keys = open(dir.path());
    let sealed = keys.person(one).await.unwrap().seal(&Entropy::System, PLACE, "王芳".as_bytes());
    drop(keys);
    let keys = open(dir.path());
    assert_eq!(keys.person(one).await.unwrap().open_text(PLACE, &sealed).unwrap(), "王芳");
    assert!(keys.person(other).await.unwrap().open(PLACE, &sealed).is_err());
}

#[tokio::test]
async fn a_sealed_value_does_not_open_in_another_place_or_after_a_change() {
    let dir = tempfile::tempdir().unwrap();
    let key = open(dir.path()).tenant(TenantId(Uuid::from_u128(1))).await.unwrap();
    let sealed = key.seal(&Entropy::System, PLACE, b"13800000000");
    assert!(key.open(Place { column: "phone", ..PLACE }, &sealed).is_err());
    assert!(key.open(Place { row: Uuid::from_u128(8), ..PLACE }, &sealed).is_err());
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(key.open(PLACE, &changed).is_err(), "byte {at}");
    }
}

#[tokio::test]
async fn a_destroyed_key_stays_destroyed() {
    let dir = tempfile::tempdir().unwrap();
    let user = UserId(Uuid::from_u128(1));
    let keys = open(dir.path());
    keys.prepare_people(vec![user, user, UserId(Uuid::from_u128(2))]).await.unwrap();
    keys.destroy_person(user).await.unwrap();
    assert!(matches!(keys.person(user).await, Err(KeyError::Destroyed)));
    assert!(matches!(open(dir.path()).person(user).await, Err(KeyError::Destroyed)));
}

#[tokio::test]
async fn a_torn_record_is_cut_off_and_a_foreign_root_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let user = UserId(Uuid::from_u128(1));
    let before = open(dir.path()).person(user).await.unwrap();
    let vault = dir.path().join("vault.keys");
    let mut bytes = std::fs::read(&vault).unwrap();
    bytes.extend([2; 33]);
    std::fs::write(&vault, bytes).unwrap();
    assert_eq!(open(dir.path()).person(user).await.unwrap().bytes(), before.bytes());
    std::fs::write(dir.path().join("root.key"), [9; 32]).unwrap();
    assert!(matches!(Keys::open(dir.path(), &Entropy::System), Err(KeyError::Foreign)));
}

/// Whoever only looks makes no key and cuts nothing off, but opens what is there.
#[tokio::test]
async fn examining_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (known, stranger) = (UserId(uuid::Uuid::from_u128(1)), UserId(uuid::Uuid::from_u128(2)));
    let made = Keys::open(dir.path(), &Entropy::seeded(1)).unwrap().person(known).await.unwrap();
    let file = dir.path().join("vault.keys");
    let torn = [std::fs::read(&file).unwrap(), b"torn".to_vec()].concat();
    std::fs::write(&file, &torn).unwrap();
    let examined = Keys::examine(dir.path(), &Entropy::seeded(2)).unwrap();
    assert_eq!(examined.person(known).await.unwrap().bytes(), made.bytes());
    assert!(matches!(examined.person(stranger).await, Err(KeyError::Unknown)));
    assert!(matches!(examined.destroy_person(known).await, Err(KeyError::Unknown)));
    assert_eq!(std::fs::read(&file).unwrap(), torn);
    assert!(matches!(Keys::examine(&dir.path().join("nowhere"), &Entropy::seeded(2)), Err(KeyError::Io(_))));
}
