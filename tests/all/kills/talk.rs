//! Messages under load: nothing acknowledged is missing, nothing stands twice, no seq is left out, and `wenzhen verify` agrees.
//! What was not acknowledged is sent again with the same id, as a client does.

use super::{kills, seed};
use chat::wire::{Entry, body};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tests::{people::Person, process::Server, socket::Socket};
use tokio::sync::watch;
use uuid::Uuid;

const SPEAKERS: usize = 12;
/// A round is killed after so many acknowledgements, drawn from the seed: an event, not a moment.
const ACKS_BEFORE_KILL_MAX: u64 = 400;

/// What one person knows about what he said.
#[derive(Debug, Default)]
struct Said {
    acked: HashMap<Uuid, u64>,
    unsure: Vec<(Uuid, String)>,
}

/// Speaks until the socket breaks: first what he is unsure of, then new lines, each awaiting its acknowledgement.
async fn speak(port: u16, person: Person, said: Arc<Mutex<Said>>, acks: watch::Sender<u64>) {
    let Ok(mut socket) = Socket::open(port, &person.access_token).await else { return };
    let mut number = 0_u64;
    loop {
        let open = said.lock().expect("no panic while held").unsure.first().cloned();
        let (id, text) = open.unwrap_or_else(|| {
            number += 1;
            let line = (Uuid::now_v7(), format!("第{number}条 {}", person.user));
            said.lock().expect("no panic while held").unsure.push(line.clone());
            line
        });
        match socket.say_and_wait(&person.conversation, id, &text).await {
            Some(Ok(sent)) => {
                let mut said = said.lock().expect("no panic while held");
                said.unsure.retain(|(unsure, _)| *unsure != id);
                let before = said.acked.insert(id, sent.seq);
                assert!(before.is_none_or(|seq| seq == sent.seq), "one message, two places: {before:?} and {}", sent.seq);
                acks.send_modify(|count| *count += 1);
            }
            Some(Err(code)) if code == "rate_limited" => tokio::task::yield_now().await,
            Some(Err(code)) => panic!("a member's line was refused: {code}"),
            None => return,
        }
    }
}

fn check(person: &Person, entries: &[Entry], said: &Said) {
    let dense: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
    assert_eq!(dense, (1..=entries.len() as u64).collect::<Vec<_>>(), "seq is dense from 1");
    let mut places: HashMap<Uuid, u64> = HashMap::new();
    for entry in entries.iter().filter(|entry| entry.sender == person.user) {
        let is_text = matches!(entry.body.as_ref().and_then(|body| body.kind.as_ref()), Some(body::Kind::Text(_)));
        if let (true, Ok(id)) = (is_text, entry.id.parse()) {
            assert!(places.insert(id, entry.seq).is_none(), "message {id} stands twice");
        }
    }
    for (id, seq) in &said.acked {
        assert_eq!(places.get(id), Some(seq), "acknowledged at {seq}, message {id} is not there");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_doubled_by_kill_9() {
    let (kills, seed) = (kills(), seed());
    println!("seed {seed}, {kills} kills");
    let mut random = StdRng::seed_from_u64(seed);
    let mut server = Server::start().await;
    let people: Vec<Person> =
        tests::people::mint(&server, SPEAKERS * 2).into_iter().filter(|person| person.role == "patient").take(SPEAKERS).collect();
    let said: Vec<Arc<Mutex<Said>>> = people.iter().map(|_| Arc::default()).collect();

    for _ in 0..kills {
        let (acks, mut counted) = watch::channel(0);
        let mut speaking = tokio::task::JoinSet::new();
        for (person, said) in people.iter().zip(&said) {
            speaking.spawn(speak(server.port, person.clone(), said.clone(), acks.clone()));
        }
        let enough = random.random_range(20..ACKS_BEFORE_KILL_MAX);
        counted.wait_for(|count| *count >= enough).await.expect("somebody still speaks");
        server.kill();
        while let Some(ended) = speaking.join_next().await {
            ended.expect("no speaker found a contradiction");
        }
        server.restart().await;
        for (person, said) in people.iter().zip(&said) {
            let mut socket = Socket::open(server.port, &person.access_token).await.expect("the token outlives the kill");
            check(person, &socket.history(&person.conversation).await, &said.lock().expect("no panic while held"));
        }
    }
    assert!(server.terminate().success(), "drains and ends cleanly:\n{}", server.log());
    let verified = server.wenzhen(&["verify"]);
    assert!(verified.status.success(), "{}{}", String::from_utf8_lossy(&verified.stdout), String::from_utf8_lossy(&verified.stderr));
}
