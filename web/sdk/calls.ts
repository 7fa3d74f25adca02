// The words of a call, without media: who rings whom, who answered where, how it ended. The server decides every state; this
// mirrors it. Media (peer connection, camera) belongs to the app, which listens to `signal`, `ice` and `advice`.
// One call at a time per device: a second incoming one is shown as `incoming` only when none is live.
import type { ChatClient } from './client'
import { Emitter, type Unsubscribe } from './emitter'
import type { CallConnectionState, CallEndReason, CallEvent, CallIce, CallMedia, CallOver, CallSignal, CallSnapshot, CallAdviceAction } from './wire.gen'

export type CallPhase = 'inviting' | 'ringing' | 'incoming' | 'connecting' | 'active' | 'reconnecting' | 'ended'

export interface Call {
  id: string
  conversation: string
  media: 'voice' | 'video'
  phase: CallPhase
  outgoing: boolean
  /** User id of the inviter; empty when this device invited. */
  from: string
  deadline_ms: number
  polite: boolean
  /** Why it ended; `elsewhere_accepted` and `elsewhere_rejected` when another device of this person answered. */
  end: CallEnd | null
  connected_at_ms: number
  connected_ms: number
  peer: 'connected' | 'reconnecting' | 'failed' | 'unknown'
}

export type CallEnd =
  | 'hung_up' | 'rejected' | 'busy' | 'cancelled' | 'no_answer' | 'failed' | 'closed'
  | 'elsewhere_accepted' | 'elsewhere_rejected' | 'refused'

export interface CallEvents {
  call: Call | null
  /** Roles and servers are known. `anew`: build a peer connection even if one is held, the other side lost its own. */
  negotiate: { call: Call; ice: CallIce; anew: boolean }
  signal: CallSignal
  ice: CallIce
  advice: 'ice_restart' | 'drop_video'
  /** The server refused a wish: a stable code to translate. */
  refused: string
}

const END: Record<CallEndReason, CallEnd> = {
  CALL_END_REASON_UNSPECIFIED: 'failed',
  CALL_END_REASON_HUNG_UP: 'hung_up',
  CALL_END_REASON_REJECTED: 'rejected',
  CALL_END_REASON_BUSY: 'busy',
  CALL_END_REASON_CANCELLED: 'cancelled',
  CALL_END_REASON_NO_ANSWER: 'no_answer',
  CALL_END_REASON_FAILED: 'failed',
  CALL_END_REASON_CLOSED: 'closed',
}

const PEER: Record<CallConnectionState, Call['peer']> = {
  STATE_UNSPECIFIED: 'unknown',
  STATE_CONNECTED: 'connected',
  STATE_RECONNECTING: 'reconnecting',
  STATE_FAILED: 'failed',
}

const PHASE: Record<NonNullable<CallSnapshot['phase']>, CallPhase> = {
  PHASE_UNSPECIFIED: 'ended',
  PHASE_RINGING: 'ringing',
  PHASE_CONNECTING: 'connecting',
  PHASE_ACTIVE: 'active',
  PHASE_RECONNECTING: 'reconnecting',
  PHASE_ENDED: 'ended',
}

const ADVICE: Partial<Record<CallAdviceAction, CallEvents['advice']>> = { ACTION_ICE_RESTART: 'ice_restart', ACTION_DROP_VIDEO: 'drop_video' }

/** Refusals of single signals or reports: the call goes on and its state tells what matters. */
const PASSING = new Set(['call_other_device', 'call_signal_malformed', 'call_not_answered', 'rate_limited'])

const toWire = (media: Call['media']): CallMedia => (media === 'video' ? 'CALL_MEDIA_VIDEO' : 'CALL_MEDIA_VOICE')
const fromWire = (media: CallMedia | undefined): Call['media'] => (media === 'CALL_MEDIA_VIDEO' ? 'video' : 'voice')

export class CallClient extends Emitter<CallEvents> {
  readonly #chat: ChatClient
  readonly #unsubscribe: Unsubscribe[]
  #call: Call | null = null
  /** This tab rang, answered or attached: another tab of the same browser is the same device and must keep out of the media. */
  #mine = false
  /** Whether this device still holds a peer connection; the media side answers. */
  media_kept: () => boolean = () => false

