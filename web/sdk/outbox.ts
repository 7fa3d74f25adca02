// Messages this device wants to send, until the server acknowledges or refuses them. Kept in the store, so that a reload or a
// dead battery sends them again with the same id, which the server answers with the same seq: never twice, never lost.
import type { SendBody } from './message'
import type { Store } from './platform'

export interface Pending {
  id: string
  conversation: string
  body: SendBody
  created_at_ms: number
  state: 'sending' | 'failed'
  /** Stable code of the refusal; empty while sending. */
  code: string
}

export class Outbox {
  readonly #store: Store
  readonly #key: string
  #pending: Pending[]

  constructor(store: Store, key: string) {
    this.#store = store
    this.#key = key
    this.#pending = this.#load()
  }

  all(): readonly Pending[] {
    return this.#pending
  }

  of(conversation: string): readonly Pending[] {
    return this.#pending.filter((item) => item.conversation === conversation)
  }

  find(id: string): Pending | undefined {
    return this.#pending.find((item) => item.id === id)
  }

  add(item: Pending): void {
    this.#pending = [...this.#pending, item]
    this.#save()
  }

  change(id: string, change: Partial<Pending>): void {
    this.#pending = this.#pending.map((item) => (item.id === id ? { ...item, ...change } : item))
    this.#save()
  }

  remove(id: string): void {
    this.#pending = this.#pending.filter((item) => item.id !== id)
    this.#save()
  }

  #load(): Pending[] {
    try {
      const held: unknown = JSON.parse(this.#store.get(this.#key) ?? '[]')
      return Array.isArray(held) ? (held as Pending[]) : []
    } catch {
      return []
    }
  }

  #save(): void {
    if (this.#pending.length === 0) this.#store.remove(this.#key)
    else this.#store.set(this.#key, JSON.stringify(this.#pending))
  }
}
