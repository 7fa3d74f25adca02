// Generated from chat/proto by scripts/wire.mjs; do not edit. Every field may be absent: proto3 omits defaults.

/** What a client wishes. */
export interface CallCommand {
  /** UUIDv7; made by the inviting client. */
  call?: string
  invite?: CallInvite
  /** This device shows the incoming call. */
  ringing?: CallRinging
  accept?: CallAccept
  reject?: CallReject
  cancel?: CallCancel
  hangUp?: CallHangUp
  signal?: CallSignal
  connection?: CallConnection
  /** New TURN credentials, before an ICE restart. */
  iceRequest?: CallIceRequest
  /** Re-attach after a reload or reconnect: the same user, a new socket or device. */
  attach?: CallAttach
  mediaChange?: CallMediaChange
}

export interface CallInvite {
  conversation?: string
  media?: CallMedia
}

export interface CallRinging {
}

export interface CallAccept {
}

export interface CallReject {
  /** `busy`, `declined`, `later`; 32 characters at most. */
  reason?: string
}

export interface CallCancel {
}

export interface CallHangUp {
}

export interface CallIceRequest {
}

export interface CallAttach {
  /** The peer connection of this device still lives: only its socket was lost. Absent after a reload or on another device: then both sides begin a new peer connection. */
  mediaKept?: boolean
}

/** Fallback video -> voice inside one call. */
export interface CallMediaChange {
  media?: CallMedia
}

/** Relayed to the other party as it is, after checks of size and shape. Never stored, never logged. */
export interface CallSignal {
  offerSdp?: string
  answerSdp?: string
  candidate?: IceCandidate
}

export interface IceCandidate {
  /** RFC 8839 candidate attribute; empty = end of candidates. */
  candidate?: string
  sdpMid?: string
  sdpMLineIndex?: number
  usernameFragment?: string
}

export interface CallConnection {
  state?: CallConnectionState
  roundTripMs?: number
  /** Loss of received packets in the last interval, in parts per thousand. */
  lossPermille?: number
}

export type CallConnectionState = 'STATE_UNSPECIFIED' | 'STATE_CONNECTED' | 'STATE_RECONNECTING' | 'STATE_FAILED'

/** What the server says is so. */
export interface CallEvent {
  call?: string
  conversation?: string
  incoming?: CallIncoming
  ringing?: CallRingingAt
  started?: CallStarted
  /** Another device of this user answered or refused. */
  elsewhere?: CallElsewhere
  over?: CallOver
  signal?: CallSignal
  ice?: CallIce
  advice?: CallAdvice
  peerConnection?: CallPeerConnection
  /** Answer to attach and to a repeated invite: where the call stands. */
  snapshot?: CallSnapshot
  mediaChanged?: CallMediaChanged
}

export interface CallIncoming {
  from?: string
  media?: CallMedia
  deadlineMs?: string
}

export interface CallRingingAt {
  device?: string
}

/** Also sent again to the party that stayed when the other one came back without its peer connection: begin a new one. */
export interface CallStarted {
  /** Device of the callee that answered. */
  device?: string
  /** Perfect negotiation: the server decides who gives way. The impolite side makes the first offer. */
  polite?: boolean
  ice?: CallIce
  media?: CallMedia
}

export interface CallElsewhere {
  device?: string
  accepted?: boolean
}

export interface CallOver {
  reason?: CallEndReason
  connectedMs?: number
  by?: string
}

export interface CallIce {
  servers?: IceServer[]
  /** Credentials end here; ask again before. */
  expiresAtMs?: string
  /** Relay-only where an address must stay hidden. */
  relayOnly?: boolean
}

export interface IceServer {
  urls?: string[]
  username?: string
  credential?: string
}

export interface CallAdvice {
  action?: CallAdviceAction
}

export type CallAdviceAction = 'ACTION_UNSPECIFIED' | 'ACTION_ICE_RESTART' | 'ACTION_DROP_VIDEO'

export interface CallPeerConnection {
  state?: CallConnectionState
}

export interface CallSnapshot {
  phase?: CallSnapshotPhase
  polite?: boolean
  media?: CallMedia
  deadlineMs?: string
  ice?: CallIce
  from?: string
}

export type CallSnapshotPhase = 'PHASE_UNSPECIFIED' | 'PHASE_RINGING' | 'PHASE_CONNECTING' | 'PHASE_ACTIVE' | 'PHASE_RECONNECTING' | 'PHASE_ENDED'

export interface CallMediaChanged {
  media?: CallMedia
  by?: string
}

