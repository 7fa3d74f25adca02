// The conversation side of the socket: sends with acknowledgement, gaps, resume, marks, typing, presence, lag mode.
// It holds state and tells about changes; it draws nothing and calls no HTTP. Calls are in `calls.ts`.
import { Emitter } from './emitter'
import { Link, type LinkOptions, type LinkState } from './link'
import { readContent, type Message, type SendBody } from './message'
import { Outbox, type Pending } from './outbox'
import type { TimerHandle } from './platform'
import { Timeline } from './timeline'
import type { CallCommand, CallEvent, Command, Error as WireError, Event, Head, Heads, Page, Sent, Welcome } from './wire.gen'

export interface ChatEvents {
  state: LinkState
  /** An acknowledgement is overdue by `STALL_MS`, or no longer: worth a banner before the line is given up. */
  stalled: boolean
  /** Something visible changed in this conversation. */
  conversation: string
  /** A new entry of somebody else, or of the server, that came live. */
  message: Message
  /** Heads moved: unread counts may have changed. */
  heads: void
  typing: { conversation: string; user: string; active: boolean }
  presence: { user: string; online: boolean }
  /** An object outside the log moved: fetch it. */
  changed: { object: string; id: string }
  /** A command that was no message was refused. */
  refused: WireError
  call: CallEvent
  callRefused: WireError
  welcome: Welcome
  ended: string
}

export interface HeadState {
  seq: number
  read_seq: number
  last_at_ms: number
}

const PAGE = 50
/** A page this far behind comes by itself after a resume; beyond, it is pulled. */
const RESUME_PAGE_MAX = 50
const STALL_MS = 3_000
const ACK_WITHIN_MS = 20_000
const MARK_AFTER_MS = 250
const TYPING_REPEAT_MS = 3_000
const TYPING_GONE_MS = 6_000

export class ChatClient extends Emitter<ChatEvents> {
  readonly user: string
  readonly #options: LinkOptions
  readonly #link: Link
  readonly #outbox: Outbox
  readonly #timelines = new Map<string, Timeline>()
  readonly #heads = new Map<string, HeadState>()
  readonly #watched = new Map<string, number>()
  readonly #online = new Set<string>()
  readonly #typists = new Map<string, TimerHandle>()
  readonly #typing_sent = new Map<string, number>()
  readonly #marks_due = new Map<string, { delivered: number; read: number }>()
  readonly #acks = new Map<string, TimerHandle>()
  #mark_timer: TimerHandle | null = null
  #stall_timer: TimerHandle | null = null
  #stalled = false

