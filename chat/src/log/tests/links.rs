//! The chain as a stranger computes it: from the links and the rule that PROTOCOL.md tells, with nothing of ours.

use super::rig::Rig;
use sha2::{Digest, Sha256};

#[tokio::test]
async fn links_give_the_hashes_also_when_the_key_is_gone() {
    let rig = Rig::new();
    let log = rig.open();
    let talk = rig.talk(&log).await;
    for number in 0..5 {
        log.append(talk.id, vec![rig.text(talk.patient, &number.to_string())], vec![]).await.unwrap();
    }
    log.close().await.unwrap();
    drop(log);
    rig.keys.destroy_person(talk.patient);
    let log = rig.open();
    let (entries, links) = (log.read(talk.id, 1, 10).await.unwrap(), log.links(talk.id, 1, 10).await.unwrap());
    assert_eq!((entries.len(), links.len()), (5, 5));
    let conversation = talk.id.as_bytes();
    let mut hash: [u8; 32] = Sha256::new().chain_update(b"wenzhen conversation v1").chain_update(conversation).finalize().into();
    for (link, entry) in links.iter().zip(&entries) {
        let next = Sha256::new().chain_update(hash).chain_update(conversation).chain_update(entry.seq.to_be_bytes());
        hash = next.chain_update(&link.header).chain_update(link.sealed_hash).finalize().into();
        assert_eq!(hash.as_slice(), entry.hash.as_ref(), "seq {}", entry.seq);
    }
    assert_eq!(log.links(talk.id, 3, 2).await.unwrap(), links[2..4]);
}
