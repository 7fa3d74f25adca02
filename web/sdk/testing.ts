// A clock that moves when told and a server end of every connection the client opens. For tests only.
import type { Clock, Connect, ConnectionEvents, Platform, Store, TimerHandle } from './platform'
import type { Command, Entry, Event } from './wire.gen'

export class ManualClock implements Clock {
  #now = 1_800_000_000_000
  #timers: { at: number; run: () => void }[] = []

  now(): number {
    return this.#now
  }

  after(delay_ms: number, run: () => void): TimerHandle {
    const timer = { at: this.#now + delay_ms, run }
    this.#timers.push(timer)
    return { cancel: () => void (this.#timers = this.#timers.filter((held) => held !== timer)) }
  }

  /** Runs what falls due, in order, letting promises settle between. */
  async advance(by_ms: number): Promise<void> {
    const until = this.#now + by_ms
    await settle()
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.#now = Math.max(this.#now, next.at)
      next.run()
      await settle()
    }
    this.#now = until
  }
}

export async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await Promise.resolve()
}

/** The server's end of one connection. */
export class FakeSocket {
  readonly sent: Command[] = []
  readonly events: ConnectionEvents
  closed = false

  constructor(events: ConnectionEvents) {
    this.events = events
  }

  say(event: Event): void {
    this.events.message(JSON.stringify(event))
  }

  drop(code = 1006, reason = ''): void {
    this.closed = true
    this.events.close(code, reason)
  }

  /** Commands of one kind, in order. */
  of<Kind extends keyof Command>(kind: Kind): NonNullable<Command[Kind]>[] {
    return this.sent.flatMap((command) => (command[kind] ? [command[kind]] : [])) as NonNullable<Command[Kind]>[]
  }

  async welcome(): Promise<void> {
    this.events.open()
    this.say({ welcome: { user: 'me', session: 's', node: 'n', serverTimeMs: '1800000000000', tokenExpiresAtMs: '1800000600000' } })
    await settle()
  }
}

export class MemoryStore implements Store {
  readonly held = new Map<string, string>()
  get = (key: string) => this.held.get(key) ?? null
  set = (key: string, value: string) => void this.held.set(key, value)
  remove = (key: string) => void this.held.delete(key)
}

export class Rig {
  readonly clock = new ManualClock()
  readonly store = new MemoryStore()
  readonly sockets: FakeSocket[] = []
  #ids = 0

  readonly connect: Connect = (_url, _protocols, events) => {
    const socket = new FakeSocket(events)
    this.sockets.push(socket)
    return {
      send: (text) => void socket.sent.push(JSON.parse(text) as Command),
      close: () => void (socket.closed = true),
    }
  }

  get platform(): Platform {
    return {
      connect: this.connect,
      store: this.store,
      clock: this.clock,
      chance: () => 0.5,
      newId: () => `00000000-0000-7000-8000-${String((this.#ids += 1)).padStart(12, '0')}`,
    }
  }

  get socket(): FakeSocket {
    return this.sockets[this.sockets.length - 1]!
  }
}

export function entry(conversation: string, seq: number, sender = 'other', text = `line ${seq}`): Entry {
  return { conversation, seq: String(seq), id: `e${seq}`, sender, atMs: '1800000000000', hash: hashOf(seq), body: { text: { text } } }
}

/** 32 bytes that differ by seq, base64. */
export function hashOf(seq: number): string {
  return `${String.fromCharCode(65 + (seq % 26)).repeat(43)}=`
}