  constructor(options: LinkOptions & { user: string }) {
    super()
    this.user = options.user
    this.#options = options
    this.#outbox = new Outbox(options.platform.store, `wz.outbox.${options.user}`)
    this.#link = new Link(options, {
      state: (state) => this.#linkState(state),
      welcome: (welcome) => this.#welcome(welcome),
      event: (event) => this.#event(event),
      ended: (reason) => this.emit('ended', reason),
    })
  }

  get state(): LinkState {
    return this.#link.state
  }

  get stalled(): boolean {
    return this.#stalled
  }

  /** Milliseconds UTC by the server's clock. */
  serverNow(): number {
    return this.#options.platform.clock.now() + this.#link.clock_skew_ms
  }

  newId(): string {
    return this.#options.platform.newId()
  }

  start(): void {
    this.#link.start()
  }

  stop(): void {
    this.#link.stop()
  }

  wake(): void {
    this.#link.wake()
  }

  networkLost(): void {
    this.#link.networkLost()
  }

  /** Opens a conversation: its newest page is fetched, and it is kept current until `leave`. */
  open(conversation: string): Timeline {
    const held = this.#timelines.get(conversation)
    if (held) return held
    const timeline = new Timeline(conversation)
    this.#timelines.set(conversation, timeline)
    this.#pullNewest(timeline)
    return timeline
  }

  /** Stops keeping it current; drafts that were not acknowledged stay in the outbox. */
  leave(conversation: string): void {
    this.#timelines.delete(conversation)
  }

  timeline(conversation: string): Timeline | undefined {
    return this.#timelines.get(conversation)
  }

  pending(conversation: string): readonly Pending[] {
    return this.#outbox.of(conversation)
  }

  head(conversation: string): HeadState | undefined {
    return this.#heads.get(conversation)
  }

  /** Sends, now or as soon as there is a connection; the state is seen in `pending`. */
  send(conversation: string, body: SendBody): string {
    const id = this.newId()
    this.#outbox.add({ id, conversation, body, created_at_ms: this.serverNow(), state: 'sending', code: '' })
    this.#setTypingSent(conversation, false)
    this.#transmit(id)
    this.emit('conversation', conversation)
    return id
  }

  retry(id: string): void {
    const item = this.#outbox.find(id)
    if (!item) return
    this.#outbox.change(id, { state: 'sending', code: '' })
    this.#transmit(id)
    this.emit('conversation', item.conversation)
  }

  discard(id: string): void {
    const item = this.#outbox.find(id)
    this.#settle(id)
    if (item) this.emit('conversation', item.conversation)
  }

  loadOlder(conversation: string): void {
    const timeline = this.#timelines.get(conversation)
    if (!timeline?.has_older || timeline.loading_older) return
    const from_seq = Math.max(1, timeline.first_seq - PAGE)
    const limit = timeline.first_seq - from_seq
    timeline.loading_older = this.#command({ pull: { conversation, fromSeq: String(from_seq), limit } })
    this.emit('conversation', conversation)
  }

  markRead(conversation: string, up_to_seq: number): void {
    const head = this.#heads.get(conversation)
    if (up_to_seq <= (head?.read_seq ?? 0)) return
    this.#heads.set(conversation, { seq: Math.max(head?.seq ?? 0, up_to_seq), read_seq: up_to_seq, last_at_ms: head?.last_at_ms ?? 0 })
    this.#planMark(conversation, { read: up_to_seq, delivered: up_to_seq })
    this.emit('heads', undefined)
  }

  /** Called on every keystroke; says so at most every few seconds. */
  typing(conversation: string, active: boolean): void {
    const said_at = this.#typing_sent.get(conversation) ?? 0
    const now = this.#options.platform.clock.now()
    if (active && now - said_at < TYPING_REPEAT_MS) return
    if (!active && said_at === 0) return
    this.#setTypingSent(conversation, active)
    this.#command({ typing: { conversation, active } })
  }

  isTyping(conversation: string, user: string): boolean {
    return this.#typists.has(`${conversation} ${user}`)
  }

  isOnline(user: string): boolean {
    return this.#online.has(user)
  }

  /** Watches people's presence until the returned function is called. */
  watch(users: readonly string[]): () => void {
    users.forEach((user) => this.#watched.set(user, (this.#watched.get(user) ?? 0) + 1))
    this.#sendWatched()
    return () => {
      for (const user of users) {
        const left = (this.#watched.get(user) ?? 1) - 1
        if (left > 0) this.#watched.set(user, left)
        else this.#watched.delete(user)
      }
      this.#sendWatched()
    }
  }

  /** For the call client. False when there is no connection: a call's words are not worth keeping. */
  sendCall(call: CallCommand): boolean {
    return this.#command({ call })
  }

  #command(command: Command): boolean {
    return this.#link.send(command)
  }

  #linkState(state: LinkState): void {
    if (state !== 'open') {
      this.#setStalled(false)
      this.#cancelAcks()
      for (const timeline of this.#timelines.values()) timeline.loading = timeline.loading_older = false
      for (const user of [...this.#online]) this.#setOnline(user, false)
    }
    this.emit('state', state)
  }

  #welcome(welcome: Welcome): void {
    const cursors = [...this.#timelines.values()].flatMap((timeline) => timeline.cursor() ?? [])
    this.#command({ resume: { cursors } })
    for (const timeline of this.#timelines.values()) if (timeline.is_empty) this.#pullNewest(timeline)
    this.#sendWatched()
    this.#flushMarks()
    for (const item of this.#outbox.all()) if (this.#isRepeatable(item)) this.retry(item.id)
    this.emit('welcome', welcome)
  }

  /** Refusals stay until the person decides; everything else is safe to repeat with the same id. */
  #isRepeatable(item: Pending): boolean {
    return item.state === 'sending' || item.code === 'no_answer'
  }

  #event(event: Event): void {
    if (event.entry) this.#entry(event.entry)
    else if (event.sent) this.#sent(event.sent)
    else if (event.page) this.#page(event.page)
    else if (event.heads) this.#takeHeads(event.heads)
    else if (event.marks) this.#marks(event.marks)
    else if (event.typing) this.#typing(event.typing.conversation ?? '', event.typing.user ?? '', event.typing.active ?? false)
    else if (event.presence) this.#setOnline(event.presence.user ?? '', event.presence.online ?? false)
    else if (event.historyChanged) this.#historyChanged(event.historyChanged.conversation ?? '')
    else if (event.error) this.#error(event.error)
    else if (event.changed) this.emit('changed', { object: event.changed.object ?? '', id: event.changed.id ?? '' })
    else if (event.call) this.emit('call', event.call)
    else if (event.pong) this.#setStalled(false)
  }

  #entry(entry: NonNullable<Event['entry']>): void {
    const conversation = entry.conversation ?? ''
    const seq = Number(entry.seq ?? 0)
    const at_ms = Number(entry.atMs ?? 0)
    const known = this.#heads.get(conversation)?.seq ?? 0
    this.#learnHead(conversation, seq, at_ms)
    this.#settle(entry.id ?? '')
    const timeline = this.#timelines.get(conversation)
    if (timeline) {
      timeline.add(entry)
      if (!timeline.is_empty) this.#planMark(conversation, { delivered: timeline.last_seq, read: 0 })
      this.#pullGap(timeline)
      this.emit('conversation', conversation)
    } else if (known === 0 || seq === known + 1) this.#planMark(conversation, { delivered: seq, read: 0 })
    this.#typing(conversation, entry.sender ?? '', false)
    this.emit('heads', undefined)
    if (entry.sender !== this.user && seq > known) this.emit('message', this.#readLive(entry))
  }

  #readLive(entry: NonNullable<Event['entry']>): Message {
    const scratch = new Timeline(entry.conversation ?? '')
    scratch.addPage([entry], 0)
    return scratch.messages[0]!
  }

  #sent(sent: Sent): void {
    const item = this.#outbox.find(sent.id ?? '')
    const conversation = sent.conversation ?? item?.conversation ?? ''
    const seq = Number(sent.seq ?? 0)
    const at_ms = Number(sent.atMs ?? 0)
    const timeline = this.#timelines.get(conversation)
    if (item && timeline) {
      timeline.addMessage({
        conversation,
        seq,
        id: item.id,
        sender: this.user,
        sender_role: 'SENDER_ROLE_UNSPECIFIED',
        at_ms,
        hash: sent.hash ?? '',
        urgent: false,
        content: readContent(item.body),
      })
      this.#pullGap(timeline)
    }
    this.#learnHead(conversation, seq, at_ms)
    this.#settle(sent.id ?? '')
    this.emit('conversation', conversation)
  }

  #page(page: Page): void {
    const conversation = page.conversation ?? ''
    const timeline = this.#timelines.get(conversation)
    this.#learnHead(conversation, Number(page.headSeq ?? 0), 0)
    if (!timeline) return
    const older = timeline.loading_older && Number(page.fromSeq ?? 0) < timeline.first_seq
    if (older) timeline.loading_older = false
    timeline.addPage(page.entries ?? [], Number(page.headSeq ?? 0))
    page.entries?.forEach((entry) => entry.id && this.#settle(entry.id))
    if (!timeline.is_empty) this.#planMark(conversation, { delivered: timeline.last_seq, read: 0 })
    this.#pullGap(timeline)
    this.emit('conversation', conversation)
  }

  #takeHeads(heads: Heads): void {
    for (const head of heads.heads ?? []) this.#takeHead(head, heads.lagging ?? false)
    this.emit('heads', undefined)
  }

  #takeHead(head: Head, lagging: boolean): void {
    const conversation = head.conversation ?? ''
    const seq = Number(head.seq ?? 0)
    const held = this.#heads.get(conversation)
    const read_seq = Math.max(held?.read_seq ?? 0, Number(head.readSeq ?? 0))
    this.#heads.set(conversation, { seq: Math.max(held?.seq ?? 0, seq), read_seq, last_at_ms: Number(head.lastAtMs ?? held?.last_at_ms ?? 0) })
    const timeline = this.#timelines.get(conversation)
    if (!timeline) return
    timeline.learnHead(seq)
    if (lagging || seq - timeline.last_seq > RESUME_PAGE_MAX) this.#pullGap(timeline)
  }

  #marks(marks: NonNullable<Event['marks']>): void {
    const conversation = marks.conversation ?? ''
    if (marks.user === this.user) {
      const held = this.#heads.get(conversation)
      if (held) this.#heads.set(conversation, { ...held, read_seq: Math.max(held.read_seq, Number(marks.readSeq ?? 0)) })
      this.emit('heads', undefined)
    }
    this.#timelines.get(conversation)?.learnMarks(marks)
    this.emit('conversation', conversation)
  }

  #historyChanged(conversation: string): void {
    const timeline = this.#timelines.get(conversation)
    this.#heads.delete(conversation)
    if (!timeline) return
    timeline.forget()
    this.#pullNewest(timeline)
    this.emit('conversation', conversation)
  }

  #error(error: WireError): void {
    const item = this.#outbox.find(error.re ?? '')
    if (!item) {
      if (!error.re) this.#pullRefused(error)
      this.emit(error.re ? 'callRefused' : 'refused', error)
      return
    }
    this.#acks.get(item.id)?.cancel()
    this.#acks.delete(item.id)
    this.#checkStall()
    if (error.temporary) {
      const again = () => this.#outbox.find(item.id)?.state === 'sending' && this.#transmit(item.id)
      this.#acks.set(item.id, this.#after(Math.max(500, error.retryAfterMs ?? 0), again))
      return
    }
    this.#outbox.change(item.id, { state: 'failed', code: error.code ?? 'internal' })
    this.emit('conversation', item.conversation)
  }

  /** A pull has no id of its own; whatever of this conversation was being loaded is not coming. */
  #pullRefused(error: WireError): void {
    const timeline = this.#timelines.get(error.conversation ?? '')
    if (!timeline) return
    timeline.loading = timeline.loading_older = false
    const again = () => (timeline.is_empty ? this.#pullNewest(timeline) : this.#pullGap(timeline))
    if (error.temporary) this.#after(Math.max(500, error.retryAfterMs ?? 0), again)
    this.emit('conversation', timeline.conversation)
  }

  #transmit(id: string): void {
    const item = this.#outbox.find(id)
    if (!item) return
    this.#acks.get(id)?.cancel()
    this.#acks.delete(id)
    if (!this.#command({ send: { conversation: item.conversation, id, body: item.body } })) return
    this.#acks.set(id, this.#after(ACK_WITHIN_MS, () => this.#unanswered(id)))
    this.#stall_timer ??= this.#after(STALL_MS, () => this.#setStalled(this.#acks.size > 0))
  }

  #unanswered(id: string): void {
    this.#acks.delete(id)
    const item = this.#outbox.find(id)
    if (!item) return
    this.#outbox.change(id, { state: 'failed', code: 'no_answer' })
    this.emit('conversation', item.conversation)
  }

  /** This id is in the log or was given up: nothing is owed for it any more. */
  #settle(id: string): void {
    this.#acks.get(id)?.cancel()
    this.#acks.delete(id)
    if (this.#outbox.find(id)) this.#outbox.remove(id)
    this.#checkStall()
  }

  #checkStall(): void {
    if (this.#acks.size > 0) return
    this.#stall_timer?.cancel()
    this.#stall_timer = null
    this.#setStalled(false)
  }

  #setStalled(stalled: boolean): void {
    if (!stalled) this.#stall_timer?.cancel()
    this.#stall_timer = null
    if (stalled === this.#stalled) return
    this.#stalled = stalled
    this.emit('stalled', stalled)
  }

  #cancelAcks(): void {
    this.#acks.forEach((timer) => timer.cancel())
    this.#acks.clear()
  }

  #pullNewest(timeline: Timeline): void {
    timeline.loading = this.#command({ pull: { conversation: timeline.conversation, fromSeq: '0', limit: PAGE } })
  }

  #pullGap(timeline: Timeline): void {
    const gap = timeline.gap()
    if (!gap || timeline.loading) return
    const pull = { conversation: timeline.conversation, fromSeq: String(gap.from_seq), limit: gap.limit, hashPrefix: gap.hash_prefix }
    timeline.loading = this.#command({ pull })
  }

  #learnHead(conversation: string, seq: number, at_ms: number): void {
    const held = this.#heads.get(conversation)
    this.#heads.set(conversation, {
      seq: Math.max(held?.seq ?? 0, seq),
      read_seq: held?.read_seq ?? 0,
      last_at_ms: Math.max(held?.last_at_ms ?? 0, at_ms),
    })
  }

  #planMark(conversation: string, mark: { delivered: number; read: number }): void {
    const due = this.#marks_due.get(conversation) ?? { delivered: 0, read: 0 }
    this.#marks_due.set(conversation, { delivered: Math.max(due.delivered, mark.delivered), read: Math.max(due.read, mark.read) })
    this.#mark_timer ??= this.#after(MARK_AFTER_MS, () => this.#flushMarks())
  }

  #flushMarks(): void {
    this.#mark_timer?.cancel()
    this.#mark_timer = null
    for (const [conversation, due] of [...this.#marks_due]) {
      const read = due.read > 0 && { read: { conversation, upToSeq: String(due.read) } }
      const delivered = due.delivered > due.read && { delivered: { conversation, upToSeq: String(due.delivered) } }
      const sent = [delivered, read].every((command) => !command || this.#command(command))
      if (sent) this.#marks_due.delete(conversation)
    }
  }

  #setTypingSent(conversation: string, active: boolean): void {
    if (active) this.#typing_sent.set(conversation, this.#options.platform.clock.now())
    else this.#typing_sent.delete(conversation)
  }

  #typing(conversation: string, user: string, active: boolean): void {
    const key = `${conversation} ${user}`
    const held = this.#typists.get(key)
    held?.cancel()
    if (active) this.#typists.set(key, this.#after(TYPING_GONE_MS, () => this.#typing(conversation, user, false)))
    else this.#typists.delete(key)
    if (active !== Boolean(held)) this.emit('typing', { conversation, user, active })
  }

  #setOnline(user: string, online: boolean): void {
    if (online === this.#online.has(user)) return
    if (online) this.#online.add(user)
    else this.#online.delete(user)
    this.emit('presence', { user, online })
  }

  #sendWatched(): void {
    this.#command({ watchPresence: { users: [...this.#watched.keys()].slice(0, 200) } })
  }

  #after(delay_ms: number, run: () => void): TimerHandle {
    return this.#options.platform.clock.after(delay_ms, run)
  }
}