/** One place in the dense, hash-chained order of a conversation. */
export interface Entry {
  conversation?: string
  seq?: string
  /** The client's message id; for entries the server makes, a deterministic id of the fact it records. */
  id?: string
  /** User id; empty when the server speaks. */
  sender?: string
  atMs?: string
  /** SHA-256 over the previous hash, this header and the hash of the sealed body. */
  hash?: string
  /** Absent when withheld from the reader; seq and hash stay, so that dense stays dense. */
  body?: Body
  withheld?: Withheld
  /** Only the server marks an entry urgent (duty desk). */
  urgent?: boolean
  /** Role of the sender in the conversation when it spoke; `SENDER_ROLE_UNSPECIFIED` for the server. */
  senderRole?: SenderRole
}

export type SenderRole = 'SENDER_ROLE_UNSPECIFIED' | 'SENDER_ROLE_PATIENT' | 'SENDER_ROLE_DOCTOR' | 'SENDER_ROLE_EXPERT' | 'SENDER_ROLE_AGENT'

export type Withheld = 'WITHHELD_UNSPECIFIED' | 'WITHHELD_INTERVAL' | 'WITHHELD_MODERATION' | 'WITHHELD_ERASED'

export interface Body {
  text?: Text
  image?: Image
  voice?: Voice
  recall?: Recall
  /** Below: only the server appends these. */
  membership?: Membership
  consultation?: ConsultationChange
  consent?: Consent
  card?: Card
  callInvited?: CallInvited
  callAccepted?: CallAccepted
  callEnded?: CallEnded
  notice?: Notice
}

export interface Text {
  /** 1 to 4,000 characters. */
  text?: string
  /** Entry answered to, 0 when none. */
  replyToSeq?: string
}

export interface Image {
  /** Attachment id from `POST /api/uploads`. */
  attachment?: string
  widthPx?: number
  heightPx?: number
  caption?: string
}

export interface Voice {
  attachment?: string
  durationMs?: number
}

/** Hides an entry of the sender within two minutes; destroys nothing. */
export interface Recall {
  seq?: string
}

export interface Membership {
  user?: string
  role?: SenderRole
  change?: MembershipChange
  /** First seq the member may see; 1 = everything. */
  visibleFrom?: string
}

export type MembershipChange = 'CHANGE_UNSPECIFIED' | 'CHANGE_JOINED' | 'CHANGE_LEFT'

/** The state of the consultation as far as speaking is concerned. */
export interface ConsultationChange {
  consultation?: string
  state?: ConsultationChangeState
  /** Stable snake_case word: `accepted`, `ended`, `rejected`, `cancelled`, `expired`, `terminated`. */
  reason?: string
  /** What people read, where a reason was written (a rejection, CON-12). */
  detail?: string
}

export type ConsultationChangeState = 'STATE_UNSPECIFIED' | 'STATE_WAITING' | 'STATE_OPEN' | 'STATE_CLOSED'

export interface Consent {
  /** `scope_notice`, `informed_consent`, `av_notice`. */
  kind?: string
  version?: string
  textHash?: string
  user?: string
}

/** A live card: the client shows the newest state of the object, fetched over HTTP. */
export interface Card {
  /** `intake`, `order`, `record`, `review_invitation`. */
  object?: string
  objectId?: string
  title?: string
}

export interface Notice {
  /** Stable snake_case word the client translates. */
  code?: string
  text?: string
}

export type CallMedia = 'CALL_MEDIA_UNSPECIFIED' | 'CALL_MEDIA_VOICE' | 'CALL_MEDIA_VIDEO'

export interface CallInvited {
  call?: string
  media?: CallMedia
  callee?: string
  /** Past this moment the call is over whether or not an `ended` entry stands. */
  deadlineMs?: string
}

export interface CallAccepted {
  call?: string
  device?: string
}

export type CallEndReason = 'CALL_END_REASON_UNSPECIFIED' | 'CALL_END_REASON_HUNG_UP' | 'CALL_END_REASON_REJECTED' | 'CALL_END_REASON_BUSY' | 'CALL_END_REASON_CANCELLED' | 'CALL_END_REASON_NO_ANSWER' | 'CALL_END_REASON_FAILED' | 'CALL_END_REASON_CLOSED'

export interface CallEnded {
  call?: string
  reason?: CallEndReason
  /** Time in which media was connected; reconnecting does not count (DOMAIN D.1). */
  connectedMs?: number
  gaps?: number
  /** Who ended it; empty when a timer did. */
  by?: string
  media?: CallMedia
}