  constructor(chat: ChatClient) {
    super()
    this.#chat = chat
    this.#unsubscribe = [
      chat.on('call', (event) => this.#event(event)),
      chat.on('callRefused', (error) => error.re === this.#call?.id && this.#refused(error.code ?? 'internal')),
      chat.on('welcome', () => this.#reattach()),
    ]
  }

  get call(): Call | null {
    return this.#call
  }

  get is_live(): boolean {
    return this.#call !== null && this.#call.phase !== 'ended'
  }

  stop(): void {
    this.#unsubscribe.forEach((off) => off())
  }

  /** Rings the other party. Null when there is no connection or a call is live here. */
  invite(conversation: string, media: Call['media']): Call | null {
    if (this.is_live) return null
    const id = this.#chat.newId()
    if (!this.#chat.sendCall({ call: id, invite: { conversation, media: toWire(media) } })) return null
    this.#mine = true
    return this.#put({ ...blank(id, conversation, media), phase: 'inviting', outgoing: true })
  }

  accept(): void {
    if (this.#call?.phase !== 'incoming') return
    this.#mine = true
    this.#say({ accept: {} })
  }

  reject(reason: 'declined' | 'busy' | 'later' = 'declined'): void {
    if (this.#call?.phase === 'incoming') this.#say({ reject: { reason } })
  }

  /** Ends it from whatever state it is in, in the word that fits. */
  end(): void {
    const call = this.#call
    if (!call || call.phase === 'ended') return
    if (call.phase === 'incoming') this.reject()
    else if (call.phase === 'inviting' || call.phase === 'ringing') this.#say({ cancel: {} })
    else this.#say({ hangUp: {} })
    // The server confirms with `over`; without a connection nobody would, and the person must get out.
    if (this.#chat.state !== 'open') this.#finish('hung_up', 0)
  }

  /** Takes a finished call off the screen. */
  dismiss(): void {
    if (this.#call?.phase === 'ended') {
      this.#call = null
      this.emit('call', null)
    }
  }

  /** Re-enters a call that was live before a reload. */
  attach(call: string, conversation: string): void {
    if (this.is_live) return
    this.#mine = true
    this.#put({ ...blank(call, conversation, 'voice'), phase: 'reconnecting' })
    this.#say({ attach: {} })
  }

  signal(signal: CallSignal): void {
    this.#say({ signal })
  }

  askForIce(): void {
    this.#say({ iceRequest: {} })
  }

  changeMedia(media: Call['media']): void {
    this.#say({ mediaChange: { media: toWire(media) } })
  }

  report(state: 'connected' | 'reconnecting' | 'failed', round_trip_ms = 0, loss_permille = 0): void {
    const word = { connected: 'STATE_CONNECTED', reconnecting: 'STATE_RECONNECTING', failed: 'STATE_FAILED' } as const
    this.#say({ connection: { state: word[state], roundTripMs: Math.round(round_trip_ms), lossPermille: Math.round(loss_permille) } })
    if (state === 'connected') this.#connected()
    if (state === 'reconnecting' && this.#call?.phase === 'active') this.#change({ phase: 'reconnecting' })
  }

  #connected(): void {
    const call = this.#call
    if (!call || call.phase === 'ended' || call.phase === 'active') return
    this.#change({ phase: 'active', connected_at_ms: call.connected_at_ms || this.#chat.serverNow() })
  }

  #event(event: CallEvent): void {
    if (event.incoming) return this.#incoming(event)
    if (event.call !== this.#call?.id || this.#call === null || this.#call.phase === 'ended') return
    if (event.ringing) this.#change({ phase: 'ringing' })
    else if (event.started) this.#started(event)
    else if (event.elsewhere) this.#elsewhere(event.elsewhere.accepted ?? false)
    else if (event.over) this.#over(event.over)
    else if (event.signal) this.emit('signal', event.signal)
    else if (event.ice) this.emit('ice', event.ice)
    else if (event.advice) this.#advise(event.advice.action)
    else if (event.peerConnection) this.#change({ peer: PEER[event.peerConnection.state ?? 'STATE_UNSPECIFIED'] })
    else if (event.snapshot) this.#snapshot(event.snapshot)
    else if (event.mediaChanged) this.#change({ media: fromWire(event.mediaChanged.media) })
  }

  #incoming(event: CallEvent): void {
    const { incoming, call = '', conversation = '' } = event
    if (!incoming || this.#call?.id === call) return
    if (this.is_live) {
      // Both invited at once: the server keeps one call and says so; anything else is answered by the other call's end.
      if (this.#call?.conversation !== conversation || this.#call.phase !== 'inviting') return
    }
    const deadline_ms = Number(incoming.deadlineMs ?? 0)
    this.#mine = false
    this.#put({ ...blank(call, conversation, fromWire(incoming.media)), phase: 'incoming', from: incoming.from ?? '', deadline_ms })
    this.#say({ ringing: {} })
  }

  #started(event: CallEvent): void {
    if (!this.#mine) return this.#elsewhere(true)
    const started = event.started!
    const call = this.#change({ phase: 'connecting', polite: started.polite ?? false, media: fromWire(started.media) })
    if (call) this.emit('negotiate', { call, ice: started.ice ?? {}, anew: true })
  }

  #snapshot(snapshot: CallSnapshot): void {
    const held = this.#call!
    const phase = PHASE[snapshot.phase ?? 'PHASE_UNSPECIFIED']
    if (phase === 'ended') return this.#finish('hung_up', held.connected_ms)
    const mine = snapshot.from ? snapshot.from === this.#chat.user : held.outgoing
    const shown = phase === 'ringing' && !mine ? 'incoming' : phase
    const call = this.#change({
      phase: shown,
      outgoing: mine,
      from: mine ? '' : (snapshot.from ?? ''),
      media: fromWire(snapshot.media),
      polite: snapshot.polite ?? false,
      deadline_ms: Number(snapshot.deadlineMs ?? 0),
    })
    if (call && phase !== 'ringing') this.emit('negotiate', { call, ice: snapshot.ice ?? {}, anew: !this.media_kept() })
  }

  #elsewhere(accepted: boolean): void {
    this.#finish(accepted ? 'elsewhere_accepted' : 'elsewhere_rejected', 0)
  }

  #over(over: CallOver): void {
    this.#finish(END[over.reason ?? 'CALL_END_REASON_UNSPECIFIED'], over.connectedMs ?? 0)
  }

  #advise(action: CallAdviceAction | undefined): void {
    const advice = ADVICE[action ?? 'ACTION_UNSPECIFIED']
    if (advice) this.emit('advice', advice)
  }

  #refused(code: string): void {
    if (PASSING.has(code)) return
    this.emit('refused', code)
    const phase = this.#call?.phase
    // A refused invitation or a call the server does not know is over; other refusals leave the call as it is.
    if (phase === 'inviting' || code === 'unknown_call' || code === 'call_not_live') {
      this.#finish(code === 'busy' ? 'busy' : 'refused', 0)
    }
  }

  /** The socket is new; the call goes on (media flows without us) and the server must know where we are. */
  #reattach(): void {
    if (this.is_live && this.#call!.phase !== 'inviting') this.#say({ attach: { mediaKept: this.media_kept() } })
  }

  #finish(end: CallEnd, connected_ms: number): void {
    this.#change({ phase: 'ended', end, connected_ms })
  }

  #say(words: object): void {
    if (this.#call) this.#chat.sendCall({ call: this.#call.id, ...words })
  }

  #change(change: Partial<Call>): Call | null {
    return this.#call && this.#put({ ...this.#call, ...change })
  }

  #put(call: Call): Call {
    this.#call = call
    this.emit('call', call)
    return call
  }
}

function blank(id: string, conversation: string, media: Call['media']): Call {
  return {
    id, conversation, media,
    phase: 'inviting', outgoing: false, from: '', deadline_ms: 0, polite: false,
    end: null, connected_at_ms: 0, connected_ms: 0, peer: 'unknown',
  }
}
