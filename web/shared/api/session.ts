// Who is signed in on this device. Remembered sessions live in localStorage, others in sessionStorage and end with the tab.
// Refresh tokens rotate and their reuse revokes the session, so refreshing is single-flight, also between tabs: whoever
// gets the lock second finds the newer token in the storage and uses that.
import { shallowRef } from 'vue'
import { newId } from '../platform'
import type { Me, Session } from './types'

export interface HeldSession extends Session {
  remember: boolean
}

const LEEWAY_MS = 30_000

export class SessionStore {
  readonly #key: string
  readonly current = shallowRef<HeldSession | null>(null)
  #flight: Promise<HeldSession | null> | null = null

  /** `app` keeps the patient's and the doctor's sessions of one browser apart. */
  constructor(app: 'patient' | 'doctor') {
    this.#key = `wz.${app}.session`
    this.current.value = this.#load()
    window.addEventListener('storage', (event) => {
      if (event.key === this.#key) this.current.value = this.#load()
    })
  }

  get me(): Me | null {
    return this.current.value?.user ?? null
  }

  save(session: Session, remember: boolean): HeldSession {
    const held = { ...session, remember }
    const [home, other] = remember ? [localStorage, sessionStorage] : [sessionStorage, localStorage]
    other.removeItem(this.#key)
    home.setItem(this.#key, JSON.stringify(held))
    this.current.value = held
    return held
  }

  updateMe(me: Me): void {
    const held = this.current.value
    if (held) this.save({ ...held, user: me }, held.remember)
  }

  clear(): void {
    localStorage.removeItem(this.#key)
    sessionStorage.removeItem(this.#key)
    this.current.value = null
  }

  isFresh(now_ms = Date.now()): boolean {
    const held = this.current.value
    return held !== null && held.access_expires_at - LEEWAY_MS > now_ms
  }

  /** `exchange` trades what is held for a newer session; null from here means nobody is signed in any more. */
  refresh(stale_token: string, exchange: (held: HeldSession) => Promise<Session>): Promise<HeldSession | null> {
    this.#flight ??= this.#locked(() => this.#refresh(stale_token, exchange)).finally(() => (this.#flight = null))
    return this.#flight
  }

  async #refresh(stale_token: string, exchange: (held: HeldSession) => Promise<Session>): Promise<HeldSession | null> {
    const held = this.#load()
    if (!held) return null
    if (held.access_token !== stale_token) {
      this.current.value = held
      return held
    }
    // A session that is not remembered renews by its access token, while that is alive.
    if (!held.refresh_token && held.access_expires_at <= Date.now()) return null
    return this.save(await exchange(held), held.remember)
  }

  #locked<T>(run: () => Promise<T>): Promise<T> {
    return navigator.locks ? (navigator.locks.request(this.#key, run) as Promise<T>) : run()
  }

  #load(): HeldSession | null {
    try {
      const text = sessionStorage.getItem(this.#key) ?? localStorage.getItem(this.#key)
      return text ? (JSON.parse(text) as HeldSession) : null
    } catch {
      return null
    }
  }
}

/** One id per installation, as the socket's hello wants it. */
export function deviceId(): string {
  const key = 'wz.device'
  const held = localStorage.getItem(key)
  if (held) return held
  const made = newId()
  localStorage.setItem(key, made)
  return made
}

/** Who signs in, as every sign-in request wants it. */
export const thisDevice = () => ({ id: deviceId(), label: deviceName() })

/** What a person recognises in the list of signed-in devices. */
function deviceName(agent = navigator.userAgent): string {
  const browser = /Edg\//.test(agent) ? 'Edge' : /MicroMessenger/.test(agent) ? 'WeChat' : /Firefox\//.test(agent) ? 'Firefox' : /Chrome\//.test(agent) ? 'Chrome' : /Safari\//.test(agent) ? 'Safari' : 'Browser'
  const system = /iPhone|iPad/.test(agent) ? 'iOS' : /Android/.test(agent) ? 'Android' : /Windows/.test(agent) ? 'Windows' : /Mac OS/.test(agent) ? 'macOS' : /Linux/.test(agent) ? 'Linux' : ''
  return system ? `${browser} · ${system}` : browser
}
