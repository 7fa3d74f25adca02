//! A node with people, conversations and clients. A client waits for events, never for time.

use crate::clock::Clock;
use crate::connection::{AttachmentClaim, AttachmentFacts, AttachmentKind, Origins};
use crate::entropy::Entropy;
use crate::errors::{CloseCode, Code};
use crate::fanout::Fanout;
use crate::hub::{Hub, HubParts, InboundCall, Publisher};
use crate::ids::{ConversationId, DeviceId, Role, SessionId, TenantId, Timestamp, UserId};
use crate::limits::HubLimits;
use crate::log::head::{ConversationState, Member, RetentionClass};
use crate::log::{Draft, Embedded, MessageLog, NewConversation, Options};
use crate::seal::{Key, KeyError, KeySource};
use crate::token::{AccessClaims, TokenKeys};
use crate::wire::codec::{Frame, Subprotocol, decode_events, encode_command};
use crate::wire::{self, Body, Command, Event, Hello, SenderRole, Text, body, event::Kind};
use axum::extract::{ConnectInfo, State, ws::WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::{Router, routing::get};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, SinkExt, StreamExt};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::Request;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async};
use uuid::Uuid;

pub const START: Timestamp = Timestamp(1_800_000_000_000);
/// Only for a test that would otherwise hang.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Any upload with this first byte exists and is a picture of 640 × 480; everything else is unknown.
pub const UPLOADED: Uuid = Uuid::from_u128(0xAA << 120);

struct FixedKeys;

impl KeySource for FixedKeys {
    fn tenant_key(&self, _: TenantId) -> BoxFuture<'_, Result<Key, KeyError>> {
        async { Ok(Key::new([1; 32])) }.boxed()
    }
    fn person_key(&self, _: UserId) -> BoxFuture<'_, Result<Key, KeyError>> {
        async { Ok(Key::new([2; 32])) }.boxed()
    }
}

pub struct Rig {
    pub hub: Arc<Hub>,
    pub log: Arc<MessageLog>,
    pub clock: Clock,
    pub entropy: Entropy,
    pub calls: mpsc::Receiver<InboundCall>,
    pub address: SocketAddr,
    _dir: TempDir,
}

#[derive(Clone, Copy)]
pub struct Person {
    pub user: UserId,
    pub session: SessionId,
    pub device: DeviceId,
    pub role: Role,
}

/// Rates that no test reaches by accident, because its clock stands; deadlines as in production.
pub fn limits() -> HubLimits {
    HubLimits {
        commands_burst: 100_000,
        sends_burst: 100_000,
        bytes_burst: u32::MAX,
        accepts_burst: 100_000,
        sweep_ms: 20,
        ..Default::default()
    }
}

pub async fn rig() -> Rig {
    rig_with(limits()).await
}

pub async fn rig_with(limits: HubLimits) -> Rig {
    let dir = tempfile::tempdir().unwrap();
    let (clock, entropy) = (Clock::manual(START), Entropy::seeded(11));
    let publisher = Publisher::default();
    let mut options = Options::new(dir.path(), clock.clone(), entropy.clone(), Arc::new(FixedKeys));
    options.publish = publisher.callback();
    let log = Arc::new(MessageLog::Embedded(Embedded::open(options).unwrap()));
    let (calls_in, calls) = mpsc::channel(8);
    let hub = Hub::new(HubParts {
        node: entropy.id(START),
        log: log.clone(),
        publisher,
        clock: clock.clone(),
        entropy: entropy.clone(),
        tokens: tokens(),
        limits,
        fanout: Fanout::local(),
        calls: calls_in,
        attachments: Arc::new(|claim| async move { know(claim) }.boxed()),
    });
    let address = listen(hub.clone());
    Rig { hub, log, clock, entropy, calls, address, _dir: dir }
}

fn know(claim: AttachmentClaim) -> Result<AttachmentFacts, Code> {
    match claim.kind {
        AttachmentKind::Image if claim.attachment == UPLOADED => Ok(AttachmentFacts::Image { width_px: 640, height_px: 480 }),
        _ => Err(Code::UnknownAttachment),
    }
}

fn tokens() -> TokenKeys {
    TokenKeys::new([7; 32])
}

fn listen(hub: Arc<Hub>) -> SocketAddr {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(16 * 1024).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener: TcpListener = socket.listen(1024).unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/v1/socket", get(upgrade)).with_state(hub);
    tokio::spawn(async move { axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await });
    address
}

