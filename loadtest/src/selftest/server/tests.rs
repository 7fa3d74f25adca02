//! The server by itself, through a client that knows nothing but the protocol: honest first, then what each lie looks like on the wire.

use super::*;
use bytes::BytesMut;
use chat::wire::{
    Body, CallAccept, CallCommand, CallHangUp, CallInvite, CallMedia, CallSignal, Command, Cursor, Entry, Event, Hello, MarkRead, Page,
    Ping, Pull, Resume, Send, SetTyping, Text, body, call_command, call_event, call_signal, command, event,
};
use futures_util::{SinkExt, StreamExt};
use prost::Message as _;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

struct Client {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pending: BytesMut,
    user: String,
    conversation: String,
}

fn person(server: &Server, index: usize) -> serde_json::Value {
    serde_json::from_str(&server.people()[index]).expect("the server writes JSON")
}

async fn open(server: &Server) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, Error> {
    let mut request = format!("ws://{}/v1/socket", server.address).into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", "wenzhen.v1.proto".parse().expect("ASCII"));
    connect_async(request).await.map(|(stream, _)| stream)
}

impl Client {
    async fn enter(server: &Server, index: usize) -> Self {
        let person = person(server, index);
        let text = |key: &str| person[key].as_str().expect("a text").to_owned();
        let stream = open(server).await.expect("an honest door");
        let mut client = Self { stream, pending: BytesMut::new(), user: text("user"), conversation: text("conversation") };
        let hello =
            Hello { access_token: text("access_token"), device: uuid::Uuid::from_u128(index as u128).to_string(), client: "t".into() };
        client.send(command::Kind::Hello(hello)).await;
        let event::Kind::Welcome(welcome) = client.next().await else { panic!("no welcome") };
        assert_eq!(welcome.user, client.user);
        client
    }

    async fn send(&mut self, kind: command::Kind) {
        let record = Command { kind: Some(kind) }.encode_length_delimited_to_vec();
        self.stream.send(Message::Binary(record.into())).await.expect("an open socket");
    }

    async fn say(&mut self, number: u128) {
        let body = Some(Body { kind: Some(body::Kind::Text(Text { text: format!("line {number}"), reply_to_seq: 0 })) });
        let id = uuid::Uuid::from_u128(number).to_string();
        self.send(command::Kind::Send(Send { conversation: self.conversation.clone(), id, body })).await;
    }

