// What the SDK needs from the machine it runs on. A browser, Node and the WeChat mini program each give their own; the SDK
// itself touches no global but the language's, so sockets, storage, time, chance and timers all come in here.

export interface ConnectionEvents {
  open(): void
  message(text: string): void
  /** Called once, also when the connection was never opened. */
  close(code: number, reason: string): void
}

export interface Connection {
  send(text: string): void
  close(code?: number): void
}

export type Connect = (url: string, protocols: string[], events: ConnectionEvents) => Connection

export interface Clock {
  /** Milliseconds UTC. */
  now(): number
  after(delay_ms: number, run: () => void): TimerHandle
}

export interface TimerHandle {
  cancel(): void
}

/** Small, synchronous, per device. Losing it costs unsent drafts, nothing else. */
export interface Store {
  get(key: string): string | null
  set(key: string, value: string): void
  remove(key: string): void
}

export interface Platform {
  connect: Connect
  store: Store
  clock: Clock
  /** Uniform in [0, 1): jitter only, never an identifier. */
  chance(): number
  /** A UUIDv7. */
  newId(): string
}