async fn upgrade(
    State(hub): State<Arc<Hub>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    request: WebSocketUpgrade,
) -> axum::response::Response {
    hub.upgrade(request, &headers, peer.ip(), &Origins::default())
}

impl Rig {
    pub fn person(&self, role: Role) -> Person {
        Person { user: self.entropy.id(START), session: self.entropy.id(START), device: self.entropy.id(START), role }
    }

    pub fn token(&self, person: &Person) -> String {
        let now = self.clock.now();
        tokens().mint(&claims(person, now, now.plus_ms(300_000))).unwrap()
    }

    pub async fn conversation(&self, members: &[(&Person, SenderRole)]) -> ConversationId {
        let id = self.entropy.id(START);
        let members: Vec<_> =
            members.iter().map(|(person, role)| Member { user: person.user, role: *role, visible_from: 1, left_at: None }).collect();
        let new = NewConversation {
            id,
            tenant: TenantId::NIL,
            subject: members[0].user,
            members,
            state: ConversationState::Open,
            retention: RetentionClass::Consultation,
            first: vec![],
        };
        self.log.create(new).await.unwrap();
        id
    }

    /// A patient and a doctor, connected, in a conversation.
    pub async fn pair(&self) -> (Client, Client, ConversationId) {
        let (patient, doctor) = (self.person(Role::Patient), self.person(Role::Doctor));
        let conversation = self.conversation(&[(&patient, SenderRole::Patient), (&doctor, SenderRole::Doctor)]).await;
        (self.connect(&patient, Subprotocol::Json).await, self.connect(&doctor, Subprotocol::Proto).await, conversation)
    }

    pub async fn server_says(&self, conversation: ConversationId, kind: body::Kind) -> u64 {
        self.append(conversation, None, kind, false).await
    }

    pub async fn append(&self, conversation: ConversationId, sender: Option<UserId>, kind: body::Kind, urgent: bool) -> u64 {
        let draft = Draft { sender, id: self.entropy.id(START), body: Body { kind: Some(kind) }, urgent };
        self.log.append(conversation, vec![draft], vec![]).await.unwrap().entries[0].seq
    }

    /// One commit.
    pub async fn append_many(&self, conversation: ConversationId, sender: UserId, texts: &[&str]) {
        let draft = |text: &&str| Draft { sender: Some(sender), id: self.entropy.id(START), body: text_body(text), urgent: false };
        self.log.append(conversation, texts.iter().map(draft).collect(), vec![]).await.unwrap();
    }

    pub fn send(&self, conversation: ConversationId, text: &str) -> wire::Send {
        wire::Send { conversation: conversation.to_string(), id: self.entropy.uuid(START).to_string(), body: Some(text_body(text)) }
    }

    /// Through the door and hello.
    pub async fn connect(&self, person: &Person, subprotocol: Subprotocol) -> Client {
        let mut client = self.open(subprotocol).await;
        client.person = Some(*person);
        client.send(self.hello(person)).await;
        assert!(matches!(client.event().await, Kind::Welcome(_)));
        client
    }

    pub fn hello(&self, person: &Person) -> Hello {
        Hello { access_token: self.token(person), device: person.device.to_string(), client: "rig/1".into() }
    }

    /// Upgraded, and nothing said yet.
    pub async fn open(&self, subprotocol: Subprotocol) -> Client {
        self.open_over(TcpStream::connect(self.address).await.unwrap(), subprotocol).await
    }