export interface Command {
  /** The first record of a socket, within 5 s; anything else before it closes the socket. */
  hello?: Hello
  /** A newer access token of the same session. */
  refresh?: Refresh
  send?: Send
  pull?: Pull
  delivered?: MarkDelivered
  read?: MarkRead
  typing?: SetTyping
  watchPresence?: WatchPresence
  resume?: Resume
  ping?: Ping
  call?: CallCommand
}

export interface Event {
  welcome?: Welcome
  sent?: Sent
  entry?: Entry
  page?: Page
  heads?: Heads
  marks?: Marks
  typing?: Typing
  presence?: Presence
  historyChanged?: HistoryChanged
  error?: Error
  pong?: Pong
  changed?: Changed
  refreshed?: Refreshed
  call?: CallEvent
}

/** seq and the first 8 bytes of that entry's hash, so that a client can tell a rolled-back server from a gap. */
export interface Cursor {
  conversation?: string
  seq?: string
  hashPrefix?: string
}

export interface Hello {
  accessToken?: string
  /** Stable per installation; UUID. */
  device?: string
  /** Free text for support, 64 characters at most: `web/0.1 Chrome`. */
  client?: string
}

export interface Refresh {
  accessToken?: string
}

export interface Send {
  conversation?: string
  /** UUIDv7 made by the client; the same id again gives the same seq, with another body `id_conflict`. */
  id?: string
  body?: Body
}

/** History and gaps. Also the credit of a lagging client: nothing comes that was not pulled. */
export interface Pull {
  conversation?: string
  /** First wanted seq. 0 = the newest `limit` entries. */
  fromSeq?: string
  /** 1 to 200; 0 = 50. */
  limit?: number
  /** Hash prefix the client holds of entry `from_seq - 1`; a mismatch answers `history_changed`. */
  hashPrefix?: string
}

export interface MarkDelivered {
  conversation?: string
  upToSeq?: string
}

export interface MarkRead {
  conversation?: string
  upToSeq?: string
}

export interface SetTyping {
  conversation?: string
  active?: boolean
}

/** Replaces the watch list; 200 users at most. */
export interface WatchPresence {
  users?: string[]
}

/** After a reconnect: cursors of the open conversations; the answer is one Heads of what changed (all of the user's active conversations whose head differs from the cursor, also those without a cursor), and a Page for each cursor that is behind by at most 50. */
export interface Resume {
  cursors?: Cursor[]
}

export interface Ping {
  nonce?: string
}

export interface Welcome {
  user?: string
  session?: string
  node?: string
  serverTimeMs?: string
  /** The server pings this often; two missed ones close the socket. */
  heartbeatMs?: number
  recordBytesMax?: number
  tokenExpiresAtMs?: string
}

export type Durability = 'DURABILITY_UNSPECIFIED' | 'DURABILITY_FSYNC' | 'DURABILITY_QUORUM'

export interface Sent {
  id?: string
  conversation?: string
  seq?: string
  atMs?: string
  durability?: Durability
  hash?: string
}

export interface Page {
  conversation?: string
  entries?: Entry[]
  headSeq?: string
  /** Where the page began: the `from_seq` asked for, or the first entry's when 0 was asked. */
  fromSeq?: string
}

export interface Head {
  conversation?: string
  seq?: string
  hashPrefix?: string
  lastAtMs?: string
  readSeq?: string
  deliveredSeq?: string
}

export interface Heads {
  heads?: Head[]
  /** The socket was in lag mode: entries were dropped here, pull them. */
  lagging?: boolean
}

export interface Marks {
  conversation?: string
  user?: string
  deliveredSeq?: string
  readSeq?: string
}

export interface Typing {
  conversation?: string
  user?: string
  active?: boolean
}

export interface Presence {
  user?: string
  online?: boolean
}

export interface HistoryChanged {
  conversation?: string
  head?: Head
}

/** An object outside the log moved: fetch it over HTTP. A hint: it may be lost or repeated. */
export interface Changed {
  /** `consultation`, `order`, `notification`, `review`, `session`. */
  object?: string
  id?: string
}

export interface Refreshed {
  tokenExpiresAtMs?: string
}

export interface Pong {
  nonce?: string
  serverTimeMs?: string
}

export interface Error {
  code?: string
  message?: string
  temporary?: boolean
  retryAfterMs?: number
  /** What it answers: the message id of a send, the call id of a call command, else empty. */
  re?: string
  conversation?: string
}
