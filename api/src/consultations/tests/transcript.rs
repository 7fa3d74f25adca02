//! The transcript proves itself: whoever holds it recomputes the chain with SHA-256 alone.

use super::*;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The chain as chat/PROTOCOL.md describes it, from what the entries say of themselves; the index of the first entry that does not follow.
fn broken_at(transcript: &Value) -> Option<usize> {
    let bytes = |text: &Value| -> [u8; 16] {
        text.as_str().filter(|id| !id.is_empty()).map_or([0; 16], |id| *id.parse::<Uuid>().unwrap().as_bytes())
    };
    let conversation = bytes(&transcript["conversation_id"]);
    let mut previous: Vec<u8> = Sha256::new().chain_update(b"wenzhen conversation v1").chain_update(conversation).finalize().to_vec();
    let roles = ["", "SENDER_ROLE_PATIENT", "SENDER_ROLE_DOCTOR", "SENDER_ROLE_EXPERT", "SENDER_ROLE_AGENT"];
    let entries = transcript["entries"].as_array().unwrap();
    for (index, (entry, link)) in entries.iter().zip(transcript["links"].as_array().unwrap()).enumerate() {
        let number = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap().to_be_bytes();
        let role = roles.iter().position(|role| *role == entry["senderRole"].as_str().unwrap_or_default()).unwrap();
        let flags = u8::from(entry["urgent"] == true) + 2 * u8::from(entry["body"].get("recall").is_some());
        let hash = Sha256::new()
            .chain_update(&previous)
            .chain_update(conversation)
            .chain_update(number(&entry["seq"]))
            .chain_update([1, flags, u8::try_from(role).unwrap()])
            .chain_update(bytes(&entry["sender"]))
            .chain_update(bytes(&entry["id"]))
            .chain_update(number(&entry["atMs"]))
            .chain_update(unhex(link["sealed_hash"].as_str().unwrap()))
            .finalize()
            .to_vec();
        if hash != STANDARD.decode(entry["hash"].as_str().unwrap()).unwrap() {
            return Some(index);
        }
        previous = hash;
    }
    let whole = previous == unhex(transcript["head_hash"].as_str().unwrap());
    (!whole).then_some(entries.len())
}

fn unhex(text: &str) -> Vec<u8> {
    super::super::notice::unhex(text).unwrap()
}

/// CON-15, U-12: both sides may take the transcript along; it verifies offline and shows any change.
#[tokio::test]
async fn con_15_a_transcript_verifies_without_us() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let id = accepted(&test, &patient, &doctor).await;
    let said = say(&test, &id, patient.user, "写错了").await.unwrap();
    say(&test, &id, doctor.user, "您好").await.unwrap();
    let recall = wire::Body { kind: Some(Body::Recall(wire::Recall { seq: said.entries[0].seq })) };
    let draft = Draft { sender: Some(patient.user), id: test.app.entropy.id(test.app.clock.now()), body: recall, urgent: false };
    test.app.log.append(stored(&test, &id).await.conversation, vec![draft], vec![Guard::SenderMaySpeak]).await.unwrap();
    let path = format!("/api/conversations/{}/transcript", stored(&test, &id).await.conversation);
    let whole = patient.get(&path).await.ok();
    assert_eq!(whole["entries"].as_array().unwrap().len(), whole["links"].as_array().unwrap().len());
    assert_eq!(broken_at(&whole), None);
    assert_eq!(doctor.get(&path).await.ok(), whole);
    let mut moved = whole.clone();
    moved["entries"][2]["atMs"] = json!("1");
    assert_eq!(broken_at(&moved), Some(2));
    let mut cut = whole.clone();
    cut["entries"].as_array_mut().unwrap().pop();
    assert!(broken_at(&cut).is_some(), "a missing end shows");
    test.patient("13611110009").await.get(&path).await.refused(404, "not_found");
}