    /// Its kernel takes as little as the kernel allows.
    pub async fn open_narrow(&self, subprotocol: Subprotocol) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 * 1024).unwrap();
        self.open_over(socket.connect(self.address).await.unwrap(), subprotocol).await
    }

    async fn open_over(&self, stream: TcpStream, subprotocol: Subprotocol) -> Client {
        let (socket, _) = client_async(self.request(&[("sec-websocket-protocol", subprotocol.name())]), stream).await.unwrap();
        Client { socket, subprotocol, person: None, received: VecDeque::new() }
    }

    pub fn request(&self, headers: &[(&'static str, &str)]) -> Request<()> {
        let mut request = format!("ws://{}/v1/socket", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        request
    }
}

pub fn claims(person: &Person, issued_at: Timestamp, expires_at: Timestamp) -> AccessClaims {
    AccessClaims { user: person.user, session: person.session, tenant: TenantId::NIL, role: person.role, issued_at, expires_at }
}

pub fn mint(claims: &AccessClaims) -> String {
    tokens().mint(claims).unwrap()
}

pub fn text_body(text: &str) -> Body {
    Body { kind: Some(text_kind(text)) }
}

pub fn text_kind(text: &str) -> body::Kind {
    body::Kind::Text(Text { text: text.into(), reply_to_seq: 0 })
}

pub fn text_of(entry: &wire::Entry) -> Option<&str> {
    match entry.body.as_ref()?.kind.as_ref()? {
        body::Kind::Text(text) => Some(&text.text),
        _ => None,
    }
}

pub struct Client {
    socket: WebSocketStream<TcpStream>,
    subprotocol: Subprotocol,
    person: Option<Person>,
    received: VecDeque<Event>,
}

/// How the server closed.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed {
    pub code: Option<CloseCode>,
    pub reason: String,
}

impl Client {
    pub fn person(&self) -> Person {
        self.person.unwrap()
    }

    pub async fn send(&mut self, command: impl Into<Command>) {
        let message = match encode_command(self.subprotocol, &command.into()) {
            Frame::Binary(bytes) => Message::Binary(bytes),
            Frame::Text(text) => Message::text(text),
        };
        self.send_frame(message).await;
    }

    /// Errors are the server's close, which the next read shows.
    pub async fn send_frame(&mut self, message: Message) {
        let _ = self.socket.send(message).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.send_frame(Message::Text(Utf8Bytes::from(text))).await;
    }

    pub async fn event(&mut self) -> Kind {
        match self.next().await {
            Ok(kind) => kind,
            Err(closed) => panic!("closed: {closed:?}"),
        }
    }

    /// The first event that `pick` takes; those before it are dropped.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(Kind) -> Option<T>) -> T {
        loop {
            if let Some(picked) = pick(self.event().await) {
                return picked;
            }
        }
    }

    pub async fn until_sent(&mut self) -> wire::Sent {
        self.until(|kind| if let Kind::Sent(sent) = kind { Some(sent) } else { None }).await
    }

    pub async fn until_entry(&mut self) -> wire::Entry {
        self.until(|kind| if let Kind::Entry(entry) = kind { Some(entry) } else { None }).await
    }

    pub async fn until_error(&mut self) -> wire::Error {
        self.until(|kind| if let Kind::Error(error) = kind { Some(error) } else { None }).await
    }

    pub async fn until_page(&mut self) -> wire::Page {
        self.until(|kind| if let Kind::Page(page) = kind { Some(page) } else { None }).await
    }

    /// Everything that was on its way: a ping comes back after it.
    pub async fn settle(&mut self) -> Vec<Kind> {
        self.send(wire::Ping { nonce: 99 }).await;
        let mut before = Vec::new();
        loop {
            match self.event().await {
                Kind::Pong(pong) if pong.nonce == 99 => return before,
                kind => before.push(kind),
            }
        }
    }

    /// Everything that was on its way, or everything before a close.
    pub async fn settle_or_close(&mut self) -> Result<Vec<Kind>, (Vec<Kind>, Closed)> {
        self.send(wire::Ping { nonce: 99 }).await;
        let mut before = Vec::new();
        loop {
            match self.next().await {
                Ok(Kind::Pong(pong)) if pong.nonce == 99 => return Ok(before),
                Ok(kind) => before.push(kind),
                Err(closed) => return Err((before, closed)),
            }
        }
    }

    /// Reads to the close, whatever comes before it.
    pub async fn closed(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.next().await {
                return closed;
            }
        }
    }

    async fn next(&mut self) -> Result<Kind, Closed> {
        loop {
            if let Some(event) = self.received.pop_front() {
                return Ok(event.kind.unwrap());
            }
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("the server says something in time");
            match message {
                Some(Ok(Message::Text(text))) => self.take(&Frame::Text(text.to_string())),
                Some(Ok(Message::Binary(bytes))) => self.take(&Frame::Binary(bytes)),
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.as_ref().and_then(|frame| CloseCode::from_number(frame.code.into()));
                    return Err(Closed { code, reason: frame.map(|frame| frame.reason.to_string()).unwrap_or_default() });
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Closed { code: None, reason: error.to_string() }),
                None => return Err(Closed { code: None, reason: String::new() }),
            }
        }
    }

    fn take(&mut self, frame: &Frame) {
        self.received.extend(decode_events(self.subprotocol, frame.as_ref()).unwrap());
    }
}