    /// None when the socket broke.
    async fn try_next(&mut self) -> Option<event::Kind> {
        loop {
            if !self.pending.is_empty() {
                return Event::decode_length_delimited(&mut self.pending).ok()?.kind;
            }
            match self.stream.next().await?.ok()? {
                Message::Binary(frame) => self.pending.extend_from_slice(&frame),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    async fn next(&mut self) -> event::Kind {
        self.try_next().await.expect("the socket goes on")
    }

    /// Everything up to the answer of a ping: what the server had to say until now.
    async fn heard(&mut self) -> Vec<event::Kind> {
        self.send(command::Kind::Ping(Ping { nonce: 9 })).await;
        let mut heard = Vec::new();
        loop {
            match self.next().await {
                event::Kind::Pong(_) => return heard,
                kind => heard.push(kind),
            }
        }
    }

    async fn entries(&mut self) -> Vec<Entry> {
        let heard = self.heard().await;
        heard.into_iter().filter_map(|kind| if let event::Kind::Entry(entry) = kind { Some(entry) } else { None }).collect()
    }

    async fn page(&mut self, from_seq: u64) -> Page {
        let pull = Pull { conversation: self.conversation.clone(), from_seq, limit: 200, ..Pull::default() };
        self.send(command::Kind::Pull(pull)).await;
        loop {
            if let event::Kind::Page(page) = self.next().await {
                return page;
            }
        }
    }

    async fn call(&mut self, kind: call_command::Kind) {
        let call = uuid::Uuid::from_u128(77).to_string();
        self.send(command::Kind::Call(CallCommand { call, kind: Some(kind) })).await;
    }

    async fn calls(&mut self) -> Vec<(String, call_event::Kind)> {
        let heard = self.heard().await;
        let calls = heard.into_iter().filter_map(|kind| if let event::Kind::Call(call) = kind { Some(call) } else { None });
        calls.filter_map(|call| call.kind.map(|kind| (call.call, kind))).collect()
    }
}

async fn server(lie: Option<Lie>) -> Server {
    server_of(lie.map(|lie| Planted { lie, times: 1, among: 30 })).await
}

async fn server_of(planted: Option<Planted>) -> Server {
    let options = Options { people: 4, planted, seed: 7, stall_micros: None, slow_micros: 0 };
    Server::start(options).await.expect("a free port")
}

/// Both of the first pair, and twenty-nine lines of the patient, each answered before the next.
async fn talk(server: &Server) -> (Client, Client) {
    let (mut patient, doctor) = (Client::enter(server, 0).await, Client::enter(server, 1).await);
    for number in 0..29 {
        patient.say(number).await;
        while !matches!(patient.next().await, event::Kind::Sent(_)) {}
    }
    (patient, doctor)
}

fn seqs(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq).collect()
}

/// What the doctor heard live, and what the history holds for him.
async fn after(lie: Lie) -> (Server, Vec<Entry>, Vec<Entry>) {
    let server = server(Some(lie)).await;
    let (_patient, mut doctor) = talk(&server).await;
    let live = doctor.entries().await;
    let stored = doctor.page(4).await.entries;
    assert_eq!(server.told(), 1);
    (server, live, stored)
}

#[tokio::test]
async fn an_honest_server_tells_everybody_everything_in_order() {
    let server = server(None).await;
    let (mut patient, mut doctor) = talk(&server).await;
    let live = doctor.entries().await;
    assert_eq!(seqs(&live), (4..=32).collect::<Vec<_>>());
    let page = patient.page(1).await;
    assert_eq!((page.head_seq, page.from_seq, seqs(&page.entries)), (32, 1, (1..=32).collect::<Vec<_>>()));
    assert_eq!(page.entries[3..], live[..]);
    assert!(page.entries.windows(2).all(|pair| pair[0].at_ms <= pair[1].at_ms && pair[0].hash != pair[1].hash));
    assert_eq!(server.told(), 0);
    assert_eq!(server.kept_micros().len(), 29);
}

#[tokio::test]
async fn the_same_id_is_the_same_message_and_with_another_body_a_conflict() {
    let server = server(None).await;
    let mut patient = Client::enter(&server, 0).await;
    patient.say(1).await;
    patient.say(1).await;
    let places: Vec<u64> = patient
        .heard()
        .await
        .into_iter()
        .filter_map(|kind| if let event::Kind::Sent(sent) = kind { Some(sent.seq) } else { None })
        .collect();
    assert_eq!(places, [4, 4]);
    let id = uuid::Uuid::from_u128(1).to_string();
    let body = Some(Body { kind: Some(body::Kind::Text(Text { text: "other".into(), reply_to_seq: 0 })) });
    patient.send(command::Kind::Send(Send { conversation: patient.conversation.clone(), id: id.clone(), body })).await;
    let heard = patient.heard().await;
    assert!(matches!(&heard[..], [event::Kind::Error(error)] if error.code == "id_conflict" && error.re == id), "{heard:?}");
}

#[tokio::test]
async fn a_resume_answers_heads_and_what_is_missing_and_denies_a_foreign_history() {
    let server = server(None).await;
    let (mut patient, mut doctor) = talk(&server).await;
    let known = doctor.page(30).await.entries[0].clone();
    let cursor = Cursor { conversation: doctor.conversation.clone(), seq: known.seq, hash_prefix: known.hash.slice(..8) };
    doctor.heard().await;
    doctor.send(command::Kind::Resume(Resume { cursors: vec![cursor.clone()] })).await;
    let heard = doctor.heard().await;
    assert!(
        matches!(&heard[..], [event::Kind::Heads(heads), event::Kind::Page(page)] if heads.heads[0].seq == 32 && seqs(&page.entries) == [31, 32]),
        "{heard:?}"
    );
    let foreign = Cursor { hash_prefix: vec![1; 8].into(), ..cursor };
    doctor.send(command::Kind::Resume(Resume { cursors: vec![foreign] })).await;
    assert!(matches!(&doctor.heard().await[..], [event::Kind::Heads(_), event::Kind::HistoryChanged(_)]));
    doctor.send(command::Kind::Read(MarkRead { conversation: doctor.conversation.clone(), up_to_seq: 99 })).await;
    doctor.send(command::Kind::Typing(SetTyping { conversation: doctor.conversation.clone(), active: true })).await;
    doctor.heard().await;
    let heard = patient.heard().await;
    assert!(heard.iter().any(|kind| matches!(kind, event::Kind::Marks(marks) if marks.read_seq == 32 && marks.user == doctor.user)));
    assert!(heard.iter().any(|kind| matches!(kind, event::Kind::Typing(typing) if typing.active)));
}

#[tokio::test]
async fn a_stranger_is_refused() {
    let server = server(None).await;
    let mut stranger = Client::enter(&server, 2).await;
    stranger.conversation = person(&server, 0)["conversation"].as_str().expect("a text").into();
    stranger.say(1).await;
    let pull = Pull { conversation: stranger.conversation.clone(), ..Pull::default() };
    stranger.send(command::Kind::Pull(pull)).await;
    let heard = stranger.heard().await;
    let refused = |kind: &event::Kind| matches!(kind, event::Kind::Error(error) if error.code == "unknown_conversation");
    assert!(heard.len() == 2 && heard.iter().all(refused), "{heard:?}");
}

#[tokio::test]
async fn a_call_rings_is_answered_relayed_and_ends_and_stays_in_the_history() {
    let server = server(None).await;
    let (mut patient, mut doctor) = (Client::enter(&server, 0).await, Client::enter(&server, 1).await);
    let invite = CallInvite { conversation: patient.conversation.clone(), media: CallMedia::Video.into() };
    patient.call(call_command::Kind::Invite(invite)).await;
    assert!(matches!(&patient.calls().await[..], [(_, call_event::Kind::Snapshot(_))]));
    assert!(matches!(&doctor.calls().await[..], [(_, call_event::Kind::Incoming(incoming))] if incoming.from == patient.user));
    doctor.call(call_command::Kind::Accept(CallAccept {})).await;
    assert!(matches!(&doctor.calls().await[..], [(_, call_event::Kind::Started(started))] if started.polite));
    assert!(matches!(&patient.calls().await[..], [(_, call_event::Kind::Started(started))] if !started.polite));
    let offer = CallSignal { kind: Some(call_signal::Kind::OfferSdp("v=0".into())) };
    patient.call(call_command::Kind::Signal(offer.clone())).await;
    patient.heard().await;
    assert!(matches!(&doctor.calls().await[..], [(_, call_event::Kind::Signal(signal))] if *signal == offer));
    doctor.call(call_command::Kind::HangUp(CallHangUp {})).await;
    assert!(matches!(&doctor.calls().await[..], [(_, call_event::Kind::Over(_))]));
    let kinds: Vec<_> = patient.page(4).await.entries.into_iter().filter_map(|entry| entry.body?.kind).collect();
    assert!(matches!(&kinds[..], [body::Kind::CallInvited(_), body::Kind::CallAccepted(_), body::Kind::CallEnded(_)]), "{kinds:?}");
}

#[tokio::test]
async fn lies_about_one_reader_show_live_only() {
    let all: Vec<u64> = (4..=32).collect();
    let (_server, live, stored) = after(Lie::Dup).await;
    assert_eq!(live.len(), 30);
    assert_eq!(seqs(&stored), all);
    let (_server, live, stored) = after(Lie::Swap).await;
    assert_eq!(live.windows(2).filter(|pair| pair[0].seq > pair[1].seq).count(), 1);
    assert_eq!((live.len(), seqs(&stored)), (29, all.clone()));
    let (_server, live, stored) = after(Lie::FlipBit).await;
    assert_eq!(live.iter().zip(&stored).filter(|(live, stored)| live.body != stored.body).count(), 1);
    let (_server, live, stored) = after(Lie::StaleAccess).await;
    assert_eq!(live.len(), stored.len() + 1, "one entry after the end of his history");
}

#[tokio::test]
async fn lies_about_the_history_show_in_the_history() {
    let (_server, live, stored) = after(Lie::Drop).await;
    assert_eq!((live.len(), stored.len()), (28, 28));
    assert_eq!(seqs(&live), seqs(&stored));
    let (_server, live, stored) = after(Lie::Lose).await;
    assert_eq!((live.len(), stored.len()), (29, 28));
    let (_server, live, stored) = after(Lie::Fork).await;
    assert_eq!(live.iter().zip(&stored).filter(|(live, stored)| live.hash != stored.hash).count(), 1);
    let (_server, live, _) = after(Lie::ClockStep).await;
    assert_eq!(live.windows(2).filter(|pair| pair[0].at_ms > pair[1].at_ms).count(), 1);
    let (_server, live, stored) = after(Lie::Phantom).await;
    assert_eq!((live.len(), stored.len()), (30, 30));
}

#[tokio::test]
async fn a_stranger_hears_what_is_not_for_him() {
    let server = server(Some(Lie::Misdeliver)).await;
    let mut stranger = Client::enter(&server, 3).await;
    let (_patient, _doctor) = talk(&server).await;
    assert_eq!((stranger.entries().await.len(), server.told()), (1, 1));
}

#[tokio::test]
async fn a_broken_connection_breaks_in_the_middle_of_a_frame_and_the_rest_is_honest() {
    for lie in [Lie::ResetMidFrame, Lie::PartialWrite, Lie::AckUnstored, Lie::WrongOffset] {
        let server = server(Some(lie)).await;
        let mut doctor = Client::enter(&server, 1).await;
        let mut patient = Client::enter(&server, 0).await;
        let mut acked = 0;
        for number in 0..29 {
            patient.say(number).await;
            while let Some(kind) = patient.try_next().await {
                if matches!(kind, event::Kind::Sent(_)) {
                    acked += 1;
                    break;
                }
            }
            if server.told() == 1 {
                break;
            }
        }
        let mut live = 0;
        while let Some(kind) = doctor.try_next().await {
            live += u64::from(matches!(kind, event::Kind::Entry(_)));
        }
        let mut back = Client::enter(&server, 1).await;
        let held = back.page(live + 3).await.entries;
        let cursor = Cursor { conversation: back.conversation.clone(), seq: live + 3, hash_prefix: held[0].hash.slice(..8) };
        back.send(command::Kind::Resume(Resume { cursors: vec![cursor] })).await;
        back.heard().await;
        let stored = back.page(4).await.entries.len() as u64;
        let missing = u64::from(matches!(lie, Lie::AckUnstored | Lie::WrongOffset));
        assert_eq!((live + 1, stored), (acked, acked - missing), "{lie:?}");
    }
}

#[tokio::test]
async fn connections_are_refused_or_ignored() {
    let server = server(Some(Lie::RefuseConnects)).await;
    let mut refused = 0;
    for _ in 0..30 {
        refused += u64::from(matches!(open(&server).await, Err(Error::Http(response)) if response.status() == 503));
    }
    assert_eq!(refused, 1);
    let server = self::server(Some(Lie::NeverRead)).await;
    let mut opening: JoinSet<()> = JoinSet::new();
    for _ in 0..30 {
        let url = server.address;
        opening.spawn(async move {
            let mut request = format!("ws://{url}/v1/socket").into_client_request().expect("well formed");
            request.headers_mut().insert("sec-websocket-protocol", "wenzhen.v1.proto".parse().expect("ASCII"));
            connect_async(request).await.expect("an open door");
        });
    }
    for _ in 0..29 {
        opening.join_next().await.expect("one of them").expect("no panic");
    }
    assert_eq!((opening.len(), server.told()), (1, 1));
}

#[tokio::test]
async fn time_lies_are_kept_to() {
    let options = Options { people: 2, planted: None, seed: 7, stall_micros: Some((0, 300_000)), slow_micros: 0 };
    let stalled = Server::start(options).await.expect("a free port");
    let mut patient = Client::enter(&stalled, 0).await;
    patient.say(1).await;
    patient.heard().await;
    let kept = stalled.kept_micros();
    assert!(kept.max() >= 290_000, "{} µs", kept.max());

    let planted = Some(Planted { lie: Lie::SlowTail, times: 1, among: 6 });
    let options = Options { people: 2, planted, seed: 7, stall_micros: None, slow_micros: 100_000 };
    let slow = Server::start(options).await.expect("a free port");
    let mut patient = Client::enter(&slow, 0).await;
    for number in 0..6 {
        patient.say(number).await;
    }
    for _ in 0..12 {
        patient.next().await;
    }
    let kept = slow.kept_micros();
    assert_eq!((slow.told(), kept.len()), (1, 6));
    assert!(kept.min() >= 99_000 && kept.max() >= 990_000);
    assert!(kept.value_at_quantile(0.8) < 990_000);
}
