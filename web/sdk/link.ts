// One living connection to `/v1/socket`: hello, heartbeat, token refresh, reconnect with the server's policy. It knows nothing of
// conversations. Surprising: browsers hide the server's pings, so silence is detected with a ping record of our own.
import { backoffMs } from './backoff'
import { closePolicy } from './closes'
import type { Connection, Platform, TimerHandle } from './platform'
import type { Command, Event, Welcome } from './wire.gen'

export type LinkState = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed'

export interface LinkOptions {
  url: string
  device: string
  /** Free text for support, 64 characters at most. */
  client: string
  platform: Platform
  /** The current access token; a newer one when `renew` is set. Rejects when the person has to sign in again. */
  token(renew: boolean): Promise<string>
}

export interface LinkHandler {
  state(state: LinkState): void
  welcome(welcome: Welcome): void
  event(event: Event): void
  /** The server will not have us back without somebody acting: `revoked`, `replaced`, `signed_out`. */
  ended(reason: string): void
}

const SUBPROTOCOL = 'wenzhen.v1.json'
const OPENING_MS = 10_000
const PING_IDLE_MS = 15_000
const PONG_WITHIN_MS = 8_000
const REFRESH_BEFORE_MS = 60_000

export class Link {
  readonly #options: LinkOptions
  readonly #handler: LinkHandler
  #state: LinkState = 'idle'
  #connection: Connection | null = null
  /** Numbers the attempts: whatever an older connection still says is ignored. */
  #epoch = 0
  #attempt = 0
  #renew_token = false
  #nonce = 0
  #timers: { opening?: TimerHandle; retry?: TimerHandle; heartbeat?: TimerHandle; refresh?: TimerHandle } = {}
  /** Server time minus ours. */
  clock_skew_ms = 0

  constructor(options: LinkOptions, handler: LinkHandler) {
    this.#options = options
    this.#handler = handler
  }

  get state(): LinkState {
    return this.#state
  }

  start(): void {
    if (this.#state === 'idle' || this.#state === 'closed') this.#open()
  }

  stop(): void {
    this.#drop(1000)
    this.#become('closed')
  }

  /** The app came to the foreground or the network came back: do not wait for a timer. */
  wake(): void {
    if (this.#state === 'waiting') {
      this.#attempt = 0
      this.#open()
    } else if (this.#state === 'open') this.#ping()
  }

  /** The machine says it has no network: the connection is dead whether or not anybody told it. */
  networkLost(): void {
    if (this.#state === 'open' || this.#state === 'connecting') this.#lost(1006, '')
  }

  /** False when there is no open connection; the caller keeps what must not be lost. */
  send(command: Command): boolean {
    if (this.#state !== 'open' || !this.#connection) return false
    this.#connection.send(JSON.stringify(command))
    return true
  }

  #open(): void {
    this.#drop(1000)
    const epoch = this.#epoch
    this.#become('connecting')
    this.#timers.opening = this.#after(OPENING_MS, () => this.#lost(1006, ''))
    this.#options.token(this.#renew_token).then(
      (token) => epoch === this.#epoch && this.#connect(epoch, token),
      (error: unknown) => epoch === this.#epoch && this.#noToken(error),
    )
  }

  #noToken(error: unknown): void {
    // A token that cannot be had now may be had later; only a refusal ends the session.
    if ((error as { temporary?: boolean } | undefined)?.temporary === false) this.#end('signed_out')
    else this.#lost(1006, '')
  }

  #connect(epoch: number, token: string): void {
    this.#renew_token = false
    const mine = () => epoch === this.#epoch
    this.#connection = this.#options.platform.connect(this.#options.url, [SUBPROTOCOL], {
      open: () => mine() && this.#hello(token),
      message: (text) => mine() && this.#take(text),
      close: (code, reason) => mine() && this.#lost(code, reason),
    })
  }

  #hello(token: string): void {
    const hello = { accessToken: token, device: this.#options.device, client: this.#options.client }
    this.#connection?.send(JSON.stringify({ hello } satisfies Command))
  }

  #take(text: string): void {
    let event: Event
    try {
      event = JSON.parse(text) as Event
    } catch {
      return this.#lost(1007, '')
    }
    this.#beat()
    if (event.welcome) this.#welcome(event.welcome)
    else if (event.refreshed) this.#planRefresh(Number(event.refreshed.tokenExpiresAtMs ?? 0))
    else this.#handler.event(event)
  }

  #welcome(welcome: Welcome): void {
    this.#timers.opening?.cancel()
    this.#attempt = 0
    if (welcome.serverTimeMs) this.clock_skew_ms = Number(welcome.serverTimeMs) - this.#options.platform.clock.now()
    this.#become('open')
    this.#planRefresh(Number(welcome.tokenExpiresAtMs ?? 0))
    this.#handler.welcome(welcome)
  }

  #planRefresh(expires_at_ms: number): void {
    this.#timers.refresh?.cancel()
    if (!expires_at_ms) return
    const left_ms = expires_at_ms - this.clock_skew_ms - this.#options.platform.clock.now()
    this.#timers.refresh = this.#after(Math.max(1_000, left_ms - REFRESH_BEFORE_MS), () => void this.#refresh())
  }

  async #refresh(): Promise<void> {
    const epoch = this.#epoch
    try {
      const accessToken = await this.#options.token(true)
      if (epoch === this.#epoch) this.send({ refresh: { accessToken } })
    } catch (error) {
      if (epoch === this.#epoch && (error as { temporary?: boolean } | undefined)?.temporary === false) this.#end('signed_out')
    }
  }

  /** Something arrived, so the line is alive; ask again after a silence. */
  #beat(): void {
    this.#timers.heartbeat?.cancel()
    this.#timers.heartbeat = this.#after(PING_IDLE_MS, () => this.#ping())
  }

  #ping(): void {
    this.#nonce += 1
    if (!this.send({ ping: { nonce: String(this.#nonce) } })) return
    this.#timers.heartbeat?.cancel()
    this.#timers.heartbeat = this.#after(PONG_WITHIN_MS, () => this.#lost(1006, ''))
  }

  #lost(code: number, reason: string): void {
    const policy = closePolicy(code, reason)
    this.#drop(1000)
    if (policy.reconnect === 'no') return this.#end(policy.name)
    if (policy.reconnect === 'with_new_token') this.#renew_token = true
    this.#become('waiting')
    const delay_ms = backoffMs(this.#attempt, policy.within_ms, this.#options.platform.chance)
    this.#attempt += 1
    this.#timers.retry = this.#after(delay_ms, () => this.#open())
  }

  #end(reason: string): void {
    this.#drop(1000)
    this.#become('closed')
    this.#handler.ended(reason)
  }

  #drop(code: number): void {
    this.#epoch += 1
    Object.values(this.#timers).forEach((timer) => timer.cancel())
    this.#timers = {}
    const connection = this.#connection
    this.#connection = null
    connection?.close(code)
  }

  #become(state: LinkState): void {
    if (state === this.#state) return
    this.#state = state
    this.#handler.state(state)
  }

  #after(delay_ms: number, run: () => void): TimerHandle {
    return this.#options.platform.clock.after(delay_ms, run)
  }
}
