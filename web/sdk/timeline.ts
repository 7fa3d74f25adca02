// One conversation as this device knows it: a contiguous run of entries, those that arrived ahead of a gap, what was not
// acknowledged yet, and the marks of the others. Pure: it says what is missing and never sends.
// Order is the server's seq; an entry is shown once, whatever is repeated.
import { hashPrefix } from './base64'
import { readEntry, type Message } from './message'
import type { Cursor, Entry, Marks } from './wire.gen'

export interface Mark {
  delivered_seq: number
  read_seq: number
}

export interface Gap {
  from_seq: number
  limit: number
  /** Hash prefix held of `from_seq - 1`, so that the server can tell a roll-back from a gap. */
  hash_prefix: string
}

const PULL_MAX = 200

export class Timeline {
  readonly conversation: string
  #run: Message[] = []
  readonly #ahead = new Map<number, Message>()
  readonly #marks = new Map<string, Mark>()
  readonly #recalled = new Set<number>()
  #head_seq = 0
  /** The newest page was asked for and not yet answered. */
  loading = false
  loading_older = false

  constructor(conversation: string) {
    this.conversation = conversation
  }

  get messages(): readonly Message[] {
    return this.#run
  }

  get first_seq(): number {
    return this.#run[0]?.seq ?? 0
  }

  /** The newest entry held without a gap before it. */
  get last_seq(): number {
    return this.#run[this.#run.length - 1]?.seq ?? 0
  }

  get head_seq(): number {
    return Math.max(this.#head_seq, this.last_seq)
  }

  get has_older(): boolean {
    return this.first_seq > 1
  }

  get is_empty(): boolean {
    return this.#run.length === 0
  }

  isRecalled(seq: number): boolean {
    return this.#recalled.has(seq)
  }

  learnHead(seq: number): void {
    this.#head_seq = Math.max(this.#head_seq, seq)
  }

  /** Takes an entry that came live. Says whether anything visible changed. */
  add(entry: Entry): boolean {
    return this.addMessage(readEntry(entry))
  }

  addMessage(message: Message): boolean {
    this.learnHead(message.seq)
    if (message.seq <= this.last_seq) return false
    if (this.#run.length === 0 && message.seq > 1) {
      this.#ahead.set(message.seq, message)
      return false
    }
    if (message.seq !== this.last_seq + 1) {
      this.#ahead.set(message.seq, message)
      return false
    }
    this.#append(message)
    this.#drainAhead()
    return true
  }

  /** Takes a page of history: the newest one, a gap's, or older entries. */
  addPage(entries: readonly Entry[], head_seq: number): boolean {
    this.loading = false
    this.learnHead(head_seq)
    const page = entries.map(readEntry).sort((a, b) => a.seq - b.seq)
    if (page.length === 0) return false
    const before = [this.first_seq, this.last_seq]
    if (this.is_empty) page.forEach((message) => this.#append(message))
    else this.#merge(page)
    this.#drainAhead()
    return before[0] !== this.first_seq || before[1] !== this.last_seq
  }

  /** What has to be pulled before the run reaches the head; null when nothing is missing. */
  gap(): Gap | null {
    if (this.is_empty || this.last_seq >= this.head_seq) return null
    const limit = Math.min(PULL_MAX, this.head_seq - this.last_seq)
    return { from_seq: this.last_seq + 1, limit, hash_prefix: this.#lastPrefix() }
  }

  cursor(): Cursor | null {
    if (this.is_empty) return null
    return { conversation: this.conversation, seq: String(this.last_seq), hashPrefix: this.#lastPrefix() }
  }

  /** The server's history is another one: everything held is worthless. */
  forget(): void {
    this.#run = []
    this.#ahead.clear()
    this.#recalled.clear()
    this.#head_seq = 0
    this.loading = false
    this.loading_older = false
  }

  learnMarks(marks: Marks): void {
    const held = this.marksOf(marks.user ?? '')
    this.#marks.set(marks.user ?? '', {
      delivered_seq: Math.max(held.delivered_seq, Number(marks.deliveredSeq ?? 0), Number(marks.readSeq ?? 0)),
      read_seq: Math.max(held.read_seq, Number(marks.readSeq ?? 0)),
    })
  }

  marksOf(user: string): Mark {
    return this.#marks.get(user) ?? { delivered_seq: 0, read_seq: 0 }
  }

  /** The furthest marks of anybody but `me`. */
  marksOfOthers(me: string): Mark {
    const others = [...this.#marks].filter(([user]) => user !== me).map(([, mark]) => mark)
    return {
      delivered_seq: Math.max(0, ...others.map((mark) => mark.delivered_seq)),
      read_seq: Math.max(0, ...others.map((mark) => mark.read_seq)),
    }
  }

  #merge(page: Message[]): void {
    const older = page.filter((message) => message.seq < this.first_seq)
    // Only a block that touches the run may be put before it; anything else would hide a hole.
    if (older.length > 0 && older[older.length - 1]!.seq === this.first_seq - 1) {
      older.forEach((message) => this.#note(message))
      this.#run = [...older, ...this.#run]
    }
    for (const message of page) {
      if (message.seq === this.last_seq + 1) this.#append(message)
      else if (message.seq > this.last_seq) this.#ahead.set(message.seq, message)
    }
  }

  #append(message: Message): void {
    this.#note(message)
    this.#run = [...this.#run, message]
  }

  #drainAhead(): void {
    for (let next = this.#ahead.get(this.last_seq + 1); next && !this.is_empty; next = this.#ahead.get(this.last_seq + 1)) {
      this.#append(next)
    }
    for (const seq of [...this.#ahead.keys()]) if (seq <= this.last_seq) this.#ahead.delete(seq)
  }

  #note(message: Message): void {
    if (message.content.kind === 'recall') this.#recalled.add(Number(message.content.seq ?? 0))
  }

  #lastPrefix(): string {
    return hashPrefix(this.#run[this.#run.length - 1]?.hash ?? '')
  }
}
